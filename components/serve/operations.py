"""Operations: the routes of the protocols, with what OpenAPI says of them."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

Endpoint = Callable[[Request], Awaitable[Response]]

OF_WORK = (400, 404, 408, 413, 415, 503)
"""Statuses of a request that carries texts, apart from 200."""


@dataclass(frozen=True)
class Operation:
    """What a method does on a path.

    Args:
        method: HTTP method.
        path: Template of the path.
        name: Its name, another for each.
        endpoint: Answers a request.
        answer: Body of the answer 200.
        request: Body of the request; None if it has none.
        statuses: Other statuses.
    """

    method: str
    path: str
    name: str
    endpoint: Endpoint
    answer: type[BaseModel]
    request: type[BaseModel] | None = None
    statuses: tuple[int, ...] = ()

    def route(self) -> Route:
        """Build its route."""
        return TemplateRoute(self.path, self.endpoint, [self.method])


class TemplateRoute(Route):
    """A route that names itself in the scope, so that metrics have its template.

    Args:
        path: Template of the path.
        endpoint: Answers a request.
        methods: HTTP methods; none for all.
    """

    def __init__(self, path: str, endpoint: Endpoint, methods: Collection[str] = ()) -> None:
        super().__init__(path, endpoint)
        # Starlette would add HEAD, which `components.serve.bounds.Bounds` turns into GET.
        self.methods = set(methods) or None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a path, and a method if any are given."""
        match, found = super().matches(scope)
        if match != Match.NONE:
            found["route"] = self
        return match, found
