"""Batches: stretches of a campaign's messages that are claimed as one."""

from datetime import datetime

from beanie import PydanticObjectId
from pymongo import ASCENDING, IndexModel

from documents.values import Stored


class Batch(Stored):
    """The messages to send whose ids are from `first` to `last`, written with them by planning.

    Who holds the lease may move them, and nobody else sends any: so a message needs no lease, and no index on what
    changes while it is sent. `due_at` is when the batch next wants attention: at once, after a back-off, or when the
    lease runs out and it is taken over. It is unset when nothing in it is left to send.
    """

    campaign_id: PydanticObjectId
    first: str
    last: str
    due_at: datetime | None = None
    lease: str | None = None
    failures: int = 0  # calls in a row that failed; the back-off grows with it
    revive: bool = False  # retryFailedMessages was asked for, and the FAILED in here are yet to become PENDING

    class Settings:
        name = "batches"
        keep_nulls = False
        indexes = [
            IndexModel([("campaign_id", ASCENDING), ("due_at", ASCENDING)]),
        ]
