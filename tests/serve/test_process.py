"""The predictor as a process: its start, its refusals to start, and its end."""

import asyncio
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.testclient import TestClient

from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.errors import InputError
from components.processes import free_port, running_server
from components.serve import open_inference_pb2 as pb
from components.serve import open_inference_pb2_grpc as service
from components.serve.application import application
from components.serve.predictor import Predictor
from components.serve.server import listener
from components.serve.settings import ServeSettings
from tests.serve.asking import V1, ask
from tests.serve.raw import connection, request
from tests.waiting import wait_for

COMMAND = [sys.executable, "-m", "components.serve"]


def refused(*arguments):
    """Run a predictor that should not start; return its one line on stderr."""
    command = [*COMMAND, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def metrics(url):
    return httpx.get(f"{url}/metrics", trust_env=False).text


@pytest.fixture
def process(request, model_folder, tmp_path):
    """A predictor for one test only, and its base URL."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [*COMMAND, "--model-dir", str(model_folder), "--http-port", url.rpartition(":")[2]]
    command += getattr(request, "param", ["--drain-seconds", "0"])
    with running_server(command, f"{url}/v2/health/ready", tmp_path / "log", 60.0) as process:
        yield process, url


def test_a_flipped_byte_in_any_file_is_refused(model_folder, tmp_path):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    files = [each for each in folder.rglob("*") if each.is_file() and each.name != bundle.MANIFEST]
    assert files
    for path in files:
        content = path.read_bytes()
        middle = len(content) // 2
        flipped = bytes([content[middle] ^ 1])
        path.write_bytes(content[:middle] + flipped + content[middle + 1 :])
        with pytest.raises(InputError, match=re.escape(str(path.relative_to(folder)))):
            Predictor(ServeSettings(folder))
        path.write_bytes(content)
    (folder / bundle.LABELS).write_text("{}")
    assert bundle.LABELS in refused("--model-dir", folder)


def test_a_missing_model_is_refused(tmp_path):
    assert "does not exist" in refused("--model-dir", tmp_path / "nothing")


def test_a_folder_without_manifest_is_refused(tmp_path):
    assert bundle.MANIFEST in refused("--model-dir", tmp_path)


def test_a_port_in_use_is_refused(model_folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*COMMAND, "--model-dir", str(model_folder), "--http-port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [("--http-port", 0), ("--threads", -1), ("--model-name", "")])
def test_a_setting_out_of_range_is_refused(tmp_path, arguments):
    assert arguments[0].strip("-").replace("-", "_") in refused("--model-dir", tmp_path, *arguments)


def test_it_listens_only_on_loopback_by_default(process):
    _, url = process
    port = int(url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=2)


@pytest.mark.parametrize(
    ("host", "hosts"),
    [("::", ["[::1]", "127.0.0.1"]), ("::1", ["[::1]"]), ("[::1]", ["[::1]"])],
)
def test_it_listens_on_ipv6(model_folder, tmp_path, host, hosts):
    ports = [free_port(), free_port()]
    command = [*COMMAND, "--model-dir", str(model_folder), "--host", host, "--drain-seconds", "0"]
    command += ["--http-port", str(ports[0]), "--grpc-port", str(ports[1])]
    ready = f"http://[::1]:{ports[0]}/v2/health/ready"
    log = tmp_path / "log"
    with running_server(command, ready, log, 60.0):
        for each in hosts:
            assert ask(f"http://{each}:{ports[0]}", ["a"]).is_success
            with grpc.insecure_channel(f"{each}:{ports[1]}") as channel:
                stub = service.GRPCInferenceServiceStub(channel)
                assert stub.ServerLive(pb.ServerLiveRequest()).live
    shown = host if host.startswith("[") else f"[{host}]"
    assert f"emotion on http://{shown}:{ports[0]}" in log.read_text()


def test_it_listens_on_ipv4_where_there_is_no_ipv6(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    settings = ServeSettings(model_dir=tmp_path, host="::", http_port=free_port())
    with (
        listener(settings),
        socket.create_connection(("127.0.0.1", settings.http_port)) as connected,
    ):
        assert connected.family == socket.AF_INET


def test_an_ipv6_address_in_use_is_refused(model_folder):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        options = ["--host", "::1", "--http-port", port]
        assert f"address [::1]:{port}" in refused("--model-dir", model_folder, *options)


def test_grpc_health_follows_the_life_cycle(model_folder, tmp_path):
    status = health_pb2.HealthCheckResponse
    ports = [free_port(), free_port()]
    command = [*COMMAND, "--model-dir", str(model_folder), "--drain-seconds", "3"]
    command += ["--http-port", str(ports[0]), "--grpc-port", str(ports[1])]
    ready = f"http://127.0.0.1:{ports[0]}/v2/health/ready"
    with (
        running_server(command, ready, tmp_path / "log", 60.0) as server,
        grpc.insecure_channel(f"127.0.0.1:{ports[1]}") as channel,
    ):
        stub = health_pb2_grpc.HealthStub(channel)
        whole = health_pb2.HealthCheckRequest()
        of_service = health_pb2.HealthCheckRequest(service="inference.GRPCInferenceService")
        assert stub.Check(whole).status == stub.Check(of_service).status == status.SERVING
        with pytest.raises(grpc.RpcError) as error:
            stub.Check(health_pb2.HealthCheckRequest(service="other"))
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        watched = stub.Watch(whole)
        assert next(watched).status == status.SERVING
        server.send_signal(signal.SIGTERM)
        assert next(watched).status == stub.Check(of_service).status == status.NOT_SERVING
        assert service.GRPCInferenceServiceStub(channel).ServerLive(pb.ServerLiveRequest()).live


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_predictor_exits_0_at_a_signal(process, number):
    server, _ = process
    server.send_signal(number)
    assert server.wait(timeout=20) == 0


# A busy machine takes its time, and no test here is about that.
PATIENT = ["--drain-seconds", "0", "--shutdown-seconds", "600", "--request-seconds", "600"]


@pytest.mark.parametrize("process", [PATIENT], indirect=True)
def test_sigterm_finishes_the_requests_in_progress(process):
    server, url = process
    texts = ["a long sentence about an ordinary day " * 20] * 200
    with ThreadPoolExecutor() as pool:
        large = pool.submit(ask, url, texts, timeout=600)
        wait_for(lambda: "classifier_queue_texts 0.0" not in metrics(url))
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=600) == 0
    assert len(large.result().json()["predictions"]) == len(texts)


@pytest.mark.parametrize("process", [PATIENT], indirect=True)
def test_sigterm_finishes_the_request_of_a_client_that_sends_no_more(process):
    server, url = process
    texts = ["a long sentence about an ordinary day " * 20] * 100
    body = json.dumps({"instances": texts}).encode()
    with connection(url) as idle, connection(url, timeout=600) as connected:
        connected.send(request(body, "Host: x"))
        connected.end()
        wait_for(lambda: "classifier_queue_texts 0.0" not in metrics(url))
        server.send_signal(signal.SIGTERM)
        assert idle.rest() == b""
        assert len(json.loads(connected.answer().body)["predictions"]) == len(texts)
        assert connected.rest() == b""
        assert server.wait(timeout=600) == 0


def test_openapi_is_built_before_anybody_asks_for_it(model_folder, monkeypatch):
    predictor = Predictor(ServeSettings(model_folder))
    client = TestClient(application(predictor))
    monkeypatch.setattr("components.serve.application.openapi", None)
    assert "PredictRequest" in client.get("/openapi.json").json()["components"]["schemas"]
    predictor.close()


@pytest.mark.parametrize("process", [["--drain-seconds", "5"]], indirect=True)
def test_sigterm_under_load_drops_nothing(process):
    """As behind a gateway: requests keep coming until it has noticed the end of readiness."""
    server, url = process
    told = threading.Event()

    def client(_):
        answers = []
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as session:
            while not told.is_set():
                answers.append(session.post(V1, json={"instances": ["a wonderful day"]}))
        return answers

    def gateway():
        while httpx.get(f"{url}/v2/health/ready", trust_env=False).status_code == 200:
            time.sleep(0.1)
        assert httpx.get(f"{url}/v2/health/live", trust_env=False).status_code == 200
        time.sleep(0.5)
        told.set()

    with ThreadPoolExecutor(20) as pool:
        watching = pool.submit(gateway)
        clients = [pool.submit(client, number) for number in range(16)]
        wait_for(lambda: "classifier_batch_texts_count 0.0" not in metrics(url))
        server.send_signal(signal.SIGTERM)
        answers = [answer for each in clients for answer in each.result()]
        watching.result()
    assert server.wait(timeout=20) == 0
    assert {answer.status_code for answer in answers} == {200}
    assert any(answer.headers.get("connection") == "close" for answer in answers)


def test_threads_follow_the_cpu_quota(model_folder, monkeypatch):
    monkeypatch.setattr("components.serve.predictor.cpu_count", lambda: 3)
    for threads, expected in ((0, 3), (2, 2)):
        predictor = Predictor(ServeSettings(model_folder, threads=threads))
        names = [each.name for each in threading.enumerate()]
        assert sum(name.startswith("inference-") for name in names) == expected
        predictor.close()


def test_the_default_path_does_without_torch(model_folder):
    code = "import sys, pathlib; from components.serve.server import serve; "
    code += "from components.serve.predictor import Predictor, ServeSettings; "
    code += f"Predictor(ServeSettings(pathlib.Path({str(model_folder)!r}))).close(); "
    code += "print([name for name in ('torch', 'transformers', 'pandas') if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize("precision", ["fp32", "torch"])
def test_other_engines_answer_alike(model_folder, precision):
    texts = ["i feel wonderful today", "The bill is wrong and I am furious!", "no"]
    expected = Classifier(model_folder, precision="fp32").probabilities(texts)
    predictor = Predictor(ServeSettings(model_folder, precision=precision))
    np.testing.assert_allclose(asyncio.run(predictor.predict(texts)), expected, atol=1e-5)
    predictor.close()
