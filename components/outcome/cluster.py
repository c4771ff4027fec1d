"""What the cluster tells of a run: its Workflow, and the logs and events of its pods."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.errors import ClusterError, InputError
from components.outcome.workflow import Workflow

_WORKFLOWS = ("argoproj.io", "v1alpha1")
_LINES = 500
_SECONDS = 10
_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class RunCluster:
    """The namespace of a run; a request that gets no answer is not repeated.

    Args:
        api: Client of the API server.
        namespace: Name of the namespace.
    """

    def __init__(self, api: Any, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def workflow(self, name: str) -> Workflow:
        """Read the Workflow of a run.

        Raises:
            ClusterError: If the API server refuses it or does not answer.
        """
        from kubernetes.client import CustomObjectsApi

        with _explained(f"workflow {name}"):
            return Workflow(
                CustomObjectsApi(self._api).get_namespaced_custom_object(
                    *_WORKFLOWS, self._namespace, "workflows", name, _request_timeout=_SECONDS
                )
            )

    def log(self, pod: str) -> str:
        """Read the end of the log of a pod's main container.

        Raises:
            ClusterError: If the API server refuses it or does not answer.
        """
        from kubernetes.client import CoreV1Api

        with _explained(f"log of pod {pod}"):
            answer = CoreV1Api(self._api).read_namespaced_pod_log(
                pod,
                self._namespace,
                container="main",
                tail_lines=_LINES,
                _preload_content=False,
                _request_timeout=_SECONDS,
            )
            return str(answer.data.decode(errors="replace"))

    def events(self, pod: str) -> list[str]:
        """List the warnings among a pod's events, oldest first; without any, its last event.

        Raises:
            ClusterError: If the API server refuses it or does not answer.
        """
        from kubernetes.client import CoreV1Api

        fields = f"involvedObject.kind=Pod,involvedObject.name={pod}"
        with _explained(f"events of pod {pod}"):
            events = CoreV1Api(self._api).list_namespaced_event(
                self._namespace, field_selector=fields, _request_timeout=_SECONDS
            )
        ordered = sorted(events.items, key=lambda each: str(each.last_timestamp or each.event_time))
        telling = [each for each in ordered if each.type == "Warning"] or ordered[-1:]
        return [f"{each.reason}: {each.message}" for each in telling]


def of_pod() -> RunCluster:
    """Connect as the service account of the pod.

    Raises:
        InputError: If this is no pod with an account.
    """
    from kubernetes import client, config

    configuration = client.Configuration()
    configuration.retries = False
    try:
        config.load_incluster_config(client_configuration=configuration)
        namespace = (_POD / "namespace").read_text(encoding="utf-8").strip()
    except (config.ConfigException, OSError) as error:
        fix = "Run it in a pod that mounts its account's token"
        raise InputError("account of the pod", f"cannot be used: {error}", fix) from error
    return RunCluster(client.ApiClient(configuration), namespace)


def of_kubeconfig(namespace: str) -> RunCluster:
    """Connect as the user of the kubeconfig.

    Args:
        namespace: Namespace of the run.

    Raises:
        InputError: If there is no kubeconfig.
    """
    from kubernetes import client, config

    configuration = client.Configuration()
    configuration.retries = False
    try:
        config.load_kube_config(client_configuration=configuration)
    except Exception as error:
        # A broken file raises whatever its reader does.
        fix = "Set KUBECONFIG to the cluster's kubeconfig file"
        raise InputError("kubeconfig", f"cannot be used: {error}", fix) from error
    return RunCluster(client.ApiClient(configuration), namespace)


@contextmanager
def _explained(thing: str) -> Iterator[None]:
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except HTTPError as error:
        fix = "Check that the API server can be reached"
        raise ClusterError(thing, f"the API server does not answer: {error}", fix) from error
    except ApiException as error:
        rule = f"cannot be read ({error.status} {error.reason})"
        rights = "Give the account the rights of manifests/base/service-accounts.yaml"
        fix = rights if error.status == 403 else "Look whether it is still there"
        raise ClusterError(thing, rule, fix) from error
