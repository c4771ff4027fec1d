"""Runs a model behind kserve's HTTP server until SIGTERM."""

import signal
import socket
import sys

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve import ModelServer
from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.logging import logger
from kserve.model_server import app
from kserve.protocol.rest.server import RESTServer

from components.checks import InputError
from components.serve.classifier import Classifier
from components.serve.model import TextModel
from components.serve.settings import ServeSettings


def serve(classifier: Classifier, settings: ServeSettings) -> None:
    """Listen until SIGTERM or SIGINT, then finish what is under way and exit with status 0.

    Raises:
        InputError: If the address cannot be listened on.
    """
    model = TextModel(settings.model_name, classifier)
    server = _http_server(model, settings)
    with _listener(settings) as listener:
        # uvicorn finishes what is under way and then raises the signal again.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        logger.info("serve: %s on http://%s:%d", model.name, *listener.getsockname())
        server.run(sockets=[listener])


def _listener(settings: ServeSettings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.http_port))
    except OSError as error:
        thing = f"address {settings.host}:{settings.http_port}"
        rule = f"cannot be listened on ({error.strerror})"
        raise InputError(thing, rule, "Choose another host or port") from error


def _http_server(model: TextModel, settings: ServeSettings) -> RESTServer:
    # Not ModelServer.start(), since it always listens on 0.0.0.0.
    server = ModelServer(http_port=settings.http_port, enable_grpc=False)
    server.register_model(model)
    app.add_exception_handler(RequestValidationError, _malformed_body)
    return RESTServer(
        FASTAPI_APP_IMPORT_STRING,
        server.dataplane,
        server.model_repository_extension,
        settings.http_port,
    )


async def _malformed_body(_: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return JSONResponse({"error": f"{place}: {first['msg']}"}, status_code=400)
