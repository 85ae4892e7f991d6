"""Receipts: what became of messages, as the vendor tells it; at least once, in any order, at any time.

A receipt is stored with the move that it caused, in one transaction: one that is told again is found, and changes
nothing. DELIVERED is believed whenever it comes; FAILED only of the life that we are waiting for.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import accumulate, islice, takewhile
from typing import NamedTuple

import documents
import metrics
from delivery import in_flight, ledger
from delivery.vendor import read_key
from documents import MessageStatus, ReceiptStatus, records

WANTED_FIELDS = ("campaign_id", "customer_id", "status", "life", "call_id", "vendor_message_id", "sent_at")

AT_ONCE = 1000  # receipts in one transaction
AT_A_TIME = 2  # transactions: one that Python works at while mongod is at the other

AWAITED = frozenset({MessageStatus.PENDING, MessageStatus.SENDING, MessageStatus.SENT})
# A message that was called off, or given up, may have reached the vendor all the same.
MAY_BE_DELIVERED = AWAITED | {MessageStatus.FAILED, MessageStatus.CANCELLED}
UNFAILED = {"failed_at": None, "failure_code": None, "failure_reason": None}


class Outcome(StrEnum):
    """What a receipt did."""

    APPLIED = "APPLIED"  # the message moved
    DUPLICATE = "DUPLICATE"  # told before
    IGNORED = "IGNORED"  # the message knows better, or never was to be sent
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"  # there is no such message, or not in that life
    INVALID = "INVALID"  # not a receipt


class Report(NamedTuple):
    """One receipt as it was told. `key` is the messageId that the vendor was given."""

    receipt_id: str
    key: str
    status: ReceiptStatus
    occurred_at: datetime
    vendor_message_id: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None


def tally(outcomes: Sequence[Outcome]) -> Mapping[Outcome, int]:
    """How many receipts had each outcome."""
    counts = Counter(outcomes)
    return {outcome: counts[outcome] for outcome in Outcome}


async def apply(reports: Sequence[Report], now: datetime) -> list[Outcome]:
    """Take receipts into the ledger, in their order; the outcome of each. Safe to repeat; all are stored on return.

    Calls that come while others' receipts are being written are written together, when it is their turn.
    """
    if not reports:
        return []
    await in_flight.landed([key[0] for report in reports if (key := read_key(report.key))])
    mine = _Call(reports)
    _waiting.append(mine)
    try:
        while mine.outcomes is None:
            async with _turns:
                if mine in _waiting:  # else somebody has taken it along
                    await _write_first(now, mine)
            await mine.let_go.wait()
    finally:
        mine.is_abandoned = True
        if mine in _waiting:
            _waiting.remove(mine)
    return mine.outcomes


@dataclass(slots=True, eq=False)
class _Call:
    """Receipts that came together, and what became of them once they are written.

    `let_go` is set unless somebody is writing them; should that fail, they are waiting again, if anybody still does.
    """

    reports: Sequence[Report]
    outcomes: list[Outcome] | None = None
    is_abandoned: bool = False
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.let_go.set()


_waiting: list[_Call] = []  # in the order in which they are written
_turns = asyncio.Semaphore(AT_A_TIME)


async def _write_first(now: datetime, mine: _Call) -> None:
    """Write the calls that have waited longest. Should that fail, it is `mine` that hears of it."""
    together = _next_calls()
    del _waiting[: len(together)]
    for call in together:
        call.let_go.clear()
    try:
        outcomes = iter(await _write([report for call in together for report in call.reports], now))
        for call in together:
            call.outcomes = list(islice(outcomes, len(call.reports)))
    finally:
        # What fails of itself would fail whoever comes next, for ever, when nobody is left to hear of it.
        unheard = [call for call in together if call is not mine and not call.is_abandoned]
        _waiting[:0] = [call for call in unheard if call.outcomes is None]
        for call in together:
            call.let_go.set()


async def _write(reports: Sequence[Report], now: datetime) -> Sequence[Outcome]:
    async def work(entry: ledger.Entry) -> list[Outcome]:
        desk = await _Desk.open(reports, entry)
        outcomes = [desk.take(report) for report in reports]
        await desk.close()
        return outcomes

    written = await ledger.write(work, now)
    _tell(reports, written)
    return written


def _tell(reports: Sequence[Report], outcomes: Sequence[Outcome]) -> None:
    for outcome, count in Counter(outcomes).items():
        metrics.RECEIPTS.labels(outcome).inc(count)
    oldest = min(report.occurred_at for report in reports)
    metrics.RECEIPT_LAG.observe(max(0.0, (documents.now() - oldest).total_seconds()))


def _next_calls() -> list[_Call]:
    """The first in turn, and those behind it that a transaction of AT_ONCE still takes."""
    sizes = accumulate(len(call.reports) for call in _waiting)
    fitting = sum(1 for _ in takewhile(lambda size: size <= AT_ONCE, sizes))
    return _waiting[: max(fitting, 1)]


class _Desk:
    """The messages and receipts that some reports speak of, and what is to be written of them."""

    def __init__(self, entry: ledger.Entry, messages: Mapping[str, ledger.Row], told: set[str]) -> None:
        self._entry = entry
        self._messages = messages
        self._told = told
        self._moves: dict[str, tuple[MessageStatus, dict[str, object]]] = {}
        self._receipts: list[dict[str, object]] = []

    @classmethod
    async def open(cls, reports: Sequence[Report], entry: ledger.Entry) -> "_Desk":
        """Read everything that these reports speak of."""
        ids = {key[0] for report in reports if (key := read_key(report.key))}
        messages = records.of_kind(documents.Message, ledger.Row).find(
            {"_id": {"$in": list(ids)}}, WANTED_FIELDS, session=entry.session, batch_size=len(reports) + 1
        )
        told = documents.Receipt.get_pymongo_collection().find(
            {"_id": {"$in": [report.receipt_id for report in reports]}},
            ["_id"],
            session=entry.session,
            batch_size=len(reports) + 1,
        )
        return cls(
            entry,
            {message["_id"]: message for message in await messages.to_list()},
            {receipt["_id"] for receipt in await told.to_list()},
        )

    def take(self, report: Report) -> Outcome:
        """Decide about one report."""
        key = read_key(report.key)
        message = self._messages.get(key[0]) if key else None
        if key is None or message is None or key[1] > message["life"]:
            return Outcome.UNKNOWN_MESSAGE
        if report.receipt_id in self._told:
            return Outcome.DUPLICATE
        self._told.add(report.receipt_id)
        if "customer_id" not in message:
            report = report._replace(failure_reason=None)  # of somebody who was erased; it may quote the address
        self._receipts.append(_stored(report, *key, self._entry.now))
        if not self._believes(message, report, life=key[1]):
            return Outcome.IGNORED
        self._moves[message["_id"]] = (MessageStatus(report.status), _changes(report, message))
        return Outcome.APPLIED

    async def close(self) -> None:
        """Write it all."""
        for message_id, (status, changes) in self._moves.items():
            self._entry.move(self._messages[message_id], status, changes)
        await records.insert(documents.Receipt, self._receipts, self._entry.session)

    def _believes(self, message: ledger.Row, report: Report, life: int) -> bool:
        moved = self._moves.get(message["_id"])
        status = moved[0] if moved else MessageStatus(message["status"])
        if report.status is ReceiptStatus.DELIVERED:
            return status in MAY_BE_DELIVERED
        return status in AWAITED and life == message["life"]


def _changes(report: Report, message: ledger.Row) -> dict[str, object]:
    """What the message says then that it does not yet: the fewer, the more messages change alike, in one update."""
    changes: dict[str, object] = {}
    # Once the vendor has answered, its ids are with the call.
    if "call_id" not in message and report.vendor_message_id not in (None, message.get("vendor_message_id")):
        changes["vendor_message_id"] = report.vendor_message_id
    if "sent_at" not in message:  # the answer to our call may be on its way still, or lost
        changes["sent_at"] = report.occurred_at
    if report.status is ReceiptStatus.FAILED:
        failure = {"failure_code": report.failure_code, "failure_reason": report.failure_reason}
        return {**changes, "failed_at": report.occurred_at, **failure}
    if message["status"] == MessageStatus.FAILED:
        changes |= UNFAILED
    return {**changes, "delivered_at": report.occurred_at}


def _stored(report: Report, message_id: str, life: int, now: datetime) -> dict[str, object]:
    receipt = {
        "_id": report.receipt_id,
        "message_id": message_id,
        "life": life,
        "vendor_message_id": report.vendor_message_id,
        "status": report.status.value,
        "occurred_at": report.occurred_at,
        "received_at": now,
        "failure_code": report.failure_code,
        "failure_reason": report.failure_reason,
    }
    return {name: value for name, value in receipt.items() if value is not None}
