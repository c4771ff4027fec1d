"""Requests of the train step to the API server, in the namespace of its pod."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.api_server import POD, client_of, explained, is_missing, load_account, part_of
from components.errors import ClusterError

Kind = tuple[str, str, str]
"""Group, version and plural of a kind of objects."""

_SECONDS = 30
_LOG_SECONDS = 10
_LOG_BYTES = 1_000_000
_FIXES = {
    403: "Give the step's account the rights of manifests/base/service-accounts.yaml",
    404: "Install Kubeflow Trainer, or Katib for a search, and check the namespace",
}


class StepCluster:
    """The namespace of a step.

    Args:
        api: Client of the API server.
        namespace: Name of the namespace.
        pause_seconds: Between two looks at a job that is waited for.
        impatient_api: Client for what nobody has to wait for; None takes the other.
    """

    def __init__(
        self, api: Any, namespace: str, pause_seconds: float = 2.0, impatient_api: Any = None
    ) -> None:
        self._api, self._impatient_api = api, impatient_api or api
        self.namespace, self.pause_seconds = namespace, pause_seconds

    def pod(self, name: str) -> dict[str, Any]:
        """Read a pod.

        Raises:
            ClusterError: If it cannot be read.
        """
        with explained(f"pod {name}", _FIXES):
            return self._plain(self._core().read_namespaced_pod(name, **self._place()))

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """List the pods with certain labels.

        Raises:
            ClusterError: If they cannot be listed.
        """
        with explained(f"pods with {selector}", _FIXES):
            listed = self._core().list_namespaced_pod(label_selector=selector, **self._place())
            return [self._plain(each) for each in listed.items]

    def warnings(self, prefix: str) -> list[str]:
        """List the warnings about objects whose names begin so, but for pods.

        Raises:
            ClusterError: If they cannot be listed.
        """
        fields = "type=Warning,involvedObject.kind!=Pod"
        with explained(f"events of {prefix}", _FIXES):
            listed = self._core().list_namespaced_event(field_selector=fields, **self._place())
        about = [
            each for each in listed.items if (each.involved_object.name or "").startswith(prefix)
        ]
        return [f"{each.reason}: {each.message}" for each in about]

    def log(self, pod: str, container: str, **which: int) -> str:
        """Read the log of a container, each line behind its time.

        Args:
            pod: Name of the pod.
            container: Name of the container.
            which: `tail_lines` or `since_seconds`; without them, all of it.

        Raises:
            ClusterError: If it cannot be read, as before the container has started.
        """
        from kubernetes.client import CoreV1Api

        with explained(f"log of pod {pod}", _FIXES):
            answer = CoreV1Api(self._impatient_api).read_namespaced_pod_log(
                pod,
                container=container,
                timestamps=True,
                limit_bytes=_LOG_BYTES,
                _preload_content=False,
                namespace=self.namespace,
                _request_timeout=_LOG_SECONDS,
                **which,
            )
            return str(answer.data.decode(errors="replace"))

    def read(self, kind: Kind, name: str) -> dict[str, Any] | None:
        """Read an object; None if there is none of that name.

        Raises:
            ClusterError: If it cannot be read, or the cluster does not know the kind.
        """
        try:
            with explained(f"{kind[2]} {name}", _FIXES):
                found: dict[str, Any] = self._custom().get_namespaced_custom_object(
                    *self._path(kind), name, _request_timeout=_SECONDS
                )
        except ClusterError as error:
            if is_missing(error, kind_known=True):
                return None
            raise
        return found

    def objects(self, kind: Kind, selector: str) -> list[dict[str, Any]]:
        """List the objects of a kind with certain labels.

        Raises:
            ClusterError: If they cannot be listed.
        """
        with explained(f"{kind[2]} with {selector}", _FIXES):
            listed = self._custom().list_namespaced_custom_object(
                *self._path(kind), label_selector=selector, _request_timeout=_SECONDS
            )
        found: list[dict[str, Any]] = part_of(listed, "items", list, self._api)
        return found

    def create(self, kind: Kind, manifest: Mapping[str, Any]) -> None:
        """Create an object.

        Raises:
            ClusterError: If the server refuses it.
        """
        with explained(f"{kind[2]} {manifest['metadata']['name']}", _FIXES):
            self._custom().create_namespaced_custom_object(
                *self._path(kind), manifest, _request_timeout=_SECONDS
            )

    def set_owners(self, kind: Kind, name: str, owners: Sequence[Mapping[str, Any]]) -> None:
        """Name the objects without which an object is deleted.

        Raises:
            ClusterError: If the server refuses it.
        """
        with explained(f"{kind[2]} {name}", _FIXES):
            self._custom().patch_namespaced_custom_object(
                *self._path(kind),
                name,
                {"metadata": {"ownerReferences": [*owners]}},
                _request_timeout=_SECONDS,
            )

    def delete(self, kind: Kind, name: str) -> None:
        """Delete an object, and with it what it owns; one that is gone already is fine.

        Raises:
            ClusterError: If the server refuses it.
        """
        try:
            with explained(f"{kind[2]} {name}", _FIXES):
                self._custom().delete_namespaced_custom_object(
                    *self._path(kind),
                    name,
                    propagation_policy="Background",
                    _request_timeout=_SECONDS,
                )
        except ClusterError as error:
            if not is_missing(error, kind_known=True):
                raise

    def _path(self, kind: Kind) -> tuple[str, str, str, str]:
        group, version, plural = kind
        return group, version, self.namespace, plural

    def _place(self) -> dict[str, Any]:
        return {"namespace": self.namespace, "_request_timeout": _SECONDS}

    def _plain(self, answer: Any) -> dict[str, Any]:
        plain: dict[str, Any] = self._api.sanitize_for_serialization(answer)
        return plain

    def _core(self) -> Any:
        from kubernetes.client import CoreV1Api

        return CoreV1Api(self._api)

    def _custom(self) -> Any:
        from kubernetes.client import CustomObjectsApi

        return CustomObjectsApi(self._api)


def of_pod() -> StepCluster:
    """Connect as the service account of the pod, and wait minutes for a server that is away.

    Raises:
        InputError: If this is no pod with an account.
    """
    from kubernetes import client
    from urllib3 import Retry

    impatient = client.Configuration()
    impatient.retries = False
    load_account(impatient, POD)
    configuration = client.Configuration()
    configuration.retries = Retry(
        total=20,
        backoff_factor=0.5,
        backoff_max=15,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
    )
    namespace = load_account(configuration, POD)
    return StepCluster(client_of(configuration), namespace, impatient_api=client_of(impatient))
