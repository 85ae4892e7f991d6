"""A thousand subscribers to one campaign in one server process: what each hears, and what that costs.

Each has a WebSocket of its own. The campaign is paused, so that nothing but subscribers costs anything, and changes
twice as often as they may hear of it: ten times a second each. The clients count events in what arrives and parse
nothing, since they share this machine's cores.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from bson import ObjectId
from pymongo import AsyncMongoClient

from bench.figures import Figure
from demo.api import Api
from tests.end_to_end import campaigns
from tests.product import Product

SUBSCRIBERS = 1000
AUDIENCE = 100
SECONDS = 10.0
CHANGE_SECONDS = 0.05
EVENT = b'"type":"next"'
PAUSE = "mutation ($id: ID!) { pauseCampaign(id: $id) { campaign { status } userErrors { message } } }"
HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


class Subscriber(asyncio.Protocol):
    """A client that counts the events it hears."""

    def __init__(self) -> None:
        self.heard = 0
        self.answered = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.answered.set()
        self.heard += data.count(EVENT)


async def run(uri: str, subscribers: int = SUBSCRIBERS) -> list[Figure]:
    """Events a second for each subscriber, the server's time for one, and its memory."""
    own = uri.replace("/?", "/bench_live?")
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), {"MONGODB_URI": own})
        try:
            await product.start()
            return await _measure(product, await product.sign_up(), own, subscribers)
        finally:
            await product.stop_all()


async def _measure(product: Product, api: Api, uri: str, count: int) -> list[Figure]:
    await campaigns.people(api, AUDIENCE)
    campaign = await campaigns.launch(api, ratePerSecond=1)
    await campaigns.until(api, campaign, lambda now: now.status == "RUNNING")
    await api.ask(PAUSE, id=campaign)
    async with _changing(uri, campaign):
        empty, alone = await _memory(product), await _cpu_over(product, SECONDS)
        watching = [await _watch(product, api, campaign) for _ in range(count)]
        await product.until_figure(product.url, "crm_subscriptions_open", lambda figure: figure == count)
        before = [each.heard for each in watching]
        cpu = await _cpu_over(product, SECONDS)
        events = [each.heard - earlier for each, earlier in zip(watching, before, strict=True)]
        return _figures(events, cpu, alone, empty, await _memory(product))


def _figures(events: Sequence[int], cpu: float, alone: float, empty: float, memory: float) -> list[Figure]:
    who = f"{len(events):,} subscribers"
    return [
        Figure(f"{who}: events to the least of them, in 10 s", min(events) / SECONDS * 10, 0, "events"),
        Figure(f"{who}: events to all of them", sum(events) / SECONDS, 0, "events/s"),
        Figure("server's time for an event, all in", (cpu - alone) / max(1, sum(events)) * 1e6, 0, "µs"),
        Figure("server's CPU meanwhile", cpu / SECONDS * 100, 0, "%"),
        Figure("server's memory for a subscriber", (memory - empty) / len(events) / 2**10, 0, "KB"),
        Figure(f"server's memory with {who}", memory / 2**20, 0, "MB"),
    ]


@asynccontextmanager
async def _changing(uri: str, campaign: str) -> AsyncIterator[None]:
    async with AsyncMongoClient[dict[str, object]](uri) as client:
        stored = client.get_default_database()["campaigns"]

        async def change() -> None:
            while True:
                await stored.update_one({"_id": ObjectId(campaign)}, {"$inc": {"benched": 1}})
                await asyncio.sleep(CHANGE_SECONDS)

        changing = asyncio.create_task(change())
        try:
            yield
        finally:
            changing.cancel()
            await asyncio.wait([changing])


async def _memory(product: Product) -> float:
    return await product.figure(product.url, "process_resident_memory_bytes")


async def _cpu_over(product: Product, seconds: float) -> float:
    before, until = _cpu(product), time.monotonic() + seconds
    await asyncio.sleep(until - time.monotonic())
    return _cpu(product) - before


def _cpu(product: Product) -> float:
    fields = Path(f"/proc/{product.processes['server'].pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _watch(product: Product, api: Api, campaign: str) -> Subscriber:
    transport, subscriber = await asyncio.get_running_loop().create_connection(Subscriber, "127.0.0.1", product.port)
    transport.write(HANDSHAKE.format(host=urlsplit(product.url).netloc).encode())
    await subscriber.answered.wait()
    transport.write(_frame({"type": "connection_init", "payload": {"authorization": f"Bearer {api.token}"}}))
    payload = {"query": campaigns.PROGRESS, "variables": {"id": campaign}}
    transport.write(_frame({"id": "1", "type": "subscribe", "payload": payload}))
    return subscriber


def _frame(message: object) -> bytes:
    """A text frame, masked with zeros."""
    body = orjson.dumps(message)
    return b"\x81\xfe" + len(body).to_bytes(2) + bytes(4) + body
