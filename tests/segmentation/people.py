"""People to hold rules against: customers with orders and messages, as they are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from random import Random

from bson import ObjectId

import documents
from segmentation.evaluator import Person
from tests.segmentation import strategies

Record = dict[str, object]

BIRTHDAYS = tuple(
    datetime.combine(day, time(), UTC)
    for day in (*strategies.DAYS, datetime(2000, 2, 29, tzinfo=UTC).date(), datetime(1990, 4, 2, tzinfo=UTC).date())
)


@dataclass(frozen=True, slots=True)
class _Dice:
    """Draws that leave things out often."""

    random: Random

    def record(self, **pools: Sequence[object]) -> Record:
        """A record in which each field has one of its values, or is missing."""
        return {name: self.random.choice(pool) for name, pool in pools.items() if self.random.random() < 0.75}


def people(seed: int, count: int) -> list[Person]:
    """So many people, the same for the same seed."""
    dice = _Dice(Random(seed))
    return [_person(dice, ObjectId(f"{number:024x}")) for number in range(1, count + 1)]


def a_person(name: str, *, orders: Sequence[Record] = (), messages: Sequence[Record] = (), **fields: object) -> Person:
    """Somebody with these stored fields, orders and messages, whose `name` a test knows them by."""
    id_ = ObjectId()
    plain = {"total_spend": Decimal(0), "visit_count": 0, "tags": [], "created_at": strategies.NOW}
    customer = {"_id": id_, "name": name, "external_id": str(id_), **plain, **fields}
    return Person(
        customer | {"folded": documents.folded(customer)},
        [order | {"_id": ObjectId(), "external_id": str(ObjectId()), "customer_id": id_} for order in orders],
        [message | {"_id": str(ObjectId()), "customer_id": id_} for message in messages],
    )


def an_order(amount: str = "10", *, items: Sequence[Record] = (), **fields: object) -> Record:
    """A completed order of this instant."""
    plain = {"amount": Decimal(amount), "placed_at": strategies.NOW, "status": "COMPLETED"}
    return plain | {"items": list(items), "item_count": len(items), "payment": {"status": "PAID"}} | fields


def an_item(sku: str, quantity: int = 1, unit_price: str = "10") -> Record:
    """A line of an order."""
    return {
        "sku": sku,
        "quantity": quantity,
        "unit_price": Decimal(unit_price),
        "folded": {"sku": documents.fold(sku)},
    }


async def store(population: Sequence[Person]) -> None:
    """Put them all into the database."""
    await documents.Customer.get_pymongo_collection().insert_many([person.customer for person in population])
    for stored, records in (
        (documents.Order, [order for person in population for order in person.orders]),
        (documents.Message, [message for person in population for message in person.messages]),
    ):
        if records:
            await stored.get_pymongo_collection().insert_many(records)


def _person(dice: _Dice, id_: ObjectId) -> Person:
    orders = [_order(dice, id_) for _ in range(dice.random.choice((0, 0, 1, 2, 3)))]
    messages = [_message(dice, id_) for _ in range(dice.random.choice((0, 0, 1, 2)))]
    return Person(_customer(dice, id_), orders, messages)


def _customer(dice: _Dice, id_: ObjectId) -> Record:
    texts, instants, numbers = strategies.TEXTS, strategies.INSTANTS, strategies.NUMBERS
    some_texts = [dice.random.sample(texts, dice.random.randint(0, 3)) for _ in range(2)]
    known = dice.record(
        **dict.fromkeys(("name", "city", "state", "postal_code", "timezone", "locale", "source", "rfm"), texts),
        country=("IN", "US", "DE"),
        birthday=BIRTHDAYS,
        **dict.fromkeys(("first_purchase", "last_purchase"), instants),
        alive_probability=(0.1, 0.5, 1.0),
        predicted_orders_90d=(0.1, 0.5, 3.0),
        predicted_spend_90d=numbers,
    )
    consents = [state.value for state in documents.ConsentState]
    customer = {
        "_id": id_,
        **known,
        "external_id": f"{dice.random.choice(texts)}{id_}",
        "tags": some_texts[0],
        "attributes": _attributes(dice, some_texts[1]),
        **{name: dice.random.choice(consents) for name in ("sms_consent", "email_consent")},
        **{name: dice.random.choice(numbers) for name in ("total_spend", "average_order_value")},
        **{name: dice.random.choice((0, 1, 2, 3, 5, 10)) for name in ("visit_count", "order_count")},
        **{name: dice.random.choice(instants) for name in ("created_at", "updated_at")},
    }
    return customer | {"folded": documents.folded(customer)}


def _attributes(dice: _Dice, listed: Sequence[str]) -> Record:
    days = [day.isoformat() for day in strategies.DAYS]
    return dice.record(
        plan=(*strategies.TEXTS, "1", "true", None, 1),
        age=(0, 1, 2, 3, 0.1, 0.5, 99.99, -1, "3", [1, 5], [0.1], True),
        vip=(True, False, "true", 1, 0),
        renewal=(*days, f"{days[0]}T10:00:00Z", f"{days[1]} 10:00", f"{days[2]}0", "never", [days[0], "x"], 20260101),
        interests=(list(listed), [], [None], [*listed, 1], {"a": 1}, [["é"]]),
    ) | ({"Loyalty tier": "É"} if dice.random.random() < 0.3 else {})


def _order(dice: _Dice, customer_id: ObjectId) -> Record:
    known = dice.record(coupon=strategies.TEXTS)
    method = dice.record(method=strategies.TEXTS)
    order = {
        "_id": ObjectId(),
        "external_id": str(ObjectId()),
        "customer_id": customer_id,
        "amount": dice.random.choice(strategies.NUMBERS),
        "placed_at": dice.random.choice(strategies.INSTANTS),
        "status": dice.random.choice([*documents.OrderStatus, "COMPLETED", "COMPLETED"]),
        "currency": dice.random.choice(strategies.TEXTS),
        "items": [_item(dice) for _ in range(dice.random.choice((0, 1, 1, 2, 3)))],
        "item_count": dice.random.choice((0, 1, 2, 3)),
        "payment": {"status": dice.random.choice([*documents.PaymentStatus]), **method},
        **known,
    }
    texts = {"currency": order["currency"], "coupon": known.get("coupon"), "payment_method": method.get("method")}
    return order | {"folded": {name: documents.fold(text) for name, text in texts.items() if isinstance(text, str)}}


def _item(dice: _Dice) -> Record:
    texts = dice.record(sku=strategies.TEXTS, name=strategies.TEXTS, category=strategies.TEXTS)
    return {
        **texts,
        "quantity": dice.random.choice((0, 1, 2, 3)),
        "unit_price": dice.random.choice(strategies.NUMBERS),
        "folded": {name: documents.fold(str(text)) for name, text in texts.items()},
    }


def _message(dice: _Dice, customer_id: ObjectId) -> Record:
    campaign_id = dice.random.choice(strategies.CAMPAIGNS)
    return {
        "_id": f"{campaign_id}-{customer_id}-{ObjectId()}",
        "campaign_id": campaign_id,
        "customer_id": customer_id,
        "channel": dice.random.choice([*documents.Channel]),
        "status": dice.random.choice([*documents.MessageStatus]),
        **dice.record(sent_at=strategies.INSTANTS, delivered_at=strategies.INSTANTS),
    }
