"""Amazon S3 and compatible services."""

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientError as HttpError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    EndpointProviderError,
    FlexibleChecksumError,
    InvalidConfigError,
    InvalidS3AddressingStyleError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session
from s3fs import S3FileSystem

from components.errors import InputError
from components.storage.store import explained, hashed_generation

_CONCURRENT = 8
_VERSION = "?versionId="
_UNUSABLE = (
    PermissionError,
    FileNotFoundError,
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    ProfileNotFound,
    ConfigNotFound,
    ConfigParseError,
    InvalidConfigError,
    InvalidS3AddressingStyleError,
    EndpointProviderError,
    NoRegionError,
    ParamValidationError,
    ResponseParserError,
    ValueError,  # botocore's, about an endpoint without http://
)
# What s3fs makes of a refusal that is neither of a right nor of a name.
_REFUSED = {errno.EINVAL, errno.EPERM, errno.EREMCHG}
_DAMAGED = {"BadDigest", "IncompleteBody"}


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
        self._has_account = True
        with self._explained():
            # Anybody may read a public bucket.
            self._has_account = Session().get_credentials() is not None
        self._files = S3FileSystem(
            anon=not self._has_account,
            use_listings_cache=False,
            config_kwargs={"retries": {"mode": "standard", "total_max_attempts": 8}},
        )

    def sizes(self) -> Mapping[str, int]:
        """Map every file below the folder to its bytes; "" is the URI itself."""
        with self._explained():
            found = self._files.find(self._root, detail=True)
            if not found:
                self._ask("")
            return {
                path.removeprefix(self._root).removeprefix("/"): info["size"]
                for path, info in found.items()
                if info["type"] == "file" and not path.endswith("/") and self._tag_in(info)
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
            self._tag_in(self._files.pipe_file(self._key(name), content))

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
        key = f"{self._root}/{name}"
        if _VERSION in key:
            rule = f"holds {_VERSION}, which names a version and not a file"
            raise InputError(f"s3://{key}", rule, "Rename it")
        return key

    def _tag(self, name: str) -> str:
        try:
            return self._tag_in(self._files.info(self._key(name), refresh=True))
        except OSError as error:
            # The answer to this request has no body, and so no reason.
            if 400 <= _status(error) < 500 or isinstance(error, FileNotFoundError):
                self._ask(name)
            if isinstance(error, FileNotFoundError):
                return ""
            raise

    def _ask(self, name: str) -> None:
        """Ask in a way that is answered with a reason, such as a missing bucket or a wrong key."""
        bucket, _, key = self._key(name).partition("/")
        self._files.call_s3("list_objects_v2", Bucket=bucket, Prefix=key, MaxKeys=1)

    def _tag_in(self, answer: Mapping[str, Any]) -> str:
        if not (tag := answer.get("ETag")):
            rule = "what answers for it is not S3, but perhaps the page of one"
            raise InputError(self.uri, rule, "Check AWS_ENDPOINT_URL and its port")
        return str(tag)

    def _written(self, name: str, content: bytes, condition: Mapping[str, str]) -> str:
        """Write on a condition; return the new entity tag, or "" if the condition is not met."""
        try:
            answer = self._files.pipe_file(self._key(name), content, **condition)
        except OSError as error:
            if _is_unmet(error):
                return ""
            raise
        return self._tag_in(answer)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with explained(
            self.uri,
            unusable=_UNUSABLE,
            damaged=(FlexibleChecksumError,),
            unreachable=(OSError, BotoCoreError, ClientError, HttpError),
            settings="AWS_ENDPOINT_URL and the file of AWS_CONFIG_FILE",
            has_account=self._has_account,
        ):
            try:
                yield
            except InputError:
                raise
            except OSError as error:
                if error.errno in _REFUSED and _code(error) not in _DAMAGED:
                    raise PermissionError(error.strerror) from error
                raise


def _is_unmet(error: Exception) -> bool:
    """Tell whether a write was refused because the file had changed, or was changing."""
    return _code(error) in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}


def _code(error: Exception) -> str:
    """S3's own code of the refusal that an error of s3fs stands for; empty if there was none."""
    return str(_answer(error).get("Error", {}).get("Code", ""))


def _status(error: Exception) -> int:
    """Status of the answer that an error of s3fs stands for; 0 if there was none."""
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _answer(error: Exception) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = getattr(error.__cause__ or error.__context__, "response", {})
    return answer
