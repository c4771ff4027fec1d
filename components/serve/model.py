"""The classifier as a KServe model that answers the V1 and V2 protocols."""

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model
from kserve.utils.utils import generate_uuid

from components.serve import requests
from components.serve.classifier import Classifier


class TextModel(Model):  # type: ignore[misc]
    """Answers prediction requests; ready as soon as it is made.

    Args:
        name: Name of the model in the URLs.
        classifier: A loaded classifier.
    """

    def __init__(self, name: str, classifier: Classifier) -> None:
        super().__init__(name)
        self._classifier = classifier
        self.ready = True

    async def predict(
        self, payload: object, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any] | InferResponse:
        """Answer a request in the protocol that it came in.

        Raises:
            InvalidInput: If the request breaks a rule of `components.serve.requests`.
        """
        del headers
        if isinstance(payload, InferRequest):
            return await self._predict_v2(payload)
        return await self._predict_v1(payload)

    def get_input_types(self) -> list[dict[str, Any]]:
        """Inputs as V2 metadata; -1 stands for any number of texts."""
        return [{"name": requests.INPUT, "datatype": "BYTES", "shape": [-1]}]

    def get_output_types(self) -> list[dict[str, Any]]:
        """Outputs as V2 metadata."""
        return [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {
                "name": "probabilities",
                "datatype": "FP32",
                "shape": [-1, len(self._classifier.labels)],
            },
        ]

    # Inference runs in a thread, since it would keep the event loop from answering probes.

    async def _predict_v1(self, body: object) -> dict[str, Any]:
        texts = requests.v1_texts(body)
        predictions = await asyncio.to_thread(self._classifier.classify, texts)
        return {
            "predictions": [
                {"label": each.label, "probabilities": each.probabilities} for each in predictions
            ],
            "model_version": self._classifier.version,
        }

    async def _predict_v2(self, request: InferRequest) -> InferResponse:
        texts = requests.v2_texts(request)
        probabilities = await asyncio.to_thread(self._classifier.probabilities, texts)
        names = np.array(self._classifier.labels, dtype=np.object_)
        labels = names[probabilities.argmax(axis=1)]
        return InferResponse(
            response_id=request.id or generate_uuid(),
            model_name=self.name,
            model_version=self._classifier.version,
            infer_outputs=[
                InferOutput("label", list(labels.shape), "BYTES", labels),
                InferOutput("probabilities", list(probabilities.shape), "FP32", probabilities),
            ],
            # A V2 parameter is a scalar, so the names of the columns stand in one string.
            parameters={"labels": ",".join(self._classifier.labels)},
            use_binary_outputs=request.use_binary_outputs,
            requested_outputs=request.request_outputs,
        )
