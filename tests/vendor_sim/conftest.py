"""A vendor in this process, and a callback that remembers what it was told."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import orjson
import pytest

from vendor_sim import app
from vendor_sim.settings import Settings
from vendor_sim.vendor import Vendor

CALLBACK = "http://callback.test/receipts"
WAIT_SECONDS = 20


@dataclass(slots=True)
class Callback:
    """Takes receipts; `answers` are the statuses of its first calls, then 200."""

    answers: list[int] = field(default_factory=list)
    calls: list[httpx.Request] = field(default_factory=list)
    receipts: list[dict[str, object]] = field(default_factory=list)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        status = self.answers.pop(0) if self.answers else 200
        async with self.heard:
            self.calls.append(request)
            if status == httpx.codes.OK:
                self.receipts += orjson.loads(request.content)["receipts"]
            self.heard.notify_all()
        return httpx.Response(status)

    async def until(self, count: int) -> list[dict[str, object]]:
        """The receipts, once there are so many."""
        async with asyncio.timeout(WAIT_SECONDS), self.heard:
            await self.heard.wait_for(lambda: len(self.receipts) >= count)
        return self.receipts


@dataclass(frozen=True, slots=True)
class Client:
    """A caller of the vendor's API."""

    http: httpx.AsyncClient
    callback: Callback

    async def send(self, *messages: dict[str, object]) -> httpx.Response:
        """Post these messages."""
        body = {"callbackUrl": CALLBACK, "messages": list(messages)}
        return await self.http.post("http://vendor.test/api/vendor/messages", json=body)

    async def get(self, path: str) -> httpx.Response:
        """Read something of the API."""
        return await self.http.get(f"http://vendor.test/api/vendor/{path}")

    async def post(self, path: str) -> httpx.Response:
        """Do something of the API that needs no body."""
        return await self.http.post(f"http://vendor.test/api/vendor/{path}")


def a_message(number: int = 1, **fields: object) -> dict[str, object]:
    """A message that any vendor would take."""
    return {
        "messageId": f"m{number}",
        "channel": "SMS",
        "to": "+12015550123",
        "subject": None,
        "body": "Hi",
        **fields,
    }


def is_signed(request: httpx.Request, secret: str) -> bool:
    """Whether a call carries the signature of Standard Webhooks under this secret."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return bool(request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}")


@asynccontextmanager
async def vendor(callback: Callback, **switches: object) -> AsyncIterator[Client]:
    """A vendor with these switches, at work."""
    settings = Settings.model_validate({"latency_ms": 1, **switches})
    async with httpx.AsyncClient(transport=httpx.MockTransport(callback)) as outgoing:
        simulated = Vendor(settings, outgoing)
        transport = httpx.ASGITransport(app.create(settings, simulated), raise_app_exceptions=False)
        sending = asyncio.create_task(simulated.run())
        async with httpx.AsyncClient(transport=transport) as incoming:
            yield Client(incoming, callback)
        sending.cancel()
        await asyncio.wait([sending])


@pytest.fixture
def callback() -> Callback:
    """A callback that takes everything."""
    return Callback()
