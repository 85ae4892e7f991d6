"""The ledger: messages move in transactions that move the campaign's counters with them.

What a transaction has read of a message is still so when it writes: if anybody else moved the message meanwhile, one
of the two is done again from the start. That is the condition of every move made here by `Entry.move`, and why the
update itself names nothing but the id (measured: 20 µs of mongod against 42 with the status in the filter). Messages
that change alike are moved by one update of them all, which costs half of an update for each.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, NotRequired, TypedDict, TypeVar

from beanie import PydanticObjectId
from pymongo import WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

import documents
import metrics
from delivery import tallies
from delivery.bell import messages_moved
from delivery.tallies import Stats
from documents import MessageStatus, records

T = TypeVar("T")


class Row(TypedDict):
    """A message as it is stored, or what was asked for of it."""

    _id: str
    campaign_id: PydanticObjectId
    customer_id: NotRequired[PydanticObjectId]
    channel: str
    recipient: str
    subject: NotRequired[str]
    body: str
    status: str
    attempts: int
    life: int
    call_id: NotRequired[PydanticObjectId]
    vendor_message_id: NotRequired[str]
    sent_at: NotRequired[datetime]


class Entry:
    """One transaction's work on the ledger."""

    def __init__(self, session: AsyncClientSession, now: datetime) -> None:
        self.session = session
        self.now = now
        self._moved: dict[tuple[tuple[str, object], ...], list[str]] = defaultdict(list)  # by what they are changed to
        self._counts: dict[PydanticObjectId, Counter[str]] = defaultdict(Counter)
        self._changed: Mapping[PydanticObjectId, Mapping[str, int]] = {}  # of the counts, once they are written
        self._sent_at: dict[PydanticObjectId, datetime] = {}
        self._arrived: Counter[tuple[str, str | None]] = Counter()  # by status and reason

    def count(
        self, campaign_id: PydanticObjectId, status: MessageStatus, change: int, reason: str | None = None
    ) -> None:
        """Count messages that have come to a status, or have left it."""
        self._counts[campaign_id][status.value] += change
        if change > 0:
            self._arrived[status.value, reason] += change

    def move(self, message: Row, status: MessageStatus, changes: Mapping[str, object]) -> None:
        """Move a message that this transaction has read, once; a change to None unsets."""
        counts = self._counts[message["campaign_id"]]
        counts[message["status"]] -= 1
        counts[status.value] += 1
        if status != message["status"]:
            code = changes.get("failure_code")
            self._arrived[status.value, str(code) if code else None] += 1
        self._moved[("status", status.value), *changes.items()].append(message["_id"])

    async def move_all(
        self,
        campaign_id: PydanticObjectId,
        which: Mapping[str, object],
        source: MessageStatus,
        status: MessageStatus,
        changes: Mapping[str, object],
        increase: Mapping[str, int] | None = None,
    ) -> int:
        """Move every message of a status among `which`; returns how many there were."""
        change = update({**changes, "status": status.value, "updated_at": self.now})
        if increase:
            change["$inc"] = increase
        result = await documents.Message.get_pymongo_collection().update_many(
            {**which, "status": source.value}, change, session=self.session
        )
        self.count(campaign_id, source, -result.matched_count)
        self.count(campaign_id, status, result.matched_count)
        return result.matched_count

    def sent(self, campaign_id: PydanticObjectId) -> None:
        """Note that the vendor has accepted messages of this campaign now."""
        self._sent_at[campaign_id] = self.now

    async def flush(self) -> None:
        """Write what was collected; `write` does it at the end of the transaction."""
        moves = self._moved.items()
        updates = [_update_of(ids, {**dict(changes), "updated_at": self.now}) for changes, ids in moves]
        await records.update(documents.Message, updates, self.session)
        self._changed = {campaign_id: counts for campaign_id, counts in self._counts.items() if any(counts.values())}
        await tallies.add(self._changed, self._sent_at, self.session)

    def tell(self) -> None:
        """Tell the operator, and those in this process who wait for messages to move, once it is committed."""
        metrics.came_to(self._arrived)
        if self._changed:
            messages_moved.ring()


async def write(work: Callable[[Entry], Awaitable[T]], now: datetime) -> T:
    """Do some work on the ledger in one transaction; it is done anew from the start when another got in its way."""

    async def attempt(session: AsyncClientSession) -> tuple[Entry, T]:
        entry = Entry(session, now)
        result = await work(entry)
        await entry.flush()
        return entry, result

    async with documents.Message.get_pymongo_collection().database.client.start_session() as session:
        entry, result = await session.with_transaction(
            attempt, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority")
        )
    entry.tell()
    return result


def _update_of(ids: Sequence[str], changes: Mapping[str, object]) -> dict[str, object]:
    if len(ids) == 1:
        return {"q": {"_id": ids[0]}, "u": update(changes)}
    return {"q": {"_id": {"$in": ids}}, "u": update(changes), "multi": True}


def update(changes: Mapping[str, object]) -> dict[str, object]:
    """The update that sets these fields; None is stored as absent."""
    setting = {name: value for name, value in changes.items() if value is not None}
    unsetting = {name: "" for name, value in changes.items() if value is None}
    return {"$set": setting, "$unset": unsetting} if unsetting else {"$set": setting}


@dataclass(frozen=True, slots=True)
class Check:
    """The counters against a recount of the ledger, both as of one instant."""

    stats: Stats
    recount: Stats
    duplicate_messages: int

    @property
    def consistent(self) -> bool:
        """Whether nothing has drifted and nobody got a message twice."""
        return self.stats == self.recount and not self.duplicate_messages


async def verify(campaign_id: PydanticObjectId) -> Check:
    """Recount a campaign. Reads every message of it: seconds for a million, and as long again if it is being sent."""
    stats, found = await _at_rest(campaign_id) or await _in_motion(campaign_id)
    # A message is DELIVERED by a receipt: if there are as many receipts as messages, each has one.
    twice = found.receipts != found.stats.delivered
    return Check(stats, found.stats, await _duplicates(campaign_id) if twice else 0)


class _Found(NamedTuple):
    """A recount: the messages by status, and the receipts that say DELIVERED."""

    stats: Stats
    receipts: int


async def _at_rest(campaign_id: PydanticObjectId) -> tuple[Stats, _Found] | None:
    """The counters and a recount, if nothing has moved while it was made."""
    before = (await tallies.totals([campaign_id]))[campaign_id]
    found = await _recount(campaign_id)
    after = (await tallies.totals([campaign_id]))[campaign_id]
    return (after.stats, found) if after.moves == before.moves else None


async def _in_motion(campaign_id: PydanticObjectId) -> tuple[Stats, _Found]:
    """Both in one transaction. It may take as long as mongod lets one live."""

    async def both(session: AsyncClientSession) -> tuple[Stats, _Found]:
        total = (await tallies.totals([campaign_id], session))[campaign_id]
        return total.stats, await _recount(campaign_id, session)

    async with documents.Message.get_pymongo_collection().database.client.start_session() as session:
        return await session.with_transaction(both, read_concern=ReadConcern("snapshot"))


async def _recount(campaign_id: PydanticObjectId, session: AsyncClientSession | None = None) -> _Found:
    pipeline: list[dict[str, object]] = [
        {"$match": documents.messages_of(campaign_id)},
        {"$group": {"_id": "$status", "count": {"$sum": 1}}},
    ]
    async with await documents.Message.get_pymongo_collection().aggregate(pipeline, session=session) as groups:
        stats = Stats.of({group["_id"]: group["count"] async for group in groups})
    receipts = documents.Receipt.get_pymongo_collection()
    return _Found(stats, await receipts.count_documents(_deliveries_of(campaign_id), session=session))


async def _duplicates(campaign_id: PydanticObjectId) -> int:
    """Deliveries too many: one message cannot be two in the ledger, but the vendor may tell of two deliveries of it.

    A receipt without the vendor's id tells of no other delivery than those of its life that have one.
    """
    pipeline: list[dict[str, object]] = [
        {"$match": _deliveries_of(campaign_id)},
        {"$group": {"_id": {"message": "$message_id", "life": "$life"}, "named": {"$addToSet": "$vendor_message_id"}}},
        {"$group": {"_id": "$_id.message", "deliveries": {"$sum": {"$max": [1, {"$size": "$named"}]}}}},
        {"$match": {"deliveries": {"$gt": 1}}},
        {"$group": {"_id": None, "count": {"$sum": {"$subtract": ["$deliveries", 1]}}}},
    ]
    receipts = documents.Receipt.get_pymongo_collection()
    async with await receipts.aggregate(pipeline, allowDiskUse=True) as groups:
        return sum([int(group["count"]) async for group in groups])


def _deliveries_of(campaign_id: PydanticObjectId) -> dict[str, object]:
    return {"message_id": documents.messages_of(campaign_id)["_id"], "status": documents.ReceiptStatus.DELIVERED.value}
