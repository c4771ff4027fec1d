"""Triton's own client, over HTTP and gRPC, as it asks a Triton server."""

import asyncio
import queue

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException

from tests.oip.asking import TEXTS

PROTOCOLS = {"http": tritonclient.http, "grpc": tritonclient.grpc}


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    return PROTOCOLS[request.param]


def address(protocol, predictor):
    http = predictor.url.removeprefix("http://")
    return http if "http" in protocol.__name__ else predictor.grpc


@pytest.fixture
def triton(protocol, predictor):
    with protocol.InferenceServerClient(address(protocol, predictor)) as client:
        yield client


def texts(protocol, **how):
    tensor = protocol.InferInput("text", [len(TEXTS)], "BYTES")
    tensor.set_data_from_numpy(np.array(TEXTS, dtype=np.object_), **how)
    return [tensor]


def require(result, expected):
    # Its HTTP client leaves labels in JSON as they are, and gives binary ones as bytes.
    labels = [
        str(each, "utf-8") if isinstance(each, bytes) else each for each in result.as_numpy("label")
    ]
    assert labels == expected.labels
    np.testing.assert_array_equal(
        result.as_numpy("probabilities"), np.float32(expected.probabilities)
    )


def value(message, name):
    return message[name] if isinstance(message, dict) else getattr(message, name)


def test_server_and_model_are_live_ready_and_described(triton, expected):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert value(triton.get_server_metadata(), "name") == "emotion-pipeline"
    for version in ("", expected.version):
        assert triton.is_model_ready("emotion", version)
        metadata = triton.get_model_metadata("emotion", version)
        assert list(value(metadata, "versions")) == [expected.version]
        assert [value(each, "name") for each in value(metadata, "inputs")] == ["text"]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"request_id": "7"},
        {"priority": 1},
        {"timeout": 10_000_000},
        {"sequence_id": 5, "sequence_start": True, "sequence_end": True},
        {"sequence_id": "five", "sequence_start": True},
        {"parameters": {"a": "b", "c": 1, "d": True, "e": 0.5}},
    ],
)
@pytest.mark.parametrize("versioned", [False, True])
def test_texts_are_classified(protocol, triton, expected, how, versioned):
    version = expected.version if versioned else ""
    result = triton.infer("emotion", texts(protocol), model_version=version, **how)
    require(result, expected)
    answer = result.get_response()
    assert value(answer, "model_version") == expected.version
    if "request_id" in how:
        assert value(answer, "id") == how["request_id"]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("binary_label", [False, True])
@pytest.mark.parametrize("binary_numbers", [False, True])
def test_each_tensor_is_json_or_binary_over_http(
    predictor, expected, binary, binary_label, binary_numbers
):
    protocol = tritonclient.http
    with protocol.InferenceServerClient(address(protocol, predictor)) as client:
        outputs = [
            protocol.InferRequestedOutput("probabilities", binary_data=binary_numbers),
            protocol.InferRequestedOutput("label", binary_data=binary_label),
        ]
        inputs = texts(protocol, binary_data=binary)
        require(client.infer("emotion", inputs, outputs=outputs), expected)


def test_only_the_chosen_output_comes(protocol, triton):
    outputs = [protocol.InferRequestedOutput("label")]
    result = triton.infer("emotion", texts(protocol), outputs=outputs)
    assert result.as_numpy("label").shape == (2,)
    assert result.as_numpy("probabilities") is None


def test_the_best_labels_come_on_request(protocol, triton):
    result = triton.infer("emotion", texts(protocol), parameters={"top_k": 2})
    assert result.as_numpy("label").shape == result.as_numpy("probabilities").shape == (2, 2)


def test_many_requests_are_under_way_at_once_over_http(predictor, expected):
    protocol = tritonclient.http
    where = address(protocol, predictor)
    with protocol.InferenceServerClient(where, concurrency=8) as client:
        asked = [client.async_infer("emotion", texts(protocol)) for _ in range(32)]
        for each in asked:
            require(each.get_result(), expected)


def test_many_requests_are_under_way_at_once_over_grpc(predictor, expected):
    protocol = tritonclient.grpc
    results = queue.Queue()
    with protocol.InferenceServerClient(address(protocol, predictor)) as client:
        for _ in range(32):
            client.async_infer(
                "emotion", texts(protocol), lambda result, error: results.put((result, error))
            )
        for _ in range(32):
            result, error = results.get(timeout=60)
            assert error is None
            require(result, expected)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_its_asyncio_clients_talk_to_it(name, predictor, expected):
    protocol = PROTOCOLS[name]
    aio = protocol.aio

    async def ask_together():
        async with aio.InferenceServerClient(address(protocol, predictor)) as client:
            assert await client.is_model_ready("emotion")
            asked = [client.infer("emotion", texts(protocol)) for _ in range(8)]
            return await asyncio.gather(*asked)

    for result in asyncio.run(ask_together()):
        require(result, expected)


def test_answers_may_be_asked_compressed(predictor, expected):
    protocol = tritonclient.http
    with protocol.InferenceServerClient(address(protocol, predictor)) as client:
        inputs = texts(protocol)
        require(client.infer("emotion", inputs, response_compression_algorithm="gzip"), expected)
        with pytest.raises(InferenceServerException, match="must not be compressed") as error:
            client.infer("emotion", inputs, request_compression_algorithm="gzip")
        assert error.value.status() == "415"
    protocol = tritonclient.grpc
    with protocol.InferenceServerClient(address(protocol, predictor)) as client:
        require(client.infer("emotion", texts(protocol), compression_algorithm="gzip"), expected)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_model_config", ["emotion"]),
        ("get_inference_statistics", []),
        ("get_inference_statistics", ["emotion"]),
        ("get_model_repository_index", []),
        ("load_model", ["emotion"]),
        ("unload_model", ["emotion"]),
        ("get_system_shared_memory_status", []),
        ("get_cuda_shared_memory_status", []),
        ("get_trace_settings", []),
        ("get_log_settings", []),
    ],
)
def test_what_only_triton_has_is_refused(triton, name, arguments):
    with pytest.raises(InferenceServerException) as error:
        getattr(triton, name)(*arguments)
    assert error.value.status() in {"404", "StatusCode.UNIMPLEMENTED"}
    assert error.value.message()
    assert "Unexpected" not in error.value.message()


def test_streams_are_refused(predictor):
    protocol = tritonclient.grpc
    results = queue.Queue()
    with protocol.InferenceServerClient(address(protocol, predictor)) as client:
        client.start_stream(lambda result, error: results.put((result, error)))
        _, error = results.get(timeout=60)
        client.stop_stream()
    assert error.status() == "StatusCode.UNIMPLEMENTED"


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"model_version": "1"}, {"404", "StatusCode.NOT_FOUND"}),
        ({"parameters": {"top_k": 0}}, {"400", "StatusCode.INVALID_ARGUMENT"}),
    ],
)
def test_what_is_wrong_gets_a_status_with_its_reason(protocol, triton, how, status):
    with pytest.raises(InferenceServerException) as error:
        triton.infer("emotion", texts(protocol), **how)
    assert error.value.status() in status
    assert error.value.message()
