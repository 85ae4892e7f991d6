"""Aliases: customers who were merged into another, so that whoever still names one of them means the other."""

from datetime import datetime

from beanie import PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from documents.values import Stored, now


class Alias(Stored):
    """`_id` is the id that the merged customer had; `customer_id` who it is now, however many merges later.

    The keys are those of the merged customer that the kept one did not take over: a record that names one of them is
    about the kept customer. A key that somebody has now is that one's, whatever stands here.
    """

    customer_id: PydanticObjectId
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    merged_at: datetime = Field(default_factory=now)

    class Settings:
        name = "aliases"
        keep_nulls = False
        indexes = [
            IndexModel([("customer_id", ASCENDING)]),
            *(
                IndexModel([(key, ASCENDING)], partialFilterExpression={key: {"$gt": ""}})
                for key in ("external_id", "email", "phone")
            ),
        ]
