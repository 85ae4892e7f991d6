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

    PENDING = "PENDING"  # to be sent
    SENDING = "SENDING"  # claimed, under the lease of its batch; the vendor may or may not have it
    SENT = "SENT"  # accepted by the vendor, no receipt yet
    DELIVERED = "DELIVERED"  # final
    FAILED = "FAILED"  # a late DELIVERED still wins
    SKIPPED = "SKIPPED"  # decided at planning, with a reason
    HELD_OUT = "HELD_OUT"  # decided at planning: the comparison group
    CANCELLED = "CANCELLED"  # called off: its campaign was cancelled, its customer merged or erased


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
    final FAILED; the vendor's idempotency key is made of `_id` and `life`. A campaign's messages are a range of `_id`.

    No index names what changes while a message is sent: each would triple the cost of every move (measured: 8 µs of
    mongod for a status without an index, 28 with one). `recipient` is unset where nobody may be written to, and
    unique in the campaign where it is set. The vendor's id of a message is kept with the call in which the vendor
    accepted it (`call_id`); here it is only where a receipt told it and no answer has.
    """

    id: str  # type: ignore[assignment]  # a key of our own
    campaign_id: PydanticObjectId
    customer_id: PydanticObjectId | None = None  # unset once the person has been erased
    variant: str
    channel: Channel
    recipient: str | None = None
    subject: str | None = None
    body: str
    status: MessageStatus
    skip_reason: SkipReason | None = None
    attempts: int = 0
    life: int = 1
    call_id: PydanticObjectId | None = None
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
            IndexModel([("customer_id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel(
                [("campaign_id", ASCENDING), ("recipient", ASCENDING)],
                unique=True,
                partialFilterExpression={"recipient": {"$type": "string"}},
            ),
            IndexModel(
                [("campaign_id", ASCENDING), ("_id", ASCENDING)],
                name="failures",
                partialFilterExpression={"failed_at": {"$type": "date"}},
            ),
        ]


def message_id(campaign_id: PydanticObjectId, customer_id: PydanticObjectId) -> str:
    """The id of the one message of this campaign to this customer."""
    return f"{campaign_id}-{customer_id}"


def messages_of(campaign_id: PydanticObjectId) -> dict[str, object]:
    """The filter of a campaign's messages: a range of ids, in the order in which they were planned."""
    return {"_id": {"$gt": f"{campaign_id}-", "$lt": f"{campaign_id}."}}  # "." is what follows "-"
