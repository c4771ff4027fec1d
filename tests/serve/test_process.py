"""The predictor as a process: how it starts, refuses to start, and ends."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from components import bundle
from components.processes import free_port, running_server

COMMAND = [sys.executable, "-m", "components.serve"]


def refused(*arguments):
    """Run a predictor that should not start; returns its one line on stderr."""
    command = [*COMMAND, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


@pytest.fixture
def process(model_folder, tmp_path):
    """A predictor of one test's own, and its base URL."""
    url = f"http://127.0.0.1:{free_port()}"
    command = [*COMMAND, "--model-dir", str(model_folder), "--http-port", url.rpartition(":")[2]]
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
        assert str(path.relative_to(folder)) in refused("--model-dir", folder)
        path.write_bytes(content)


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


def test_it_listens_on_loopback_alone_unless_told(process):
    _, url = process
    port = int(url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_predictor_exits_0_when_told_to_end(process, number):
    server, _ = process
    server.send_signal(number)
    assert server.wait(timeout=20) == 0


def test_sigterm_finishes_what_is_under_way(process):
    server, url = process
    texts = ["a long sentence about an ordinary day " * 20] * 40
    with ThreadPoolExecutor() as pool:
        large = pool.submit(
            httpx.post,
            f"{url}/v1/models/emotion:predict",
            json={"instances": texts},
            timeout=60,
            trust_env=False,
        )
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0
    assert len(large.result().json()["predictions"]) == len(texts)
