"""Delivery receipts as the vendor sent them, kept so that one told twice is known."""

from datetime import datetime
from enum import StrEnum

from beanie import Document
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from documents.values import now


class ReceiptStatus(StrEnum):
    """What a receipt says became of a message."""

    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Receipt(Document):
    """One receipt. `_id` is the vendor's receiptId; `message_id` the Message's id without the suffix of its life."""

    id: str  # type: ignore[assignment]  # a key of our own
    message_id: str
    life: int = 1
    vendor_message_id: str | None = None
    status: ReceiptStatus
    occurred_at: datetime
    received_at: datetime = Field(default_factory=now)
    failure_code: str | None = None
    failure_reason: str | None = None

    class Settings:
        name = "receipts"
        keep_nulls = False
        indexes = [IndexModel([("message_id", ASCENDING), ("status", ASCENDING)])]
