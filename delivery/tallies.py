"""A campaign's counters: the sum over its tallies."""

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
from documents import MessageStatus, records

# Two transactions that meet in one tally are one too many: the later one is done again. Consecutive transactions of a
# process take different slots; those of two processes with four in flight each meet in 6 % of the cases.
SLOTS = 64
_slots = itertools.cycle(random.sample(range(SLOTS), SLOTS))


@dataclass(frozen=True, slots=True)
class Stats:
    """How many messages are in each status."""

    pending: int = 0
    sending: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    skipped: int = 0
    held_out: int = 0
    cancelled: int = 0

    @property
    def audience(self) -> int:
        """All of them."""
        return self.to_send + self.done + self.sent

    @property
    def to_send(self) -> int:
        """Those that the vendor does not have yet, for all we know."""
        return self.pending + self.sending

    @property
    def done(self) -> int:
        """Those of which nothing more is expected."""
        return self.delivered + self.failed + self.skipped + self.held_out + self.cancelled

    @property
    def handed_over(self) -> int:
        """Those that the vendor has accepted, or refused for good."""
        return self.sent + self.delivered + self.failed

    @property
    def delivery_rate(self) -> float | None:
        """Delivered / (delivered + failed); None before the first outcome."""
        known = self.delivered + self.failed
        return self.delivered / known if known else None

    def count(self, status: MessageStatus) -> int:
        """How many have this status."""
        number: int = getattr(self, status.lower())
        return number

    @classmethod
    def sum(cls, several: Iterable["Stats"]) -> "Stats":
        """All of these together."""
        counts: Counter[str] = Counter()
        for stats in several:
            counts.update({status: stats.count(status) for status in MessageStatus})
        return cls.of(counts)

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Stats":
        """From counts by the name of the status."""
        return cls(**{status.lower(): counts.get(status, 0) for status in MessageStatus})


@dataclass(frozen=True, slots=True)
class Total:
    """A campaign's counters, how often they were changed, and when its last message was accepted by the vendor."""

    stats: Stats = Stats()
    moves: int = 0
    last_sent_at: datetime | None = None


async def stats(campaign_ids: Iterable[PydanticObjectId]) -> dict[PydanticObjectId, Stats]:
    """The counters of each of these campaigns; all zero for one without messages."""
    return {campaign_id: total.stats for campaign_id, total in (await totals(campaign_ids)).items()}


async def totals(
    campaign_ids: Iterable[PydanticObjectId], session: AsyncClientSession | None = None
) -> dict[PydanticObjectId, Total]:
    """The counters of each of these campaigns, as the session sees them."""
    ids = list(campaign_ids)
    if not ids:
        return {}
    counts: dict[PydanticObjectId, Counter[str]] = {campaign_id: Counter() for campaign_id in ids}
    moves: Counter[PydanticObjectId] = Counter()
    last: dict[PydanticObjectId, datetime] = {}
    collection = documents.Tally.get_pymongo_collection()
    async for stored in collection.find({"campaign_id": {"$in": ids}}, session=session):
        campaign_id = stored["campaign_id"]
        counts[campaign_id].update(stored["counts"])
        moves[campaign_id] += stored.get("moves", 0)
        if at := stored.get("last_sent_at"):
            last[campaign_id] = max(at, last.get(campaign_id, at))
    return {id_: Total(Stats.of(counts[id_]), moves[id_], last.get(id_)) for id_ in ids}


async def add(
    changes: Mapping[PydanticObjectId, Mapping[str, int]],
    sent_at: Mapping[PydanticObjectId, datetime],
    session: AsyncClientSession,
) -> None:
    """Count these changes, by campaign and status."""
    slot = next(_slots)
    updates: list[dict[str, object]] = []
    for campaign_id, counts in changes.items():
        update: dict[str, object] = {
            "$inc": {"moves": 1, **{f"counts.{status}": n for status, n in counts.items() if n}},
            "$setOnInsert": {"campaign_id": campaign_id},
        }
        if campaign_id in sent_at:
            update["$max"] = {"last_sent_at": sent_at[campaign_id]}
        updates.append({"q": {"_id": documents.tally_id(campaign_id, slot)}, "u": update, "upsert": True})
    await records.update(documents.Tally, updates, session)
