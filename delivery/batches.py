"""Batches: claimed with a lease, released or taken over, and done when nothing in them is left to send."""

import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import metrics
from delivery import ledger, pace
from documents import CampaignStatus, MessageStatus, records

log = logging.getLogger(__name__)

Record = Mapping[str, object]

WANTED_FIELDS = ("campaign_id", "channel", "recipient", "subject", "body", "status", "attempts", "life")
TO_SEND = (MessageStatus.PENDING, MessageStatus.SENDING)
ANEW = {
    "attempts": 0,
    "call_id": None,
    "vendor_message_id": None,
    "failure_code": None,
    "failure_reason": None,
    "sent_at": None,
    "failed_at": None,
}


class LeaseLost(Exception):
    """The lease had run out and somebody else has the batch: what we know of it is no longer ours to write."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages, SENDING, that are ours until the lease runs out. `rest` tells that the batch holds more.

    `taken_over`: whoever had it before has not given it back.
    """

    batch_id: PydanticObjectId
    campaign_id: PydanticObjectId
    lease: str
    failures: int
    messages: Sequence[ledger.Row]
    rest: bool
    taken_over: bool = False

    @property
    def stretch(self) -> dict[str, object]:
        """The ids from its first message to its last. Whatever is SENDING there is in the claim: it has the lease."""
        return _stretch(self.messages)


async def claim(
    campaign_id: PydanticObjectId, *, limit: int, rate: int | None, lease: timedelta, now: datetime
) -> Claim | None:
    """Up to `limit` messages of a running campaign; None when nothing is due, or nothing more is allowed yet.

    A batch whose lease has run out is due too: what is SENDING in it may be with the vendor, and is sent again under
    the same key. Without messages, when the batch turned out to be empty; then it is to be released, as any other.
    """

    async def work(entry: ledger.Entry) -> Claim | None:
        allowed = limit if rate is None else min(limit, await pace.allowed(campaign_id, rate, now, entry.session))
        if not allowed or not await _is(campaign_id, entry, CampaignStatus.RUNNING):
            return None
        token = secrets.token_hex(8)
        batch = await _take(campaign_id, entry, {"due_at": {"$lte": now}}, {"lease": token, "due_at": now + lease})
        if batch is None:
            return None
        messages = await _to_send(batch, allowed + 1, entry)
        started = await _start(campaign_id, messages[:allowed], entry)
        rest, taken_over = len(messages) > allowed, batch.lease is not None
        claimed = Claim(batch.id, campaign_id, token, batch.failures, started, rest=rest, taken_over=taken_over)
        if rate is not None:
            await pace.spend(campaign_id, rate, len(claimed.messages), now, entry.session)
        return claimed

    claimed = await ledger.write(work, now)
    if claimed and claimed.taken_over:
        log.warning("batch %s of campaign %s is taken over", claimed.batch_id, campaign_id)
        metrics.TAKEOVERS.labels("batch").inc()
    return claimed


async def release(claimed: Claim, entry: ledger.Entry, *, retry_at: datetime | None, failures: int = 0) -> None:
    """Give the batch back: due at `retry_at` if some are to be tried again, now if it holds more, else never.

    Raises LeaseLost, which undoes the transaction, when the lease is no longer ours.
    """
    due_at = retry_at or (entry.now if claimed.rest else None)
    # A revival that was asked for while we had the lease is still to be done.
    due = {"$cond": [{"$eq": ["$revive", True]}, entry.now, "$$REMOVE" if due_at is None else due_at]}
    result = await documents.Batch.get_pymongo_collection().update_one(
        {"_id": claimed.batch_id, "lease": claimed.lease},
        [{"$set": {"due_at": due, "failures": failures, "lease": "$$REMOVE"}}],
        session=entry.session,
    )
    if not result.matched_count:
        raise LeaseLost(str(claimed.batch_id))


async def hand_back(claimed: Claim, now: datetime, *, retry_at: datetime | None = None) -> None:
    """Undo a claim whose call was not made, or does not count: nothing has happened, and no attempt is burnt.

    With `retry_at`, the back-off grows all the same.
    """
    failures = claimed.failures + (retry_at is not None)

    async def work(entry: ledger.Entry) -> None:
        await release(claimed, entry, retry_at=retry_at or now, failures=failures)
        if claimed.messages:
            theirs = {"_id": claimed.stretch}
            await entry.move_all(
                claimed.campaign_id, theirs, MessageStatus.SENDING, MessageStatus.PENDING, {}, increase={"attempts": -1}
            )

    await ledger.write(work, now)


async def next_due(campaign_ids: Iterable[PydanticObjectId]) -> datetime | None:
    """When the first batch of these campaigns is due, or was."""
    collection = documents.Batch.get_pymongo_collection()
    firsts = [
        await collection.find_one(_open(campaign_id), {"due_at": 1}, sort=[("due_at", 1)])
        for campaign_id in campaign_ids
    ]
    return min((first["due_at"] for first in firsts if first), default=None)


async def is_done(campaign_id: PydanticObjectId, session: AsyncClientSession | None = None) -> bool:
    """Whether nothing of the campaign is left to send."""
    found = await documents.Batch.get_pymongo_collection().find_one(_open(campaign_id), {"_id": 1}, session=session)
    return found is None


async def call_off(campaign_id: PydanticObjectId, now: datetime) -> None:
    """Cancel what is PENDING, in every batch of a campaign that was ended and that nobody is sending from just now.

    What a sender that died has left SENDING is called off too; should the vendor have it, its receipt will count.
    """

    async def work(entry: ledger.Entry) -> bool:
        if not await _is(campaign_id, entry, CampaignStatus.CANCELLED, CampaignStatus.FAILED):
            return False
        batch = await _take(campaign_id, entry, _free(now), {"due_at": None})
        if batch is None:
            return False
        for status in TO_SEND:
            await entry.move_all(campaign_id, _range(batch), status, MessageStatus.CANCELLED, {})
        return True

    while await ledger.write(work, now):
        pass


async def mark_for_revival(campaign_id: PydanticObjectId, entry: ledger.Entry) -> None:
    """Have every batch of the campaign made PENDING again where it is FAILED, by `revive` or by its next claim."""
    await documents.Batch.get_pymongo_collection().update_many(
        {"campaign_id": campaign_id},
        [{"$set": {"revive": True, "due_at": {"$ifNull": ["$due_at", entry.now]}}}],
        session=entry.session,
    )


async def revive(campaign_id: PydanticObjectId, now: datetime) -> None:
    """Make PENDING what is FAILED, in every marked batch that nobody is sending from just now."""

    async def work(entry: ledger.Entry) -> bool:
        return await _take(campaign_id, entry, {"revive": True, **_free(now)}, {"due_at": now}) is not None

    while await ledger.write(work, now):
        pass


async def _is(campaign_id: PydanticObjectId, entry: ledger.Entry, *statuses: CampaignStatus) -> bool:
    found = await documents.Campaign.get_pymongo_collection().find_one(
        {"_id": campaign_id, "status": {"$in": list(statuses)}}, {"_id": 1}, session=entry.session
    )
    return found is not None


async def _take(
    campaign_id: PydanticObjectId, entry: ledger.Entry, which: Record, changes: Record
) -> documents.Batch | None:
    """Change the first due of these batches; whoever had its lease has it no more. A marked one is revived."""
    stored = await documents.Batch.get_pymongo_collection().find_one_and_update(
        {**_open(campaign_id), **which},
        ledger.update({"lease": None, "revive": None, **changes}),
        sort=[("due_at", 1)],
        session=entry.session,
    )
    if stored is None:
        return None
    batch: documents.Batch = documents.Batch.model_validate(stored)
    if batch.revive:
        await entry.move_all(
            campaign_id, _addressed(batch), MessageStatus.FAILED, MessageStatus.PENDING, ANEW, increase={"life": 1}
        )
    return batch


async def _to_send(batch: documents.Batch, limit: int, entry: ledger.Entry) -> list[ledger.Row]:
    which = {**_range(batch), "status": {"$in": TO_SEND}}
    messages = records.of_kind(documents.Message, ledger.Row)
    found = messages.find(which, WANTED_FIELDS, session=entry.session, limit=limit, batch_size=limit)
    return await found.sort("_id").to_list()


async def _start(
    campaign_id: PydanticObjectId, messages: Sequence[ledger.Row], entry: ledger.Entry
) -> Sequence[ledger.Row]:
    """Make the messages SENDING; what is so already is being taken over, and stays the attempt that it was."""
    if not messages:
        return messages
    pending = [message for message in messages if message["status"] == MessageStatus.PENDING]
    theirs = {"_id": _stretch(messages)}
    await entry.move_all(
        campaign_id, theirs, MessageStatus.PENDING, MessageStatus.SENDING, {}, increase={"attempts": 1}
    )
    for message in pending:
        message["status"] = MessageStatus.SENDING.value
        message["attempts"] += 1
    return messages


def _open(campaign_id: PydanticObjectId) -> dict[str, object]:
    return {"campaign_id": campaign_id, "due_at": {"$type": "date"}}


def _free(now: datetime) -> dict[str, object]:
    return {"$or": [{"lease": None}, {"due_at": {"$lte": now}}]}


def _addressed(batch: documents.Batch) -> dict[str, object]:
    """Its messages but for those to people who were erased: they have nobody to go to."""
    return {**_range(batch), "customer_id": {"$exists": True}}


def _range(batch: documents.Batch) -> dict[str, object]:
    return {"_id": _between(batch.first, batch.last)}


def _stretch(messages: Sequence[ledger.Row]) -> dict[str, object]:
    return _between(messages[0]["_id"], messages[-1]["_id"])


def _between(first: str, last: str) -> dict[str, object]:
    return {"$gte": first, "$lte": last}
