"""Flips: what would have to change for a rule to turn, in words, where that can be said.

A rule that does not hold wants itself, a rule that holds wants its complement; either way there is a test that the
customer's value fails now, and the distance to passing it.
"""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_UP, Context, Decimal

from segmentation import dates, printer
from segmentation.dates import AsOf, Span
from segmentation.tree import COMPLEMENTS, Anchor, Date, Day, Instant, Operand, Operator, Relative, Scalar

_OPPOSITES: Mapping[Operator, Operator] = {
    **COMPLEMENTS,
    **{positive: negative for negative, positive in COMPLEMENTS.items()},
    Operator.LESS: Operator.AT_LEAST,
    Operator.AT_LEAST: Operator.LESS,
    Operator.MORE: Operator.AT_MOST,
    Operator.AT_MOST: Operator.MORE,
}
_WANTED = {
    Operator.EQUAL: "to be {}",
    Operator.NOT_EQUAL: "to be other than {}",
    Operator.IN: "to be one of {}",
    Operator.NOT_IN: "to be none of {}",
    Operator.CONTAINS: "to contain {}",
    Operator.DOES_NOT_CONTAIN: "not to contain {}",
    Operator.BEGINS_WITH: "to begin with {}",
    Operator.DOES_NOT_BEGIN_WITH: "not to begin with {}",
    Operator.ENDS_WITH: "to end with {}",
    Operator.DOES_NOT_END_WITH: "not to end with {}",
    Operator.NOT_NULL: "a value",
    Operator.NULL: "to be cleared",
    Operator.BETWEEN: "to be between {}",
    Operator.NOT_BETWEEN: "to be outside {}",
}
_MOST_LISTED = 5
PLACES = 4  # of a number that was divided
_WIDE = Context(prec=60)  # wider than any number that MongoDB stores
_UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


def of(operator: Operator, value: Operand, actual: object, holds: bool, as_of: AsOf) -> str | None:
    """What is needed, e.g. `needs 420.00 more`; None where there is nothing to say."""
    wanted = _OPPOSITES.get(operator) if holds else operator
    match wanted, value:
        case None, _:
            return None
        case Operator.ANNIVERSARY_IN, Decimal():
            return _wait(actual, int(value), as_of) if isinstance(actual, Day) else "needs a value"
        case Operator.BETWEEN, (low, high) if actual is not None:
            below = _distance(Operator.AT_LEAST, low, actual, as_of)
            return below or _distance(Operator.AT_MOST, high, actual, as_of)
        case _, tuple() | None:
            return _needs(wanted, value)
        case _:
            is_missing = actual is None and wanted not in _WANTED
            return "needs a value" if is_missing else _distance(wanted, value, actual, as_of) or _needs(wanted, value)


def shown(number: Decimal, rounding: str = ROUND_HALF_EVEN) -> str:
    """The number as people read it: exact, but for the endless digits of a mean."""
    is_long = -int(number.as_tuple().exponent) > PLACES
    return format(number.quantize(Decimal(1).scaleb(-PLACES), rounding, _WIDE) if is_long else number, "f")


def _wait(birthday: Day, days: int, as_of: AsOf) -> str:
    """How long until the anniversary is within so many days."""
    month_and_day = birthday.date.month * 100 + birthday.date.day
    ahead = next(ahead for ahead in range(days, 367) if month_and_day in dates.anniversaries(ahead, as_of))
    return f"needs {_counted(ahead - days, 'more day')}"


def _needs(wanted: Operator, value: Operand) -> str | None:
    if wanted not in _WANTED:
        return None
    match value:
        case tuple() if len(value) > _MOST_LISTED:
            return None
        case tuple():
            shown = (" and " if "between" in wanted.lower() else ", ").join(map(printer.scalar, value))
        case None:
            shown = ""
        case _:
            shown = printer.scalar(value)
    return f"needs {_WANTED[wanted].format(shown)}"


def _distance(wanted: Operator, value: Scalar, actual: object, as_of: AsOf) -> str | None:
    """How far the actual value is from passing; None when it passes, or when there is no distance between the two."""
    match value, actual:
        case Decimal(), (int() | float() | Decimal()) if not isinstance(actual, bool):
            missing = value - Decimal(str(actual))
            return (
                _whole(wanted, int(missing))
                if isinstance(actual, int) and missing % 1 == 0
                else _amount(wanted, missing)
            )
        case ((Day() | Instant() | Relative()), datetime()):
            return _time(wanted, value, dates.span(value, as_of), actual)
        case ((Day() | Instant() | Relative()), Day()):
            of_day = dates.span(actual, as_of)
            nearest = of_day.end if wanted in (Operator.LESS, Operator.AT_MOST) else of_day.start
            return _time(wanted, value, dates.span(Day(dates.day(value, as_of)), as_of), nearest)
        case _:
            return None


def _whole(wanted: Operator, missing: int) -> str | None:
    """Among whole numbers what is more than a bound is at least the next one."""
    match wanted:
        case Operator.MORE:
            return _amount(Operator.AT_LEAST, Decimal(missing + 1))
        case Operator.LESS:
            return _amount(Operator.AT_MOST, Decimal(missing - 1))
        case _:
            return _amount(wanted, Decimal(missing))


def _amount(wanted: Operator, missing: Decimal) -> str | None:
    size = shown(abs(missing), ROUND_UP)
    is_more = missing > 0
    match wanted:
        case Operator.AT_LEAST if is_more:
            return f"needs {size} more"
        case Operator.AT_MOST if missing < 0:
            return f"needs {size} less"
        case Operator.MORE if missing >= 0:
            return f"needs more than {size} more" if missing else "needs more"
        case Operator.LESS if missing <= 0:
            return f"needs more than {size} less" if missing else "needs less"
        case Operator.EQUAL if missing:
            return f"needs {size} {'more' if is_more else 'less'}"
        case _:
            return None


def _time(wanted: Operator, value: Date, span: Span, actual: datetime) -> str | None:
    """Before a date that moves with the clock everything comes by waiting."""
    bound = span.start if wanted in (Operator.LESS, Operator.AT_LEAST) else span.end
    is_later = actual >= bound
    if wanted in (Operator.LESS, Operator.AT_MOST) and is_later:
        gap = _length(actual - bound)
        waits = isinstance(value, Relative) and value.anchor is Anchor.NOW
        return f"needs {gap.replace(' ', ' more ', 1)}" if waits else f"needs to be {gap} earlier"
    if wanted in (Operator.MORE, Operator.AT_LEAST) and not is_later:
        return f"needs to be {_length(bound - actual)} later"
    return None


def _length(gap: timedelta) -> str:
    """The time in the largest unit that it fills, rounded up."""
    for name, unit in _UNITS:
        if gap >= unit:
            return _counted(math.ceil(gap / unit), name)
    return "1 minute"


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"
