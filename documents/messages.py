"""Messages: the ledger of campaigns. One message per campaign and customer, each ending in one outcome."""

from datetime import datetime
from enum import StrEnum

from beanie import Document, PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from documents.campaigns import Channel
from documents.values import now


class MessageStatus(StrEnum):
    """Where a message stands; docs/architecture.md draws the moves."""

    PENDING = "PENDING"  # to be sent, not before next_attempt_at
    SENDING = "SENDING"  # claimed under a lease; the vendor may or may not have it
    SENT = "SENT"  # accepted by the vendor, no receipt yet
    DELIVERED = "DELIVERED"  # final
    FAILED = "FAILED"  # a late DELIVERED still wins
    SKIPPED = "SKIPPED"  # decided at planning, with a reason
    HELD_OUT = "HELD_OUT"  # decided at planning: the comparison group
    CANCELLED = "CANCELLED"  # was PENDING when the campaign was cancelled


class SkipReason(StrEnum):
    """Why planning decided not to send."""

    NO_ADDRESS = "NO_ADDRESS"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    TEMPLATE_ERROR = "TEMPLATE_ERROR"
    FREQUENCY_CAP = "FREQUENCY_CAP"
    DUPLICATE_ADDRESS = "DUPLICATE_ADDRESS"


class Message(Document):
    """One message to one customer.

    `_id` is made of the campaign's and the customer's ids (`message_id`), which makes it the unique key of the pair:
    a planning that is run again cannot write a second message. `life` is 1, and one more after every retry of a
    final FAILED; the vendor's idempotency key is made of `_id` and `life`.
    """

    id: str  # type: ignore[assignment]  # a key of our own
    campaign_id: PydanticObjectId
    customer_id: PydanticObjectId | None
    variant: str
    channel: Channel
    recipient: str | None = None
    subject: str | None = None
    body: str
    status: MessageStatus
    skip_reason: SkipReason | None = None
    attempts: int = 0
    life: int = 1
    next_attempt_at: datetime | None = None
    lease: str | None = None
    lease_until: datetime | None = None
    vendor_message_id: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None

    class Settings:
        name = "messages"
        keep_nulls = False
        indexes = [
            IndexModel([("campaign_id", ASCENDING), ("status", ASCENDING), ("next_attempt_at", ASCENDING)]),
            IndexModel([("customer_id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel(
                [("lease_until", ASCENDING)],
                partialFilterExpression={"status": MessageStatus.SENDING.value},
            ),
        ]


def message_id(campaign_id: PydanticObjectId, customer_id: PydanticObjectId) -> str:
    """The id of the one message of this campaign to this customer."""
    return f"{campaign_id}-{customer_id}"
