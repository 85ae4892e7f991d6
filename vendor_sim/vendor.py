"""The vendor itself: takes messages in, settles them, and tells."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import httpx

from vendor_sim.faults import Faults
from vendor_sim.ledger import Ledger, Refusal, Status
from vendor_sim.receipts import Due, Outbox
from vendor_sim.settings import Settings

FORGET_EVERY_SECONDS = 60.0
FAILURES = (
    ("UNREACHABLE", "The recipient's device is not reachable."),
    ("BLOCKED", "The recipient's operator blocked the message."),
    ("UNKNOWN_RECIPIENT", "The number or address is not in use."),
)


@dataclass(slots=True)
class Vendor:
    """One vendor. `http` is what it calls back with; `run` sends the receipts."""

    settings: Settings
    http: httpx.AsyncClient
    faults: Faults = field(init=False)
    ledger: Ledger = field(init=False)
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.faults = Faults(self.settings, time.monotonic())
        self.ledger = Ledger(self.settings.seed, self.settings.success_rate)
        self.outbox = Outbox(
            self.http,
            render=self._receipts,
            acknowledged=self._acknowledge,
            secret=self.settings.webhook_secret,
            batch=self.settings.receipt_batch,
            is_down=lambda: self.faults.is_outage(time.monotonic()),
        )

    async def run(self) -> None:
        """Send receipts and forget old messages, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run(), name="outbox")
            tasks.create_task(self._forget_on(), name="forget")

    def take(self, callback_url: str, messages: Sequence[dict[str, str | None]]) -> dict[str, list[dict[str, object]]]:
        """Accept or refuse each message: the answer of a call."""
        now = time.monotonic()
        accepted: list[dict[str, object]] = []
        rejected: list[dict[str, object]] = []
        for message in messages:
            id_ = str(message.get("messageId"))
            held = self.ledger.accept(message, now)
            if isinstance(held, Refusal):
                rejected.append({"messageId": id_, "code": held.code, "reason": held.reason, "permanent": True})
                continue
            if held.requests == 1:
                self._schedule(Due(id_, callback_url, now), now)
            accepted.append({"messageId": id_, "vendorMessageId": held.marks.vendor_message_id})
        return {"accepted": accepted, "rejected": rejected}

    def stats(self) -> dict[str, int]:
        """How many were accepted and settled, and what is still to be told."""
        return {
            "accepted": self.ledger.accepted,
            "delivered": self.ledger.delivered,
            "failed": self.ledger.failed,
            "duplicateRequests": self.ledger.duplicate_requests,
            "receiptsPending": self.outbox.pending,
        }

    def message(self, id_: str) -> dict[str, object] | None:
        """What is held of one message; None for one that is not."""
        held = self.ledger.messages.get(id_)
        if held is None:
            return None
        return {
            "messageId": id_,
            "vendorMessageId": held.marks.vendor_message_id,
            "recipient": held.recipient,
            "status": held.status,
            "requests": held.requests,
            "deliveries": held.deliveries,
            "receiptAcknowledged": held.acknowledged,
        }

    def listed(self, skip: int, limit: int) -> list[dict[str, object]]:
        """What is held of these messages, in the order in which they came."""
        ids = list(islice(self.ledger.messages, skip, skip + limit))
        return [held for id_ in ids if (held := self.message(id_))]

    def _schedule(self, due: Due, now: float) -> None:
        self.outbox.put(due, now + self.faults.receipt_delay())
        if self.faults.is_repeated():
            again = Due(due.message_id, due.callback_url, due.first_at, copy=True)
            self.outbox.put(again, now + self.faults.receipt_delay())

    def _receipts(self, batch: Sequence[Due]) -> list[dict[str, object]]:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return [self._receipt(due.message_id, at) for due in batch]

    def _receipt(self, message_id: str, at: str) -> dict[str, object]:
        held = self.ledger.settle(message_id)
        receipt_id = held.marks.receipt_id
        code, reason = (None, None)
        if held.status is Status.FAILED:
            code, reason = FAILURES[int(receipt_id[-1], 16) % len(FAILURES)]
        return {
            "receiptId": receipt_id,
            "messageId": message_id,
            "vendorMessageId": held.marks.vendor_message_id,
            "status": held.status,
            "occurredAt": at,
            "failureCode": code,
            "failureReason": reason,
        }

    def _acknowledge(self, due: Due) -> None:
        if held := self.ledger.messages.get(due.message_id):
            held.acknowledged = True

    async def _forget_on(self) -> None:
        while True:
            await asyncio.sleep(FORGET_EVERY_SECONDS)
            self.ledger.forget(time.monotonic())
