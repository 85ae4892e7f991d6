"""Messages: each one of a campaign to one customer, and the receipts that say what became of it."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry
from beanie import PydanticObjectId
from strawberry import UNSET

import errors
import resolvers.messages
from delivery.receipts import Outcome, tally
from delivery.vendor import key_of
from documents import Channel, MessageStatus, ReceiptStatus, SkipReason
from documents.records import Record
from resolvers.messages import ReceiptResult as Result
from schema import inputs, links, pages
from schema.campaigns import Campaign, WhichCampaign
from schema.context import EngineInfo
from schema.customers import Customer
from schema.enums import publish
from schema.errors import UserError
from schema.ids import some_id
from schema.payloads import Payload
from schema.records import made
from schema.sharing import Event

publish(
    MessageStatus,
    "Where a message stands.",
    PENDING="To be sent.",
    SENDING="On its way to the vendor.",
    SENT="Accepted by the vendor; no receipt yet.",
    DELIVERED="Delivered; final.",
    FAILED="Refused, out of attempts, or not delivered. Should the vendor tell of a delivery later, that wins.",
    SKIPPED="Not sent, for a reason: see skipReason.",
    HELD_OUT="Not sent, for comparison.",
    CANCELLED="Called off before it was sent.",
)
publish(
    SkipReason,
    "Why a message was not sent.",
    NO_ADDRESS="The customer has no address for the channel.",
    UNSUBSCRIBED="The customer does not want any.",
    TEMPLATE_ERROR="The text cannot be made for this customer.",
    FREQUENCY_CAP="The customer has been written to often enough today.",
    DUPLICATE_ADDRESS="Another customer of the campaign has the same address.",
)
publish(ReceiptStatus, "What a receipt says.", DELIVERED="It arrived.", FAILED="It did not.")
publish(
    Outcome,
    "What became of a receipt.",
    name="ReceiptOutcome",
    APPLIED="The message has moved.",
    DUPLICATE="It was told before.",
    IGNORED="The message knows better, or was never to be sent.",
    UNKNOWN_MESSAGE="There is no such message.",
    INVALID="It is at fault.",
)

Statuses = Annotated[
    list[MessageStatus] | None, strawberry.argument(description="Only messages that stand in one of these.")
]


@strawberry.type(description="One message of a campaign to one customer.")
class Message:
    """A message."""

    campaign_id: strawberry.Private[PydanticObjectId]
    customer_id: strawberry.Private[PydanticObjectId | None] = None
    call_id: strawberry.Private[PydanticObjectId | None] = None
    vendor_message_id: strawberry.Private[str | None] = None
    id: strawberry.ID = strawberry.field(description="The id; it is also the messageId that the vendor is given.")
    variant: str = strawberry.field(description="Which of the campaign's texts it is.")
    channel: Channel = strawberry.field(description="The way it travels.")
    recipient: str | None = strawberry.field(
        default=None, description="The address; null when there is nothing to send."
    )
    subject: str | None = strawberry.field(default=None, description="The subject; e-mail only.")
    body: str = strawberry.field(description="The text; empty when there is nothing to send.")
    status: MessageStatus = strawberry.field(description="Where it stands.")
    skip_reason: SkipReason | None = strawberry.field(default=None, description="Why it was SKIPPED.")
    attempts: int = strawberry.field(description="How often it was handed to the vendor.")
    failure_code: str | None = strawberry.field(default=None, description="Why it FAILED, for programs.")
    failure_reason: str | None = strawberry.field(default=None, description="Why it FAILED, in words.")
    life: int = strawberry.field(description="1, and one more after every time that it was FAILED and tried again.")
    created_at: datetime = strawberry.field(description="When it was planned.")
    updated_at: datetime = strawberry.field(description="When it last moved.")
    sent_at: datetime | None = strawberry.field(default=None, description="When the vendor accepted it.")
    delivered_at: datetime | None = strawberry.field(default=None, description="When it was delivered.")
    failed_at: datetime | None = strawberry.field(default=None, description="When it failed.")

    @classmethod
    def of(cls, record: Record) -> "Message":
        """The message as clients see it, from the record that is stored."""
        message = made(cls, record)
        message.id = strawberry.ID(str(record["_id"]))
        return message

    @strawberry.field(description="The campaign it belongs to.")
    async def campaign(self, info: EngineInfo) -> Campaign:
        found = await info.context.loaders.campaign.load(self.campaign_id)
        if found is None:
            raise errors.NotFound("The campaign is no more.")
        return Campaign.of(found)

    @strawberry.field(description="To whom. Null once the person has been erased.")
    async def customer(self, info: EngineInfo) -> Customer | None:
        record = await info.context.loaders.customer.load(self.customer_id) if self.customer_id else None
        return Customer.of(record) if record else None

    @strawberry.field(name="vendorMessageId", description="The vendor's id of it.")
    async def id_at_vendor(self, info: EngineInfo) -> str | None:
        if self.call_id is None:
            return self.vendor_message_id
        return await info.context.loaders.id_at_vendor.load((self.call_id, key_of(str(self.id), self.life)))

    @strawberry.field(description="What the vendor reported of it, the earliest first.")
    async def receipts(self, info: EngineInfo) -> list["DeliveryReceipt"]:
        found = await info.context.loaders.receipts.load(str(self.id))
        return [DeliveryReceipt.of(receipt) for receipt in found or ()]


@strawberry.type(description="One report of the vendor about a message.")
class DeliveryReceipt:
    """One report of the vendor about a message."""

    receipt_id: strawberry.ID = strawberry.field(description="The vendor's id of it.")
    vendor_message_id: str | None = strawberry.field(default=None, description="The vendor's id of the message.")
    life: int = strawberry.field(description="Which life of the message it is about.")
    status: ReceiptStatus = strawberry.field(description="What became of the message.")
    occurred_at: datetime = strawberry.field(description="When, by the vendor's clock.")
    received_at: datetime = strawberry.field(description="When it came here.")
    failure_code: str | None = strawberry.field(default=None, description="Why it failed, for programs.")
    failure_reason: str | None = strawberry.field(default=None, description="Why it failed, in words.")

    @classmethod
    def of(cls, record: Record) -> "DeliveryReceipt":
        """The receipt as clients see it, from the record that is stored."""
        receipt = made(cls, record)
        receipt.receipt_id = strawberry.ID(str(record["_id"]))
        receipt.status = ReceiptStatus(receipt.status)
        return receipt


async def messages(
    campaign: strawberry.Parent[Campaign],
    info: EngineInfo,
    status: Statuses = None,
    first: pages.First = UNSET,
    after: pages.After = UNSET,
    last: pages.Last = UNSET,
    before: pages.Before = UNSET,
) -> pages.Connection[Message]:
    """The messages of a campaign."""
    info.context.require("message")
    which = None if status is None else frozenset(status), pages.request(first, after, last, before)
    page = await info.context.loaders.messages_of_campaign.load((campaign.document.id, which))
    return pages.Connection.of(page.map(Message.of))


links.back(Campaign, messages, "The campaign's messages, in the order of their customers.")


def _of_customer() -> None:
    async def messages(
        customer: strawberry.Parent[Customer],
        info: EngineInfo,
        first: pages.First = UNSET,
        after: pages.After = UNSET,
        last: pages.Last = UNSET,
        before: pages.Before = UNSET,
    ) -> pages.Connection[Message]:
        info.context.require("message")
        request = pages.request(first, after, last, before)
        page = await info.context.loaders.messages_of_customer.load((PydanticObjectId(customer.id), request))
        return pages.Connection.of(page.map(Message.of))

    links.back(Customer, messages, "The messages to the customer, the newest first.")


_of_customer()


@inputs.row
@strawberry.input(description="What became of a message, by the vendor.")
class DeliveryReceiptInput:
    """A row about a message."""

    receipt_id: str = strawberry.field(
        description="The vendor's id of this receipt. The same receipt again changes nothing."
    )
    message_id: strawberry.ID = strawberry.field(description="The messageId that was given to the vendor.")
    vendor_message_id: str | None = strawberry.field(default=UNSET, description="The vendor's id of the message.")
    status: ReceiptStatus = strawberry.field(description="What became of it.")
    occurred_at: datetime = strawberry.field(description="When.")
    failure_code: str | None = strawberry.field(default=UNSET, description="Why it failed, for programs.")
    failure_reason: str | None = strawberry.field(default=UNSET, description="Why it failed, in words.")


@strawberry.type(description="What became of one receipt of a batch.")
class ReceiptResult:
    """What became of one receipt of a batch."""

    index: int = strawberry.field(description="Position in the request.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    user_errors: list[UserError] = strawberry.field(description="What is wrong with it; empty unless it is INVALID.")

    @classmethod
    def of(cls, result: Result) -> "ReceiptResult":
        """The result, its faults seen from the request's arguments."""
        return cls(index=result.index, outcome=result.outcome, user_errors=_told(result.faults, str(result.index)))


@strawberry.type(description="What became of a receipt.")
class DeliveryReceiptPayload:
    """What became of a receipt."""

    outcome: Outcome = strawberry.field(description="What became of it.")
    message: Message | None = strawberry.field(description="The message as it is now; null when there is none.")
    user_errors: list[UserError] = strawberry.field(description="What is wrong with it; empty unless it is INVALID.")


@strawberry.type(description="What became of receipts. A bad one harms no other.")
class DeliveryReceiptsPayload(Payload):
    """What became of receipts; userErrors are of the request as a whole."""

    applied: int = strawberry.field(default=0, description="How many moved their message.")
    duplicates: int = strawberry.field(default=0, description="How many were told before.")
    ignored: int = strawberry.field(default=0, description="Of how many the message knows better.")
    unknown: int = strawberry.field(default=0, description="How many are of no message of ours.")
    invalid: int = strawberry.field(default=0, description="How many are at fault.")
    results: list[ReceiptResult] = strawberry.field(
        default_factory=list, description="What became of each, in the order of the request."
    )

    @classmethod
    def of(cls, results: Sequence[Result]) -> "DeliveryReceiptsPayload":
        """The payload of receipts that were taken."""
        counts = tally([result.outcome for result in results])
        return cls(
            applied=counts[Outcome.APPLIED],
            duplicates=counts[Outcome.DUPLICATE],
            ignored=counts[Outcome.IGNORED],
            unknown=counts[Outcome.UNKNOWN_MESSAGE],
            invalid=counts[Outcome.INVALID],
            results=[ReceiptResult.of(result) for result in results],
        )


@strawberry.type
class MessageQuery:
    """Finding messages."""

    @strawberry.field(description="One message; null when there is none with this id.")
    async def message(
        self, info: EngineInfo, id: Annotated[strawberry.ID, strawberry.argument(description="Which message.")]
    ) -> Message | None:
        viewer = info.context.require(info.field_name)
        record = await resolvers.messages.find(viewer, str(id))
        return Message.of(record) if record else None


@strawberry.type
class MessageMutation:
    """Reporting what became of messages."""

    @strawberry.mutation(description="Report what became of a message, as the vendor's own call does.")
    async def record_delivery_receipt(
        self,
        info: EngineInfo,
        input: Annotated[DeliveryReceiptInput, strawberry.argument(description="The receipt.")],
    ) -> DeliveryReceiptPayload:
        viewer = info.context.require(info.field_name)
        row = inputs.given(input)
        (result,) = await resolvers.messages.record_receipts(viewer, [row], most=1)
        record = await resolvers.messages.find(viewer, resolvers.messages.message_of(row))
        return DeliveryReceiptPayload(
            outcome=result.outcome,
            message=Message.of(record) if record else None,
            user_errors=_told(result.faults),
        )

    @strawberry.mutation(description="Report what became of many messages, in order. A bad receipt harms no other.")
    async def record_delivery_receipts(
        self,
        info: EngineInfo,
        input: Annotated[list[DeliveryReceiptInput], strawberry.argument(description="The receipts.")],
    ) -> DeliveryReceiptsPayload:
        viewer = info.context.require(info.field_name)
        rows = [inputs.given(row) for row in input]
        try:
            results = await resolvers.messages.record_receipts(viewer, rows, info.context.services.policy.max_batch)
        except errors.Fault as fault:
            return DeliveryReceiptsPayload.refused(fault, "input")
        return DeliveryReceiptsPayload.of(results)


@strawberry.type
class MessageSubscription:
    """Watching messages."""

    @strawberry.subscription(
        graphql_type=list[Message],
        description="A campaign's messages in lists: first as they are, but for those still PENDING, then as their "
        "status changes, until the campaign has ended. A message that changes several times between two lists is in "
        "the later one once.",
    )
    async def delivery_updates(
        self, info: EngineInfo, campaign_id: WhichCampaign, status: Statuses = None
    ) -> AsyncGenerator[Event[Sequence[Record], list[Message]], None]:
        viewer = info.context.require(info.field_name)
        feed = info.context.services.feed
        watched = resolvers.messages.watch(viewer, feed, some_id(campaign_id), frozenset(status or ()))
        async with aclosing(watched) as lists:
            async for records in lists:
                yield Event(records, _shown)


def _shown(records: Iterable[Record]) -> list[Message]:
    return [Message.of(record) for record in records]


def _told(faults: Iterable[errors.Fault], *path: str) -> list[UserError]:
    return [UserError.of(fault.under("input", *path)) for fault in faults]
