"""Orders: what was bought, taking orders in, and finding them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from beanie import PydanticObjectId
from strawberry import UNSET

import documents
import errors
import resolvers.orders
from documents import OrderStatus, PaymentStatus
from documents.records import Record, pick
from ingestion import Outcome
from schema import inputs, links, pages
from schema.context import EngineInfo
from schema.customers import Customer
from schema.enums import publish
from schema.errors import UserError
from schema.ids import object_id
from schema.payloads import Payload
from schema.records import made
from schema.reports import IngestPayload

publish(
    documents.OrderStatus,
    "Where an order stands. Only COMPLETED orders count towards a customer's figures.",
    PENDING="Placed, and not yet settled.",
    COMPLETED="Settled; it counts.",
    CANCELLED="Called off.",
    REFUNDED="Given back as a whole.",
)
publish(
    documents.PaymentStatus,
    "Where an order's payment stands.",
    UNPAID="Nothing has been paid.",
    PAID="All has been paid.",
    PARTIALLY_REFUNDED="refundedAmount has been given back; it is taken off the customer's spend.",
    REFUNDED="All has been given back, unless refundedAmount says less.",
)


@strawberry.type(description="One line of an order.")
class OrderItem:
    """One line of an order."""

    sku: str = strawberry.field(description="The article's number.")
    name: str | None = strawberry.field(default=None, description="The article's name.")
    category: str | None = strawberry.field(default=None, description="What kind of article it is.")
    quantity: int = strawberry.field(description="How many.")
    unit_price: Decimal = strawberry.field(description="The price of one.")


@strawberry.type(description="How an order was paid.")
class Payment:
    """How an order was paid."""

    method: str | None = strawberry.field(default=None, description="By what means, such as card.")
    status: PaymentStatus = strawberry.field(description="Where the payment stands.")
    reference: str | None = strawberry.field(default=None, description="The payment's number at whoever handled it.")
    refunded_amount: Decimal = strawberry.field(description="What was given back; the customer's spend is less by it.")


@strawberry.type(description="One order.")
class Order:
    """One order."""

    customer_id: strawberry.Private[PydanticObjectId | None] = None
    id: strawberry.ID = strawberry.field(description="The order's id here.")
    external_id: str = strawberry.field(description="The order's number in the source system.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    status: OrderStatus = strawberry.field(description="Where it stands.")
    amount: Decimal = strawberry.field(description="What it came to, before refunds.")
    currency: str = strawberry.field(description="The currency of all amounts, ISO 4217.")
    items: list[OrderItem] = strawberry.field(description="What was bought; empty when it is not known.")
    payment: Payment = strawberry.field(description="How it was paid.")
    coupon: str | None = strawberry.field(default=None, description="The coupon that was used.")
    created_at: datetime = strawberry.field(description="When it was first ingested.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, record: Record) -> "Order":
        """The order as clients see it, from the record that is stored."""
        order = made(cls, record)
        order.id = strawberry.ID(str(record["_id"]))
        order.items = [made(OrderItem, item) for item in pick(record, "items", list) or []]
        order.payment = made(Payment, pick(record, "payment", dict) or {})
        return order

    @strawberry.field(description="Whose order it is. Null once the person has been erased.")
    async def customer(self, info: EngineInfo) -> Customer | None:
        record = await info.context.loaders.customer.load(self.customer_id) if self.customer_id else None
        return Customer.of(record) if record else None


async def orders(
    customer: strawberry.Parent[Customer],
    info: EngineInfo,
    first: pages.First = UNSET,
    after: pages.After = UNSET,
    last: pages.Last = UNSET,
    before: pages.Before = UNSET,
) -> pages.Connection[Order]:
    """The orders of a customer."""
    info.context.require("orders")
    request = pages.request(first, after, last, before)
    page = await info.context.loaders.orders_of_customer.load((PydanticObjectId(customer.id), request))
    return pages.Connection.of(page.map(Order.of))


links.back(Customer, orders, "The customer's orders, the latest first.")


@inputs.row
@strawberry.input(description="Names one customer, by exactly one of these.", one_of=True)
class CustomerKey:
    """Whom an order is of."""

    id: strawberry.ID | None = strawberry.field(default=UNSET, description="The id here.")
    external_id: str | None = strawberry.field(default=UNSET, description="The id in the source system.")
    email: str | None = strawberry.field(default=UNSET, description="The e-mail address; its case does not matter.")
    phone: str | None = strawberry.field(default=UNSET, description="With + and the country code.")


@inputs.row
@strawberry.input(description="One line of an order.")
class OrderItemInput:
    """One line of an order."""

    sku: str = strawberry.field(description="The article's number.")
    name: str | None = strawberry.field(default=UNSET, description="The article's name.")
    category: str | None = strawberry.field(default=UNSET, description="What kind of article it is.")
    quantity: int = strawberry.field(default=1, description="How many.")
    unit_price: Decimal = strawberry.field(description="The price of one.")


@inputs.row
@strawberry.input(description="How an order was paid.")
class PaymentInput:
    """How an order was paid."""

    method: str | None = strawberry.field(default=UNSET, description="By what means, such as card.")
    status: PaymentStatus = strawberry.field(default=PaymentStatus.PAID, description="Where the payment stands.")
    reference: str | None = strawberry.field(default=UNSET, description="The number at whoever handled it.")
    refunded_amount: Decimal | None = strawberry.field(
        default=UNSET, description="What was given back; needed when PARTIALLY_REFUNDED, all when REFUNDED."
    )


@inputs.row
@strawberry.input(
    description="An order. On one that is known already an unset field is left as it is (but status, which is "
    "COMPLETED unless given), and an explicit null clears it."
)
class OrderInput:
    """A row about an order."""

    external_id: str = strawberry.field(
        description="The order number of the source system. Ingesting it again updates the order and never counts it "
        "twice."
    )
    customer: CustomerKey = strawberry.field(description="Whose order it is.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    amount: Decimal | None = strawberry.field(
        default=UNSET, description="Needed unless items are given; when both are, they must agree."
    )
    currency: str | None = strawberry.field(
        default=UNSET, description="The server's, if given: an order in another currency is refused."
    )
    status: OrderStatus = strawberry.field(default=OrderStatus.COMPLETED, description="Where it stands.")
    items: list[OrderItemInput] | None = strawberry.field(default=UNSET, description="What was bought.")
    payment: PaymentInput | None = strawberry.field(default=UNSET, description="How it was paid.")
    coupon: str | None = strawberry.field(default=UNSET, description="The coupon that was used.")


@strawberry.input(description="Finds orders. All given parts must hold.")
class OrderFilter:
    """Which orders."""

    customer_id: strawberry.ID | None = strawberry.field(default=None, description="Of this customer.")
    status: OrderStatus | None = strawberry.field(default=None, description="Standing there.")
    placed_after: datetime | None = strawberry.field(default=None, description="Placed later than this.")
    placed_before: datetime | None = strawberry.field(default=None, description="Placed earlier than this.")

    def plain(self) -> resolvers.orders.OrderFilter:
        """The filter without GraphQL."""
        customer_id = None if self.customer_id is None else object_id(self.customer_id) or str(self.customer_id)
        return resolvers.orders.OrderFilter(customer_id, self.status, self.placed_after, self.placed_before)


@strawberry.type(description="What became of an order.")
class IngestOrderPayload(Payload):
    """What became of one order."""

    order: Order | None = strawberry.field(default=None, description="The order as stored now.")
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What became of it.")


@strawberry.type
class OrderQuery:
    """Finding orders."""

    @strawberry.field(description="One order; null when there is none with this id.")
    async def order(
        self, info: EngineInfo, id: Annotated[strawberry.ID, strawberry.argument(description="Which order.")]
    ) -> Order | None:
        viewer = info.context.require(info.field_name)
        id_ = object_id(id)
        record = await resolvers.orders.find(viewer, id_) if id_ else None
        return Order.of(record) if record else None

    @strawberry.field(description="Orders, the latest first.")
    async def orders(
        self,
        info: EngineInfo,
        filter: Annotated[OrderFilter | None, strawberry.argument(description="Which orders.")] = None,
        first: pages.First = UNSET,
        after: pages.After = UNSET,
        last: pages.Last = UNSET,
        before: pages.Before = UNSET,
    ) -> pages.Connection[Order]:
        viewer = info.context.require(info.field_name)
        request = pages.request(first, after, last, before)
        page = await resolvers.orders.page(viewer, (filter or OrderFilter()).plain(), request)
        return pages.Connection.of(page.map(Order.of))


@strawberry.type
class OrderMutation:
    """Taking orders in."""

    @strawberry.mutation(description="Take in one order: a new one, or what has changed about a known one.")
    async def ingest_order(
        self, info: EngineInfo, input: Annotated[OrderInput, strawberry.argument(description="The order.")]
    ) -> IngestOrderPayload:
        viewer = info.context.require(info.field_name)
        report = await resolvers.orders.ingest(viewer, [inputs.given(input)], info.context.services.policy)
        result = report.only
        record = await resolvers.orders.find(viewer, result.id) if result.id else None
        return IngestOrderPayload(
            order=Order.of(record) if record else None,
            outcome=result.outcome,
            user_errors=[UserError.of(fault.under("input")) for fault in result.faults],
        )

    @strawberry.mutation(
        description="Take in many orders, in order. A record at fault harms no other; sending all of them again "
        "changes nothing."
    )
    async def ingest_orders(
        self,
        info: EngineInfo,
        input: Annotated[list[OrderInput], strawberry.argument(description="The orders.")],
    ) -> IngestPayload:
        viewer = info.context.require(info.field_name)
        try:
            rows = [inputs.given(row) for row in input]
            return IngestPayload.of(await resolvers.orders.ingest(viewer, rows, info.context.services.policy))
        except errors.Fault as fault:
            return IngestPayload.refused(fault, "input")
