"""A client of a chat LLM over the OpenAI protocol: many requests at a time, answers in order."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import replace

import openai

from components.artifacts.ledger_lines import UNUSABLE, Completion
from components.errors import WorkError
from components.generate.asking import Asker, refusal_in
from components.generate.engines import LlmEndpoint
from components.generate.replies import completion_in
from components.generate.request import Answer, Request
from components.kubeconfig import require_http_proxies

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 300.0
_RETRIES = 2
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

    Args:
        endpoint: The server and its name for the model.
        api_key: Bearer token, empty for servers that want none.
        concurrency: Requests under way at a time.

    Raises:
        InputError: If the environment names a proxy that is not one of HTTP.
    """

    def __init__(self, endpoint: LlmEndpoint, api_key: str, concurrency: int) -> None:
        self._endpoint = endpoint
        self._slots = asyncio.Semaphore(concurrency)
        self._has_answered = False
        self._unusable = self._refused_in_a_row = 0
        require_http_proxies()
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=api_key or "none",
            timeout=_TIMEOUT_SECONDS,
            max_retries=_RETRIES,
            # A server on this machine is reached directly, even where a proxy is set.
            http_client=openai.DefaultAsyncHttpxClient(mounts={"all://127.0.0.1": None}),
        )
        self._asker = Asker(self._client, endpoint)

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
                found = completion_in(await self._asker.answer(request))
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
        refusal = refusal_in(error)
        if not refusal.is_of_one_prompt:
            raise self._refused(error) from error
        if refusal.is_filtered:
            return Completion("", "content_filter", 0, 0, 0.0)
        self._refused_in_a_row += 1
        if not self._has_answered or self._refused_in_a_row >= _REFUSED_REQUESTS:
            raise self._refused(error) from error
        _log.warning("generate: a request was refused, and others go on: %.300s", refusal.said)
        return Completion("", "refused_request", 0, 0, 0.0)

    def _refused(self, error: openai.APIStatusError) -> WorkError:
        return self._failed(
            f"refused the request: {error.status_code}, {refusal_in(error).said:.300}"
        )

    def _failed(self, rule: str) -> WorkError:
        return WorkError(
            f"LLM server {self._endpoint.base_url}", rule, "Check its log, its URL and its key"
        )
