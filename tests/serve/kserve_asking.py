"""Asks with KServe's own clients: V1, explain, V2 in JSON and binary, gRPC.

Arguments: a base URL, an address for gRPC, and texts. Prints labels and probabilities by how it
asked. It is a process of its own, since KServe and the predictor bring protobuf messages of one
name.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from kserve import (
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
    InferResponse,
    RESTConfig,
)
from kserve.protocol.infer_type import RequestedOutput

MODEL = "emotion"


async def main(url: str, address: str, texts: Sequence[str]) -> None:
    """Ask in every way, and print the answers as a JSON object."""
    answers = {**await over_v1(url, texts), **await over_v2(url, texts)}
    answers["gRPC"] = await over_grpc(address, texts)
    print(json.dumps(answers))  # noqa: T201


async def over_v1(url: str, texts: Sequence[str]) -> dict[str, Any]:
    """Predict and explain."""
    body = {"instances": texts}
    async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
        assert await client.is_server_live(url)
        assert await client.is_model_ready(url, MODEL)
        predicted = (await client.infer(url, body, model_name=MODEL))["predictions"]
        explained = (await client.explain(url, MODEL, body))["explanations"]
    return {"V1": of_v1(predicted), "V1 explain": of_v1(explained)}


async def over_v2(url: str, texts: Sequence[str]) -> dict[str, Any]:
    """Ask with input and outputs in JSON or binary."""
    answers = {}
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        assert await client.is_server_live(url)
        assert await client.is_server_ready(url)
        assert await client.is_model_ready(url, MODEL)
        for sent, wanted in product((False, True), repeat=2):
            names = ("label", "probabilities")
            outputs = [RequestedOutput(name, {"binary_data": wanted}) for name in names]
            request = asked(texts, sent, request_outputs=outputs)
            answers[f"V2 {sent} {wanted}"] = of_v2(
                await client.infer(url, request, model_name=MODEL)
            )
    return answers


async def over_grpc(address: str, texts: Sequence[str]) -> Any:
    """Ask over gRPC."""
    async with InferenceGRPCClient(address) as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready(MODEL)
        return of_v2(await client.infer(asked(texts, binary=True, parameters={"timeout": 1000})))


def asked(texts: Sequence[str], binary: bool, **more: object) -> InferRequest:
    """Build a request of V2."""
    tensor = InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(texts, dtype=np.object_), binary_data=binary)
    return InferRequest(MODEL, [tensor], request_id="7", **more)


def of_v1(bodies: Sequence[Mapping[str, Any]]) -> Any:
    """Return the labels and probabilities of V1's answer."""
    labels = [each["label"] for each in bodies]
    return labels, [list(each["probabilities"].values()) for each in bodies]


def of_v2(answer: InferResponse) -> Any:
    """Return the labels and probabilities of V2's answer."""
    assert answer.id == "7"
    label, probabilities = (each.as_numpy() for each in answer.outputs)
    # Over gRPC it leaves them as bytes.
    labels = [each.decode() if isinstance(each, bytes) else each for each in label.tolist()]
    return labels, probabilities.tolist()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
