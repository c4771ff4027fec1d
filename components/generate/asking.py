"""Asks a server in the way that it takes, which is learnt from what it refuses."""

import logging
from dataclasses import replace
from typing import Any

import openai
from openai.types.chat import ChatCompletion
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_exponential,
)

from components.generate.dialect import Dialect
from components.generate.engines import LlmEndpoint
from components.generate.refusals import ServerRefusal
from components.generate.request import Request

_log = logging.getLogger(__name__)
_CHAT = "/chat/completions"
_PATIENCE_SECONDS = 300.0
_LONGEST_WAIT_SECONDS = 15.0


class Asker:
    """Asks one server. What it refuses to be asked with is left out from then on.

    While it is busy or still loading, it is waited for.

    Args:
        client: Sends what is asked.
        endpoint: The server and its name for the model.
    """

    def __init__(self, client: openai.AsyncOpenAI, endpoint: LlmEndpoint) -> None:
        self._client = client
        self._endpoint = endpoint
        self._dialect = Dialect()
        self._schema_has_worked = self._first_tokens_have_worked = False
        self._patiently = AsyncRetrying(
            retry=retry_if_exception(_is_busy),
            wait=wait_exponential(multiplier=0.5, max=_LONGEST_WAIT_SECONDS),
            stop=stop_after_delay(_PATIENCE_SECONDS),
            before_sleep=self._log_wait,
            reraise=True,
        )

    async def answer(self, request: Request) -> Any:
        """Ask until the server takes the way of asking.

        Raises:
            openai.OpenAIError: If it gives no answer, or refuses the request in every way.
        """
        while True:
            dialect = self._dialect
            try:
                return await self._send(request, dialect)
            except openai.APIStatusError as error:
                refusal = refusal_in(error)
                if not refusal.is_of_a_parameter:
                    raise
                if self._dialect != dialect or self._learn(dialect, refusal):
                    continue
                bare = self._barer(request, dialect)
                if bare is None or refusal.is_filtered:
                    raise
            if (answer := await self._compared(request, dialect, bare)) is not None:
                return answer

    def _learn(self, dialect: Dialect, refusal: ServerRefusal) -> bool:
        """Change the way of asking by what a refusal names; False if it names nothing."""
        learnt = None if refusal.is_filtered else dialect.after(refusal.said)
        if learnt:
            self._adopt(learnt, refusal.said)
        return learnt is not None

    def _barer(self, request: Request, dialect: Dialect) -> Dialect | None:
        """A way of asking with less, since servers do not always name what they do not take.

        Returns:
            Without what has never worked; None if all of it has.
        """
        if request.schema and dialect.schema and not self._schema_has_worked:
            return replace(dialect, schema=False)
        if request.first_tokens and dialect.first_tokens and not self._first_tokens_have_worked:
            return replace(dialect, first_tokens=False)
        return None

    async def _compared(self, request: Request, dialect: Dialect, bare: Dialect) -> Any | None:
        """Ask with less, and where that is taken, once more with all: a failure may have passed.

        Returns:
            The answer; None if the server has named what else it does not take.
        """
        try:
            answer = await self._send(request, bare)
        except openai.APIStatusError as error:
            refusal = refusal_in(error)
            if refusal.is_of_a_parameter and self._learn(dialect, refusal):
                return None
            raise
        try:
            return await self._send(request, dialect)
        except openai.APIError as error:
            is_refused = isinstance(error, openai.APIStatusError) and (
                refusal_in(error).is_of_a_parameter
            )
            if is_refused and self._dialect == dialect:
                self._adopt(bare, "it refuses a request, and takes it with less")
        return answer

    def _adopt(self, dialect: Dialect, why: str) -> None:
        self._dialect = dialect
        _log.warning(
            "generate: %s is asked another way from now on (%s): %.200s",
            self._endpoint.base_url,
            dialect,
            why,
        )

    async def _send(self, request: Request, dialect: Dialect) -> Any:
        body = dialect.arguments(request, self._endpoint.model)

        async def send() -> Any:
            # The method of its own for chats goes through every message and schema first.
            return await self._client.post(_CHAT, cast_to=ChatCompletion, body=body)

        answer: Any = await self._patiently.copy()(send)
        self._schema_has_worked |= dialect.schema and bool(request.schema)
        self._first_tokens_have_worked |= dialect.first_tokens and bool(request.first_tokens)
        return answer

    def _log_wait(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if state.attempt_number == 1 and isinstance(error, openai.APIStatusError):
            said = refusal_in(error).said
            _log.info("generate: %s is busy, waiting for it: %.200s", self._endpoint.base_url, said)


def refusal_in(error: openai.APIStatusError) -> ServerRefusal:
    """What the server said; the client's own message may leave it out."""
    return ServerRefusal(error.status_code, error.response.text or error.message)


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, openai.APIStatusError) and refusal_in(error).is_busy
