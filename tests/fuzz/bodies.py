"""Bodies of V1 and V2 from what their protocols allow, and what must be answered to each."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from components.serve.tensors import write_texts

TEXTS = [
    *("a fine day", "no", "\x00", "\u202eevil\u202c", "😀" * 9, "e" + "\u0301" * 40, "\ufffe"),
    *("שלום", "\t a", '"', "\\", "{}", "x" * 300, "a b " * 20, "a\u2028b", "é", "null", "1"),
]
NOT_READ = ["", " ", "\n\t", "\x1f", "\u3000", "\ud800", "y" * 10_001]
NO_TEXTS = [None, 1, True, 2.5, [], {}, ["a"], {"txt": "a"}, {"text": None}, {"text": "a", "b": 1}]
SCALARS = ["x", "", 0, -1, 2**40, 0.5, True, False, None]
_LENGTH = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class Body:
    """A body with its headers, the status that it must get, and what an answer 200 must hold."""

    path: str
    content: bytes
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    texts: int = 0
    held: dict[str, Any] = field(default_factory=dict)


class Model:
    """What a request is built of; remembers if a part of it is wrong.

    Args:
        draw: The source of chance.
        wrong: Share of the parts that are wrong.
    """

    def __init__(self, draw: Random, wrong: float):
        self.draw, self.is_right, self._wrong = draw, True, wrong

    def one(self, right: list[Any], wrong: list[Any]) -> Any:
        """A right value, or seldom a wrong one."""
        if self.draw.random() < self._wrong:
            self.is_right = False
            return self.draw.choice(wrong)
        return self.draw.choice(right)

    def maybe(self, name: str, right: list[Any], wrong: list[Any]) -> dict[str, Any]:
        """A value under its name, or none."""
        return {name: self.one(right, wrong)} if self.draw.random() < 0.4 else {}

    def texts(self) -> list[str]:
        number = self.draw.choices([1, 2, 5, 256], [600, 300, 97, 3])[0]
        return [self.one(TEXTS, NOT_READ) for _ in range(number)]


def v1_body(draw: Random) -> Body:
    """Texts to classify or to explain."""
    model = Model(draw, draw.choice([0, 0.05]))
    texts = model.texts()
    instances = [draw.choice([each, {"text": each}]) for each in texts]
    instances[0] = model.one([instances[0]], NO_TEXTS)
    body = {
        "instances": model.one([instances], [None, [], {}, "a", [[]], ["a"] * 257]),
        **model.maybe("top_k", [1, 3, 6, 7, 2.0, 10**40, 1e300, None], [0, -1, 1.5, "2", True, []]),
        **model.maybe("threshold", [0, 1, 0.5, 1e-9, None, -0.0], [-0.1, 2, "0", True, [], 1e300]),
        **(model.one([{}] * 9, [{"topk": 1}, {"parameters": {}}, {"": 0}, {"id": "1"}])),
    }
    is_explained = draw.random() < 0.03
    if is_explained and len(texts) > 4:
        model.is_right = False
    name, answer = ("explain", "explanations") if is_explained else ("predict", "predictions")
    held = {"instances": answer, "top_k": body.get("top_k"), "threshold": body.get("threshold")}
    path = f"/v1/models/emotion:{name}"
    return _built(model, path, _json(draw, body), {}, len(texts), held)


def v2_body(draw: Random, version: str) -> Body:
    """A tensor of texts, as JSON or in binary form."""
    model = Model(draw, draw.choice([0, 0.05]))
    texts = model.texts()
    tensor, binary = _tensor(model, texts)
    wanted = model.one(
        [None, [], ["label"], ["probabilities"], ["probabilities", "label"]],
        [["mood"], [None], ["label"] * 3],
    )
    body: dict[str, Any] = {
        **model.maybe("id", ["7", "", "\u00fc\x00", "x" * 256, None], [7, "x" * 257, [], {}]),
        "inputs": model.one([[tensor]], [None, [], tensor, [tensor, tensor], [[tensor]], ["a"]]),
        **model.maybe("parameters", [None], [[], "x", 1]),
        **({"parameters": _parameters(model)} if draw.random() < 0.5 and model.is_right else {}),
        **({} if wanted is None else {"outputs": [_output(model, name) for name in wanted]}),
        **(model.one([{}, {"from_triton": [1]}], [{"outputs": "label"}])),
    }
    paths = ["/v2/models/emotion/infer", f"/v2/models/emotion/versions/{version}/infer"]
    headers, content = {}, _json(draw, body)
    if binary or draw.random() < 0.1:
        near = [0, -1, len(content) + len(binary) + 1, "", "²", "1e3", len(content) - 1]
        headers[_LENGTH] = str(model.one([len(content)], near))
    held = {"id": body.get("id"), "outputs": wanted or ["label", "probabilities"]}
    return _built(model, draw.choice(paths), content + binary, headers, len(texts), held)


def _tensor(model: Model, texts: list[str]) -> tuple[dict[str, Any], bytes]:
    size = len(texts)
    shapes = [[size + 1], [], [size, 1], [-1], [2**80], [0], None, "1", [1.5], [str(size)]]
    tensor: dict[str, Any] = {
        "name": model.one(["text"], ["texts", "", None, 1]),
        "shape": model.one([[size]], shapes),
        "datatype": model.one(["BYTES"], ["FP32", "bytes", "UINT8", None]),
        **(model.one([{}, {"from_triton": 1}], [{"shape": None}])),
    }
    parameters = {"content_type": model.draw.choice(SCALARS)} if model.draw.random() < 0.3 else {}
    binary = b""
    if model.draw.random() < 0.4:
        # In UTF-8 there is no lone surrogate, and nothing is no text either.
        right = write_texts([each.replace("\ud800", "") for each in texts])
        binary = model.one([right], [right + b"\0", right[:-1], b"\xff" * 4, b"", b"\1\0\0\0\xff"])
        sizes = [len(binary) + 1, -1, 2**62, str(len(binary)), 0.5]
        parameters["binary_data_size"] = model.one([len(binary)], sizes)
    else:
        tensor["data"] = model.one(
            [texts], [None, [], [texts], [*texts, None], "a", [1.0], texts * 2]
        )
    return tensor | ({"parameters": parameters} if parameters else {}), binary


def _parameters(model: Model) -> dict[str, Any]:
    """Ours, those of Triton's extensions, and others."""
    known = {"sequence_id": 7, "sequence_start": True, "priority": 1, "timeout": 10**6}
    odd = {f"x{place}": each for place, each in enumerate(SCALARS)}
    return {
        **model.maybe("unknown", ["x", 1], [[1], {"a": 1}]),
        **model.maybe("top_k", [1, 6, 9, 2.0, None], [0, -3, "2", True, 0.5]),
        **model.maybe("binary_data_output", [True, False, None], ["true", 1, []]),
        **(known if model.draw.random() < 0.3 else {}),
        **(odd if model.draw.random() < 0.1 else {}),
    }


def _output(model: Model, name: Any) -> dict[str, Any]:
    parameters = {**model.maybe("binary_data", [True, False, None], [[1]])}
    parameters |= model.draw.choice([{}, {"classification": 3}])
    return {"name": name} | ({"parameters": parameters} if parameters else {})


def _json(draw: Random, value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=draw.random() < 0.5, indent=draw.choice([None, None, 1]))
    # A lone surrogate is no text, and may be written nevertheless.
    return text.encode("utf-8", "surrogatepass")


def _built(
    model: Model, path: str, content: bytes,
    headers: dict[str, str], texts: int, held: dict[str, Any],
) -> Body:  # fmt: skip
    status = 413 if len(content) > 262_144 else 200 if model.is_right else 400
    return Body(path, content, status, headers, texts, held)
