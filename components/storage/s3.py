"""Amazon S3 and compatible services."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from aiohttp import ClientError as HttpError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    NoCredentialsError,
)
from s3fs import S3FileSystem

from components.errors import InputError
from components.storage.store import explained, hashed_generation

_CONCURRENT = 8


class S3Store:
    """A folder in a bucket (see `components.storage.store.Store`).

    botocore reads endpoint, region and credentials (AWS_ENDPOINT_URL and the like), retries, and
    verifies the checksum of each file. The generation of a file stands for its entity tag, which
    the service guards.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html

    Args:
        uri: s3://bucket/folder, or minio://, as KFP writes it for the store that it comes with.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")
        self._root = self.uri.partition("://")[2]
        self._files = S3FileSystem(
            use_listings_cache=False,
            config_kwargs={"retries": {"mode": "standard", "total_max_attempts": 8}},
        )

    def sizes(self) -> Mapping[str, int]:
        """Map every file below the folder to its bytes; "" is the URI itself."""
        with self._explained():
            found = self._files.find(self._root, detail=True)
        return {
            path.removeprefix(self._root).removeprefix("/"): info["size"]
            for path, info in found.items()
            if info["type"] == "file" and not path.endswith("/")
        }

    def put(self, folder: Path, names: Iterable[str]) -> None:
        """Copy files from a local folder."""
        wanted = list(names)
        with self._explained():
            self._files.put(
                [str(folder / name) for name in wanted],
                [self._key(name) for name in wanted],
                batch_size=_CONCURRENT,
            )

    def get(self, names: Iterable[str], folder: Path) -> None:
        """Copy files into a local folder."""
        wanted = list(names)
        with self._explained():
            # One request per file: s3fs resumes a broken one, but not one for part of a file.
            self._files.get(
                [self._key(name) for name in wanted],
                [str(folder / name) for name in wanted],
                batch_size=_CONCURRENT,
                max_concurrency=1,
            )

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; missing ones are ignored."""
        with self._explained():
            for name in names:
                self._files.rm_file(self._key(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        with self._explained():
            self._files.pipe_file(self._key(name), content)

    def read(self, name: str) -> tuple[bytes, int]:
        """Read a small file and its generation; b"" and 0 if missing."""
        with self._explained():
            if not (tag := self._tag(name)):
                return b"", 0
            # The content may be newer than the tag; then a replacement fails, as it should.
            return self._files.cat_file(self._key(name)), hashed_generation(tag.encode())

    def replace(self, name: str, content: bytes, expected: int) -> int:
        """Write a small file if it is at the expected generation; return the new one, or 0.

        Raises:
            InputError: If the service ignores the conditions of a write.
        """
        with self._explained():
            tag = self._tag(name) if expected else ""
            if expected and hashed_generation(tag.encode()) != expected:
                return 0
            condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
            if not (written := self._written(name, content, condition)):
                return 0
            # Services that ignore conditions would let two runs overwrite each other's files.
            if self._written(name, content, {"IfNoneMatch": "*"}):
                fix = "Use a store that supports If-Match and If-None-Match"
                raise InputError(self.uri, "ignores the conditions of a write", fix)
            return hashed_generation(written.encode())

    def _key(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _tag(self, name: str) -> str:
        try:
            return str(self._files.info(self._key(name), refresh=True)["ETag"])
        except FileNotFoundError:
            return ""

    def _written(self, name: str, content: bytes, condition: Mapping[str, str]) -> str:
        """Write on a condition; return the new entity tag, or "" if the condition is not met."""
        try:
            answer = self._files.pipe_file(self._key(name), content, **condition)
        except OSError as error:
            if _is_unmet(error):
                return ""
            raise
        return str(answer["ETag"])

    def _explained(self) -> AbstractContextManager[None]:
        return explained(
            self.uri,
            unusable=(PermissionError, FileNotFoundError, NoCredentialsError),
            damaged=(FlexibleChecksumError,),
            unreachable=(OSError, BotoCoreError, ClientError, HttpError),
        )


def _is_unmet(error: Exception) -> bool:
    """Tell whether a write was refused because the file had changed, or was changing."""
    answer = getattr(error.__cause__, "response", {})
    return answer.get("Error", {}).get("Code") in {
        "PreconditionFailed",
        "ConditionalRequestConflict",
        "NoSuchKey",
    }
