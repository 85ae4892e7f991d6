"""Rows about orders: what each says, in the form in which it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bson import ObjectId

import documents
import errors
from documents import OrderStatus, PaymentStatus
from ingestion import places, rows, values
from ingestion.policy import Policy
from ingestion.reports import Row

MOST_ITEMS = 1_000


class Owner(NamedTuple):
    """Whom an order is of: by `_id`, external_id, email or phone."""

    kind: str
    value: str | ObjectId


@dataclass(frozen=True, slots=True)
class OrderRow:
    """What a row says by stored name, with None for what is not to be set any more; what it leaves out stays."""

    index: int
    external_id: str
    owner: Owner | None
    values: Mapping[str, object]
    faults: list[errors.Fault]


class OrderReader:
    """Reads rows about orders by one policy."""

    def __init__(self, policy: Policy) -> None:
        amount = values.amount(policy.currency)
        self._policy = policy
        self._order: Mapping[str, values.Reader] = {
            "external_id": values.filled,
            "customer": self.read_owner,
            "placed_at": values.instant,
            "amount": amount,
            "currency": self._read_currency,
            "status": values.choice(OrderStatus),
            "items": self._read_items,
            "payment": self._read_payment,
            "coupon": values.text,
        }
        self._owner: Mapping[str, values.Reader] = {
            "id": values.filled,
            "external_id": values.filled,
            "email": values.email,
            "phone": lambda sent: places.e164(places.phone(sent), policy.default_region),
        }
        self._item: Mapping[str, values.Reader] = {
            "sku": values.filled,
            "name": values.text,
            "category": values.text,
            "quantity": lambda sent: values.count(sent, least=1),
            "unit_price": amount,
        }
        self._payment: Mapping[str, values.Reader] = {
            "method": values.text,
            "status": values.choice(PaymentStatus),
            "reference": values.text,
            "refunded_amount": amount,
        }

    def read(self, index: int, row: Row) -> OrderRow:
        """What a row says, with every fault that shows without looking at what is stored."""
        faults: list[errors.Fault] = []
        found = rows.read(row, self._order, faults)
        faults += rows.missing(row, "external_id", "customer", "placed_at")
        external_id, owner = found.pop("external_id", None), found.pop("customer", None)
        return OrderRow(index, str(external_id), owner if isinstance(owner, Owner) else None, found, faults)

    def read_owner(self, sent: object) -> Owner:
        """Whom a key names, as stored. Raises a Fault for what is no key."""
        found = rows.read_object(sent, self._owner)
        [(kind, value), *more] = found.items() or [("", None)]
        if not isinstance(value, str) or more:
            raise errors.InvalidInput("Give exactly one of id, externalId, email and phone.")
        if kind != "id":
            return Owner(kind, value)
        if not ObjectId.is_valid(value):
            raise errors.NotFound("There is no such customer.")
        return Owner("_id", ObjectId(value))

    def _read_currency(self, sent: object) -> str:
        currency = values.filled(sent).upper()
        if currency != self._policy.currency:
            raise errors.InvalidInput(f"Orders here are in {self._policy.currency}: nothing is converted.")
        return currency

    def _read_items(self, sent: object) -> list[dict[str, object]]:
        if not isinstance(sent, list):
            raise errors.InvalidInput("This must be a list of items.")
        if len(sent) > MOST_ITEMS:
            raise errors.InvalidInput(f"An order has at most {MOST_ITEMS:,} items.")
        faults: list[errors.Fault] = []
        items = []
        for index, each in enumerate(sent):
            try:
                items.append(self._read_item(each))
            except errors.Fault as fault:
                faults.append(fault.under(str(index)))
        if faults:
            raise errors.Rejected(faults)
        return items

    def _read_item(self, sent: object) -> dict[str, object]:
        item = {"quantity": 1, **rows.given(rows.read_object(sent, self._item, "sku", "unit_price"))}
        return {**item, "folded": folded(item, "sku", "name", "category")}

    def _read_payment(self, sent: object) -> dict[str, object]:
        payment = {"status": PaymentStatus.PAID, **rows.given(rows.read_object(sent, self._payment))}
        if payment["status"] is PaymentStatus.PARTIALLY_REFUNDED and "refunded_amount" not in payment:
            raise errors.Required("How much was refunded?", ["refundedAmount"])
        return payment


def folded(values: Mapping[str, object], *names: str) -> dict[str, str]:
    """The texts of these names as segments compare them."""
    return {name: documents.fold(text) for name in names if isinstance(text := values.get(name), str)}
