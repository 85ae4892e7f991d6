"""Predicates: one test of one field as a MongoDB filter.

Text is compared on the folded copy, and goes into a regular expression only after everything in it is escaped. The
complement of a test is always `$nor` of it, so that it is exact whatever is missing.

A list in an attribute passes `=`, `in` and the tests of text when any of its elements does; it is neither before nor
after anything. A date in an attribute is ISO text, and compares by its calendar day.
"""

import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from bson import ObjectId

from documents import fold
from segmentation import dates
from segmentation.dates import AsOf
from segmentation.fields import Field, FieldType, Format
from segmentation.filters import NOBODY, Filter, any_of, none_of
from segmentation.tree import Comparison, Date, Operand, Operator, Scalar

ISO_DAY = r"\A\d{4}-\d{2}-\d{2}(?!\d)"
_NO_LIST: Filter = {"$not": {"$type": "array"}}
_COMPARE = {Operator.LESS: "$lt", Operator.AT_MOST: "$lte", Operator.MORE: "$gt", Operator.AT_LEAST: "$gte"}
_INT64 = 2**63


def of(rule: Comparison, field: Field, as_of: AsOf) -> Filter:
    """The filter that selects exactly those for whom the rule holds."""
    positive = _positive(field, rule.operator.positive, rule.value, as_of)
    return none_of(positive) if rule.operator.is_negative else positive


def _positive(field: Field, operator: Operator, value: Operand, as_of: AsOf) -> Filter:
    path = field.folded or field.path
    match operator, value:
        case Operator.NOT_NULL, _:
            return _is_set(field)
        case Operator.ANNIVERSARY_IN, Decimal():
            return _anniversary(field.path, int(value), as_of)
        case Operator.BETWEEN, (low, high):
            return {path: _test(field, Operator.AT_LEAST, low, as_of) | _test(field, Operator.AT_MOST, high, as_of)}
        case _, tuple():
            texts = [_text(field, one) for one in value if isinstance(one, str)]
            found: list[Filter] = [{path: {"$in": texts}}] if texts else []
            for one in value:
                if not isinstance(one, str):
                    found.append({path: _test(field, Operator.EQUAL, one, as_of)})
            return any_of(found)
        case _, None:
            return NOBODY
        case _:
            return {path: _test(field, operator, value, as_of)}


def _test(field: Field, operator: Operator, value: Scalar, as_of: AsOf) -> Filter:
    match value:
        case bool():
            return {"$eq": value}
        case str():
            return _textual(field, operator, value)
        case Decimal():
            return _numeric(field, operator, value)
        case _ if field.type is None:
            return _dated_text(operator, value, as_of)
        case _:
            return _dated(field, operator, value, as_of)


def _is_set(field: Field) -> Filter:
    if field.type is FieldType.LIST:
        return {f"{field.path}.0": {"$exists": True}}
    if field.type is not None:
        return {field.path: {"$ne": None}}
    # `null` would also match a list that has a null in it.
    is_null = {field.path: {"$type": "null"} | _NO_LIST}
    return {"$nor": [{field.path: {"$exists": False}}, {field.path: {"$size": 0}}, is_null]}


def _anniversary(path: str, days: int, as_of: AsOf) -> Filter:
    month_and_day = {"$add": [{"$multiply": [{"$month": f"${path}"}, 100]}, {"$dayOfMonth": f"${path}"}]}
    return {"$expr": {"$in": [month_and_day, sorted(dates.anniversaries(days, as_of))]}}


def _textual(field: Field, operator: Operator, value: str) -> Filter:
    if operator is Operator.EQUAL or field.type is FieldType.LIST:
        return {"$eq": _text(field, value)}
    escaped = re.escape(fold(value))
    match operator:
        case Operator.BEGINS_WITH:
            return {"$regex": rf"\A{escaped}"}
        case Operator.ENDS_WITH:
            return {"$regex": rf"{escaped}\z"}
        case _:
            return {"$regex": escaped}


def _text(field: Field, value: str) -> object:
    if field.format is Format.CAMPAIGN_ID:
        return ObjectId(value)
    return fold(value) if field.folded else value


def _numeric(field: Field, operator: Operator, value: Decimal) -> Filter:
    """A fraction is looked for twice, as a decimal and as the double nearest to it: 0.1 is stored as one or the other.

    Money is only ever stored as decimals.
    """
    low: object = value
    high: object = value
    if field.type is not FieldType.MONEY:
        if value == int(value) and abs(value) < _INT64:
            low = high = int(value)
        else:
            low, high = sorted((value, float(value)))
    if operator is Operator.EQUAL:
        return {"$eq": low} if low == high else {"$in": [low, high]}
    bound = low if operator in (Operator.LESS, Operator.AT_LEAST) else high
    return {_COMPARE[operator]: bound} | (_NO_LIST if field.type is None else {})


def _dated(field: Field, operator: Operator, value: Date, as_of: AsOf) -> Filter:
    if field.format is not Format.CALENDAR_DATE:
        span = dates.span(value, as_of)
        return _within(operator, span.start, span.end)
    midnight = datetime.combine(dates.day(value, as_of), time(), UTC)  # of UTC, as calendar dates are stored
    return _within(operator, midnight, midnight + timedelta(days=1))


def _dated_text(operator: Operator, value: Date, as_of: AsOf) -> Filter:
    day = dates.day(value, as_of)
    if operator is Operator.EQUAL:
        return {"$regex": rf"\A{day.isoformat()}(?!\d)"}
    span = _within(operator, day.isoformat(), (day + timedelta(days=1)).isoformat())
    return span | {"$regex": ISO_DAY} | _NO_LIST


def _within(operator: Operator, start: object, end: object) -> Filter:
    match operator:
        case Operator.LESS:
            return {"$lt": start}
        case Operator.AT_MOST:
            return {"$lt": end}
        case Operator.MORE:
            return {"$gte": end}
        case Operator.AT_LEAST:
            return {"$gte": start}
        case _:
            return {"$gte": start, "$lt": end}
