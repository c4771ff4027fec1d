"""A client of a chat LLM over the OpenAI protocol: many requests at a time, answers in order."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import openai
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_exponential,
)

from components.artifacts.ledger_lines import UNUSABLE, Completion
from components.errors import WorkError
from components.generate.dialect import Dialect
from components.generate.engines import LlmEndpoint
from components.generate.refusals import ServerRefusal
from components.generate.replies import completion_in
from components.generate.request import Answer, Request

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 300.0
_RETRIES = 2
_PATIENCE_SECONDS = 300.0
_LONGEST_WAIT_SECONDS = 15.0
_TRIES_OF_AN_UNUSABLE_ANSWER = 3
_UNUSABLE_REQUESTS = 3
_REFUSED_REQUESTS = 5


async def in_order(
    requests: Iterator[Request], ask: Callable[[Request], Awaitable[Answer]], open_at_once: int
) -> AsyncGenerator[Answer, None]:
    """Ask requests concurrently and yield the answers in the order of the requests.

    A request is drawn only when fewer than `open_at_once` earlier answers are still to be
    yielded, so an iterator that looks at what came of earlier answers draws the same requests
    in every run, however long single answers take.

    Args:
        requests: Drawn from while answers are yielded.
        ask: Gives the answer to a request.
        open_at_once: Upper bound of answers that are worked on or wait for their turn.
    """
    pending: deque[asyncio.Future[Answer]] = deque()
    try:
        for request in requests:
            pending.append(asyncio.ensure_future(ask(request)))
            if len(pending) == open_at_once:
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


class ChatClient:
    """A client of one endpoint; use it as an asynchronous context manager.

    What the server refuses to be asked with is left out from then on. While it is busy or still
    loading, it is waited for.

    Args:
        endpoint: The server and its name for the model.
        api_key: Bearer token, empty for servers that want none.
        concurrency: Requests under way at a time.
    """

    def __init__(self, endpoint: LlmEndpoint, api_key: str, concurrency: int) -> None:
        self._endpoint = endpoint
        self._slots = asyncio.Semaphore(concurrency)
        self._dialect = Dialect()
        self._schema_has_worked = self._first_tokens_have_worked = self._has_answered = False
        self._unusable = self._refused_in_a_row = 0
        self._patiently = AsyncRetrying(
            retry=retry_if_exception(_is_busy),
            wait=wait_exponential(multiplier=0.5, max=_LONGEST_WAIT_SECONDS),
            stop=stop_after_delay(_PATIENCE_SECONDS),
            before_sleep=self._log_wait,
            reraise=True,
        )
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=api_key or "none",
            timeout=_TIMEOUT_SECONDS,
            max_retries=_RETRIES,
            # A server on this machine is reached directly, even where a proxy is set.
            http_client=openai.DefaultAsyncHttpxClient(mounts={"all://127.0.0.1": None}),
        )

    async def __aenter__(self) -> "ChatClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def ask(self, request: Request) -> Answer:
        """Send one request, as soon as one of the client's slots is free.

        The answer is empty if the server's filter kept it back, if it has no message, asked again
        too, or if a server that has answered others refuses this request.

        Raises:
            WorkError: If the server cannot be reached, refuses several requests one after the
                other, or gives no answer.
        """
        async with self._slots:
            started = time.monotonic()
            completion = await self._completion(request)
        return Answer(request, replace(completion, seconds=round(time.monotonic() - started, 3)))

    async def _completion(self, request: Request) -> Completion:
        for _ in range(_TRIES_OF_AN_UNUSABLE_ANSWER):
            try:
                found = completion_in(await self._answer(request))
            except openai.APITimeoutError as error:
                raise self._failed(f"gave no answer within {_TIMEOUT_SECONDS:g} s") from error
            except openai.APIConnectionError as error:
                raise self._failed("cannot be reached") from error
            except openai.APIStatusError as error:
                return self._empty_for(error)
            except (openai.APIResponseValidationError, OverflowError, RecursionError, ValueError):
                found = None
            if found is not None:
                self._has_answered, self._refused_in_a_row = True, 0
                return found
        self._unusable += 1
        if not self._has_answered and self._unusable >= _UNUSABLE_REQUESTS:
            raise self._failed("does not speak the OpenAI protocol")
        return Completion("", UNUSABLE, 0, 0, 0.0)

    def _empty_for(self, error: openai.APIStatusError) -> Completion:
        """The empty answer to a request that the server refuses for what is in it.

        Raises:
            WorkError: If it refuses others too.
        """
        refusal = _refusal(error)
        if not refusal.is_of_one_prompt:
            raise self._refused(error) from error
        if refusal.is_filtered:
            return Completion("", "content_filter", 0, 0, 0.0)
        self._refused_in_a_row += 1
        if not self._has_answered or self._refused_in_a_row >= _REFUSED_REQUESTS:
            raise self._refused(error) from error
        _log.warning("generate: a request was refused, and others go on: %.300s", refusal.said)
        return Completion("", "refused_request", 0, 0, 0.0)

    async def _answer(self, request: Request) -> Any:
        """Ask until the server takes the way of asking."""
        while True:
            dialect = self._dialect
            try:
                answer = await self._send(request, dialect)
            except openai.APIStatusError as error:
                if not _refusal(error).is_of_a_parameter:
                    raise
                if self._dialect != dialect or self._learn(dialect, error):
                    continue
                bare = self._barer(request, dialect)
                if bare is None or _refusal(error).is_filtered:
                    raise
                if (answer := await self._asked_barely(request, dialect, bare)) is not None:
                    return answer
            else:
                self._remember(request, dialect)
                return answer

    def _learn(self, dialect: Dialect, error: openai.APIStatusError) -> bool:
        """Change the way of asking by what a refusal names; False if it names nothing."""
        refusal = _refusal(error)
        learnt = None if refusal.is_filtered else dialect.after(refusal.said)
        if learnt:
            self._adopt(learnt, refusal.said)
        return learnt is not None

    def _remember(self, request: Request, dialect: Dialect) -> None:
        self._schema_has_worked |= dialect.schema and bool(request.schema)
        self._first_tokens_have_worked |= dialect.first_tokens and bool(request.first_tokens)

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

    async def _asked_barely(self, request: Request, dialect: Dialect, bare: Dialect) -> Any | None:
        """Ask with less: servers do not always say what they do not take.

        Returns:
            The answer; None if the way of asking has changed once more.
        """
        try:
            answer = await self._send(request, bare)
        except openai.APIStatusError as error:
            if _refusal(error).is_of_a_parameter and self._learn(bare, error):
                return None
            raise
        if self._dialect == dialect:
            self._adopt(bare, "it refused a request, and took it with less")
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
            return await self._client.chat.completions.create(**body)

        return await self._patiently.copy()(send)

    def _log_wait(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if state.attempt_number == 1 and isinstance(error, openai.APIStatusError):
            said = _refusal(error).said
            _log.info("generate: %s is busy, waiting for it: %.200s", self._endpoint.base_url, said)

    def _refused(self, error: openai.APIStatusError) -> WorkError:
        return self._failed(
            f"refused the request: {error.status_code}, {_refusal(error).said:.300}"
        )

    def _failed(self, rule: str) -> WorkError:
        return WorkError(
            f"LLM server {self._endpoint.base_url}", rule, "Check its log, its URL and its key"
        )


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, openai.APIStatusError) and _refusal(error).is_busy


def _refusal(error: openai.APIStatusError) -> ServerRefusal:
    """What the server said; the client's own message may leave it out."""
    return ServerRefusal(error.status_code, error.response.text or error.message)
