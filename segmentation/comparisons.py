"""Comparisons: one stored value held against a rule's, in plain Python. The twin of predicates."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from documents import fold
from segmentation import dates
from segmentation.dates import AsOf
from segmentation.fields import Field, FieldType, Format
from segmentation.tree import Date, Operand, Operator, Scalar

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_ORDERING = frozenset({Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST, Operator.BETWEEN})
T = TypeVar("T", Decimal, float, str, date)


def holds(field: Field, operator: Operator, actual: object, value: Operand, as_of: AsOf) -> bool:
    """Whether what is stored passes the test; a negative one is the complement of its positive twin."""
    if operator.is_negative:
        return not holds(field, operator.positive, actual, value, as_of)
    if operator is Operator.NOT_NULL:
        return actual is not None and actual != []
    if isinstance(actual, list):
        return _some_holds(field, operator, actual, value, as_of)
    match operator, value:
        case Operator.ANNIVERSARY_IN, Decimal():
            return _is_anniversary(actual, int(value), as_of)
        case Operator.BETWEEN, (low, high):
            return _holds(field, Operator.AT_LEAST, actual, low, as_of) and _holds(
                field, Operator.AT_MOST, actual, high, as_of
            )
        case Operator.IN, tuple():
            return any(_holds(field, Operator.EQUAL, actual, one, as_of) for one in value)
        case _, None | tuple():
            return False
        case _:
            return _holds(field, operator, actual, value, as_of)


def number_holds(operator: Operator, actual: Decimal | None, value: Operand) -> bool:
    """Whether a figure worked out of orders or messages passes the test."""
    if operator.is_negative:
        return not number_holds(operator.positive, actual, value)
    if actual is None:
        return False
    match operator, value:
        case Operator.NOT_NULL, _:
            return True
        case Operator.BETWEEN, (Decimal() as low, Decimal() as high):
            return low <= actual <= high
        case Operator.IN, tuple():
            return actual in value
        case _, Decimal():
            return _compares(operator, actual, value)
        case _:
            return False


def _some_holds(field: Field, operator: Operator, actual: list[object], value: Operand, as_of: AsOf) -> bool:
    """Whether an element passes: of tags, those that are the value; of an attribute, nothing that has an order."""
    if field.type is FieldType.LIST and operator is Operator.CONTAINS:
        operator = Operator.EQUAL
    if operator in _ORDERING:
        return False
    return any(not isinstance(one, list) and holds(field, operator, one, value, as_of) for one in actual)


def _is_anniversary(actual: object, days: int, as_of: AsOf) -> bool:
    return isinstance(actual, datetime) and actual.month * 100 + actual.day in dates.anniversaries(days, as_of)


def _holds(field: Field, operator: Operator, actual: object, value: Scalar, as_of: AsOf) -> bool:
    match value:
        case bool():
            return actual is value
        case str():
            return actual is not None and _text_holds(field, operator, actual, value)
        case Decimal():
            return _number_holds(operator, actual, value)
        case _:
            return _date_holds(field, operator, actual, value, as_of)


def _text_holds(field: Field, operator: Operator, actual: object, value: str) -> bool:
    if field.format is Format.CAMPAIGN_ID:
        return str(actual) == value
    if not isinstance(actual, str):
        return False
    have, want = fold(actual), fold(value)
    match operator:
        case Operator.CONTAINS:
            return want in have
        case Operator.BEGINS_WITH:
            return have.startswith(want)
        case Operator.ENDS_WITH:
            return have.endswith(want)
        case _:
            return have == want


def _number_holds(operator: Operator, actual: object, value: Decimal) -> bool:
    match actual:
        case bool():
            return False
        case float():
            return _compares(operator, actual, float(value))
        case int() | Decimal():
            return _compares(operator, Decimal(actual), value)
        case _:
            return False


def _date_holds(field: Field, operator: Operator, actual: object, value: Date, as_of: AsOf) -> bool:
    match actual:
        case datetime() if field.format is Format.CALENDAR_DATE:
            return _compares(operator, actual.date(), dates.day(value, as_of))
        case datetime():
            return _instant_holds(operator, actual, dates.span(value, as_of))
        case str() if _ISO_DAY.match(fold(actual)):
            return _compares(operator, fold(actual)[:10], dates.day(value, as_of).isoformat())
        case _:
            return False


def _instant_holds(operator: Operator, actual: datetime, span: dates.Span) -> bool:
    match operator:
        case Operator.LESS:
            return actual < span.start
        case Operator.AT_MOST:
            return actual < span.end
        case Operator.MORE:
            return actual >= span.end
        case Operator.AT_LEAST:
            return actual >= span.start
        case _:
            return span.start <= actual < span.end


def _compares(operator: Operator, actual: T, value: T) -> bool:
    match operator:
        case Operator.LESS:
            return actual < value
        case Operator.AT_MOST:
            return actual <= value
        case Operator.MORE:
            return actual > value
        case Operator.AT_LEAST:
            return actual >= value
        case _:
            return actual == value
