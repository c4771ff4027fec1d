"""Kubernetes' API server as a step sees it: the account that asks, and refusals in plain words."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from components.errors import ClusterError, InputError

POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Mount of the pod's service account: `token`, `ca.crt` and `namespace`."""

_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LONGEST_NAME = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NO_PAGE = "Check the server of the kubeconfig, and proxies on the way"
_PAGE = "which is a page, and not the API of Kubernetes"
_SHOWN = 100
_BY_WEBHOOK = "denied the request"
_Part = TypeVar("_Part")
_FIXES = {401: "Log in again", 409: "Try again", 422: "Correct the manifest"}


class ConflictError(ClusterError):
    """Another client has changed the object since it was read, or has already created it."""


class UnansweredError(ClusterError):
    """The API server cannot be reached."""


class ForbiddenError(ClusterError):
    """The account lacks the right."""


def require_object_name(setting: str, name: str) -> None:
    """Refuse what cannot be the name of an object, such as a Secret; an empty one names none.

    Args:
        setting: What names it.
        name: The name.

    Raises:
        InputError: If it is not a DNS subdomain.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
    """
    if name and (len(name) > _LONGEST_NAME or not _SUBDOMAIN.fullmatch(name)):
        rule = "must be up to 253 of a-z, 0-9, and inner hyphens and dots"
        raise InputError(f"{setting}={name!r}", rule, "Use a name that `kubectl get` prints")


def require_namespace(name: str) -> None:
    """Refuse what is no name of a namespace, and so could become another part of a path.

    Raises:
        InputError: If it is not a DNS label.
    """
    if not _LABEL.fullmatch(name):
        rule = "must be up to 63 of a-z, 0-9 and inner hyphens"
        raise InputError(f"namespace={name!r}", rule, "Use a name that `kubectl get ns` prints")


def load_account(configuration: Any, folder: Path) -> str:
    """Let a configuration of Kubernetes' client use a mounted account; returns its namespace.

    Token files are read again every minute, since tokens rotate.

    Args:
        configuration: Of Kubernetes' client.
        folder: Mount of `token`, `ca.crt` and `namespace`.

    Raises:
        InputError: If it is incomplete, or this is no pod.
    """
    from kubernetes import config
    from kubernetes.config.incluster_config import InClusterConfigLoader

    try:
        loader = InClusterConfigLoader(str(folder / "token"), str(folder / "ca.crt"))
        loader.load_and_set(configuration)
        return (folder / "namespace").read_text(encoding="utf-8").strip()
    except (config.ConfigException, OSError) as error:
        fix = "Run in a pod that mounts its whole secret, once the cluster has filled it"
        raise InputError(f"account in {folder}", f"cannot be used: {error}", fix) from error


def pod_namespace(pod: Path = POD) -> str:
    """Read the namespace of this pod; empty outside of a cluster.

    Args:
        pod: Mount of the pod's service account; it may be missing.
    """
    file = pod / "namespace"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def client_of(configuration: Any) -> Any:
    """Make a client of an API server, which takes no other answers for those of one.

    Args:
        configuration: Of Kubernetes' client.
    """
    from kubernetes import client

    class Client(client.ApiClient):  # type: ignore[misc]
        def update_params_for_auth(self, headers: dict[str, str], *others: Any) -> None:
            super().update_params_for_auth(headers, *others)
            # The file of a token may end in a line break, as for kubectl.
            if token := headers.get("authorization", "").strip():
                fix = "Write the token alone into its file or Secret"
                headers["authorization"] = plain_token(token, "token of the account", fix)

        def request(self, *arguments: Any, **options: Any) -> Any:
            try:
                return super().request(*arguments, **options)
            except UnicodeDecodeError as error:
                raise strange(self, error.object.decode(errors="replace"), _PAGE) from error

        def deserialize(self, response: Any, response_type: Any) -> Any:
            answer = _parsed(response.data)
            if answer is None:
                raise strange(self, response.data, _PAGE)
            if "items" in answer:
                part_of(answer, "items", list, self)
            try:
                return super().deserialize(response, response_type)
            except (AttributeError, RecursionError, TypeError, ValueError) as error:
                # The library's classes check what they are made of, each in its own way.
                raise strange(self, response.data, f"without a whole {response_type}") from error

    return Client(configuration)


def plain_token(token: str, name: str, fix: str) -> str:
    """A token without the white space around it; what is wrong with another does not show it.

    Args:
        token: The token, as it was given.
        name: What it is, for the error.
        fix: What to do about one that is none.

    Raises:
        InputError: If it holds what no header can carry, such as a line break.
    """
    plain = token.strip()
    if not plain.isascii() or not plain.isprintable():
        rule = "holds a line break, or another character that no token has"
        raise InputError(name, rule, fix)
    return plain


def json_in(text: Any) -> Any:
    """What a server has written in JSON; None if it is not JSON, or nested without end."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def part_of(answer: Mapping[str, Any], name: str, kind: type[_Part], api: Any) -> _Part:
    """Take from an answer what it was asked for.

    Args:
        answer: An object of the API.
        name: A field of it.
        kind: What the field must be; the items of a list must have metadata.
        api: The client that has asked.

    Raises:
        ClusterError: If it is not there, with what is.
    """
    part = answer.get(name)
    items = part if isinstance(part, list) else []
    whole = all(isinstance(each, dict) and _has_metadata(each) for each in items)
    if not isinstance(part, kind) or not whole:
        raise strange(api, json.dumps(answer), f"without a whole `{name}`")
    return part


def strange(api: Any, said: str, which: str) -> ClusterError:
    """Build the error for an answer that no API server gives, but perhaps a proxy in its place.

    Args:
        api: The client that has asked.
        said: The answer.
        which: What is wrong with it, as the end of `answers ...,`.
    """
    shown = " ".join(said.split())
    rule = f"answers {shown[:_SHOWN]!r}, {which}"
    return ClusterError(f"API server {api.configuration.host}", rule, _NO_PAGE)


@contextmanager
def explained(request: str, fixes: Mapping[int, str]) -> Iterator[None]:
    """Turn the errors of Kubernetes' client in a block into those of a step.

    Args:
        request: What is asked, for the message.
        fixes: What the user can do by the status that refuses the request.

    Raises:
        ClusterError: If the server refuses the request or does not answer.
    """
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except HTTPError as error:
        fix = "Check that the API server is up and reachable"
        reason = getattr(error, "reason", error)
        rule = f"the API server does not answer: {reason}"
        raise UnansweredError(request, rule, fix) from error
    except ApiException as error:
        raise _refusal(request, error, {**_FIXES, **fixes}) from error


def is_missing(error: ClusterError, *, kind_known: bool) -> bool:
    """Tell whether a request failed since there is no such thing.

    Args:
        error: The failure.
        kind_known: True to tell a missing object from a kind that the server does not know, whose
            answer is 404 as well, but not a Status object.
    """
    status = getattr(error.__cause__, "status", None)
    return status == 404 and (bool(_details(error.__cause__)) or not kind_known)


def _refusal(request: str, error: Any, fixes: Mapping[int, str]) -> ClusterError:
    answer = _details(error)
    message = answer.get("message") or f"{error.status} {error.reason}: {error.body!r:.200}"
    if any(cause.get("reason") == "FieldManagerConflict" for cause in _causes(answer)):
        fix = "Let that manager give up the fields, or make its change in this project"
        return ClusterError(request, message, fix)
    fix = fixes.get(error.status, "See the API server's log")
    if error.status == 403 and _BY_WEBHOOK in message:
        fix = "Change what the webhook objects to"
    kinds = {403: ForbiddenError, 409: ConflictError}
    return kinds.get(error.status, ClusterError)(request, message, fix)


def _causes(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = answer.get("details")
    causes = details.get("causes") if isinstance(details, dict) else []
    return [each for each in causes if isinstance(each, dict)] if isinstance(causes, list) else []


def _has_metadata(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("metadata"), dict)


def _details(error: Any) -> dict[str, Any]:
    answer = _parsed(error.body) or {}
    return answer if answer.get("kind") == "Status" else {}


def _parsed(text: Any) -> dict[str, Any] | None:
    answer = json_in(text)
    return answer if isinstance(answer, dict) else None
