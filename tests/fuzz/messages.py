"""Calls over gRPC: messages from the model of a request, and bytes that are none.

Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md
"""

from dataclasses import dataclass
from random import Random

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from components.serve import open_inference_pb2 as pb
from components.serve.tensors import write_texts
from tests.fuzz.bodies import NOT_READ, TEXTS, Model
from tests.fuzz.mutations import spliced

Code = grpc.StatusCode
_V2 = "/inference.GRPCInferenceService/"
_HEALTH = "/grpc.health.v1.Health/"
_REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_REQUESTS = {
    **{f"{_V2}{name}": getattr(pb, f"{name}Request") for name in ("ServerLive", "ServerReady")},
    **{f"{_V2}{name}": getattr(pb, f"{name}Request") for name in ("ModelReady", "ModelMetadata")},
    f"{_V2}ServerMetadata": pb.ServerMetadataRequest,
    f"{_HEALTH}Check": health_pb2.HealthCheckRequest,
}
_UNKNOWN = [
    *(f"{_V2}RepositoryIndex", f"{_V2}RepositoryModelLoad", f"{_V2}RepositoryModelUnload"),
    *(f"{_V2}Infer", "/x/y", "/", "/inference.GRPCInferenceService", "/a/b/c", f"{_HEALTH}List2"),
]
_WRONG_CONTENTS = [
    {"int64_contents": [1]}, {"fp32_contents": [1.0]}, {"bool_contents": [True]}, {},
]  # fmt: skip
_MODELS = [("emotion", ""), ("emotion", "9"), ("other", ""), ("", "")]
_MOST_BYTES = 262_144


@dataclass(frozen=True)
class Call:
    """A call: its method, its message as bytes, and the codes that may come of it."""

    method: str
    content: bytes
    codes: frozenset[Code]
    is_stream: bool = False
    metadata: tuple[tuple[str, str], ...] = ()

    def __repr__(self):
        return f"{self.method} {self.content[:400]!r} -> {[each.name for each in self.codes]}"


def call(draw: Random) -> Call:
    """A call of any method."""
    kinds = [_infer, _other, _raw, _unknown, _reflection, _huge]
    return draw.choices(kinds, [60, 12, 15, 5, 5, 3])[0](draw)


def _infer(draw: Random) -> Call:
    model = Model(draw, draw.choice([0, 0.05]))
    texts, is_raw = _texts(model), draw.random() < 0.4
    request = pb.ModelInferRequest(
        id=model.one(["", "7", "\u00fc\x00", "x" * 256], ["x" * 257]),
        inputs=[_tensor(model, texts, is_raw)] * model.one([1], [0, 2]),
        parameters=_parameters(model),
        raw_input_contents=_raw_contents(model, texts) if is_raw else [],
    )
    wanted = model.one([[], ["label"], ["probabilities"], ["label", "label"]], [["mood"], [""]])
    for name in wanted:
        request.outputs.add(name=name)
    codes = {Code.OK} if model.is_right else {Code.INVALID_ARGUMENT}
    request.model_name, request.model_version = draw.choices(_MODELS, [97, 1, 1, 1])[0]
    if (request.model_name, request.model_version) != _MODELS[0]:
        codes = {Code.NOT_FOUND}
    content = request.SerializeToString()
    if len(content) > _MOST_BYTES:
        codes = {Code.RESOURCE_EXHAUSTED}
    return Call(f"{_V2}ModelInfer", content, frozenset(codes), metadata=_metadata(draw))


def _texts(model: Model) -> list[bytes]:
    texts = [each for each in NOT_READ if each != "\ud800"]
    number = model.one([1, 1, 1, 2, 5], [257])
    return [model.one(TEXTS, texts).encode() for _ in range(number)]


def _tensor(model: Model, texts: list[bytes], is_raw: bool):
    size, contents = len(texts), {"bytes_contents": texts}
    # With raw contents, the others would be the same texts once more.
    right, wrong = ([None], [contents]) if is_raw else ([contents], _WRONG_CONTENTS)
    tensor = pb.ModelInferRequest.InferInputTensor(
        name=model.one(["text"], ["texts", ""]),
        datatype=model.one(["BYTES"], ["FP32", "", "bytes"]),
        shape=model.one([[size]], [[size + 1], [], [size, 1], [-1], [2**62], [0]]),
        contents=model.one(right, wrong),
    )
    tensor.parameters["content_type"].string_param = "str"
    return tensor


def _raw_contents(model: Model, texts: list[bytes]) -> list[bytes]:
    right = write_texts([each.decode() for each in texts])
    broken = [
        [right, right],
        [right[:-1]],
        [right + b"\0"],
        [b"\xff" * 4],
        [b""],
        [b"\1\0\0\0\xff"],
    ]
    return model.one([[right]], broken)


def _parameters(model: Model):
    chosen = model.maybe("top_k", [1, 6, 2**40], [0, -1, "2", True])
    chosen |= model.draw.choice([{}, {"priority": 1, "sequence_start": True}, {"x": "\u2028"}])
    kinds = {bool: "bool_param", int: "int64_param", str: "string_param"}
    return {
        name: pb.InferParameter(**{kinds[type(value)]: value}) for name, value in chosen.items()
    }


def _metadata(draw: Random) -> tuple[tuple[str, str], ...]:
    given = draw.choice(["", "id-1", "x" * 300, 'a "b" %', " ", "ce\t", "~" * 256])
    return ((draw.choice(["x-request-id", "ce-id", "x"]), given.strip("\t")),)


def _other(draw: Random) -> Call:
    method = draw.choice(list(_REQUESTS))
    kind = _REQUESTS[method]
    if kind is health_pb2.HealthCheckRequest:
        known = ["", "inference.GRPCInferenceService"]
        name = draw.choice([*known, "x", "emotion", "\u00fc"])
        code = Code.OK if name in known else Code.NOT_FOUND
        return Call(method, kind(service=name).SerializeToString(), frozenset({code}))
    if not kind.DESCRIPTOR.fields:
        return Call(method, b"", frozenset({Code.OK}))
    name, version = draw.choice(["emotion", "", "other"]), draw.choice(["", "", "9", "\x00"])
    is_known = name == "emotion" and not version
    codes = frozenset({Code.OK if is_known else Code.NOT_FOUND})
    return Call(method, kind(name=name, version=version).SerializeToString(), codes)


def _raw(draw: Random) -> Call:
    """Bytes that are a changed message, or none at all."""
    fine = _infer(draw).content[:5000]
    content = draw.choice([spliced(draw, fine), fine[: draw.randrange(99)], draw.randbytes(40)])
    method = draw.choice([f"{_V2}ModelInfer", *_REQUESTS])
    return Call(method, content, frozenset({Code.OK, Code.INVALID_ARGUMENT, Code.NOT_FOUND}))


def _unknown(draw: Random) -> Call:
    return Call(draw.choice(_UNKNOWN), b"", frozenset({Code.UNIMPLEMENTED}))


def _reflection(draw: Random) -> Call:
    names = ["", "inference.GRPCInferenceService", "x.y", "\u00fc", "x" * 999]
    fields = ["list_services", "file_containing_symbol", "file_by_filename"]
    fields.append("all_extension_numbers_of_type")
    content = reflection_pb2.ServerReflectionRequest(
        **{draw.choice(fields): draw.choice(names)}
    ).SerializeToString()
    codes = {Code.OK}
    if draw.random() < 0.3:
        content, codes = draw.randbytes(20), {Code.OK, Code.INVALID_ARGUMENT}
    return Call(_REFLECTION, content, frozenset(codes), is_stream=True)


def _huge(draw: Random) -> Call:
    method = draw.choice([f"{_V2}ModelInfer", *_REQUESTS])
    content = bytes(_MOST_BYTES + draw.randint(1, 100_000))
    return Call(method, content, frozenset({Code.RESOURCE_EXHAUSTED}))
