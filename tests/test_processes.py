"""Servers that a step starts, stops, and gives up on."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from components.errors import InputError, WorkError
from components.processes import free_port, log_tail, running_server
from tests.waiting import wait_for

SERVER = """
import http.server, os, signal, sys
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
address = ("127.0.0.1", int(sys.argv[1]))
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
"""
SLEEPER = "import os, time; print(os.getpid(), 'loading', flush=True); time.sleep(60)"


def python(program, *arguments):
    return [sys.executable, "-c", program, *map(str, arguments)]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "server.log"


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_a_server_is_ready_in_the_block_and_gone_after_it(port, log):
    url = f"http://127.0.0.1:{port}/"
    with running_server(python(SERVER, port), url, log, 20) as process:
        assert httpx.get(url, trust_env=False).status_code == 200
    assert not is_alive(process.pid)
    assert "GET /" in log.read_text(encoding="utf-8")


def test_a_server_is_stopped_when_the_block_fails(port, log):
    url = f"http://127.0.0.1:{port}/"
    with pytest.raises(ZeroDivisionError), running_server(python(SERVER, port), url, log, 20):
        1 / 0  # noqa: B018
    assert not is_alive(int(log.read_text(encoding="utf-8").split()[0]))


def test_a_server_that_ends_at_once_is_refused_with_its_last_words(port, log):
    command = python("print('no such model'); raise SystemExit(3)")
    with (
        pytest.raises(WorkError) as refusal,
        running_server(command, f"http://127.0.0.1:{port}/", log, 20),
    ):
        pytest.fail("the block is not entered")
    assert "ended with status 3" in refusal.value.rule
    assert "no such model" in refusal.value.rule
    assert str(log) in refusal.value.fix


def test_a_server_that_never_gets_ready_is_refused_and_stopped(port, log):
    with (
        pytest.raises(WorkError) as refusal,
        running_server(python(SLEEPER), f"http://127.0.0.1:{port}/", log, 1),
    ):
        pytest.fail("the block is not entered")
    assert "not ready within 1 s" in refusal.value.rule
    assert "loading" in refusal.value.rule
    assert not is_alive(int(log.read_text(encoding="utf-8").split()[0]))


def test_a_server_that_answers_with_an_error_is_not_ready(port, log):
    with (
        pytest.raises(WorkError, match="not ready"),
        running_server(python(SERVER, port), f"http://127.0.0.1:{port}/no/such/page", log, 1),
    ):
        pytest.fail("the block is not entered")


def test_a_server_that_ignores_sigterm_is_killed(port, log):
    url = f"http://127.0.0.1:{port}/"
    with running_server(python(SERVER, port, "stubborn"), url, log, 20, 0.3) as process:
        process.terminate()
        time.sleep(0.2)
        assert process.poll() is None
    assert process.poll() == -9


def test_a_program_that_is_not_installed_is_refused(port, log):
    with (
        pytest.raises(InputError, match="program no-such-server: is not installed"),
        running_server(["no-such-server"], f"http://127.0.0.1:{port}/", log, 1),
    ):
        pytest.fail("the block is not entered")


STEP = """
import sys, time
from pathlib import Path
from components.processes import running_server
command, url = sys.argv[4:], sys.argv[1]
with running_server(command, url, Path(sys.argv[2]), 20, float(sys.argv[3])):
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("manner", "grace"), [("meek", 20.0), ("stubborn", 0.3)])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_ends_when_its_starter_is_killed(manner, grace, number, port, log):
    url = f"http://127.0.0.1:{port}/"
    command = python(STEP, url, log, grace, *python(SERVER, port, manner))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as step:
        assert step.stdout.readline() == b"ready\n"
        assert httpx.get(url, trust_env=False).status_code == 200
        step.send_signal(number)
    wait_for(lambda: not is_listening(port), 10)


def test_a_server_ends_when_its_starter_is_killed_before_it_is_ready(port, log):
    url = f"http://127.0.0.1:{port}/no/such/page"
    command = python(STEP, url, log, 20, *python(SERVER, port))
    with subprocess.Popen(command) as step:
        wait_for(lambda: is_listening(port), 20)
        step.kill()
    wait_for(lambda: not is_listening(port), 10)


def test_nothing_is_left_of_a_server_that_was_stopped(port, log):
    before = psutil.Process().children(recursive=True)
    with running_server(python(SERVER, port), f"http://127.0.0.1:{port}/", log, 20):
        assert len(psutil.Process().children(recursive=True)) > len(before)
    assert psutil.Process().children(recursive=True) == before


def test_the_tail_of_a_log_is_its_last_lines_on_one(tmp_path):
    (tmp_path / "log").write_bytes(b"one\ntwo \xff\nthree\n")
    assert log_tail(tmp_path / "log", lines=2) == "two \ufffd | three"
