"""Customers: who they are, taking them in, and finding them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

import documents
import errors
import resolvers.customers
from documents import ConsentState, records
from documents.records import Record, pick
from ingestion import Outcome
from ingestion.rows import published
from resolvers.customers import CustomerSort, SortDirection
from schema import inputs, pages
from schema.context import EngineInfo
from schema.enums import publish
from schema.errors import UserError
from schema.ids import object_id, some_id
from schema.payloads import Payload
from schema.records import made, selected_nodes, stored_names
from schema.reports import IngestPayload
from schema.scalars import SegmentRules

publish(
    documents.ConsentState,
    "What a customer said about messages of one channel.",
    SUBSCRIBED="Agreed.",
    UNSUBSCRIBED="Does not want any; is never written to.",
    UNKNOWN="Has not been asked.",
)
publish(
    CustomerSort,
    "What customers can be listed by.",
    CREATED_AT="When the customer was first ingested.",
    UPDATED_AT="When the customer's record last changed.",
    NAME="The name, without regard to case.",
    TOTAL_SPEND="What was spent in all.",
    VISIT_COUNT="How many visits there were.",
    LAST_PURCHASE="When the last purchase was.",
)
publish(SortDirection, "Which end comes first.", ASC="The least, the earliest.", DESC="The greatest, the latest.")


@strawberry.type(description="Figures carried over from another system, which the customer's orders add to.")
class OpeningFigures:
    """Figures carried over from another system."""

    total_spend: Decimal = strawberry.field(description="What was spent before.")
    visit_count: int = strawberry.field(description="How many visits there were before.")
    last_purchase: datetime | None = strawberry.field(default=None, description="When the last purchase before was.")


@strawberry.type(description="One person who buys.")
class Customer:
    """A customer, with what the orders add up to."""

    id: strawberry.ID = strawberry.field(description="The customer's id here.")
    external_id: str | None = strawberry.field(default=None, description="The customer's id in the source system.")
    name: str | None = strawberry.field(default=None, description="The full name.")
    email: str | None = strawberry.field(default=None, description="The e-mail address, in lower case.")
    phone: str | None = strawberry.field(default=None, description="E.164.")
    city: str | None = strawberry.field(default=None, description="The city.")
    state: str | None = strawberry.field(default=None, description="The state, province or region.")
    country: str | None = strawberry.field(default=None, description="ISO 3166-1 alpha-2.")
    postal_code: str | None = strawberry.field(default=None, description="The postal code.")
    birthday: str | None = strawberry.field(default=None, description="The date of birth, as YYYY-MM-DD.")
    timezone: str | None = strawberry.field(default=None, description="IANA name.")
    locale: str | None = strawberry.field(default=None, description="A BCP 47 language tag, such as en-IN.")
    source: str | None = strawberry.field(default=None, description="Where the customer came from.")
    tags: list[str] = strawberry.field(description="Labels, each once whatever its case.")
    attributes: JSON = strawberry.field(description="Whatever else is known, by name; segments can ask for each.")
    sms_consent: ConsentState = strawberry.field(description="Whether the customer agreed to messages by SMS.")
    email_consent: ConsentState = strawberry.field(description="Whether the customer agreed to messages by e-mail.")
    total_spend: Decimal = strawberry.field(
        description="What was spent: the opening figure plus COMPLETED orders, less refunds."
    )
    opening: OpeningFigures | None = strawberry.field(
        default=None, description="The opening figures, which the others begin with."
    )
    order_count: int = strawberry.field(description="How many COMPLETED orders there are.")
    visit_count: int = strawberry.field(description="Visits: the opening figure plus COMPLETED orders.")
    first_purchase: datetime | None = strawberry.field(default=None, description="When the first purchase was.")
    last_purchase: datetime | None = strawberry.field(default=None, description="When the last purchase was.")
    average_order_value: Decimal = strawberry.field(
        description="What COMPLETED orders come to, less refunds, divided by their number; 0 without any."
    )
    rfm: str | None = strawberry.field(
        default=None,
        description='RFM group, e.g. "Champions". Null before the first computation, as are the predictions.',
    )
    alive_probability: float | None = strawberry.field(
        default=None, description="Probability that the customer still buys (BG/NBD)."
    )
    predicted_orders_90d: float | None = strawberry.field(
        default=None, description="Orders expected in the next 90 days."
    )
    predicted_spend_90d: Decimal | None = strawberry.field(
        default=None, description="Spend expected in the next 90 days."
    )
    created_at: datetime = strawberry.field(description="When the customer was first ingested.")
    updated_at: datetime = strawberry.field(
        description="When what is said about the customer last changed. Orders and predictions do not count."
    )

    @classmethod
    def of(cls, record: Record) -> "Customer":
        """The customer as clients see them, from the stored record or the part of it that is asked for."""
        customer = made(cls, record)
        customer.id = strawberry.ID(str(record["_id"]))
        if "opening" in record and (opening := pick(record, "opening", dict)):
            customer.opening = made(OpeningFigures, opening)
        if "birthday" in record and (born := pick(record, "birthday", datetime)):
            customer.birthday = born.date().isoformat()
        # Amounts are stored with the currency's decimals, so the spend shows how many the others may have.
        for name in MADE_FROM_SPEND:
            if name in record and (amount := records.decimal(record, name)) is not None:
                setattr(customer, name, amount.quantize(records.decimal(record, "total_spend") or amount))
        return customer


MADE_FROM_SPEND = ("average_order_value", "predicted_spend_90d")

# Which stored names each field is made from.
STORED = {
    published(name): (name, "total_spend") if name in MADE_FROM_SPEND else (name,)
    for name in documents.Customer.model_fields
    if name != "id"
}


@inputs.row
@strawberry.input(
    description="What is known about a customer. An unset field is left as it is on an existing customer; an explicit "
    "null clears it. At least one of externalId, email and phone is needed, and tells who it is, in that order."
)
class CustomerInput:
    """A row about a customer."""

    external_id: str | None = strawberry.field(default=UNSET, description="The id in the source system.")
    name: str | None = strawberry.field(default=UNSET, description="The full name.")
    email: str | None = strawberry.field(default=UNSET, description="The e-mail address; its case does not matter.")
    phone: str | None = strawberry.field(
        default=UNSET, description="With + and the country code, or as it is dialled in the customer's country."
    )
    city: str | None = strawberry.field(default=UNSET, description="The city.")
    state: str | None = strawberry.field(default=UNSET, description="The state, province or region.")
    country: str | None = strawberry.field(default=UNSET, description="ISO 3166-1 alpha-2.")
    postal_code: str | None = strawberry.field(default=UNSET, description="The postal code.")
    birthday: str | None = strawberry.field(default=UNSET, description="The date of birth, as YYYY-MM-DD.")
    timezone: str | None = strawberry.field(default=UNSET, description="IANA name.")
    locale: str | None = strawberry.field(default=UNSET, description="A BCP 47 language tag, such as en-IN.")
    source: str | None = strawberry.field(default=UNSET, description="Where the customer came from.")
    tags: list[str] | None = strawberry.field(default=UNSET, description="All of the customer's labels.")
    attributes: JSON | None = strawberry.field(
        default=UNSET, description="An object of whatever else is known; it takes the place of the one before."
    )
    sms_consent: ConsentState | None = strawberry.field(default=UNSET, description="Consent to messages by SMS.")
    email_consent: ConsentState | None = strawberry.field(default=UNSET, description="Consent to messages by e-mail.")
    total_spend: Decimal | None = strawberry.field(
        default=UNSET,
        description="Opening figure: what was spent before the orders that are ingested, which add to it.",
    )
    visit_count: int | None = strawberry.field(
        default=UNSET, description="Opening figure: visits before the orders that are ingested, which add to it."
    )
    last_purchase: datetime | None = strawberry.field(
        default=UNSET, description="Opening figure: the last purchase before the orders that are ingested."
    )


@strawberry.input(description="Finds customers. All given parts must hold.")
class CustomerFilter:
    """Which customers."""

    search: str | None = strawberry.field(
        default=None, description="Part of the name, the e-mail, the phone or the externalId."
    )
    tags: list[str] | None = strawberry.field(default=None, description="Has all of these tags.")
    city: str | None = strawberry.field(default=None, description="Lives there.")
    segment_id: strawberry.ID | None = strawberry.field(default=None, description="Belongs to this segment now.")
    rules: SegmentRules | None = strawberry.field(default=None, description="Is selected by these rules.")
    query: str | None = strawberry.field(default=None, description="Is selected by this query.")

    def plain(self) -> resolvers.customers.CustomerFilter:
        """The filter without GraphQL."""
        return resolvers.customers.CustomerFilter(
            search=self.search,
            tags=self.tags,
            city=self.city,
            segment_id=None if self.segment_id is None else some_id(self.segment_id),
            rules=self.rules,
            query=self.query,
        )


@strawberry.input(description="The order of a list of customers.")
class CustomerOrder:
    """The order of a list of customers."""

    field: CustomerSort = strawberry.field(description="What to list by.")
    direction: SortDirection = strawberry.field(default=SortDirection.ASC, description="Which end comes first.")


@strawberry.type(description="What became of a customer.")
class IngestCustomerPayload(Payload):
    """What became of one customer."""

    customer: Customer | None = strawberry.field(default=None, description="The customer as stored now.")
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What became of it.")


@strawberry.type
class CustomerQuery:
    """Finding customers."""

    @strawberry.field(description="One customer; null when there is none with this id.")
    async def customer(
        self, info: EngineInfo, id: Annotated[strawberry.ID, strawberry.argument(description="Which customer.")]
    ) -> Customer | None:
        viewer = info.context.require(info.field_name)
        id_ = object_id(id)
        record = await resolvers.customers.find(viewer, id_) if id_ else None
        return Customer.of(record) if record else None

    @strawberry.field(description="Customers, in the order in which they came unless asked for otherwise.")
    async def customers(
        self,
        info: EngineInfo,
        filter: Annotated[CustomerFilter | None, strawberry.argument(description="Which customers.")] = None,
        order_by: Annotated[CustomerOrder | None, strawberry.argument(description="In which order.")] = None,
        first: pages.First = UNSET,
        after: pages.After = UNSET,
        last: pages.Last = UNSET,
        before: pages.Before = UNSET,
    ) -> pages.Connection[Customer]:
        viewer = info.context.require(info.field_name)
        page = await resolvers.customers.page(
            viewer,
            (filter or CustomerFilter()).plain(),
            pages.request(first, after, last, before),
            order_by.field if order_by else None,
            order_by.direction if order_by else SortDirection.ASC,
            info.context.as_of,
            stored_names(selected_nodes(info), STORED),
        )
        return pages.Connection.of(page.map(Customer.of))


@strawberry.type
class CustomerMutation:
    """Taking customers in."""

    @strawberry.mutation(description="Take in one customer: a new one, or what has changed about a known one.")
    async def ingest_customer(
        self,
        info: EngineInfo,
        input: Annotated[CustomerInput, strawberry.argument(description="What is known about the customer.")],
    ) -> IngestCustomerPayload:
        viewer = info.context.require(info.field_name)
        report = await resolvers.customers.ingest(viewer, [inputs.given(input)], info.context.services.policy)
        result = report.only
        record = await resolvers.customers.find(viewer, result.id) if result.id else None
        return IngestCustomerPayload(
            customer=Customer.of(record) if record else None,
            outcome=result.outcome,
            user_errors=[UserError.of(fault.under("input")) for fault in result.faults],
        )

    @strawberry.mutation(
        description="Take in many customers, in order. A record at fault harms no other; sending all of them again "
        "changes nothing."
    )
    async def ingest_customers(
        self,
        info: EngineInfo,
        input: Annotated[list[CustomerInput], strawberry.argument(description="What is known about each customer.")],
    ) -> IngestPayload:
        viewer = info.context.require(info.field_name)
        try:
            rows = [inputs.given(row) for row in input]
            return IngestPayload.of(await resolvers.customers.ingest(viewer, rows, info.context.services.policy))
        except errors.Fault as fault:
            return IngestPayload.refused(fault, "input")
