"""Messages: the ledger of campaigns, read by page or live, and the receipts that the vendor's gateway reports."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from beanie import PydanticObjectId

import documents
import errors
from auth import Viewer
from delivery import receipts, tallies, vendor
from delivery.live import Feed
from delivery.receipts import Outcome, Report
from documents import Message, MessageStatus, ReceiptStatus, records
from documents.records import Record
from resolvers import pages
from resolvers.pages import Page, PageRequest, Sort

RECEIPTS_AT_ONCE = 1000  # in one transaction

_IN_ORDER = Sort("_id")
_NEWEST_FIRST = Sort("created_at", descending=True)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReceiptResult:
    """What became of one reported receipt; `faults` says why it was INVALID."""

    index: int
    outcome: Outcome
    faults: tuple[errors.Fault, ...] = ()


async def find(viewer: Viewer, message_id: str) -> Record | None:
    """One message."""
    return await records.of(Message).find_one({"_id": message_id})


async def pages_of_campaigns(
    campaign_ids: Iterable[PydanticObjectId], statuses: frozenset[MessageStatus] | None, request: PageRequest
) -> Mapping[PydanticObjectId, Page[pages.Record]]:
    """The messages of each of these campaigns, those with one of the statuses if any are given; counted by tallies."""
    filters = {id_: _of_campaign(id_, statuses) for id_ in campaign_ids}
    found = await pages.fetch_each(records.of(Message), filters, request, _IN_ORDER)
    counts = _Tallied(list(filters), statuses)
    return {id_: replace(page, count=partial(counts.of, id_)) for id_, page in found.items()}


async def pages_of_customers(
    customer_ids: Iterable[PydanticObjectId], request: PageRequest
) -> Mapping[PydanticObjectId, Page[pages.Record]]:
    """All messages to each of these customers, the newest first."""
    filters = {id_: {"customer_id": id_} for id_ in customer_ids}
    return await pages.fetch_each(records.of(Message), filters, request, _NEWEST_FIRST)


def _of_campaign(campaign_id: PydanticObjectId, statuses: frozenset[MessageStatus] | None) -> dict[str, object]:
    which = documents.messages_of(campaign_id)
    if statuses is not None:
        which["status"] = {"$in": [status.value for status in statuses]}
        if statuses == {MessageStatus.FAILED}:
            # Few of many, which an index finds: that of the messages that have failed.
            which |= {"campaign_id": campaign_id, "failed_at": {"$type": "date"}}
    return which


class _Tallied:
    """How many messages campaigns have, read together when the first of the counts is asked for."""

    def __init__(self, campaign_ids: Sequence[PydanticObjectId], statuses: frozenset[MessageStatus] | None) -> None:
        self._campaign_ids = campaign_ids
        self._statuses = statuses
        self._reading: asyncio.Task[Mapping[PydanticObjectId, tallies.Stats]] | None = None

    async def of(self, campaign_id: PydanticObjectId) -> int:
        if self._reading is None:
            self._reading = asyncio.create_task(tallies.stats(self._campaign_ids), name="counts of messages")
        stats = (await self._reading)[campaign_id]
        return stats.audience if self._statuses is None else sum(stats.count(status) for status in self._statuses)


async def receipts_of(message_ids: Iterable[str]) -> Mapping[str, list[Record]]:
    """The receipts of each of these messages, the earliest first."""
    found: dict[str, list[Record]] = {}
    wanted = {"message_id": {"$in": list(message_ids)}}
    async for receipt in documents.Receipt.get_pymongo_collection().find(wanted).sort("received_at"):
        found.setdefault(receipt["message_id"], []).append(receipt)
    return found


async def watch(
    viewer: Viewer, feed: Feed, campaign_id: PydanticObjectId, statuses: Collection[MessageStatus]
) -> AsyncGenerator[Sequence[Record]]:
    """A campaign's messages in lists: as they are, then as they change. Raises NotFound."""
    if await documents.Campaign.get(campaign_id) is None:
        raise errors.NotFound("There is no such campaign.")
    async for messages in feed.messages(campaign_id, statuses):
        yield messages


async def record_receipts(viewer: Viewer, rows: Sequence[Mapping[str, object]], most: int) -> Sequence[ReceiptResult]:
    """Take receipts, as the webhook does. A bad one harms no other. Raises TooLarge when there are more than `most`."""
    if len(rows) > most:
        raise errors.TooLarge(f"At most {most} receipts are taken at once.")
    read = [_read(row) for row in rows]
    reports = [report for report in read if isinstance(report, Report)]
    outcomes: list[Outcome] = []
    for start in range(0, len(reports), RECEIPTS_AT_ONCE):
        outcomes += await receipts.apply(reports[start : start + RECEIPTS_AT_ONCE], documents.now())
    remaining = iter(outcomes)
    return [
        ReceiptResult(index, next(remaining))
        if isinstance(report, Report)
        else ReceiptResult(index, Outcome.INVALID, report.faults)
        for index, report in enumerate(read)
    ]


def message_of(row: Mapping[str, object]) -> str:
    """The id of the message that a row is about, whichever of its lives it means."""
    return str(row.get("message_id")).partition("~")[0]


def _read(row: Mapping[str, object]) -> Report | errors.Rejected:
    faults: list[errors.Fault] = []

    def value(name: str, field: str, read: Callable[[object], T]) -> T | None:
        try:
            return read(row.get(name))
        except errors.Fault as fault:
            faults.append(fault.under(field))
            return None

    receipt_id = value("receipt_id", "receiptId", _identifier)
    key = value("message_id", "messageId", _identifier)
    status = value("status", "status", _status)
    occurred_at = value("occurred_at", "occurredAt", _instant)
    vendor_message_id = value("vendor_message_id", "vendorMessageId", _text(vendor.LONGEST_ID))
    failure_code = value("failure_code", "failureCode", _text(vendor.LONGEST_CODE))
    failure_reason = value("failure_reason", "failureReason", _text(vendor.LONGEST_REASON))
    if faults or receipt_id is None or key is None or status is None or occurred_at is None:
        return errors.Rejected(faults)
    return Report(receipt_id, key, status, occurred_at, vendor_message_id, failure_code, failure_reason)


def _identifier(sent: object) -> str:
    if sent is None or sent == "":
        raise errors.Required("This is needed.")
    if not isinstance(sent, str) or len(sent) > vendor.LONGEST_ID:
        raise errors.InvalidInput(f"This is a text of at most {vendor.LONGEST_ID} characters.")
    return sent


def _status(sent: object) -> ReceiptStatus:
    if sent not in tuple(ReceiptStatus):
        raise errors.InvalidInput(f"This is {' or '.join(ReceiptStatus)}.")
    return ReceiptStatus(str(sent))


def _instant(sent: object) -> datetime:
    if sent is None:
        raise errors.Required("This is needed.")
    if not isinstance(sent, datetime):
        raise errors.InvalidInput("This is not a date and time with an offset, such as 2026-11-22T10:00:00Z.")
    return sent


def _text(longest: int) -> Callable[[object], str | None]:
    def read(sent: object) -> str | None:
        if sent is not None and not isinstance(sent, str):
            raise errors.InvalidInput("This must be a text.")
        return sent[:longest] if sent else None

    return read
