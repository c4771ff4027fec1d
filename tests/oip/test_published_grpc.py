"""A client that is compiled from the protocol's published file calls every procedure."""

import struct

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from tests.oip.asking import TEXTS
from tests.oip.published import messages

SERVICE = "inference.GRPCInferenceService"
BYTES = [text.encode() for text in TEXTS]
TENSOR = {"name": "text", "datatype": "BYTES", "shape": [len(TEXTS)]}
CONTENTS = {"inputs": [{**TENSOR, "contents": {"bytes_contents": BYTES}}]}
RAW = {
    "inputs": [TENSOR],
    "raw_input_contents": [b"".join(struct.pack("<I", len(each)) + each for each in BYTES)],
}


@pytest.fixture(scope="session")
def service(published, tmp_path_factory):
    return messages(published, tmp_path_factory.mktemp("proto")).FindServiceByName(SERVICE)


@pytest.fixture(scope="session")
def channel(predictor):
    with grpc.insecure_channel(predictor.grpc) as channel:
        yield channel


@pytest.fixture
def call(service, channel):
    """Calls a procedure with the fields of its request."""

    def call(name, /, **fields):
        method = service.methods_by_name[name]
        request = GetMessageClass(method.input_type)(**fields)
        return channel.unary_unary(
            f"/{SERVICE}/{name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )(request, timeout=60)

    return call


def test_it_has_the_procedures_that_are_called_here(service):
    called = {"ServerLive", "ServerReady", "ModelReady"}
    assert set(service.methods_by_name) == called | {
        "ServerMetadata",
        "ModelMetadata",
        "ModelInfer",
    }


def test_server_and_model_are_live_ready_and_described(call, expected):
    assert call("ServerLive").live
    assert call("ServerReady").ready
    assert list(call("ServerMetadata").extensions) == ["binary_tensor_data"]
    for version in ({}, {"version": expected.version}):
        assert call("ModelReady", name="emotion", **version).ready
        metadata = call("ModelMetadata", name="emotion", **version)
        assert (metadata.name, list(metadata.versions)) == ("emotion", [expected.version])
        assert [each.name for each in metadata.inputs] == ["text"]
        assert [each.name for each in metadata.outputs] == ["label", "probabilities"]


@pytest.mark.parametrize("version", [False, True])
def test_texts_come_typed_or_raw_and_go_as_they_came(call, expected, version):
    named = {"model_version": expected.version} if version else {}
    typed = call("ModelInfer", model_name="emotion", id="7", **CONTENTS, **named)
    label, probabilities = typed.outputs
    assert (typed.id, typed.model_version) == ("7", expected.version)
    assert [each.decode() for each in label.contents.bytes_contents] == expected.labels
    flat = [each for row in expected.probabilities for each in row]
    assert list(probabilities.contents.fp32_contents) == flat
    assert not typed.raw_output_contents

    raw = call("ModelInfer", model_name="emotion", id="7", **RAW, **named)
    assert [list(each.shape) for each in raw.outputs] == [[2], list(probabilities.shape)]
    labels, numbers = raw.raw_output_contents
    names = [each.encode() for each in expected.labels]
    assert labels == b"".join(struct.pack("<I", len(each)) + each for each in names)
    assert list(struct.unpack(f"<{len(flat)}f", numbers)) == flat


def test_parameters_and_outputs_are_those_of_the_request(call):
    values = {"top_k": {"int64_param": 2}, "x": {"string_param": "y"}, "b": {"bool_param": True}}
    asked = {"model_name": "emotion", "parameters": values, "outputs": [{"name": "label"}]}
    (label,) = call("ModelInfer", **asked, **CONTENTS).outputs
    assert (label.name, list(label.shape)) == ("label", [2, 2])


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [
        ("ModelReady", {"name": "other"}, grpc.StatusCode.NOT_FOUND),
        ("ModelMetadata", {"name": "emotion", "version": "1"}, grpc.StatusCode.NOT_FOUND),
        ("ModelInfer", {"model_name": "other", **RAW}, grpc.StatusCode.NOT_FOUND),
        ("ModelInfer", {"model_name": "emotion"}, grpc.StatusCode.INVALID_ARGUMENT),
        (
            "ModelInfer",
            {"model_name": "emotion", **RAW, **CONTENTS},
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
)
def test_what_is_wrong_gets_a_status_with_its_reason(call, name, fields, code):
    with pytest.raises(grpc.RpcError) as error:
        call(name, **fields)
    assert error.value.code() == code
    assert "`" in error.value.details()


def test_its_health_is_that_of_grpc_health_v1(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for name in ("", SERVICE):
        request = health_pb2.HealthCheckRequest(service=name)
        serving = health_pb2.HealthCheckResponse.SERVING
        assert stub.Check(request, timeout=10).status == serving
        watched = stub.Watch(request, timeout=10)
        assert next(watched).status == serving
        watched.cancel()
    with pytest.raises(grpc.RpcError) as error:
        stub.Check(health_pb2.HealthCheckRequest(service="other"), timeout=10)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_what_it_reflects_holds_all_that_is_published(service, channel):
    reflected = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    same = reflected.FindServiceByName(SERVICE)
    for method in service.methods:
        mirrored = same.methods_by_name[method.name]
        for mine, theirs in (
            (mirrored.input_type, method.input_type),
            (mirrored.output_type, method.output_type),
        ):
            assert fields(theirs) <= fields(mine)


def fields(message):
    """The fields of a message and of those in it, by path, with number and type."""
    found = set()
    for field in message.fields:
        found.add((message.full_name, field.name, field.number, field.type))
        if field.message_type:
            found |= fields(field.message_type)
    return found
