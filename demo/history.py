"""CDNOW: the purchases of 23,570 customers who first bought in early 1997, 69,659 orders until June 1998.

Peter Fader and Bruce Hardie's data set, as it ships in the wheel of `lifetimes`. It has no names and no addresses, so
they are made up here: the same ones at every run, e-mails at example.com, phones out of the numbers 555-0100 to
555-0199 that the North American plan reserves for fiction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import phonenumbers

FIRST_NAMES = (
    "Asha Ben Carla Dmitri Elena Farid Grace Hiro Ines Jamal Kira Liam Maya Noor Omar Priya Quinn Rosa Sven Tara Uma "
    "Viktor Wanda Xavier Yara Zoe Anil Bea Chen Dana"
).split()
LAST_NAMES = (
    "Abbott Bauer Costa Desai Evans Fischer Garcia Haddad Ivanov Jensen Khan Lopez Mehta Novak Okafor Patel Quist "
    "Rossi Schmidt Tanaka Usman Vega Weber Xu Yilmaz Zhang Arora Brown Clarke Dubois Eriksson"
).split()
CITIES = "Boston Chicago Denver Houston Miami Phoenix Portland Seattle".split()
FICTIONAL_LINES = 100  # 555-0100 to 555-0199, in each area


@dataclass(frozen=True, slots=True)
class Purchase:
    """One line of the file."""

    number: int
    customer: str
    placed_at: datetime
    amount: Decimal

    def order(self) -> dict[str, object]:
        """The purchase as an OrderInput."""
        return {
            "externalId": f"cdnow-order-{self.number:05}",
            "customer": {"externalId": self.customer},
            "placedAt": self.placed_at.isoformat(),
            "amount": str(self.amount),
        }


def read(path: Path) -> list[Purchase]:
    """Every purchase of the file, in its order."""
    lines = path.read_text().splitlines()[1:]
    return [_purchase(number, line) for number, line in enumerate(lines, 1)]


def customers(purchases: list[Purchase]) -> list[dict[str, object]]:
    """A CustomerInput for everyone who bought."""
    ids = dict.fromkeys(purchase.customer for purchase in purchases)
    return [_person(external_id, phone) for external_id, phone in zip(ids, _phones(), strict=False)]


def _purchase(number: int, line: str) -> Purchase:
    customer, day, _, dollars = line.split()
    placed_at = datetime.strptime(day, "%Y%m%d").replace(hour=12, tzinfo=UTC)
    return Purchase(number, f"cdnow-{customer}", placed_at, Decimal(dollars))


def _person(external_id: str, phone: str) -> dict[str, object]:
    number = int(external_id.removeprefix("cdnow-"))
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[number // len(FIRST_NAMES) % len(LAST_NAMES)]
    return {
        "externalId": external_id,
        "name": f"{first} {last}",
        "email": f"{first}.{last}.{number}@example.com".lower(),
        "phone": phone,
        "city": CITIES[number * 7 % len(CITIES)],
        "country": "US",
        "source": "cdnow",
        "smsConsent": "SUBSCRIBED",
    }


def _phones() -> Iterator[str]:
    for area in range(200, 1000):
        if phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area}5550100")):
            yield from (f"+1{area}555{100 + line:04}" for line in range(FICTIONAL_LINES))
