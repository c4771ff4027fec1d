"""The texts of a request in V1 or V2 (JSON or binary tensors), and what was answered.

Sources: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol;
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<I")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Answer:
    """What a predictor answered.

    Args:
        version: The model's version; empty if it is not told.
        probabilities: Shape (texts, labels); None unless it tells those of all labels.
        refused: True if it answered with an error.
    """

    version: str = ""
    probabilities: NDArray[np.float64] | None = None
    refused: bool = False


def read_texts(body: bytes) -> list[str]:
    """Read the texts of a request.

    Raises:
        ValueError: If it is no request with texts in one of the protocols over HTTP.
    """
    content, binary = _parsed(body)
    try:
        if "instances" in content:
            texts = [
                each if isinstance(each, str) else each["text"] for each in content["instances"]
            ]
        else:
            tensor = content["inputs"][0]
            data = tensor.get("data")
            texts = _elements(binary) if data is None else data
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("no texts") from error
    if not texts or not all(isinstance(each, str) and each.strip() for each in texts):
        raise ValueError("no texts")
    return list(texts)


def read_answer(body: bytes, labels: Sequence[str]) -> Answer:
    """Read an answer; one that cannot be read says nothing.

    Args:
        body: Its body.
        labels: Labels of the model that is watched.
    """
    try:
        content, _ = _parsed(body)
    except ValueError:
        return Answer()
    if "error" in content:
        return Answer(refused=True)
    version = str(content.get("model_version", ""))
    try:
        rows = np.asarray(_by_label(content, labels), dtype=np.float64)
    except (LookupError, TypeError, ValueError, AttributeError):
        return Answer(version)
    is_whole = rows.shape[1:] == (len(labels),) and np.isfinite(rows).all()
    return Answer(version, rows if is_whole else None)


def _by_label(content: dict[str, Any], labels: Sequence[str]) -> Any:
    if "predictions" in content:
        shares = [each["probabilities"] for each in content["predictions"]]
        return [[each[name] for name in labels] for each in shares]
    (tensor,) = (each for each in content["outputs"] if each["name"] == "probabilities")
    if content["parameters"]["labels"] != ",".join(labels):
        return None
    # With `top_k` the columns would be others for each text.
    (by_rank,) = (each["shape"] for each in content["outputs"] if each["name"] == "label")
    return None if len(by_rank) > 1 else np.reshape(tensor["data"], tensor["shape"])


def _parsed(body: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON at the beginning of a body, and the binary tensors after it.

    The header that gives the length of the JSON is not part of a payload log. In Latin-1 a
    character is a byte, so the place where the JSON ends is found in it.
    """
    try:
        _, end = _DECODER.raw_decode(body.decode("latin-1").lstrip("\n\r\t "))
        end += len(body) - len(body.lstrip())
        content = json.loads(body[:end])
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError("no object")  # noqa: TRY004 (a body is refused as one that is no JSON)
    return content, body[end:]


def _elements(binary: bytes) -> list[str]:
    texts, place = [], 0
    while place + _LENGTH.size <= len(binary):
        start = place + _LENGTH.size
        place = start + _LENGTH.unpack_from(binary, place)[0]
        texts.append(binary[start:place].decode())
    if place != len(binary):
        raise ValueError("a tensor that is cut off")
    return texts
