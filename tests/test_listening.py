"""The HTTP server under requests that have no end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

import listening

ENDLESS = b"a" * 2**20


async def length_of_the_body(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def address_of_the_client(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(scope["client"][0])(scope, receive, send)


@asynccontextmanager
async def served(application: ASGIApp, trusted_proxies: str) -> AsyncIterator[int]:
    """The port of a server."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = listening.Server(application, "127.0.0.1", 0, trusted_proxies)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.stop()
    await serving


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    async with served(length_of_the_body, trusted_proxies="") as port:
        yield port


async def answer(port: int, request: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_head_may_be_long(port: int) -> None:
    head = b"X-Long: " + b"a" * 2**15
    request = b"POST / HTTP/1.1\r\nConnection: close\r\n%s\r\nContent-Length: 3\r\n\r\nabc" % head
    assert (await answer(port, request)).endswith(b"\r\n\r\n3")


async def test_a_body_may_be_longer_than_a_head(port: int) -> None:
    request = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(ENDLESS), ENDLESS)
    assert (await answer(port, request)).endswith(str(len(ENDLESS)).encode())


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nX-Long: ",
        b"GET / HTTP/1.1\r\n" + b"X-Many: a\r\n" * 10_000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: ",
    ],
    ids=["path", "header", "headers", "extension of a chunk", "trailer"],
)
async def test_what_has_no_end_is_not_kept(port: int, beginning: bytes) -> None:
    assert b" 200 " not in await answer(port, beginning + ENDLESS)


@pytest.mark.parametrize(
    ("trusted", "client"),
    [("127.0.0.1", b"203.0.113.7"), ("10.0.0.0/8, 127.0.0.0/8", b"203.0.113.7"), ("10.0.0.1", b"127.0.0.1")],
)
async def test_a_trusted_proxy_alone_says_who_the_client_is(trusted: str, client: bytes) -> None:
    request = b"GET / HTTP/1.1\r\nConnection: close\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.7\r\n\r\n"
    async with served(address_of_the_client, trusted) as port:
        assert (await answer(port, request)).endswith(b"\r\n\r\n" + client)
