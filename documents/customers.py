"""Customers: who they are, what they agreed to, and what their orders add up to."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, Field
from pymongo import ASCENDING, IndexModel

from documents.values import Money, Stored, fold, now

FOLDED_FIELDS = (
    "external_id",
    "name",
    "email",
    "phone",
    "city",
    "state",
    "country",
    "postal_code",
    "timezone",
    "locale",
    "source",
    "rfm",
)


class ConsentState(StrEnum):
    """What a customer said about messages of one channel."""

    SUBSCRIBED = "SUBSCRIBED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    UNKNOWN = "UNKNOWN"


class Opening(BaseModel):
    """Figures carried over from another system; the customer's orders add to them."""

    total_spend: Money = Decimal(0)
    visit_count: int = 0
    last_purchase: datetime | None = None


class Purchases(BaseModel):
    """What the customer's COMPLETED orders add up to. Written only by ingestion/totals.py, with the orders.

    `met` counts the transactions that brought other orders: written so that merging and erasing meet them.
    """

    spend: Money = Decimal(0)
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    met: int = 0


class Customer(Stored):
    """One person.

    `total_spend`, `order_count`, `visit_count`, `first_purchase`, `last_purchase` and `average_order_value` are what
    `opening` and `purchases` add up to, stored because segments filter and sort by them.

    `folded` holds the string fields, tags and attributes once more as `fold` leaves them: segments compare without
    regard to case, and an exact match on folded text can use an index where a case-insensitive regular expression
    cannot.
    """

    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    postal_code: str | None = None
    birthday: datetime | None = None
    timezone: str | None = None
    locale: str | None = None
    source: str | None = None
    tags: list[str] = Field(default_factory=list)
    attributes: dict[str, object] = Field(default_factory=dict)
    sms_consent: ConsentState = ConsentState.UNKNOWN
    email_consent: ConsentState = ConsentState.UNKNOWN
    opening: Opening = Field(default_factory=Opening)
    purchases: Purchases = Field(default_factory=Purchases)
    total_spend: Money = Decimal(0)
    order_count: int = 0
    visit_count: int = 0
    first_purchase: datetime | None = None
    last_purchase: datetime | None = None
    average_order_value: Money = Decimal(0)
    rfm: str | None = None
    alive_probability: float | None = None
    predicted_orders_90d: float | None = None
    predicted_spend_90d: Money | None = None
    folded: dict[str, object] = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)

    class Settings:
        name = "customers"
        keep_nulls = False
        indexes = [
            *(
                IndexModel(
                    [(key, ASCENDING)],
                    name=f"{key}_identity",
                    unique=True,
                    partialFilterExpression={key: {"$gt": ""}},
                )
                for key in ("external_id", "email", "phone")
            ),
            *(
                IndexModel([(key, ASCENDING), ("_id", ASCENDING)])
                for key in (
                    "created_at",
                    "updated_at",
                    "folded.name",
                    "folded.city",
                    "folded.tags",
                    "total_spend",
                    "visit_count",
                    "last_purchase",
                )
            ),
        ]


def folded(fields: Mapping[str, object]) -> dict[str, object]:
    """The `folded` part of a customer with these stored fields; only for those that are given and set."""
    texts: dict[str, object] = {
        name: fold(value) for name in FOLDED_FIELDS if isinstance(value := fields.get(name), str)
    }
    for name in ("tags", "attributes"):
        if fields.get(name):
            texts[name] = fold_deep(fields[name])
    return texts


def fold_deep(value: object) -> object:
    """A JSON value with every string in it folded; the keys of objects stay as they are."""
    match value:
        case str():
            return fold(value)
        case list():
            return [fold_deep(item) for item in value]
        case dict():
            return {key: fold_deep(item) for key, item in value.items()}
        case _:
            return value
