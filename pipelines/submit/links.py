"""Where people look at a run."""

import httpx

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
