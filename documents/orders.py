"""Orders: what was bought, by whom, and how it ended."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from beanie import PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from documents.values import Money, Stored, now


class OrderStatus(StrEnum):
    """Where an order stands. Only COMPLETED orders count towards a customer's figures."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class PaymentStatus(StrEnum):
    """Where an order's payment stands."""

    UNPAID = "UNPAID"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class OrderItem(BaseModel):
    """One line of an order. `folded` holds sku, name and category as segments compare them."""

    sku: str
    name: str | None = None
    category: str | None = None
    quantity: int = 1
    unit_price: Money
    folded: dict[str, str] = Field(default_factory=dict)


class Payment(BaseModel):
    """How an order was paid. `refunded_amount` is taken off the customer's spend."""

    method: str | None = None
    status: PaymentStatus = PaymentStatus.PAID
    reference: str | None = None
    refunded_amount: Money = Decimal(0)


class Order(Stored):
    """One order, known by the source system's number. `folded` holds currency, coupon and payment_method."""

    external_id: str
    customer_id: PydanticObjectId | None = None
    placed_at: datetime
    status: OrderStatus = OrderStatus.COMPLETED
    amount: Money
    currency: str
    items: list[OrderItem] = Field(default_factory=list)
    item_count: int = 0
    payment: Payment = Field(default_factory=Payment)
    coupon: str | None = None
    folded: dict[str, str] = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)

    class Settings:
        name = "orders"
        keep_nulls = False
        indexes = [
            IndexModel([("external_id", ASCENDING)], unique=True),
            IndexModel([("customer_id", ASCENDING), ("status", ASCENDING), ("placed_at", ASCENDING)]),
            IndexModel([("placed_at", DESCENDING), ("_id", DESCENDING)]),
            # Holds all that the usual order conditions ask, so that none of a million orders is fetched for them.
            IndexModel(
                [("status", ASCENDING), ("placed_at", ASCENDING), ("customer_id", ASCENDING), ("amount", ASCENDING)]
            ),
        ]
