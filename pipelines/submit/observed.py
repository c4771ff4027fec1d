"""A run as it can be seen from here: through KFP's API, and the cluster's where there is a way."""

import json
from collections.abc import Callable
from typing import Any

import kfp_server_api as api
from kfp import Client
from urllib3.exceptions import HTTPError

from components.errors import StepError
from components.kfp_server import id_of, shown
from components.outcome.cluster import RunCluster, of_kubeconfig
from components.outcome.workflow import Workflow

_REQUEST_SECONDS = 30


class ObservedRun:
    """A run on Kubeflow.

    Args:
        client: Connected to Kubeflow Pipelines.
        run_id: The run.
        connect: Connects to the cluster of the run, given its namespace; raises StepError.
    """

    def __init__(
        self,
        client: Client,
        run_id: str,
        connect: Callable[[str], RunCluster] = of_kubeconfig,
    ) -> None:
        self.run_id = run_id
        self._client = client
        self._connect = connect

    def status(self) -> api.V2beta1Run:
        """Read the states of the run and its tasks.

        Raises:
            NotKubeflowError: If the answer is no run.
        """
        run = self._client.get_run(self.run_id)
        id_of(run, "run_id")
        return run

    def workflow(self) -> Workflow:
        """Read the run's Argo Workflow, as KFP last heard of it.

        Only the older of KFP's two APIs shows it:
        https://www.kubeflow.org/docs/components/pipelines/legacy-v1/reference/api/kubeflow-pipeline-api-spec/

        Raises:
            ApiException: If KFP refuses it.
            HTTPError: If KFP does not answer.
            ValueError: If the answer holds no Workflow.
        """
        answer = self._get(f"/apis/v1beta1/runs/{self.run_id}")
        try:
            runtime = json.loads(answer)["pipeline_runtime"]
            # Until Argo has begun there is only the Workflow as KFP made it.
            manifest = runtime.get("workflow_manifest") or runtime["pipeline_manifest"]
            return Workflow(json.loads(manifest))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"there is no Workflow in {shown(answer)}") from error

    def log(self, namespace: str, pod: str) -> str:
        """Read the end of a pod's log, from KFP, else from the cluster; empty if there is none."""
        try:
            text = self._get(f"/apis/v1alpha1/runs/{self.run_id}/nodes/{pod}/log")
        except (api.ApiException, HTTPError):
            text = ""
        # KFP answers 200 before it looks, and appends its error as JSON.
        if text and not text.startswith('{"error_message"'):
            return text
        try:
            return self._connect(namespace).log(pod)
        except StepError:
            return ""

    def events(self, namespace: str, pod: str) -> list[str]:
        """List the warnings among a pod's events, oldest first; without any, its last event.

        Raises:
            StepError: If the cluster cannot be asked.
        """
        return self._connect(namespace).events(pod)

    def _get(self, path: str) -> str:
        answer: Any = self._client.runs.api_client.call_api(
            path,
            "GET",
            header_params={"Accept": "*/*"},
            auth_settings=["Bearer"],
            _return_http_data_only=True,
            _preload_content=False,
            _request_timeout=_REQUEST_SECONDS,
        )
        return str(answer.data.decode(errors="replace"))
