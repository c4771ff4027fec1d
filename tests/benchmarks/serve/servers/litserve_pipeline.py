"""litserve around a transformers pipeline, with its dynamic batching."""

import argparse
from typing import Any

import litserve
from transformers import pipeline

BATCH_TIMEOUT = 0.005
"""Seconds that a batch waits for more requests."""


class PipelineAPI(litserve.LitAPI):
    """One or several texts a request; the texts of all requests of a batch are run together."""

    def __init__(self, folder: str, batch_size: int) -> None:
        super().__init__(max_batch_size=batch_size, batch_timeout=BATCH_TIMEOUT)
        self._folder = folder

    def setup(self, device: str) -> None:
        self._pipeline = pipeline(
            "text-classification", model=self._folder, top_k=None, truncation=True, device=device
        )

    def decode_request(self, request: dict[str, Any]) -> list[str]:
        return request["texts"]

    def batch(self, inputs: list[list[str]]) -> list[list[str]]:
        return inputs

    def predict(self, requests: list[list[str]]) -> list[list[Any]]:
        texts = [text for request in requests for text in request]
        answers = iter(self._pipeline(texts, batch_size=self.max_batch_size))
        return [[next(answers) for _ in request] for request in requests]

    def unbatch(self, output: list[list[Any]]) -> list[list[Any]]:
        return output

    def encode_response(self, output: list[Any]) -> dict[str, Any]:
        return {"predictions": output}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    api = PipelineAPI(arguments.folder, arguments.batch_size)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=arguments.workers)
    server.run(
        host="127.0.0.1",
        port=arguments.port,
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )


if __name__ == "__main__":
    main()
