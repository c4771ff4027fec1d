"""A repository of an image registry, such as `oci://registry.example/team/emotion`.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from components.errors import InputError, WorkError

CREDENTIALS = Path("/var/run/secrets/image-registry/.dockerconfigjson")
"""Where steps find the credentials of image registries: a Secret of Kubernetes, mounted. Elsewhere
they are in Docker's own `config.json`."""
SCHEME = "oci://"

# The well-known empty descriptor of the image specification.
_EMPTY = b"{}"
# The grammar of https://pkg.go.dev/github.com/distribution/reference; another host without a dot or
# a port would be taken for a part of Docker Hub.
_HOST = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d+)?|[A-Za-z0-9-]+:\d+|localhost"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_URI = re.compile(rf"{SCHEME}(?P<host>{_HOST})/(?P<path>{_PART}(/{_PART})*)")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
# As for Docker, what is on this machine needs no TLS.
_LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+)(:\d+)?")
_TIMEOUT_SECONDS = 30.0
_ATTEMPTS = 4
_PAUSE_SECONDS = 5.0
# What a library raises that takes a file for one of its right form.
_MISREAD = (AttributeError, LookupError, OSError, TypeError, ValueError)
_Answer = TypeVar("_Answer")


def require_repository(name: str, uri: str) -> None:
    """Refuse what names no repository of an image registry.

    Args:
        name: Of the setting.
        uri: Its value.

    Raises:
        InputError: If it is not of the form `oci://host/path`.
    """
    found = _URI.fullmatch(uri)
    if not found or int(found["host"].partition(":")[2] or 1) not in range(1, 65_536):
        rule = (
            "is not a repository of images: a host with a dot or a port, and a path without a tag"
        )
        fix = "Write it like oci://registry.example/team/emotion, its path in lower case"
        raise InputError(f"{name}={uri!r}", rule, fix)


def require_tag(name: str, tag: str) -> None:
    """Refuse what cannot be the tag of an image.

    Args:
        name: Of what gives the tag.
        tag: Its value.

    Raises:
        InputError: If it is too long, or has other characters.
    """
    if not _TAG.fullmatch(tag):
        fix = "Name it with up to 128 of a-z, A-Z, 0-9, '_', '.' and '-'"
        raise InputError(f"{name} {tag!r}", "cannot be the tag of an image", fix)


class ImageRepository:
    """A repository, asked as the account of Docker's credentials.

    Every method raises an InputError if the registry refuses it or is none, and a WorkError if the
    registry does not answer.

    Args:
        uri: The repository, as `oci://host/path`.
        credentials: Docker's `config.json`; where it is missing, the one in its usual place counts.
        pause_seconds: Longest pause before a request is repeated.
    """

    def __init__(
        self, uri: str, credentials: Path = CREDENTIALS, pause_seconds: float = _PAUSE_SECONDS
    ) -> None:
        require_repository("repository", uri)
        self.uri, self._credentials = uri, credentials
        self._host, _, self._path = uri.removeprefix(SCHEME).partition("/")
        self._again = Retrying(
            retry=retry_if_exception_type(WorkError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(pause_seconds / 4, pause_seconds),
            reraise=True,
        )

    def require_pushable(self) -> None:
        """Push a blob of two bytes, which no image refers to."""
        digest = f"sha256:{hashlib.sha256(_EMPTY).hexdigest()}"

        def push(client: Any) -> None:
            # requests would take a list for the fields of a form.
            client.push_blob(data=iter([_EMPTY]), digest=digest, check_exists=False)

        self._ask(push)

    def push_blob(self, file: Path) -> None:
        """Push a file, unless it is there already."""
        self._ask(lambda client: client.push_blob(str(file)))

    def push_manifest(self, tag: str, manifest: str) -> None:
        """Push the manifest of an image, whose blobs are there, and let a tag name it."""
        self._ask(lambda client: client.set_manifest(tag, manifest))

    def digest_of(self, tag: str) -> str:
        """Read the digest of the image that a tag names; empty if there is none."""
        from requests import HTTPError

        def read(client: Any) -> str:
            try:
                digest, _ = client.head_manifest_and_response(tag)
            except HTTPError as error:
                if _status(error) == 404:
                    return ""
                raise
            if not digest:
                raise ValueError("an image without a digest")
            return str(digest)

        return self._ask(read)

    def _ask(self, what: Callable[[Any], _Answer]) -> _Answer:
        answer: _Answer = self._again(self._ask_once, what)
        return answer

    def _ask_once(self, what: Callable[[Any], _Answer]) -> _Answer:
        from dxf import DXF

        def log_in(client: Any, refusal: Any) -> None:
            client.authenticate(*_user(self._host, self._credentials), response=refusal)

        with (
            self._explained(),
            DXF(
                self._host,
                self._path,
                auth=log_in,
                insecure=bool(_LOOPBACK.fullmatch(self._host)),
                timeout=_TIMEOUT_SECONDS,
            ) as client,
        ):
            return what(client)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the errors of the libraries into ours."""
        from dxf.exceptions import DXFAuthInsecureError, DXFError
        from requests import HTTPError, RequestException
        from requests.exceptions import SSLError

        fix = f"Check the repository, and the credentials for {self._host} in Docker's config.json"
        try:
            yield
        except DXFAuthInsecureError as error:
            rule = "asks for credentials, which a loopback address does not get"
            raise InputError(self.uri, rule, "Give it TLS, and write its host's name") from error
        except DXFError as error:
            rule = f"refuses this account ({type(error).__name__})"
            raise InputError(self.uri, rule, fix) from error
        except HTTPError as error:
            status, said = _status(error), _said(error)
            if status >= 500 or status == 429:
                again = "Look at the registry, and run the step again"
                raise WorkError(self.uri, f"answers {status}: {said}", again) from error
            raise InputError(self.uri, f"answers {status}: {said}", fix) from error
        except RequestException as error:
            rule = f"cannot be reached ({type(error).__name__}: {error})"
            again = "Check its address and the network"
            if isinstance(error, SSLError):
                again = (
                    "Give it TLS, and name the file of a private authority in REQUESTS_CA_BUNDLE"
                )
            raise WorkError(self.uri, rule, again) from error
        except (KeyError, ValueError) as error:
            rule = f"answers as no image registry does ({error!r})"
            raise InputError(self.uri, rule, fix) from error


def _user(host: str, credentials: Path) -> tuple[str | None, str | None]:
    """Find user and password for a registry; none of them for one that is open to all."""
    from docker import auth
    from docker.errors import DockerException

    path = str(credentials) if credentials.is_file() else None
    try:
        found = auth.load_config(path).resolve_authconfig(host) or {}
    except (DockerException, *_MISREAD) as error:
        # Its words may hold a part of the file.
        rule = f"Docker's config.json has none that can be read ({type(error).__name__})"
        raise InputError(f"credentials for {host}", rule, "Write it with `docker login`") from error
    # A credential helper's answer is spelt in another way than the file.
    known = {key.lower(): value for key, value in found.items()}
    return known.get("username"), known.get("password")


def _status(error: Any) -> int:
    return int(error.response.status_code)


def _said(error: Any) -> str:
    """The registry's own words; the answer to a HEAD has none."""
    try:
        said = "; ".join(str(each["message"]) for each in error.response.json()["errors"])
        return f"{' '.join(said.split()):.200}"
    except (AttributeError, KeyError, TypeError, ValueError):
        return str(error.response.reason)
