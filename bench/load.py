"""A client that costs little: it sends the same request again and again, and hardly looks at the answers."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """A request over HTTP/1.1: with a body it is a POST of JSON."""

    url: str
    body: bytes = b""
    headers: Mapping[str, str] | None = None

    def written(self) -> bytes:
        """The request as it goes over the wire."""
        parts = urlsplit(self.url)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        headers = {"Host": parts.netloc, "Accept": "application/json", **(self.headers or {})}
        if self.body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        lines = [f"{'POST' if self.body else 'GET'} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


async def answer(request: Request) -> bytes:
    """The body of one answer."""
    reader, writer = await _connected(request)
    with closing(writer):
        return await _exchanged(request.written(), reader, writer)


async def count(request: Request, seconds: float, connections: int = CONNECTIONS) -> int:
    """How many of these are answered in so many seconds, over so many connections at a time."""
    deadline = time.perf_counter() + seconds
    return sum(await asyncio.gather(*(_repeated(request, deadline) for _ in range(connections))))


async def _repeated(request: Request, deadline: float) -> int:
    reader, writer = await _connected(request)
    sent, count = request.written(), 0
    with closing(writer):
        while time.perf_counter() < deadline:
            await _exchanged(sent, reader, writer)
            count += 1
    return count


async def _connected(request: Request) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(request.url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def _exchanged(sent: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(sent)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in head[:13]:
        raise RuntimeError(f"not an answer: {head.decode()}")
    _, found, rest = head.partition(b"content-length:")
    if found:
        return await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body
