"""A small schema with everything that an endpoint must carry, and callers for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.file_uploads import Upload
from strawberry.scalars import JSON

import errors
from schema.endpoint import Endpoint
from schema.execution import EngineSchema


@dataclass(frozen=True)
class Caller:
    """Somebody, or nobody, and until when."""

    name: str | None
    expires_at: datetime | None = None


@dataclass
class Context:
    """One operation's context; `number` tells it from others."""

    somebody: Caller
    number: int

    @property
    def caller(self) -> str | None:
        return self.somebody.name

    @property
    def rights(self) -> str | None:
        return None

    @property
    def expires_at(self) -> datetime | None:
        return self.somebody.expires_at


class Callers:
    """Takes `Bearer NAME` for NAME; `Bearer bad` is no good, and `Bearer brief` is so only for a moment.

    Whose name is among the `revoked` is no good any more, of `Bearer lost` nobody can tell now, and
    `Bearer broken` meets a bug.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.revoked: set[str] = set()

    async def authenticate(self, authorization: str | None) -> Caller:
        name = (authorization or "").removeprefix("Bearer ") or None
        if name == "bad" or name in self.revoked:
            raise errors.Unauthenticated("This token is no good.")
        if name == "broken":
            raise RuntimeError("hunter2")
        if name == "lost":
            raise errors.Unavailable("The database did not answer.")
        return Caller(name, datetime.now(UTC) + timedelta(seconds=0.2) if name == "brief" else None)

    def open(self, viewer: Caller) -> Context:
        self.opened += 1
        return Context(viewer, self.opened)


class Endless:
    """How many endless streams are open, and a signal for each that is closed."""

    def __init__(self) -> None:
        self.open = 0
        self.closed = asyncio.Event()


endless = Endless()
Info = strawberry.Info[Context, None]
V = TypeVar("V")


@strawberry.type
class Query:
    @strawberry.field
    def who(self, info: Info) -> str | None:
        return info.context.caller

    @strawberry.field
    def context(self, info: Info) -> int:
        return info.context.number

    @strawberry.field
    def echo(self, value: JSON) -> JSON:
        return value

    @strawberry.field
    def breaks(self) -> str:
        raise RuntimeError("hunter2")

    @strawberry.field
    def unwritable(self) -> JSON:
        return JSON(object())


@strawberry.type
class Mutation:
    @strawberry.field
    def act(self) -> bool:
        return True

    @strawberry.field
    async def sizes(self, files: list[Upload]) -> list[str]:
        return [f"{file.filename}: {len(await file.read())}" for file in files]  # type: ignore[attr-defined]


@strawberry.type
class Event:
    @strawberry.field
    def context(self, info: Info) -> int:
        return info.context.number


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, info: Info, to: int) -> AsyncIterator[str]:
        for number in range(to):
            yield f"{number}"

    @strawberry.subscription
    async def contexts(self) -> AsyncIterator[Event]:
        for _ in range(2):
            yield Event()

    @strawberry.subscription
    async def endless(self) -> AsyncIterator[int]:
        endless.open += 1
        try:
            yield 0
            await asyncio.Event().wait()
        finally:
            endless.open -= 1
            endless.closed.set()

    @strawberry.subscription
    async def fails(self) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("hunter2")


SCHEMA = EngineSchema(Query, Mutation, Subscription)


@asynccontextmanager
async def served(endpoint: Endpoint[V]) -> AsyncIterator[str]:
    """The host and port of a real server with this endpoint at /graphql, which uvicorn runs as server.py has it run."""
    app = Starlette(routes=[Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)])
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    listener.listen()  # who comes before it serves waits
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        endpoint.close()
        server.should_exit = True
        await asyncio.wait_for(serving, 10)
