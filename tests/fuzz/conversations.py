"""Requests one after the other on a connection, of which each gets its own answer."""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

from tests.fuzz.answers import Answer, BrokenAnswerError, answers_in, converse
from tests.fuzz.mutations import mutated_request
from tests.fuzz.wire import Wired, wired

_RIGHT = {*range(200, 300), *range(400, 500), 501}


def last_request(identifier: str) -> Wired:
    """A request that ends the connection, whose answer shows that it was read as it is."""
    lines = ["POST /v1/models/emotion:predict HTTP/1.1", "Host: x", "Connection: close"]
    lines += ["ce-specversion: 1.0", f"ce-id: {identifier}", "Content-Length: 2"]
    content = "\r\n".join([*lines, "", "{}"]).encode()
    return Wired(content, "POST", frozenset({400}), closes=True, id=identifier)


@dataclass(frozen=True)
class Conversation:
    """Requests, in the pieces in which they are sent."""

    requests: tuple[Wired, ...]
    cuts: tuple[float, ...]

    def pieces(self):
        content = b"".join(each.content for each in self.requests)
        places = sorted({0, *(int(each * len(content)) for each in self.cuts), len(content)})
        return [content[a:b] for a, b in pairwise(places)]


def conversation(draw: Random) -> Conversation:
    """Some requests in some pieces."""
    requests = [wired(draw) for _ in range(draw.choice([1, 1, 2, 3]))]
    requests.append(last_request(f"last-{draw.getrandbits(48):x}"))
    cuts = tuple(draw.random() for _ in range(draw.choice([0, 0, 1, 3, 9])))
    return Conversation(tuple(requests), cuts)


def mutated(draw: Random) -> bytes:
    """A changed request and one that ends the connection."""
    return mutated_request(draw) + last_request("last").content


async def hold(url: str, asked: Conversation) -> str:
    """Send requests; returns the statuses of their answers.

    Raises:
        BrokenAnswerError: If one gets no answer, that of another one, or a wrong one.
    """
    content = await converse(url, asked.pieces())
    answers = answers_in(content, [each.method == "HEAD" for each in asked.requests])
    if len(answers) > len(asked.requests):
        raise BrokenAnswerError("there are more answers than requests")
    for request, answer in zip(asked.requests, answers, strict=False):
        _require_right(request, answer)
    if len(answers) < len(asked.requests) and not (answers and answers[-1].closes):
        raise BrokenAnswerError(f"there are {len(answers)} answers, none of which is the last")
    return " ".join(str(each.status) for each in answers[:1])


def _require_right(request: Wired, answer: Answer):
    if answer.status not in request.statuses:
        raise BrokenAnswerError(f"{request} got {answer.status} {answer.body[:300]!r}")
    if answer.closes and answer.status == 200 and not request.closes:
        raise BrokenAnswerError(f"{request} closed the connection")
    own = answer.headers.get("ce-id", "" if answer.status == 200 else request.id)
    if own != request.id:
        raise BrokenAnswerError(f"{request} got the answer to {own}")


async def answer_anything(url: str, content: bytes) -> str:
    """Send bytes; returns the status of the first answer, or `cut`.

    Raises:
        BrokenAnswerError: If what comes is no answer, or one of a server's fault.
    """
    answers = answers_in(await converse(url, [content]))
    if wrong := [each for each in answers if each.status not in _RIGHT]:
        raise BrokenAnswerError(f"{wrong[0].status} {wrong[0].body[:300]!r}")
    return str(answers[0].status) if answers else "cut"
