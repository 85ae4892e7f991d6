"""Orders on the way to the database: as stored, and as the rows of a chunk leave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo import InsertOne, UpdateOne

import errors
from documents import OrderStatus, PaymentStatus
from documents.records import Record, pick
from ingestion import money, rows
from ingestion.order_rows import OrderRow, folded
from ingestion.reports import Outcome

_KEPT = {"_id", "external_id", "created_at", "updated_at"}


@dataclass(slots=True)
class OrderDraft:
    """One order; `stored` is empty for a new one."""

    id: PydanticObjectId
    external_id: str
    stored: Record
    fields: Record
    applied: list[tuple[OrderRow, Outcome]] = field(default_factory=list)

    @classmethod
    def of(cls, external_id: str, stored: Record | None) -> "OrderDraft":
        """The order as stored, or a new one."""
        if stored is None:
            return cls(PydanticObjectId(), external_id, {}, {})
        fields = {name: value for name, value in stored.items() if name not in _KEPT}
        return cls(PydanticObjectId(str(stored["_id"])), external_id, fields, fields)

    def apply(self, row: OrderRow, customer_id: PydanticObjectId, currency: str) -> None:
        """Take over what the row says, and note what became of it. Raises Fault when it contradicts the rest."""
        known = self.fields if "payment" in row.values else _with_open_refund(self.fields)
        fields = completed({**known, **row.values, "customer_id": customer_id}, row, currency)
        outcome = Outcome.UNCHANGED if fields == self.fields else Outcome.UPDATED
        self.applied.append((row, outcome if self.fields else Outcome.CREATED))
        self.fields = fields

    @property
    def new_owner(self) -> ObjectId | None:
        """Who has the order now and did not have it before."""
        owner = pick(self.fields, "customer_id", ObjectId)
        return None if owner == self.stored.get("customer_id") else owner

    def write(self, now: datetime) -> InsertOne[dict[str, object]] | UpdateOne | None:
        """What stores the order; None when it is stored as it is."""
        if not self.stored:
            stamps = {"created_at": now, "updated_at": now}
            return InsertOne({"_id": self.id, "external_id": self.external_id, **self.fields, **stamps})
        if self.fields == self.stored:
            return None
        sets = {name: value for name, value in self.fields.items() if self.stored.get(name) != value}
        unsets = dict.fromkeys(self.stored.keys() - self.fields.keys(), "")
        change = {"$set": {**sets, "updated_at": now}, **({"$unset": unsets} if unsets else {})}
        return UpdateOne({"_id": self.id}, change)


def completed(order: Record, row: OrderRow, currency: str) -> Record:
    """The order with every field that depends on another; raises Fault when two disagree."""
    items = [item for item in pick(order, "items", list) or [] if isinstance(item, Mapping)]
    amount = _amount(order, items, row)
    payment = _payment(order, amount)
    texts = {"currency": currency, "coupon": order.get("coupon"), "payment_method": payment.get("method")}
    return rows.given(
        {
            **order,
            "status": order.get("status") or OrderStatus.COMPLETED,
            "amount": amount,
            "currency": currency,
            "items": items,
            "item_count": sum(pick(item, "quantity", int) or 0 for item in items),
            "payment": payment,
            "folded": folded(texts, *texts),
        }
    )


def _with_open_refund(order: Record) -> Record:
    """The order whose whole amount was refunded: what was refunded follows when the amount is corrected."""
    payment = pick(order, "payment", dict) or {}
    if payment.get("status") != PaymentStatus.REFUNDED or payment.get("refunded_amount") != order.get("amount"):
        return order
    return {**order, "payment": {name: value for name, value in payment.items() if name != "refunded_amount"}}


def _amount(order: Record, items: list[Record], row: OrderRow) -> Decimal:
    amount = pick(row.values, "amount", Decimal)
    if not items:
        amount = amount if amount is not None else pick(order, "amount", Decimal)
        if amount is None:
            raise errors.Required("The amount is needed when there are no items.", ["amount"])
        return amount
    total = sum((_price(item) for item in items), Decimal(0))
    if amount is not None and amount != total:
        raise errors.InvalidInput(f"The amount is {amount:,}, and the items add up to {total:,}.", ["amount"])
    if total > money.LARGEST_AMOUNT:
        raise errors.InvalidInput(f"The items add up to more than {money.LARGEST_AMOUNT:,}.", ["items"])
    return total


def _price(item: Record) -> Decimal:
    return (pick(item, "quantity", int) or 0) * (pick(item, "unit_price", Decimal) or Decimal(0))


def _payment(order: Record, amount: Decimal) -> Record:
    payment = {"status": PaymentStatus.PAID, **(pick(order, "payment", dict) or {})}
    wholly = payment["status"] == PaymentStatus.REFUNDED
    refunded = pick(payment, "refunded_amount", Decimal)
    if refunded is None:
        refunded = amount if wholly else 0 * amount
    if refunded > amount:
        path = ["payment", "refundedAmount"]
        raise errors.InvalidInput(f"{refunded:,} was refunded of an order of {amount:,}.", path)
    return {**payment, "refunded_amount": refunded}
