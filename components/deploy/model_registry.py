"""The model registry of Kubeflow Hub, asked over its REST API.

Its Python client is not used: it registers a version as live at once and refuses the same one a
second time, knows no inference services and no server older than itself, patches asyncio and reads
its token from where it likes.

Source: api/openapi/model-registry.yaml in kubeflow/hub
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from components.api_server import POD, plain_token
from components.errors import InputError, WorkError
from components.kubeconfig import require_http_proxies

Content = Mapping[str, Any]

TOKEN = "MODEL_REGISTRY_TOKEN"  # noqa: S105 (a variable's name)
"""Environment variable, for entry points, of a token for the registry."""

_ROOT = "api/model_registry"
_NEW, _OLD = "v1", "v1alpha3"
_TIMEOUT_SECONDS = 10.0
_ATTEMPTS = 3
_PAUSE_SECONDS = 2.0
_IN_CLUSTER = (".svc", ".svc.cluster.local")
_FIX = f"Check its URL, and the token in {TOKEN}"


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Args:
        one: Path at which one is found by its name.
        many: Path of all, where one is created.
    """

    one: str
    many: str


MODEL = Kind("registered_model", "registered_models")
VERSION = Kind("model_version", "model_versions")
ARTIFACT = Kind("model_artifact", "model_artifacts")
ENVIRONMENT = Kind("serving_environment", "serving_environments")
SERVICE = Kind("inference_service", "inference_services")


class RefusedError(InputError):
    """The registry refuses a request.

    Args:
        thing: The registry.
        status: Status of its answer.
        said: Its words.
    """

    def __init__(self, thing: str, status: int, said: str) -> None:
        super().__init__(thing, f"answers {status}: {said}", _FIX)
        self.status = status


class ModelRegistry:
    """A model registry.

    Args:
        url: Its address, such as `http://model-registry-service.kubeflow.svc:8080`.
        token: Bearer token; empty for that of this pod's account, if there is one.
        pause_seconds: Longest pause before a request is repeated.
        pod: Mount of the pod's service account; it may be missing.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        pause_seconds: float = _PAUSE_SECONDS,
        pod: Path = POD,
    ) -> None:
        self.url = url.rstrip("/")
        self._token, self._pod, self._api = token, pod, _NEW
        # To read the system's certificates takes longer than a request.
        self._certificates = httpx.create_ssl_context()
        self._again = Retrying(
            retry=retry_if_exception_type(WorkError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(pause_seconds / 4, pause_seconds),
            reraise=True,
        )

    def require(self) -> None:
        """Refuse what is no model registry, or does not take the token.

        Raises:
            InputError: If it refuses a request, gives an answer that no registry gives, or the
                token holds what no header can carry.
            WorkError: If it does not answer.
        """
        self._ask("GET", MODEL.many, query={"pageSize": "1"})

    def find(self, kind: Kind, name: str, parent: str = "") -> str:
        """Find a resource by its name.

        Args:
            kind: What it is.
            name: Its name, unique below its parent.
            parent: Id of what it belongs to; empty for a kind that stands alone.

        Returns:
            Its id; empty if there is none.

        Raises:
            InputError: As for `require`.
            WorkError: As for `require`.
        """
        query = {"name": name, **({"parentResourceId": parent} if parent else {})}
        try:
            return self._id(self._ask("GET", kind.one, query=query))
        except RefusedError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return ""
            raise

    def ensure(
        self, kind: Kind, name: str, content: Content, parent: str = "", into: str = ""
    ) -> str:
        """Find a resource by its name, or create it.

        Args:
            kind: As for `find`.
            name: As for `find`.
            content: Its other fields, if it is created.
            parent: As for `find`.
            into: Path that creates it, if not that of its kind.

        Returns:
            Its id.

        Raises:
            InputError: As for `require`.
            WorkError: As for `require`.
        """
        if found := self.find(kind, name, parent):
            return found
        try:
            return self._id(self._ask("POST", into or kind.many, body={"name": name, **content}))
        except RefusedError as error:
            # A request whose answer was lost is repeated, and then meets its own result.
            if error.status == httpx.codes.CONFLICT and (found := self.find(kind, name, parent)):
                return found
            raise

    def update(self, kind: Kind, known: str, content: Content) -> None:
        """Change fields of the resource with a known id.

        Raises:
            InputError: As for `require`.
            WorkError: As for `require`.
        """
        self._ask("PATCH", f"{kind.many}/{known}", body=content)

    def _id(self, answer: Content) -> str:
        known = answer.get("id")
        if not isinstance(known, str) or not known:
            raise self._strange("an object without an id")
        return known

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Content | None = None,
    ) -> Content:
        answer: httpx.Response = self._again(self._send, method, path, query, body)
        content = _object_in(answer)
        is_missing = content is None and answer.status_code == httpx.codes.NOT_FOUND
        if is_missing and self._api == _NEW:
            # Servers of before May 2026 have nothing else; to newer ones it is deprecated.
            self._api = _OLD
            return self._ask(method, path, query, body)
        if content is None:
            place = answer.headers.get("Location", "").partition("?")[0]
            raise self._strange(f"{answer.status_code} and {place or repr(answer.text):.100}")
        if not answer.is_success:
            said = " ".join(str(content.get("message") or answer.text).split())
            raise RefusedError(self._thing, answer.status_code, said[:200])
        return content

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Content | None
    ) -> httpx.Response:
        require_http_proxies()
        try:
            answer = httpx.request(
                method,
                f"{self.url}/{_ROOT}/{self._api}/{path}",
                params=query,
                json=body,
                headers=self._headers(),
                timeout=_TIMEOUT_SECONDS,
                verify=self._certificates,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            rule = f"cannot be reached ({type(error).__name__}: {error})"
            raise WorkError(self._thing, rule, "Check its URL and that it is up") from error
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            rule = f"answers {answer.status_code}: {' '.join(answer.text.split()):.200}"
            raise WorkError(self._thing, rule, "Look at the log of its server")
        return answer

    def _headers(self) -> dict[str, str]:
        """Say who asks: the account's token opens more, so it goes to hosts of the cluster only."""
        file, host = self._pod / "token", urlsplit(self.url).hostname or ""
        token = self._token
        if not token and host.endswith(_IN_CLUSTER) and file.is_file():
            token = file.read_text(encoding="utf-8")
        fix = f"Write the token alone into {TOKEN}"
        plain = plain_token(token, "token of the model registry", fix)
        return {"Authorization": f"Bearer {plain}"} if plain else {}

    @property
    def _thing(self) -> str:
        return f"model registry {self.url}"

    def _strange(self, what: str) -> InputError:
        rule = f"answers {what}, as no model registry does"
        return InputError(self._thing, rule, _FIX)


def _object_in(answer: httpx.Response) -> Content | None:
    try:
        content = answer.json()
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
