"""A client of a chat LLM over the OpenAI protocol: many requests at a time, answers in order."""

import asyncio
import hashlib
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import openai

from components.artifacts.synthetic import Completion
from components.errors import WorkError
from components.generate.engines import LlmEndpoint

_TIMEOUT_SECONDS = 300.0
_RETRIES = 3


@dataclass(frozen=True)
class Request:
    """One question to the LLM.

    Args:
        label: Name of the label that sentences are wanted for.
        turn: Number of earlier requests for this label.
        attributes: What else the prompt asks for, for the ledger.
        messages: The chat, in the protocol's form.
        schema: JSON schema of the answer; empty asks for free text.
        max_tokens: Length at which an answer is cut off.
        temperature: Sampling temperature.
        seed: Seed of the sampling.
    """

    label: str
    turn: int
    attributes: Mapping[str, str]
    messages: Sequence[Mapping[str, str]] = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False)
    max_tokens: int
    temperature: float
    seed: int

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the answer: equal requests need not be sent twice."""
        content = [self.messages, self.schema, self.max_tokens, self.temperature, self.seed]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Answer:
    """The LLM's answer to a request."""

    request: Request
    completion: Completion


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
    """

    def __init__(self, endpoint: LlmEndpoint, api_key: str, concurrency: int) -> None:
        self._endpoint = endpoint
        self._slots = asyncio.Semaphore(concurrency)
        self._takes_schema = True
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

        Raises:
            WorkError: If the server cannot be reached, refuses, or gives no answer.
        """
        async with self._slots:
            started = time.monotonic()
            answer = await self._complete(request)
        if not getattr(answer, "choices", None):
            raise self._failed("does not speak the OpenAI protocol")
        choice, usage = answer.choices[0], answer.usage
        completion = Completion(
            raw=choice.message.content or "",
            finish_reason=choice.finish_reason,
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            seconds=round(time.monotonic() - started, 3),
        )
        return Answer(request, completion)

    async def _complete(self, request: Request) -> Any:
        try:
            with_schema = self._takes_schema and bool(request.schema)
            try:
                return await self._create(request, with_schema=with_schema)
            except openai.BadRequestError:
                if not with_schema:
                    raise
                self._takes_schema = False
                return await self._create(request, with_schema=False)
        except openai.APITimeoutError as error:
            raise self._failed(f"gave no answer within {_TIMEOUT_SECONDS:g} s") from error
        except openai.APIConnectionError as error:
            raise self._failed("cannot be reached") from error
        except openai.APIStatusError as error:
            raise self._failed(f"refused the request: {error.message:.300}") from error

    def _create(self, request: Request, *, with_schema: bool) -> Any:
        arguments: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": request.messages,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        if with_schema:
            schema = {"name": "texts", "schema": request.schema, "strict": True}
            arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
        return self._client.chat.completions.create(**arguments)

    def _failed(self, rule: str) -> WorkError:
        return WorkError(
            f"LLM server {self._endpoint.base_url}", rule, "Check its log, its URL and its key"
        )
