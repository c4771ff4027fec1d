"""Requests of a deploy to a Kubernetes API server, in one namespace."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
    wait_random_exponential,
)

from components.api_server import (
    ConflictError,
    ForbiddenError,
    UnansweredError,
    explained,
    is_missing,
    part_of,
)
from components.deploy.cluster.events import Event, read_event
from components.errors import ClusterError

FIELD_MANAGER = "emotion-pipeline"
"""Owner of the fields that this project sets by server-side apply."""
SERVICES = ("serving.kserve.io", "v1beta1", "inferenceservices")
LEASES = ("coordination.k8s.io", "v1", "leases")

RIGHTS: Mapping[tuple[str, str], Sequence[str]] = {
    SERVICES[::2]: ("get", "create", "patch", "delete"),
    LEASES[::2]: ("get", "create", "update"),
    ("", "pods"): ("list",),
    ("", "events"): ("list",),
}
"""The verbs that a deploy uses, by group and resource: its role allows these and no others."""

_FIXES = {
    403: "Give the account the deployer's role",
    404: "Install KServe, and check the namespace",
    503: "See which APIService `kubectl get apiservices` shows as unavailable",
}
_ENDED = {"Failed", "Succeeded"}
_REQUEST_SECONDS = 30
_CONFLICTS = 8
_Part = TypeVar("_Part")


class Cluster:
    """A namespace of a cluster.

    Args:
        api: Client of the API server.
        namespace: Name of the namespace.
        patience_seconds: How long a server or a right that was there before may be missing.
    """

    def __init__(self, api: Any, namespace: str, patience_seconds: float = 60.0) -> None:
        self.api = api
        self.namespace = namespace
        self.patience_seconds = patience_seconds
        self._has_rights = False

    def read(self, kind: tuple[str, str, str], name: str) -> dict[str, Any] | None:
        """Read an object; None if there is none of that name.

        Raises:
            ClusterError: If it cannot be read, or the cluster does not know the kind.
        """
        path = _path(kind, self.namespace, name)
        return self._object(self._request("GET", path, missing_is_none=True))

    def apply(self, kind: tuple[str, str, str], manifest: Mapping[str, Any]) -> None:
        """Give an object the fields of a manifest, and remove those of an earlier one.

        Raises:
            ClusterError: If the server refuses it, or another manager owns one of the fields.
        """
        path = _path(kind, self.namespace, manifest["metadata"]["name"])
        # The server itself retries a patch that met a change; the remaining conflicts come here.
        again = Retrying(
            retry=retry_if_exception_type(ConflictError),
            stop=stop_after_attempt(_CONFLICTS),
            wait=wait_random_exponential(0.1, 5),
            reraise=True,
        )
        answer = again(
            self._request,
            "PATCH",
            path,
            query=[("fieldManager", FIELD_MANAGER)],
            body=manifest,
            content_type="application/apply-patch+yaml",
        )
        self._object(answer)

    def create(self, kind: tuple[str, str, str], content: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object.

        Raises:
            ConflictError: If there is one of that name.
            ClusterError: If the server refuses it.
        """
        path = _path(kind, self.namespace)
        return self._object(self._request("POST", path, body=content)) or {}

    def replace(self, kind: tuple[str, str, str], content: Mapping[str, Any]) -> dict[str, Any]:
        """Replace an object, unless it has changed since it was read.

        Raises:
            ConflictError: If it has changed.
            ClusterError: If the server refuses it.
        """
        path = _path(kind, self.namespace, content["metadata"]["name"])
        return self._object(self._request("PUT", path, body=content)) or {}

    def delete(self, kind: tuple[str, str, str], content: Mapping[str, Any]) -> None:
        """Delete an object, unless it has changed since it was read.

        Raises:
            ConflictError: If it has changed, or another one has taken its name.
            ClusterError: If the server refuses it.
        """
        metadata = content["metadata"]
        read = {name: metadata[name] for name in ("uid", "resourceVersion")}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": read}
        path = _path(kind, self.namespace, metadata["name"])
        self._request("DELETE", path, body=body, missing_is_none=True)

    def described(self, path: str, part: str, kind: type[_Part]) -> _Part | None:
        """Read what the server says about itself; None if there is nothing at this path.

        Args:
            path: A path that every account may read, such as `/apis/GROUP`.
            part: Field of the answer.
            kind: What the field must be.

        Raises:
            ClusterError: If it cannot be read.
        """
        try:
            return part_of(self._request("GET", path) or {}, part, kind, self.api)
        except ClusterError as error:
            if is_missing(error, kind_known=False):
                return None
            raise

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """List the pods that a label selector matches, except ended and ending ones."""
        listed = self._list("pods", [("labelSelector", selector)])
        # An evicted pod stays on the list, with its phase.
        lasting = [pod for pod in listed if _phase(pod) not in _ENDED]
        return [pod for pod in lasting if "deletionTimestamp" not in pod["metadata"]]

    def warnings(self, name: str) -> list[Event]:
        """List the cluster's warnings about an object of this name, oldest first."""
        fields = f"involvedObject.name={name},type=Warning"
        events = self._list("events", [("fieldSelector", fields)])
        events.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime")))
        return [read_event(each) for each in events]

    def may(self, verb: str, group: str, resource: str, name: str) -> bool:
        """Ask whether this account may do something in the namespace.

        Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/
        """
        wanted = {"namespace": self.namespace, "verb": verb, "group": group}
        wanted |= {"resource": resource, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = self._request("POST", path, body=review) or {}
        return bool(part_of(answer, "status", dict, self.api).get("allowed"))

    def _list(self, resource: str, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
        answer = self._request("GET", _path(("", "v1", resource), self.namespace), query=query)
        return list(part_of(answer or {}, "items", list, self.api))

    def _object(self, answer: dict[str, Any] | None) -> dict[str, Any] | None:
        if answer is not None:
            part_of(part_of(answer, "metadata", dict, self.api), "name", str, self.api)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        missing_is_none: bool = False,
    ) -> dict[str, Any] | None:
        # A restarted API server forbids everything until it has read the roles. For one that has
        # never answered, the client's own patience is enough.
        again = Retrying(
            retry=retry_if_exception_type((ForbiddenError, UnansweredError)),
            stop=stop_after_delay(self.patience_seconds if self._has_rights else 0),
            wait=wait_fixed(1),
            reraise=True,
        )
        try:
            return again(self._send, method, path, query, body, content_type)
        except ClusterError as error:
            if missing_is_none and is_missing(error, kind_known=True):
                return None
            raise

    def _send(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        body: Mapping[str, Any] | None,
        content_type: str,
    ) -> dict[str, Any]:
        with explained(f"{method} {path}", _FIXES):
            answer: dict[str, Any] = self.api.call_api(
                path,
                method,
                query_params=list(query),
                header_params={"Accept": "application/json", "Content-Type": content_type},
                body=body,
                response_type="object",
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _request_timeout=_REQUEST_SECONDS,
            )
        # Every account may ask for a review of its rights, which is in no namespace.
        self._has_rights |= "/namespaces/" in path
        return answer


def _phase(pod: Mapping[str, Any]) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _path(kind: tuple[str, str, str], namespace: str, name: str = "") -> str:
    group, version, resource = kind
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    return f"{root}/namespaces/{namespace}/{resource}" + (f"/{name}" if name else "")
