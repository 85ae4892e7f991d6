"""Literals: the values of rules as JSON, in and out.

Text, numbers, booleans and ISO dates are themselves. A date told from the instant of evaluation is one of

    "now"  "today"  "yesterday", where a date is wanted (in only: in an attribute they would be texts)
    {"ago": {"days": 90}}  {"fromNow": {"weeks": 2}}
    {"startOf": "month"}  {"endOf": "month"}  {"day": "today"}, each also with "before" or "after": {"days": 3}
    {"mode": "relative", "anchor": "startOfMonth", "offset": -1, "unit": "month"}, react-querybuilder's own (in only)
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal

import errors
from segmentation import dates
from segmentation.tree import Anchor, Date, Operand, Relative, Scalar, Unit, named

EXACT_INTEGERS = 2**53  # past it a JSON number may be rounded by who reads it
_COMMA = re.compile(r"(?<!\\),")
_PERIODS = frozenset({"day", "week", "month", "quarter", "year"})
_ANCHOR_KEYS = ("startOf", "endOf", "day")
_NOT_A_VALUE = "A value is a text, a number, true, false or a date."
_NOT_RELATIVE = 'A relative date is {"ago": {"days": 90}}, {"fromNow": {"days": 7}} or {"startOf": "month"}.'


def read(value: object) -> Operand:
    """The value; a list becomes a tuple. Raises InvalidInput, with the index when one of a list is at fault."""
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        return _scalar(value)
    found = []
    for index, one in enumerate(value):
        try:
            found.append(_scalar(one))
        except errors.Fault as fault:
            raise fault.under(str(index)) from fault
    return tuple(found)


def read_list(value: object) -> Operand:
    """Likewise for an operator that takes several: react-querybuilder also writes them as one text with commas."""
    if not isinstance(value, str):
        return read(value)
    parts = (part.replace(r"\,", ",").strip() for part in _COMMA.split(value))
    return tuple(part for part in parts if part)


def length(given: list[object] | str) -> int:
    """How many values `read_list` would find in it, at most."""
    return given.count(",") + 1 if isinstance(given, str) else len(given)


def write(value: Operand) -> object:
    """The JSON of a value, which `read` reads back."""
    match value:
        case None | str() | bool():
            return value
        case Decimal():
            return int(value) if value == int(value) and abs(value) <= EXACT_INTEGERS else float(value)
        case Relative():
            return _write_relative(value)
        case tuple():
            return [write(one) for one in value]
        case _:
            return dates.text(value)


def _scalar(value: object) -> Scalar:
    match value:
        case str() | bool() | Decimal():
            return value
        case float() if not math.isfinite(value):
            raise errors.InvalidInput(_NOT_A_VALUE)
        case int() | float():
            return Decimal(str(value)) if abs(value) < 10**40 else Decimal("Infinity")
        case dict():
            return _relative(value)
        case _:
            raise errors.InvalidInput(_NOT_A_VALUE)


def _relative(value: Mapping[str, object]) -> Date:
    match value:
        case {"mode": "relative", "anchor": str(anchor), "offset": offset}:
            return Relative(_builder_anchor(anchor), _whole(offset), _unit(value.get("unit", "day")))
        case {"ago": amount} if len(value) == 1:
            return _counted(Anchor.NOW, amount, -1)
        case {"fromNow": amount} if len(value) == 1:
            return _counted(Anchor.NOW, amount, 1)
    for key in _ANCHOR_KEYS:
        if key in value:
            return _anchored(key, value)
    raise errors.InvalidInput(_NOT_RELATIVE)


def _anchored(key: str, value: Mapping[str, object]) -> Relative:
    anchor = _anchor(key, value[key])
    match sorted(value.items()):
        case [(_, _)]:
            return Relative(anchor)
        case [("after", amount), (_, _)]:
            return _counted(anchor, amount, 1)
        case [("before", amount), (_, _)]:
            return _counted(anchor, amount, -1)
    raise errors.InvalidInput(_NOT_RELATIVE)


def _anchor(key: str, period: object) -> Anchor:
    if key == "day" and period == "today":
        return Anchor.TODAY
    if key != "day" and period in _PERIODS:
        return Anchor(f"{key.removesuffix('Of')} of {period}")
    raise errors.InvalidInput(_NOT_RELATIVE)


def _builder_anchor(name: str) -> Anchor:
    """The anchor that react-querybuilder calls `now`, `startOfMonth`, `endOfDay` and so on."""
    anchor = named(Anchor, re.sub(r"([A-Z])", r" \1", name).lower())
    if anchor and anchor is not Anchor.TODAY:
        return anchor
    raise errors.InvalidInput(f"There is no anchor {name[:60]!r}; it is now, startOfDay, endOfMonth or the like.")


def _counted(anchor: Anchor, amount: object, sign: int) -> Relative:
    if not isinstance(amount, dict) or len(amount) != 1:
        raise errors.InvalidInput('Say how long as one unit: {"days": 90}.')
    [(unit, count)] = amount.items()
    if _whole(count) < 0:
        raise errors.InvalidInput("Count from 0: before and after, ago and fromNow say the direction.")
    return Relative(anchor, sign * _whole(count), _unit(unit))


def _whole(count: object) -> int:
    number = None if isinstance(count, dict) else _scalar(count)
    if isinstance(number, Decimal) and abs(number) < EXACT_INTEGERS and number == int(number):
        return int(number)
    raise errors.InvalidInput("A relative date counts in whole numbers.")


def _unit(name: object) -> Unit:
    unit = named(Unit, f"{str(name).removesuffix('s')}s")
    if unit:
        return unit
    raise errors.InvalidInput(f"{str(name)[:60]!r} is no unit; it is one of {', '.join(Unit)}.")


def _write_relative(value: Relative) -> dict[str, object]:
    amount = {value.unit.value: abs(value.amount)}
    if value.anchor is Anchor.NOW:
        return {"ago" if value.amount < 0 else "fromNow": amount}
    if value.anchor is Anchor.TODAY:
        anchored: dict[str, object] = {"day": "today"}
    else:
        edge, _, period = value.anchor.split(" ")
        anchored = {f"{edge}Of": period}
    return anchored | ({"before" if value.amount < 0 else "after": amount} if value.amount else {})
