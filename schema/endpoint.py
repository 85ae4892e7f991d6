"""The one way in for clients: GraphQL over HTTP, as an event stream, and over WebSocket.

`Endpoint` is an ASGI application for both a Route and a WebSocketRoute (never a Mount, which answers POST with a
redirect). Authentication is its `contexts`' business (schema/callers.py): once a request or connection, with a fresh
context for each operation. `close` ends every open stream, which would otherwise hold up a shutdown.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Generic, TypeVar

from graphql import OperationType, located_error
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

import errors
import metrics
from schema import http, limits, streams, uploads, websocket
from schema.callers import RECHECK_SECONDS, Context, Contexts, until_refused
from schema.errors import coded, told
from schema.execution import EngineSchema
from schema.http import HTTPFault, Media
from schema.operations import Answer, Request, encode, refusal
from schema.rates import Rates
from schema.reading import Refused

MAX_JSON_BYTES = 16 * 2**20
MAX_MULTIPART_BYTES = 2**30 + MAX_JSON_BYTES  # a file of a gigabyte, and the operation that it goes with
# Proxies cut connections on which nothing moves, the strictest after half a minute.
PING_SECONDS = 12.0

V = TypeVar("V")

End = Callable[[], Coroutine[None, None, object]]


class Endpoint(Generic[V]):
    """The GraphQL endpoint.

    `page` answers a browser that comes to look; without one, browsers get what others do.
    """

    def __init__(
        self,
        schema: EngineSchema,
        contexts: Contexts[V],
        *,
        page: ASGIApp | None = None,
        rates: Rates | None = None,
        ping_seconds: float = PING_SECONDS,
        init_seconds: float = websocket.INIT_SECONDS,
        recheck_seconds: float = RECHECK_SECONDS,
    ) -> None:
        self._schema = schema
        self._contexts = contexts
        self._page = page
        self._rates = rates or Rates()
        self._ping_seconds = ping_seconds
        self._init_seconds = init_seconds
        self._recheck_seconds = recheck_seconds
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every open stream, now and from now on."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve_socket(WebSocket(scope, receive, send))
            return
        request = HTTPRequest(scope, receive)
        if self._page and _is_for_people(request):
            await self._page(scope, receive, send)
            return
        try:
            async with AsyncExitStack() as resources:
                response = await self._respond(request, resources)
                await response(scope, receive, send)
        except ClientDisconnect:
            return

    async def _respond(self, request: HTTPRequest, resources: AsyncExitStack) -> ASGIApp:
        request_id = http.request_id_of(request.headers.get("x-request-id"))
        try:
            if request.method not in ("GET", "POST"):
                raise HTTPFault(405, "GraphQL takes GET and POST.", {"Allow": "GET, POST"})
            media = http.negotiate(request.headers.get("accept", ""))
            asked = await self._asked(request, resources)
            return await self._perform(request, request_id, media, asked)
        except (errors.Unauthenticated, errors.Unavailable) as error:
            refused = Refused([coded(error.code, error.message)], error.code)
            return self._written(refusal(refused, request_id), media, request_id)
        except HTTPFault as fault:
            metrics.REQUESTS.labels("refused", f"HTTP_{fault.status}").inc()
            body = encode(fault.answer(request_id), request_id)
            headers = {**fault.headers, "X-Request-Id": request_id}
            return Response(body, fault.status, headers, Media.JSON)
        except ClientDisconnect:
            raise
        except Exception as bug:
            return _masked(bug, request_id)

    async def _asked(self, request: HTTPRequest, resources: AsyncExitStack) -> Request:
        key = request.headers.get("idempotency-key")
        if request.method == "GET":
            return http.request_of(http.query_parameters(request.query_params), key)
        http.refuse_coding(request.headers.get("content-encoding", ""))
        match http.media_type_of(request.headers.get("content-type", "")):
            case "application/json":
                return http.request_of(http.decode(await _limited(request, MAX_JSON_BYTES).body()), key)
            case "multipart/form-data":
                await self._admit_files(request)
                return replace(http.request_of(await _upload(request, resources), key), has_files=True)
            case _:
                raise HTTPFault(415, "The body must be application/json, or multipart/form-data for files.")

    async def _admit_files(self, request: HTTPRequest) -> None:
        """Raise Unauthenticated before the first byte of a file is received from nobody."""
        viewer = await self._contexts.authenticate(request.headers.get("authorization"))
        if self._contexts.open(viewer).caller is None:
            raise errors.Unauthenticated("Sign in before you send files.")

    async def _perform(self, request: HTTPRequest, request_id: str, media: Media, asked: Request) -> ASGIApp:
        try:
            viewer = await self._authenticated(request)
            context = self._contexts.open(viewer)
            operation = self._schema.admitted(asked, request_id, partial(self._admit, request, context.caller))
        except Refused as refused:
            return self._written(refusal(refused, request_id), media, request_id)
        if request.method == "GET" and operation.kind is OperationType.MUTATION:
            raise HTTPFault(405, "Send mutations by POST.", {"Allow": "POST"})
        if media is Media.EVENTS:
            answers = self._schema.performed(operation, partial(self._contexts.open, viewer))
            return self._event_stream(answers, request_id, self._ends(request, context))
        if operation.kind is OperationType.SUBSCRIPTION:
            raise HTTPFault(406, f"A subscription is a stream: accept {Media.EVENTS}, or use a WebSocket.")
        return self._written(await self._schema.run(operation, context), media, request_id)

    async def _authenticated(self, request: HTTPRequest) -> V:
        """Who is asking. A token that is no good costs its sender's address as much as anything that is refused."""
        try:
            return await self._contexts.authenticate(request.headers.get("authorization"))
        except errors.Unauthenticated:
            self._admit(request, None, limits.REFUSED_COST)
            raise

    def _admit(self, connection: HTTPConnection, caller: str | None, cost: int) -> None:
        address = connection.client.host if connection.client else None
        named = (("address", address), ("caller", caller))
        self._rates.spend([f"{kind} {name}" for kind, name in named if name], cost)

    def _written(self, answer: Answer, media: Media, request_id: str) -> ASGIApp:
        if media is Media.EVENTS:
            return self._event_stream(_only(answer), request_id)
        status = http.status_of(answer, media)
        headers = {"X-Request-Id": request_id, "Vary": "Accept", **http.headers_of(answer, status)}
        # Starlette adds the charset to text types alone.
        media_type = f"{media}; charset=utf-8"
        return Response(encode(answer, request_id), status, headers, media_type)

    def _ends(self, request: HTTPRequest, context: Context) -> Sequence[End]:
        """What ends with the caller's credentials."""
        authorization = request.headers.get("authorization")
        refused = partial(until_refused, self._contexts, authorization, context.rights, self._recheck_seconds)
        return [
            *([partial(_until, context.expires_at)] if context.expires_at else []),
            *([refused] if context.caller is not None else []),
        ]

    def _event_stream(
        self, answers: AsyncGenerator[Answer, None], request_id: str, ends: Sequence[End] = ()
    ) -> ASGIApp:
        async def stream(scope: Scope, receive: Receive, send_now: Send) -> None:
            async def send(message: Message) -> None:
                async with asyncio.timeout(websocket.SEND_SECONDS):  # a client that has stopped reading
                    await send_now(message)

            await send(_event_stream_start(request_id))
            stops = [
                asyncio.create_task(_until_gone(receive), name="the client leaves"),
                asyncio.create_task(_until_set(self._closing), name="the endpoint closes"),
                *(asyncio.create_task(end(), name="the credentials end") for end in ends),
            ]
            last = http.COMPLETE
            try:
                async with aclosing(streams.until(answers, stops, self._ping_seconds)) as items:
                    async for answer in items:
                        body = http.PING if answer is None else http.event(answer, request_id)
                        await send({"type": "http.response.body", "body": body, "more_body": True})
            except streams.Cut:
                last = b""  # by what is missing clients know that there is more, and ask again
            await send({"type": "http.response.body", "body": last})

        return stream

    async def _serve_socket(self, socket: WebSocket) -> None:
        if websocket.SUBPROTOCOL not in socket.scope["subprotocols"]:
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(websocket.SUBPROTOCOL)
        connection = websocket.Connection(
            self._schema,
            self._contexts,
            _Channel(socket),
            authorization=socket.headers.get("authorization"),
            admit=partial(self._admit, socket),
            init_seconds=self._init_seconds,
            recheck_seconds=self._recheck_seconds,
        )
        with metrics.SOCKETS.track_inprogress():
            await connection.serve()


class _Channel:
    """Starlette's WebSocket, as a connection sees it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes | None:
        if self._socket.client_state is WebSocketState.DISCONNECTED:
            return None
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        return message.get("bytes", b"") if text is None else text

    async def send(self, text: str) -> None:
        if self._is_open():
            with suppress(WebSocketDisconnect):
                await self._socket.send_text(text)

    async def close(self, code: int, reason: str) -> None:
        if self._is_open():
            with suppress(WebSocketDisconnect):
                await self._socket.close(code, reason)

    def _is_open(self) -> bool:
        states = self._socket.client_state, self._socket.application_state
        return all(state is WebSocketState.CONNECTED for state in states)


def _masked(bug: Exception, request_id: str) -> Response:
    answer = Answer(executed=False, errors=told([located_error(bug)], request_id))
    metrics.REQUESTS.labels("refused", answer.code).inc()
    return Response(encode(answer, request_id), 500, {"X-Request-Id": request_id}, Media.JSON)


def _is_for_people(request: HTTPRequest) -> bool:
    """Whether a browser asks for a page to look at, and not for an answer."""
    accepts_pages = "text/html" in request.headers.get("accept", "")
    return request.method == "GET" and accepts_pages and "query" not in request.query_params


async def _upload(request: HTTPRequest, resources: AsyncExitStack) -> object:
    if not any(name in request.headers for name in uploads.PREFLIGHT_HEADERS):
        raise HTTPFault(400, f"A multipart request needs the header {uploads.PREFLIGHT_HEADERS[0]}, with any value.")
    parts = _limited(request, MAX_MULTIPART_BYTES).form(
        max_files=uploads.MAX_FILES, max_fields=uploads.MAX_FILES, max_part_size=MAX_JSON_BYTES
    )
    try:
        form = await resources.enter_async_context(parts)
    except (HTTPException, MultiPartException) as malformed:
        problem = malformed.detail if isinstance(malformed, HTTPException) else malformed.message
        raise HTTPFault(400, f"The body is not multipart/form-data: {problem}") from None
    operations, map_ = form.get("operations"), form.get("map")
    if not isinstance(operations, str) or not isinstance(map_, str):
        raise HTTPFault(400, "A multipart request needs the fields operations and map.")
    return uploads.placed(operations, map_, {name: part for name, part in form.items() if isinstance(part, UploadFile)})


def _limited(request: HTTPRequest, limit: int) -> HTTPRequest:
    """The same request, whose body raises HTTPFault 413 as soon as it is known to be longer than the limit."""
    too_large = HTTPFault(413, f"The body has more than {limit} bytes.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large
        return message

    return HTTPRequest(request.scope, receive)


def _event_stream_start(request_id: str) -> Message:
    headers = {
        "content-type": f"{Media.EVENTS}; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "x-request-id": request_id,
    }
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": 200, "headers": encoded}


async def _only(answer: Answer) -> AsyncGenerator[Answer, None]:
    yield answer


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _until_set(event: asyncio.Event) -> None:
    await event.wait()


async def _until(moment: datetime) -> None:
    await asyncio.sleep((moment - datetime.now(UTC)).total_seconds())
