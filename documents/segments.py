"""Segments: a name for the customers that some rules select."""

from datetime import datetime

from beanie import PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from documents.values import Stored, now


class Segment(Stored):
    """Saved rules, as react-querybuilder JSON in its canonical form; the query text is printed from them."""

    name: str
    name_folded: str
    description: str | None = None
    rules: dict[str, object]
    prompt: str | None = None
    created_by: PydanticObjectId | None = None
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)

    class Settings:
        name = "segments"
        indexes = [
            IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("name_folded", ASCENDING), ("_id", ASCENDING)]),
        ]
