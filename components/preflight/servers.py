"""Checks of the servers of LLMs."""

import httpx

from components.errors import InputError
from components.preflight.checks import NotCheckedError

_TIMEOUT_SECONDS = 10.0


def require_served(base_url: str, model: str, api_key: str) -> None:
    """Refuse a server that cannot be reached, refuses the key or lacks the model.

    Args:
        base_url: Address of the server, ending in /v1.
        model: Its name for the model.
        api_key: Bearer token; may be empty.

    Raises:
        InputError: If a request to the model would fail.
        NotCheckedError: If the server does not list its models.

    Source: https://platform.openai.com/docs/api-reference/models/list
    """
    thing = f"LLM server {base_url}"
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    # A server on this machine is asked directly, even where a proxy is set.
    direct = {"all://127.0.0.1": None}
    try:
        with httpx.Client(mounts=direct, timeout=_TIMEOUT_SECONDS) as client:
            answer = client.get(f"{base_url}/models", headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        rule = f"cannot be reached ({type(error).__name__}: {error})"
        raise InputError(thing, rule, "Check its URL and that it is up") from error
    if answer.status_code in {401, 403}:
        raise InputError(thing, "refuses the key", "Give the run its key as LLM_API_KEY")
    names = listed_models(answer)
    if not names:
        raise NotCheckedError(f"{base_url} does not list its models")
    if model not in names:
        raise InputError(thing, f"does not have the model {model!r}", f"It has {', '.join(names)}")


def listed_models(answer: httpx.Response) -> list[str]:
    """The models that a server lists; none if the answer is not such a list."""
    try:
        return [str(each["id"]) for each in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []
