"""Google Cloud Storage."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from google.api_core.exceptions import ClientError, Forbidden, GoogleAPIError, PreconditionFailed
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.storage import Client, transfer_manager
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from components.storage.store import explained

# Threads, since forks of a process that has loaded torch or runs a gRPC server may hang.
_PARALLEL: Mapping[str, Any] = {
    "worker_type": transfer_manager.THREAD,
    "max_workers": 8,
    "raise_exception": True,
}
_CHUNK_BYTES = 8 * 2**20
"""Most bytes that a broken connection costs an upload; a multiple of 256 KiB."""
_NO_PROJECT = "none"
_NO_CREDENTIALS = "Your default credentials were not found"


class GoogleStore:
    """A folder in a bucket (see `components.storage.store.Store`).

    The client library moves files in parallel, resumes broken transfers for up to two minutes,
    and compares the crc32c of each file with the service's. The service counts and guards the
    generations.

    Source: https://cloud.google.com/storage/docs/request-preconditions

    Args:
        uri: gs://bucket/folder.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        bucket, _, path = self.uri.removeprefix("gs://").partition("/")
        self._path = path.strip("/")
        self._prefix = f"{self._path}/" if self._path else ""
        self._has_account = True
        with self._explained():
            self._bucket = self._client().bucket(bucket)

    def sizes(self) -> Mapping[str, int]:
        """Map every file below the folder to its bytes; "" is the URI itself."""
        with self._explained():
            blobs = self._bucket.list_blobs(
                prefix=self._prefix, fields="items(name,size),nextPageToken"
            )
            # A name that ends with a slash is a folder that was created by hand.
            files = [blob for blob in blobs if not blob.name.endswith("/")]
            if not files and self._path and (itself := self._bucket.get_blob(self._path)):
                return {"": itself.size}
            return {blob.name.removeprefix(self._prefix): blob.size for blob in files}

    def put(self, folder: Path, names: Iterable[str]) -> None:
        """Copy files from a local folder."""
        pairs = [(str(folder / name), self._blob(name, _CHUNK_BYTES)) for name in names]
        with self._explained():
            transfer_manager.upload_many(pairs, **_PARALLEL)

    def get(self, names: Iterable[str], folder: Path) -> None:
        """Copy files into a local folder."""
        # The whole file in one request: the service sends no checksums of parts.
        pairs = [(self._blob(name), str(folder / name)) for name in names]
        with self._explained():
            transfer_manager.download_many(pairs, **_PARALLEL)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; missing ones are ignored."""
        blobs = [self._blob(name) for name in names]
        with self._explained():
            self._bucket.delete_blobs(blobs, on_error=lambda _: None)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        with self._explained():
            self._blob(name).upload_from_string(content, "application/octet-stream")

    def read(self, name: str) -> tuple[bytes, int]:
        """Read a small file and its generation; b"" and 0 if missing."""
        with self._explained():
            blob = self._bucket.get_blob(self._prefix + name)
            # The content may be newer than the generation; then a replacement fails, as it should.
            if blob:
                return blob.download_as_bytes(), int(blob.generation)
            self._require_bucket()
            return b"", 0

    def replace(self, name: str, content: bytes, expected: int) -> int:
        """Write a small file if it is at the expected generation; return the new one, or 0."""
        blob = self._blob(name)
        with self._explained():
            try:
                blob.upload_from_string(
                    content, "application/octet-stream", if_generation_match=expected
                )
            except PreconditionFailed:
                return 0
            return int(blob.generation)

    def _client(self) -> Client:
        try:
            # Only lists of buckets ask for a project; without one the library looks for it.
            return Client(project=_NO_PROJECT)
        except DefaultCredentialsError as error:
            # Others are about a key file that is named, and missing or broken.
            if not str(error).startswith(_NO_CREDENTIALS):
                raise
            # Anybody may read a public bucket.
            self._has_account = False
            return Client.create_anonymous_client()

    def _require_bucket(self) -> None:
        # A missing file and a missing bucket are both 404. Not every reader may list.
        with suppress(Forbidden):
            next(iter(self._bucket.list_blobs(max_results=1)), None)

    def _blob(self, name: str, chunk_bytes: int | None = None) -> Any:
        return self._bucket.blob(self._prefix + name, chunk_size=chunk_bytes)

    def _explained(self) -> AbstractContextManager[None]:
        return explained(
            self.uri,
            unusable=(ClientError, GoogleAuthError),
            damaged=(DataCorruption,),
            unreachable=(GoogleAPIError, InvalidResponse, OSError),
            settings="STORAGE_EMULATOR_HOST and the file of GOOGLE_APPLICATION_CREDENTIALS",
            has_account=self._has_account,
        )
