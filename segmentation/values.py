"""Values: what is given in a rule, read as the type of the field it is held against, or refused with the reason.

Both languages bring a string, a number, a boolean or a date; each field's type says which of them it takes, and what
else it reads from text (a number typed into a form, an ISO date from JSON). Values come out in one canonical form.
"""

import re
from decimal import Decimal

from bson import ObjectId

import errors
from segmentation import dates
from segmentation.fields import Field, FieldType, Format
from segmentation.tree import Anchor, Date, Day, Instant, Operator, Relative, Scalar, Unit

MAX_TEXT = 1_000
MAX_DIGITS = 15  # what a JSON number carries without loss
MAX_YEARS = 1_000  # of a relative date
_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?", re.ASCII)
_WORDS = {"now": Relative(Anchor.NOW), "today": Relative(Anchor.TODAY), "yesterday": Relative(Anchor.TODAY, -1)}
_PER_YEAR = {
    Unit.MINUTES: 525_600,
    Unit.HOURS: 8_760,
    Unit.DAYS: 365,
    Unit.WEEKS: 52,
    Unit.MONTHS: 12,
    Unit.YEARS: 1,
}
_EQUALITY = frozenset({Operator.EQUAL, Operator.IN})
_ORDERING = frozenset({Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST, Operator.BETWEEN})


def read(field: Field, operator: Operator, value: Scalar) -> Scalar:
    """The value as this field compares it; raises InvalidInput or TooLarge when it is not one."""
    if operator is Operator.ANNIVERSARY_IN:
        return _days_ahead(value)
    match field.type:
        case None:
            return _attribute(field, operator.positive, value)
        case FieldType.NUMBER | FieldType.MONEY:
            return number(field.name, value)
        case FieldType.DATE:
            return _date(field, value)
        case FieldType.ENUM:
            return _choice(field, value)
        case _:
            return _checked(field, operator.positive, _text(field.name, value))


def number(name: str, value: Scalar) -> Decimal:
    """The number, without idle zeros; a text that holds one will do."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, Decimal) or not value.is_finite():
        raise errors.InvalidInput(f"{name} is compared with a number.")
    _, digits, exponent = value.as_tuple()
    if len(digits) + abs(int(exponent)) > 2 * MAX_DIGITS:
        raise errors.InvalidInput(f"A number has at most {MAX_DIGITS} digits.")
    plain = format(value, "f")
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    if len(plain.replace(".", "").strip("-0")) > MAX_DIGITS:
        raise errors.InvalidInput(f"A number has at most {MAX_DIGITS} digits.")
    return abs(Decimal(plain)) if value == 0 else Decimal(plain)


def _days_ahead(value: Scalar) -> Decimal:
    days = number("anniversaryIn", value)
    if days != int(days) or not 0 <= days <= 366:
        raise errors.InvalidInput("An anniversary is looked for 0 (today) to 366 days ahead.")
    return days


def _date(field: Field, value: Scalar) -> Date:
    if isinstance(value, str):
        word = _WORDS.get(value.strip().lower())
        value = word or dates.read(value.strip()) or value
    match value:
        case Relative(anchor, amount, unit):
            if abs(amount) > MAX_YEARS * _PER_YEAR[unit]:
                raise errors.InvalidInput(f"A relative date goes at most {MAX_YEARS} years away.")
            if anchor is Anchor.TODAY and unit in (Unit.MINUTES, Unit.HOURS):
                raise errors.InvalidInput("Today is a whole day: count days, weeks, months or years from it.")
            return value if amount else Relative(anchor)
        case Day() | Instant():
            return value
        case _:
            raise errors.InvalidInput(
                f"{field.name} is compared with a date: 2026-01-31, 2026-01-31T10:00:00Z, 90 days ago, today."
            )


def _choice(field: Field, value: Scalar) -> str:
    text = _text(field.name, value).strip()
    if field.format is Format.CAMPAIGN_ID:
        if not ObjectId.is_valid(text):
            raise errors.InvalidInput(f"{field.name} is compared with the id of a campaign.")
        return text.lower()
    if text.upper() not in field.values:
        raise errors.InvalidInput(f"{field.name} is one of {', '.join(field.values)}.")
    return text.upper()


def _attribute(field: Field, operator: Operator, value: Scalar) -> Scalar:
    """An attribute takes the type of what it is compared with, an ISO date in a text included."""
    if operator not in _EQUALITY | _ORDERING:
        return _text(field.name, value)
    if isinstance(value, str):
        value = dates.read(value.strip()) or _text(field.name, value)
    match value:
        case Decimal():
            return number(field.name, value)
        case Day() | Instant() | Relative():
            return _date(field, value)
        case _ if operator in _ORDERING:
            raise errors.InvalidInput(f"With {operator}, {field.name} is compared with a number or a date.")
        case _:
            return value


def _text(name: str, value: Scalar) -> str:
    if not isinstance(value, str):
        raise errors.InvalidInput(f"{name} is compared with a text.")
    if not value.strip():
        raise errors.InvalidInput("The text is empty; ask whether the field is set instead.")
    if len(value) > MAX_TEXT:
        raise errors.TooLarge(f"A text has at most {MAX_TEXT:,} characters.")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise errors.InvalidInput("The text has a character that no stored text can have.")
    return value


def _checked(field: Field, operator: Operator, text: str) -> str:
    if field.format is Format.COUNTRY_CODE and operator in _EQUALITY:
        code = text.strip().upper()
        if not (len(code) == 2 and code.isascii() and code.isalpha()):
            raise errors.InvalidInput(f"{field.name} is compared with {field.format}.")
        return code
    return text
