"""Checks of the servers of LLMs: they are asked for their models, and one short question."""

from dataclasses import replace
from typing import Any

import httpx

from components.errors import InputError
from components.generate.dialect import Dialect
from components.generate.refusals import ServerRefusal
from components.generate.request import Request
from components.kubeconfig import require_http_proxies
from components.preflight.checks import NotCheckedError

_SECONDS = 12.0
_FIRST = Request(
    label="",
    turn=0,
    attributes={},
    messages=[
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "Answer with a JSON list of one word."},
    ],
    schema={"type": "array", "items": {"type": "string"}},
    max_tokens=16,
    temperature=1.0,
    seed=0,
)


def require_served(base_url: str, model: str, api_key: str, seconds: float = _SECONDS) -> None:
    """Refuse a server that cannot be reached, or does not answer a question to the model.

    Args:
        base_url: Address of the server, ending in /v1.
        model: Its name for the model.
        api_key: Bearer token; may be empty.
        seconds: Time for each answer.

    Raises:
        InputError: If a request of generate would fail.
        NotCheckedError: If the server is busy, or may still be loading the model.

    Source: https://platform.openai.com/docs/api-reference/models/list
    """
    server = _Server(base_url, api_key, seconds)
    names = listed_models(server.answer("GET", "models"))
    if names and model not in names:
        fix = f"It has {', '.join(names)}"
        raise InputError(server.thing, f"does not have the model {model!r}", fix)
    _require_answer(server, model)


def listed_models(answer: httpx.Response) -> list[str]:
    """The models that a server lists; none if the answer is not such a list."""
    try:
        return [str(each["id"]) for each in answer.json()["data"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


class _Server:
    """A server, asked as generate does it."""

    def __init__(self, base_url: str, api_key: str, seconds: float) -> None:
        self.thing = f"LLM server {base_url}"
        self._url, self._seconds = base_url, seconds
        self._headers = {"Authorization": f"Bearer {api_key or 'none'}"}

    def answer(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request; its answer may be a refusal, but not of the key."""
        # A server on this machine is asked directly, even where a proxy is set.
        direct = {"all://127.0.0.1": None}
        require_http_proxies()
        try:
            with httpx.Client(
                mounts=direct, timeout=self._seconds, follow_redirects=True, headers=self._headers
            ) as client:
                answer = client.request(method, f"{self._url}/{path}", json=body)
        except httpx.ReadTimeout as error:
            late = f"gave no answer within {self._seconds:g} s; it may be loading the model"
            raise NotCheckedError(f"{self._url} {late}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            rule = f"cannot be reached ({type(error).__name__}: {error})"
            raise InputError(self.thing, rule, "Check its URL and that it is up") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise InputError(self.thing, "refuses the key", "Give the run its key as LLM_API_KEY")
        return answer


def _require_answer(server: _Server, model: str) -> None:
    answer = _first_answer(server, model)
    if answer.is_success:
        if not _has_choices(answer):
            fix = "Check its URL, which ends in /v1"
            raise InputError(server.thing, "does not speak the OpenAI protocol", fix)
        return
    refusal = ServerRefusal(answer.status_code, " ".join(answer.text.split()))
    if refusal.is_busy:
        raise NotCheckedError(f"{server.thing} is busy: it answers with {refusal.status}")
    if not refusal.is_filtered:
        rule = f"refuses a question to {model!r}: {refusal.status}, {refusal.said:.300}"
        raise InputError(server.thing, rule, "Check its URL, the model's name and the key")


def _first_answer(server: _Server, model: str) -> httpx.Response:
    """Ask one question, in another way if the server refuses a parameter."""
    dialect = Dialect()
    while True:
        answer = server.answer("POST", "chat/completions", dialect.arguments(_FIRST, model))
        other = _other(dialect, answer)
        if other is None:
            return answer
        dialect = other


def _other(dialect: Dialect, answer: httpx.Response) -> Dialect | None:
    """Another way of asking; None if there is none, or the way of asking is not what is refused."""
    refusal = ServerRefusal(answer.status_code, answer.text)
    if not refusal.is_of_a_parameter or refusal.is_busy or refusal.is_filtered:
        return None
    # Servers do not always name what they do not take.
    bare = replace(dialect, schema=False) if dialect.schema else None
    return dialect.after(answer.text) or bare


def _has_choices(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json()["choices"], list)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
