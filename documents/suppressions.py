"""Suppressions: identities of people who were erased, and are not to be taken in again."""

from datetime import datetime

from beanie import Document, PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from documents.values import now


class Suppression(Document):
    """One identity. `_id` is a keyed hash of it: whoever reads this learns nobody's address.

    `key` tells by which key it was made. What was suppressed together, by one erasure, is lifted together.
    """

    id: str  # type: ignore[assignment]  # a key of our own
    key: str
    erasure_id: PydanticObjectId
    created_by: PydanticObjectId
    created_at: datetime = Field(default_factory=now)

    class Settings:
        name = "suppressions"
        indexes = [IndexModel([("erasure_id", ASCENDING)])]
