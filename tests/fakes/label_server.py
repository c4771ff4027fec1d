"""A server that gives every text the label `joy`: `python -m tests.fakes.label_server PORT`."""

import sys

from aiohttp import web


async def ready(_: web.Request) -> web.Response:
    return web.Response()


async def predict(request: web.Request) -> web.Response:
    texts = (await request.json())["instances"]
    return web.json_response({"predictions": [{"label": "joy"} for _ in texts]})


def main() -> None:
    application = web.Application()
    application.add_routes([web.get("/ready", ready), web.post("/predict", predict)])
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
