"""A webhook's receiver that answers as it is told and keeps what it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.http_server import running

PATH = "T0/B1/nobody-may-see-it"


@dataclass
class Receiver:
    """What it answers, in turn and then 200, and what it got."""

    statuses: list[int] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: Request) -> Response:
        self.received.append(await request.json())
        status = self.statuses.pop(0) if self.statuses else 200
        return Response(status_code=status, headers={"location": f"/services/{PATH}"})


@contextmanager
def webhook_receiver(*statuses: int) -> Iterator[Receiver]:
    receiver = Receiver(list(statuses))
    with running([Route(f"/services/{PATH}", receiver.take, methods=["POST"])]) as url:
        receiver.url = f"{url}/services/{PATH}"
        yield receiver
