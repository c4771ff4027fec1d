"""What the cluster tells of a run: its Workflow, and the logs and events of its pods."""

from typing import Any

from components.api_server import POD, client_of, explained, is_missing, load_account, part_of
from components.artifacts.jobs import WORKFLOW
from components.errors import ClusterError
from components.kubeconfig import load_kubeconfig
from components.outcome.workflow import Workflow

_WORKFLOWS = ("argoproj.io", "v1alpha1")
_LINES = 500
_SECONDS = 10
_FIXES = {
    403: "Give the account the rights of manifests/base/service-accounts.yaml",
    404: "Look whether it is still there",
}


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

        with explained(f"workflow {name}", _FIXES):
            content = CustomObjectsApi(self._api).get_namespaced_custom_object(
                *_WORKFLOWS, self._namespace, "workflows", name, _request_timeout=_SECONDS
            )
        part_of(content, "metadata", dict, self._api)
        return Workflow(content)

    def end_jobs(self, kind: tuple[str, str, str], workflow: str) -> None:
        """Delete the jobs that steps of a run have started, and have not lived to delete.

        Args:
            kind: Group, version and plural; a cluster that does not know the kind has no such jobs.
            workflow: Name of the run's Workflow.

        Raises:
            ClusterError: If the API server refuses it or does not answer.
        """
        from kubernetes.client import CustomObjectsApi

        group, version, plural = kind
        try:
            with explained(f"{plural} of workflow {workflow}", _FIXES):
                CustomObjectsApi(self._api).delete_collection_namespaced_custom_object(
                    *(group, version, self._namespace, plural),
                    label_selector=f"{WORKFLOW}={workflow}",
                    propagation_policy="Background",
                    _request_timeout=_SECONDS,
                )
        except ClusterError as error:
            if not is_missing(error, kind_known=False):
                raise

    def log(self, pod: str) -> str:
        """Read the end of the log of a pod's main container.

        Raises:
            ClusterError: If the API server refuses it or does not answer.
        """
        from kubernetes.client import CoreV1Api

        with explained(f"log of pod {pod}", _FIXES):
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
        with explained(f"events of pod {pod}", _FIXES):
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
    from kubernetes import client

    configuration = client.Configuration()
    configuration.retries = False
    namespace = load_account(configuration, POD)
    return RunCluster(client_of(configuration), namespace)


def of_kubeconfig(namespace: str) -> RunCluster:
    """Connect as the user of the kubeconfig.

    Args:
        namespace: Namespace of the run.

    Raises:
        InputError: If there is no kubeconfig.
    """
    from kubernetes import client

    configuration = client.Configuration()
    configuration.retries = False
    load_kubeconfig(configuration)
    return RunCluster(client_of(configuration), namespace)
