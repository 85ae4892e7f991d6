"""Campaigns: what is said to whom, and how far it has got."""

from datetime import datetime
from enum import StrEnum

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from documents.values import Stored, now


class Channel(StrEnum):
    """The way a message travels."""

    SMS = "SMS"
    EMAIL = "EMAIL"


class CampaignStatus(StrEnum):
    """Where a campaign stands; docs/architecture.md draws the moves."""

    DRAFT = "DRAFT"  # being made; nothing frozen
    SCHEDULED = "SCHEDULED"  # launches by itself at scheduled_at
    PLANNING = "PLANNING"  # the audience is being written to the ledger
    RUNNING = "RUNNING"  # messages are being sent, or their receipts awaited
    PAUSED = "PAUSED"  # nothing new is claimed
    COMPLETED = "COMPLETED"  # final, though late receipts still count
    CANCELLED = "CANCELLED"  # final; what was PENDING is CANCELLED
    FAILED = "FAILED"  # planning was impossible, status_reason says why


class Variant(BaseModel):
    """One text of a campaign; `weight` is its share against the other variants'."""

    name: str
    weight: int = 1
    subject: str | None = None
    body: str


class Campaign(Stored):
    """A campaign. `rules` and `as_of` are frozen at launch: the audience is computed as of that one instant.

    `lease` and `lease_until` belong to the process that is planning it; one that died is taken over when the lease
    runs out, and the next goes on behind `planned_to`, the last customer whose outcome is in the ledger.
    """

    name: str
    name_folded: str
    status: CampaignStatus = CampaignStatus.DRAFT
    status_reason: str | None = None
    segment_id: PydanticObjectId
    rules: dict[str, object] | None = None
    channel: Channel = Channel.SMS
    variants: list[Variant]
    holdout_percent: float = 0
    rate_per_second: int | None = None
    conversion_window_days: int = 7
    created_by: PydanticObjectId | None = None
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
    scheduled_at: datetime | None = None
    launched_at: datetime | None = None
    as_of: datetime | None = None
    planned_at: datetime | None = None
    completed_at: datetime | None = None
    planned_to: PydanticObjectId | None = None
    unsettled: bool = False  # it was ended, and PENDING messages may be left to call off
    lease: str | None = None
    lease_until: datetime | None = None
    met: int = 0  # how often customers were merged or erased before it was planned; written so that planning meets them

    class Settings:
        name = "campaigns"
        keep_nulls = False
        indexes = [
            IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("status", ASCENDING), ("scheduled_at", ASCENDING)]),
            IndexModel([("segment_id", ASCENDING), ("status", ASCENDING)]),
            IndexModel([("unsettled", ASCENDING)], partialFilterExpression={"unsettled": True}),
        ]


class Tally(Document):
    """A share of a campaign's counters: messages moved into each status less those moved out; may be negative.

    A campaign's counters are the sum over its tallies. They are written in the transaction that moves the messages,
    so they cannot drift from the ledger; there are several, so that transactions seldom wait for one another. `_id`
    is the campaign's and a slot's number (`tally_id`), so that a change stream tells whose they are.
    """

    id: str  # type: ignore[assignment]  # a key of our own
    campaign_id: PydanticObjectId
    counts: dict[str, int] = Field(default_factory=dict)
    moves: int = 0  # transactions that have changed the counts
    last_sent_at: datetime | None = None

    class Settings:
        name = "tallies"
        indexes = [IndexModel([("campaign_id", ASCENDING)])]


def tally_id(campaign_id: PydanticObjectId, slot: int) -> str:
    """The id of one of a campaign's tallies."""
    return f"{campaign_id}-{slot}"
