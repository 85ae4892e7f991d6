"""Reading what was sent for one field: each reader gives the value as it is stored, or raises InvalidInput saying why.

Whatever was sent may arrive here, of whatever JSON type: the readers are where types are checked.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import email_validator
import orjson

import documents
import errors
from ingestion import money

Reader = Callable[[object], object]
E = TypeVar("E", bound=StrEnum)

LONGEST_TEXT = 200
LARGEST_COUNT = 1_000_000_000  # a count and the orders that add to it stay within GraphQL's Int
MOST_TAGS = 100
MOST_ATTRIBUTE_BYTES = 16_384
LONGEST_ATTRIBUTE_NAME = 64
DEEPEST_ATTRIBUTE = 8
LARGEST_INT = 2**63 - 1

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Somewhere on Earth it is already tomorrow: UTC+14 is the first.
_EARLIEST_MIDNIGHT = timedelta(hours=14)

# What email-validator accepts as it stands, at a twentieth of the time; whatever else it is asked about.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]{1,31}(\.[a-z0-9_+-]{1,31})?@([a-z0-9]{1,60}\.){1,3}(?!arpa|invalid|local|localhost|onion|test)[a-z]{2,12}"
)


def text(sent: object, longest: int = LONGEST_TEXT) -> str | None:
    """A text without the space around it; None for an empty one."""
    if not isinstance(sent, str):
        raise errors.InvalidInput("This must be a text.")
    if not sent.isascii() and any("\ud800" <= character <= "\udfff" for character in sent):
        raise errors.InvalidInput("This is not valid Unicode: it has half of a surrogate pair.")
    if "\0" in sent:
        raise errors.InvalidInput("This contains a NUL character.")
    trimmed = sent.strip()
    if len(trimmed) > longest:
        raise errors.InvalidInput(f"This is longer than {longest} characters.")
    return trimmed or None


def filled(sent: object, longest: int = LONGEST_TEXT) -> str:
    """A text that is not empty."""
    read = text(sent, longest)
    if read is None:
        raise errors.InvalidInput("This is empty. Leave it out to leave it as it is, or give null to clear it.")
    return read


def email(sent: object) -> str:
    """An e-mail address in the form in which addresses are compared; whether it can be delivered to is not asked."""
    address = documents.fold(filled(sent))
    if _PLAIN_EMAIL.fullmatch(address):
        return address
    try:
        # Its test environment is one in which addresses at .test, which RFC 6761 keeps for tests, are valid.
        valid = email_validator.validate_email(address, check_deliverability=False, test_environment=True)
    except email_validator.EmailNotValidError as error:
        raise errors.InvalidInput(f"This is not an e-mail address: {error}") from error
    return documents.fold(valid.normalized)


def choice(kind: type[E]) -> Callable[[object], E]:
    """A reader of the names in an enum."""

    def read(sent: object) -> E:
        try:
            return kind(str(sent))
        except ValueError as error:
            raise errors.InvalidInput(f"This must be one of {', '.join(kind)}.") from error

    return read


def count(sent: object, least: int = 0) -> int:
    """A whole number of things."""
    if not isinstance(sent, int) or isinstance(sent, bool) or not least <= sent <= LARGEST_COUNT:
        raise errors.InvalidInput(f"This must be a whole number from {least} to {LARGEST_COUNT:,}.")
    return sent


def amount(currency: str) -> Callable[[object], Decimal]:
    """A reader of amounts of money: not negative, and with no more decimals than the currency has."""
    unit = money.unit(currency)
    places = -int(unit.as_tuple().exponent)

    def read(sent: object) -> Decimal:
        if not isinstance(sent, Decimal) or not sent.is_finite():
            raise errors.InvalidInput('This must be a decimal number, such as "12.50".')
        if not 0 <= sent <= money.LARGEST_AMOUNT:
            raise errors.InvalidInput(f"This must be from 0 to {money.LARGEST_AMOUNT:,}.")
        rounded = sent.quantize(unit)
        if rounded != sent:
            raise errors.InvalidInput(f"{currency} has {places} decimals, and this has more.")
        return abs(rounded)  # never the negative zero, which would print as "-0.00"

    return read


def instant(sent: object) -> datetime:
    """A point in time."""
    if not isinstance(sent, datetime) or sent.tzinfo is None:
        raise errors.InvalidInput("This must be an RFC 3339 time with offset, such as 2026-01-31T10:00:00Z.")
    return sent


def birthday(now: datetime) -> Callable[[object], datetime]:
    """A reader of dates of birth, which are stored as that day's midnight in UTC."""

    def read(sent: object) -> datetime:
        written = filled(sent)
        try:
            day = date.fromisoformat(written) if _DATE.fullmatch(written) else None
        except ValueError:
            day = None
        if day is None:
            raise errors.InvalidInput("This must be a date of the calendar, such as 1990-12-31.")
        if day > (now + _EARLIEST_MIDNIGHT).date():
            raise errors.InvalidInput("Nobody is born in the future.")
        return datetime(day.year, day.month, day.day, tzinfo=UTC)

    return read


def tags(sent: object) -> list[str]:
    """Tags in their order, each once however it is written; empty ones are left out."""
    if not isinstance(sent, list):
        raise errors.InvalidInput("This must be a list of texts.")
    if len(sent) > MOST_TAGS:
        raise errors.InvalidInput(f"A customer has at most {MOST_TAGS} tags.")
    distinct: dict[str, str] = {}
    for each in sent:
        if tag := text(each):
            distinct.setdefault(documents.fold(tag), tag)
    return list(distinct.values())


class Named(dict[str, object]):
    """Attributes that are given one by one: others stay as they are, and null takes one away."""


def attributes(sent: object) -> dict[str, object]:
    """A JSON object that MongoDB can keep and segments can ask for by name; names with null are left out, unless it
    is for whoever knows the others to leave them out."""
    if not isinstance(sent, dict):
        raise errors.InvalidInput("This must be a JSON object.")
    _check_json(sent, DEEPEST_ATTRIBUTE)
    if len(orjson.dumps(sent)) > MOST_ATTRIBUTE_BYTES:
        raise errors.InvalidInput(f"The attributes take more than {MOST_ATTRIBUTE_BYTES:,} bytes as JSON.")
    return sent if isinstance(sent, Named) else {name: value for name, value in sent.items() if value is not None}


def _check_json(value: object, levels: int) -> None:
    match value:
        case dict() | list() if levels == 0:
            raise errors.InvalidInput(f"Attributes nest at most {DEEPEST_ATTRIBUTE} levels deep.")
        case dict():
            for name, item in value.items():
                _check_name(name)
                _check_json(item, levels - 1)
        case list():
            for item in value:
                _check_json(item, levels - 1)
        case str():
            text(value, MOST_ATTRIBUTE_BYTES)
        case None | bool():
            pass
        case int() if abs(value) <= LARGEST_INT:
            pass
        case float() if math.isfinite(value):
            pass
        case _:
            raise errors.InvalidInput("Attributes hold texts, booleans, lists, objects and numbers of at most 64 bits.")


def _check_name(name: object) -> None:
    if not (text(name, LONGEST_ATTRIBUTE_NAME) and name == str(name).strip()):
        raise errors.InvalidInput("The name of an attribute may not be empty or have space around it.")
    if "." in str(name) or str(name).startswith("$"):
        raise errors.InvalidInput(f'The name of an attribute has no "." and no leading "$": {name!r}.')
