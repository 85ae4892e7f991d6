"""Receipts on their way: due after a while, sent in signed batches, repeated until somebody answers 2xx."""

import asyncio
import base64
import hashlib
import heapq
import hmac
import itertools
import logging
import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import orjson

log = logging.getLogger(__name__)

CALLS_AT_ONCE = 4
GATHER_SECONDS = 0.02  # receipts that fall due within this time travel together
CALL_SECONDS = 30.0
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 15.0
GIVE_UP_SECONDS = 3600.0


@dataclass(slots=True)
class Due:
    """A receipt that is to be sent at a time of the monotonic clock."""

    message_id: str
    callback_url: str
    first_at: float
    copy: bool = False  # the second of a receipt that is sent twice
    attempts: int = 0


@dataclass(slots=True)
class Outbox:
    """Receipts by the time that they are due. `render` makes a batch, at the time that it is sent."""

    http: httpx.AsyncClient
    render: Callable[[Sequence[Due]], list[dict[str, object]]]
    acknowledged: Callable[[Due], None]
    secret: str | None
    batch: int
    is_down: Callable[[], bool]
    in_flight: int = 0
    _heap: list[tuple[float, int, Due]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pending(self) -> int:
        """Receipts that nobody has answered 2xx yet."""
        return len(self._heap) + self.in_flight

    def put(self, due: Due, at: float) -> None:
        """Send a receipt at a time of the monotonic clock."""
        heapq.heappush(self._heap, (at, next(self._numbers), due))
        self._wake.set()

    async def run(self) -> None:
        """Send what falls due, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(CALLS_AT_ONCE):
                tasks.create_task(self._send_on(), name=f"receipts {number}")

    async def _send_on(self) -> None:
        while True:
            batch = [] if self.is_down() else self._take(time.monotonic())
            if batch:
                await self._send(batch)
            else:
                await self._rest()

    async def _rest(self) -> None:
        """Sleep until a receipt may be due; one that is put meanwhile waits for its neighbours anyway."""
        if not self._heap:
            self._wake.clear()
            await self._wake.wait()
        await asyncio.sleep(max(GATHER_SECONDS, min(self._heap[0][0] - time.monotonic(), 0.5) if self._heap else 0))

    def _take(self, now: float) -> list[Due]:
        """The next batch that is due, all of it for one callback; what was passed over stays."""
        batch: list[Due] = []
        others: list[tuple[float, int, Due]] = []
        while self._heap and self._heap[0][0] <= now and len(batch) < self.batch:
            item = heapq.heappop(self._heap)
            if batch and item[2].callback_url != batch[0].callback_url:
                others.append(item)
            else:
                batch.append(item[2])
        for item in others:
            heapq.heappush(self._heap, item)
        self.in_flight += len(batch)
        return batch

    async def _send(self, batch: list[Due]) -> None:
        try:
            stored = await self._call(batch[0].callback_url, self.render(batch))
        finally:
            self.in_flight -= len(batch)
        now = time.monotonic()
        for due in batch:
            if stored:
                self.acknowledged(due)
            elif now - due.first_at < GIVE_UP_SECONDS:
                due.attempts += 1
                self.put(due, now + _back_off(due.attempts))
            else:
                log.warning("gave up on the receipt of %s", due.message_id)

    async def _call(self, url: str, receipts: list[dict[str, object]]) -> bool:
        body = orjson.dumps({"receipts": receipts})
        headers = {"content-type": "application/json", **self._signature(body)}
        try:
            response = await self.http.post(url, content=body, headers=headers, timeout=CALL_SECONDS)
        except httpx.HTTPError as error:
            log.info("%d receipts not taken: %s", len(receipts), type(error).__name__)
            return False
        if not response.is_success:
            log.info("%d receipts not taken: %s", len(receipts), response.status_code)
        return response.is_success

    def _signature(self, body: bytes) -> dict[str, str]:
        """The headers of Standard Webhooks, version 1."""
        if self.secret is None:
            return {}
        id_ = f"msg_{secrets.token_hex(12)}"
        timestamp = str(int(datetime.now(UTC).timestamp()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(digest).decode()}"
        return {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": signature}


def _back_off(attempts: int) -> float:
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(attempts, 10))
    return longest * random.uniform(0.5, 1)
