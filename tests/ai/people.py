"""People whom sentences are about: 160 customers with orders, whose figures sit on and about those that are named."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import documents
from ai.conditions import Ranking
from ai.vocabulary import Attribute, Library, Vocabulary
from segmentation import fields
from segmentation.evaluator import Person, Record

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
COUNT = 160
PLACES: Mapping[str, tuple[str | None, str]] = {
    "Mumbai": ("Maharashtra", "IN"),
    "Pune": ("Maharashtra", "IN"),
    "Nagpur": ("Maharashtra", "IN"),
    "Delhi": ("Delhi", "IN"),
    "Bengaluru": ("Karnataka", "IN"),
    "Mysuru": ("Karnataka", "IN"),
    "Chennai": ("Tamil Nadu", "IN"),
    "Hyderabad": ("Telangana", "IN"),
    "Kolkata": ("West Bengal", "IN"),
    "Jaipur": ("Rajasthan", "IN"),
    "London": ("England", "GB"),
    "Manchester": ("England", "GB"),
    "New York": ("New York", "US"),
    "San Francisco": ("California", "US"),
    "Los Angeles": ("California", "US"),
    "Berlin": ("Berlin", "DE"),
    "Munich": ("Bavaria", "DE"),
    "Paris": ("Île-de-France", "FR"),
    "Dubai": ("Dubai", "AE"),
    "Singapore": (None, "SG"),
}
GOODS = {
    "Shoes": ("Sneakers", "Running shoes"),
    "Books": ("Mystery novel", "Cookbook"),
    "Electronics": ("Phone", "Smart watch", "Tablet"),
    "Grocery": ("Green tea", "Basmati rice 5 kg"),
    "Beauty": ("Perfume", "Lip balm"),
}
TAGS = ("vip", "wholesale", "newsletter", "beta", "at-risk")
COUPONS = ("WELCOME10", "DIWALI20", "FREESHIP", "SUMMER25", "FESTIVE50")
METHODS = ("upi", "card", "cod")
SOURCES = ("web", "store", "referral", "instagram")
ATTRIBUTES = {"plan": ("free", "pro", "enterprise"), "loyaltyTier": ("bronze", "silver", "gold", "platinum")}
_ROUND = "300 499 500 900 1000 1500 2000 2500 3000 4000 5000 7500 8000 10000 12000 15000 20000 25000 32000"
AMOUNTS = tuple(map(Decimal, _ROUND.split()))
STATUSES = ("COMPLETED",) * 12 + ("CANCELLED", "CANCELLED", "REFUNDED", "REFUNDED", "PENDING")
CONSENTS = ("SUBSCRIBED", "SUBSCRIBED", "UNSUBSCRIBED", "UNKNOWN")
VOCABULARY = Vocabulary(
    {
        "city": tuple(PLACES),
        "state": tuple({state for state, _ in PLACES.values() if state}),
        "country": tuple({country for _, country in PLACES.values()}),
        "source": SOURCES,
        "tags": TAGS,
        "coupon": COUPONS,
        "payment.method": METHODS,
        "items.category": tuple(GOODS),
        "items.name": tuple(name for names in GOODS.values() for name in names),
    },
    {"age": Attribute(is_numeric=True), **{name: Attribute(values) for name, values in ATTRIBUTES.items()}},
)


class Shelf(Library):
    """The library of these people, without a database."""

    def __init__(self, population: Sequence[Person]) -> None:
        super().__init__()
        self._population = population

    async def vocabulary(self) -> Vocabulary:
        """The values that they have."""
        return VOCABULARY

    async def threshold(self, ranking: Ranking) -> Decimal:
        """By nearest rank, in the most direct way."""
        field = fields.find(ranking.field)
        assert field
        ranked = sorted(Decimal(str(person.customer[field.path])) for person in self._population)
        below = int(len(ranked) * (100 - ranking.percent if ranking.top else ranking.percent) / 100)
        return ranked[min(below, len(ranked) - 1)]


def people(seed: int = 19) -> list[Person]:
    """The people, the same for the same seed."""
    dice = Random(seed)
    return [_person(dice, number) for number in range(COUNT)]


def _person(dice: Random, number: int) -> Person:
    orders = [_order(dice) for _ in range(dice.choice((0, 0, 1, 1, 2, 3, 4, 5, 6, 8, 10, 13)))]
    customer: dict[str, object] = {
        "external_id": f"customer-{number}",
        "name": f"Customer {number}",
        "tags": [tag for tag in TAGS if dice.random() < 0.3] if dice.random() < 0.8 else [],
        "sms_consent": dice.choice(CONSENTS),
        "email_consent": dice.choice(CONSENTS),
        **_figures(dice, [order for order in orders if order["status"] == "COMPLETED"]),
        **_profile(dice, number),
    }
    return Person(customer | {"folded": documents.folded(customer)}, orders)


def _figures(dice: Random, completed: Sequence[Record]) -> Record:
    """What was bought: in these orders and, by some, before them, without an order."""
    amounts = [amount for order in completed if isinstance(amount := order["amount"], Decimal)]
    dates = [date for order in completed if isinstance(date := order["placed_at"], datetime)]
    total = sum(amounts, Decimal(0))
    average = total / len(amounts) if amounts else Decimal(0)
    if dice.random() < 0.3:
        total += dice.choice(AMOUNTS) * dice.choice((1, 1, 10))
        dates.append(NOW - timedelta(days=dice.randint(500, 900)))
    visits = len(completed) + dice.choice((0, 0, 1, 2, 3, 5, 9, 12))
    figures = {
        "total_spend": total,
        "average_order_value": average,
        "order_count": len(completed),
        "visit_count": visits,
    }
    return figures | ({"last_purchase": max(dates)} if dates else {})


def _profile(dice: Random, number: int) -> Record:
    """Who somebody is, as far as it is known."""
    city = dice.choice(list(PLACES))
    state, country = PLACES[city]
    birthday = datetime(dice.randint(1955, 2005), dice.randint(1, 12), dice.randint(1, 28), tzinfo=UTC)
    age = {"age": (NOW - birthday).days // 365}
    profile = {
        "city": city,
        "state": state,
        "source": dice.choice(SOURCES),
        "email": f"customer-{number}@example.org",
        "phone": f"+91900000{number:04}",
    }
    attributes = {name: dice.choice(values) for name, values in ATTRIBUTES.items() if dice.random() < 0.85}
    known = {name: value for name, value in profile.items() if value and dice.random() < 0.85}
    if dice.random() < 0.2:
        return known | {"country": country, "attributes": attributes}
    return known | {"country": country, "attributes": attributes | age, "birthday": birthday}


def _order(dice: Random) -> Record:
    category = dice.choice(list(GOODS))
    second = dice.choice(list(GOODS))
    days = dice.choice((dice.randint(0, 120), dice.randint(0, 400), dice.randint(0, 1000)))
    order: dict[str, object] = {
        "amount": dice.choice(AMOUNTS),
        "placed_at": NOW - timedelta(days=days, hours=7),
        "status": dice.choice(STATUSES),
        "items": [_item(dice, name) for name in dict.fromkeys((category, second))],
        "payment": {"method": dice.choice(METHODS)},
    }
    return order | ({"coupon": dice.choice(COUPONS)} if dice.random() < 0.3 else {})


def _item(dice: Random, category: str) -> Record:
    return {"category": category, "name": dice.choice(GOODS[category]), "quantity": 1}
