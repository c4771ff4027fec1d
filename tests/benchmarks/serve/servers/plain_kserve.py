"""The plain way: kserve's model server around a transformers pipeline, as people write it."""

import argparse
from collections.abc import Mapping
from typing import Any

from kserve import Model, ModelServer
from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.protocol.rest.server import RESTServer
from transformers import pipeline


class PlainModel(Model):
    """Answers the V1 protocol."""

    def __init__(self, name: str, folder: str) -> None:
        super().__init__(name)
        self._folder = folder

    def load(self) -> bool:
        self._pipeline = pipeline(
            "text-classification", model=self._folder, top_k=None, truncation=True
        )
        self.ready = True
        return self.ready

    def predict(
        self, payload: dict[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        del headers
        return {"predictions": self._pipeline(payload["instances"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments, _ = parser.parse_known_args()
    model = PlainModel("emotion", arguments.folder)
    model.load()
    # What ModelServer.start does, but on the loopback address alone.
    server = ModelServer(http_port=arguments.port, enable_grpc=False)
    server.register_model(model)
    rest = RESTServer(
        FASTAPI_APP_IMPORT_STRING,
        server.dataplane,
        server.model_repository_extension,
        arguments.port,
    )
    rest.config.host = "127.0.0.1"
    rest.run()


if __name__ == "__main__":
    main()
