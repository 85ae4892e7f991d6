"""GraphQL over WebSocket: the graphql-transport-ws protocol, over anything that carries texts both ways."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Generic, Protocol, TypeVar

import orjson

import errors
from schema import http
from schema.callers import RECHECK_SECONDS, Contexts, until_refused
from schema.execution import EngineSchema
from schema.operations import Request, encode
from schema.streams import Patience

log = logging.getLogger(__name__)

SUBPROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 10.0
MAX_OPERATIONS = 100
SEND_SECONDS = 30.0  # for a client that has stopped reading; nothing piles up for it meanwhile
CLOSE_SECONDS = 1.0
LONGEST_REASON = 120  # bytes; WebSocket allows 123

V = TypeVar("V")

Message = Mapping[str, object]


class Channel(Protocol):
    """The socket under a connection."""

    async def receive(self) -> str | bytes | None:
        """The next frame; None once the client has gone."""

    async def send(self, text: str) -> None:
        """Send a text frame; to a client that has gone, nothing."""

    async def close(self, code: int, reason: str) -> None:
        """Close the socket."""


class Closed(Exception):
    """The connection must end with this code, for this reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class Gone(Exception):
    """The client has ended the connection, or has long stopped reading from it."""


class Connection(Generic[V]):
    """One client's connection: initialised once, then any number of operations at a time."""

    def __init__(
        self,
        schema: EngineSchema,
        contexts: Contexts[V],
        channel: Channel,
        *,
        authorization: str | None = None,
        admit: Callable[[str | None, int], None] = lambda _, __: None,
        init_seconds: float = INIT_SECONDS,
        recheck_seconds: float = RECHECK_SECONDS,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self._schema = schema
        self._contexts = contexts
        self._channel = channel
        self._authorization = authorization
        self._admit = admit
        self._init_seconds = init_seconds
        self._recheck_seconds = recheck_seconds
        self._end = "The token has expired"
        self._deadline = asyncio.timeout(None)
        self._patience = Patience(send_seconds, self._lose)
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Serve the connection until it ends, from either side."""
        async with asyncio.TaskGroup() as tasks:
            try:
                await self._until_deadline(tasks)
            except Closed as closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await self._channel.close(closed.code, closed.reason)
            except Gone:
                log.debug("the client has gone, with %d operations under way", len(self._operations))
            finally:
                for task in self._operations.values():
                    task.cancel()

    async def _until_deadline(self, tasks: asyncio.TaskGroup) -> None:
        try:
            async with self._deadline:
                viewer = await self._initialised()
                context = self._contexts.open(viewer)
                self._deadline.reschedule(_loop_time_of(context.expires_at))
                if context.caller is not None:
                    self._watch = tasks.create_task(self._until_refused(context.rights), name="the caller is refused")
                await self._converse(viewer, tasks)
        except TimeoutError:
            raise Gone if self._patience.is_lost else Closed(4403, self._end) from None
        finally:
            self._patience.end()
            if self._watch:
                self._watch.cancel()

    async def _until_refused(self, rights: Hashable) -> None:
        self._end = await until_refused(self._contexts, self._authorization, rights, self._recheck_seconds)
        self._lose()

    def _lose(self) -> None:
        if not self._deadline.expired():
            self._deadline.reschedule(0)

    async def _initialised(self) -> V:
        try:
            async with asyncio.timeout(self._init_seconds):
                while True:
                    message = await self._received()
                    if message["type"] == "connection_init":
                        break
                    if message["type"] == "subscribe":
                        raise Closed(4401, "Unauthorized")
                    await self._answer_ping(message)
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        self._authorization = self._credentials(message)
        try:
            viewer = await self._contexts.authenticate(self._authorization)
        except errors.Unauthenticated as refused:
            raise Closed(4403, refused.message) from None
        except errors.Unavailable as unavailable:
            raise Closed(1013, unavailable.message) from None
        await self._send({"type": "connection_ack"})
        return viewer

    def _credentials(self, init: Message) -> str | None:
        payload = init.get("payload")
        if payload is None:
            return self._authorization
        if not isinstance(payload, dict):
            raise Closed(4400, "The payload of connection_init must be an object")
        for name, value in payload.items():
            if name.lower() == "authorization" and value is not None:
                if not isinstance(value, str):
                    raise Closed(4400, "The authorization of connection_init must be a text")
                return value
        return self._authorization

    async def _converse(self, viewer: V, tasks: asyncio.TaskGroup) -> None:
        while True:
            message = await self._received()
            match message["type"]:
                case "subscribe":
                    self._subscribe(message, viewer, tasks)
                case "complete":
                    self._complete(message)
                case "connection_init":
                    raise Closed(4429, "Too many initialisation requests")
                case _:
                    await self._answer_ping(message)

    def _subscribe(self, message: Message, viewer: V, tasks: asyncio.TaskGroup) -> None:
        id_ = _id_of(message)
        if id_ in self._operations:
            raise Closed(4409, f"Subscriber for {id_} already exists")
        try:
            request = http.request_of(message.get("payload"))
        except http.HTTPFault as fault:
            raise Closed(4400, fault.message) from None
        if len(self._operations) >= MAX_OPERATIONS:
            raise Closed(4429, f"More than {MAX_OPERATIONS} operations at a time")
        self._operations[id_] = tasks.create_task(self._operate(id_, request, viewer), name=f"operation {id_}")

    def _complete(self, message: Message) -> None:
        if operation := self._operations.pop(_id_of(message), None):
            operation.cancel()

    async def _answer_ping(self, message: Message) -> None:
        payload = message.get("payload")
        if message["type"] not in ("ping", "pong") or not isinstance(payload, dict | None):
            raise Closed(4400, f"Invalid message of type {message['type']}")
        if message["type"] == "ping":
            await self._send({"type": "pong", **({} if payload is None else {"payload": payload})})

    async def _operate(self, id_: str, request: Request, viewer: V) -> None:
        request_id = http.request_id_of(None)
        last: dict[str, object] = {"id": id_, "type": "complete"}
        answers = self._schema.answers(
            request,
            request_id,
            partial(self._contexts.open, viewer),
            partial(self._admit, self._contexts.open(viewer).caller),
        )
        async with aclosing(answers):
            async for answer in answers:
                if not answer.executed:
                    last = {"id": id_, "type": "error", "payload": answer.formatted["errors"]}
                    break
                payload = orjson.Fragment(encode(answer, request_id))
                await self._send({"id": id_, "type": "next", "payload": payload})
        # The id is free before the client hears that it is.
        if self._operations.get(id_) is asyncio.current_task():
            del self._operations[id_]
        await self._send(last)

    async def _received(self) -> Message:
        frame = await self._channel.receive()
        if frame is None:
            raise Gone
        try:
            message = http.decode(frame) if isinstance(frame, str) else None
        except http.HTTPFault as fault:
            if fault.status == 413:
                raise Closed(1009, fault.message) from None
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "A message must be a text frame with a JSON object that has a type")
        return message

    async def _send(self, message: Message) -> None:
        with self._patience:
            await self._channel.send(orjson.dumps(message).decode())


def _id_of(message: Message) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise Closed(4400, f"A message of type {message['type']} must have an id")
    return id_


def _loop_time_of(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return asyncio.get_running_loop().time() + (moment - datetime.now(UTC)).total_seconds()
