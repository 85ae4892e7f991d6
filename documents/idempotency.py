"""Mutations that were sent under a key, so that sending one again does not carry it out again."""

from datetime import datetime

from beanie import Document
from pymongo import ASCENDING, IndexModel


class KeyedMutation(Document):
    """One mutation, known by its `_id`: who sent it, and under which key.

    It is written before the mutation begins; `finished_at` is absent until it has ended. `answer` is the JSON that the
    caller got, absent when that is not to be kept.
    """

    id: str  # type: ignore[assignment]  # a key of our own
    body_hash: str
    begun_at: datetime
    finished_at: datetime | None = None
    answer: bytes | None = None
    expires_at: datetime

    class Settings:
        name = "keyed_mutations"
        keep_nulls = False
        indexes = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]
