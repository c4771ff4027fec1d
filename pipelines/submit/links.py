"""Where people look at a run."""

import httpx
import kfp_server_api as api

from pipelines.submit.submission import MLFLOW

_SECONDS = 10.0


def ui_of(host: str) -> str:
    """The URL of KFP's UI at the URL of its API; empty if there is none.

    The UI's server passes requests to the API on, so they share a URL in a whole Kubeflow. A
    forwarded port of the API alone serves no pages.

    Args:
        host: URL of Kubeflow Pipelines; may be empty.
    """
    try:
        answer = httpx.get(host, timeout=_SECONDS, follow_redirects=True)
    except (httpx.HTTPError, httpx.InvalidURL):
        return ""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    return host if is_page and answer.is_success else ""


def link_of(ui: str, run_id: str) -> str:
    """The address of a run in KFP's UI."""
    return f"{ui.rstrip('/')}/#/runs/details/{run_id}"


def in_mlflow(run: api.V2beta1Run) -> str:
    """Where MLflow shows a run that was just created, or why it does not.

    Source: buildPluginOutput in kubeflow/pipelines, backend/src/apiserver/plugins/mlflow
    """
    told = (run.plugins_output or {}).get(MLFLOW)
    if told is None:
        return "KFP says nothing of it; its administrator has to set plugins.mlflow"
    address = (told.entries or {}).get("run_url")
    return told.state_message or (address.value if address else "the run has no address there")
