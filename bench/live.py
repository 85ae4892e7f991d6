"""A thousand subscribers to one campaign in one server process: what each hears, and what that costs.

Each has a WebSocket of its own, and hears of a campaign that is being sent all the while. The clients count events in
what arrives and parse nothing, since they share this machine's cores. The ceiling is ten events a second for each.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from bench.figures import Figure
from demo.api import Api
from tests.end_to_end import campaigns
from tests.product import Product

SUBSCRIBERS = 1000
AUDIENCE = 10_000
RATE_PER_SECOND = 200  # for fifty seconds
SECONDS = 10.0
EVENT = b'"type":"next"'
HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


async def run(uri: str) -> list[Figure]:
    """Events a second for each subscriber, the server's time for one, and its memory."""
    environment = {"MONGODB_URI": uri.replace("/?", "/bench_live?")}
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), environment)
        try:
            await product.start()
            return await _measure(product, await product.sign_up())
        finally:
            await product.stop_all()


async def _measure(product: Product, api: Api) -> list[Figure]:
    await campaigns.people(api, AUDIENCE)
    campaign = await campaigns.launch(api, ratePerSecond=RATE_PER_SECOND)
    await campaigns.until(api, campaign, lambda now: now.status == "RUNNING")
    alone = await _cpu_over(product, SECONDS / 2) * 2
    heard = [0] * SUBSCRIBERS
    watching = [asyncio.create_task(_watch(product, api, campaign, heard, number)) for number in range(SUBSCRIBERS)]
    await product.until_figure(product.url, "crm_subscriptions_open", lambda count: count == SUBSCRIBERS)
    before = list(heard)
    cpu = await _cpu_over(product, SECONDS)
    events = [after - earlier for after, earlier in zip(heard, before, strict=True)]
    memory = await product.figure(product.url, "process_resident_memory_bytes")
    for task in watching:
        task.cancel()
    await asyncio.wait(watching)
    return [
        Figure(f"{SUBSCRIBERS:,} subscribers: events to the least of them", min(events) / SECONDS, 0, "events/s"),
        Figure(f"{SUBSCRIBERS:,} subscribers: events to all of them", sum(events) / SECONDS, 0, "events/s"),
        Figure("server's time for an event", (cpu - alone) / max(1, sum(events)) * 1e6, 0, "µs"),
        Figure("server's CPU meanwhile, sending included", cpu / SECONDS * 100, 0, "%"),
        Figure(f"server's memory with {SUBSCRIBERS:,} subscribers", memory / 2**20, 0, "MB"),
    ]


async def _cpu_over(product: Product, seconds: float) -> float:
    before, until = _cpu(product), time.monotonic() + seconds
    await asyncio.sleep(until - time.monotonic())
    return _cpu(product) - before


def _cpu(product: Product) -> float:
    fields = Path(f"/proc/{product.processes['server'].pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _watch(product: Product, api: Api, campaign: str, heard: list[int], number: int) -> None:
    parts = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(HANDSHAKE.format(host=parts.netloc).encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_frame({"type": "connection_init", "payload": {"authorization": f"Bearer {api.token}"}}))
        payload = {"query": campaigns.PROGRESS, "variables": {"id": campaign}}
        writer.write(_frame({"id": "1", "type": "subscribe", "payload": payload}))
        while arrived := await reader.read(2**16):
            heard[number] += arrived.count(EVENT)
    finally:
        writer.close()


def _frame(message: object) -> bytes:
    """A text frame, masked with zeros."""
    body = orjson.dumps(message)
    return b"\x81\xfe" + len(body).to_bytes(2) + bytes(4) + body
