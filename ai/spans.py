"""Spans: lengths of time in words: 90 days, two weeks, a year and a half, six-month, a quarter of a year."""

from collections.abc import Sequence
from decimal import Decimal

from ai import numbers
from ai.pieces import Span, Window
from ai.words import Word
from segmentation.tree import Anchor, Date, Operator, Relative, Unit

UNITS = {
    **dict.fromkeys(("day", "d", "night"), (1, Unit.DAYS)),
    **dict.fromkeys(("week", "wk", "w"), (1, Unit.WEEKS)),
    **dict.fromkeys(("month", "mo", "mth", "mon"), (1, Unit.MONTHS)),
    **dict.fromkeys(("year", "yr", "y"), (1, Unit.YEARS)),
    **dict.fromkeys(("hour", "hr", "h"), (1, Unit.HOURS)),
    "fortnight": (2, Unit.WEEKS),
    "quarter": (3, Unit.MONTHS),
    "decade": (10, Unit.YEARS),
}
_SPANS = {
    ("half", "a", "year"): Span(6, Unit.MONTHS),
    ("half", "year"): Span(6, Unit.MONTHS),
    ("a", "half", "year"): Span(6, Unit.MONTHS),
    ("quarter", "of", "a", "year"): Span(3, Unit.MONTHS),
    ("quarter", "year"): Span(3, Unit.MONTHS),
    ("year", "and", "a", "half"): Span(18, Unit.MONTHS),
    ("one", "and", "a", "half", "year"): Span(18, Unit.MONTHS),
    ("two", "and", "a", "half", "year"): Span(30, Unit.MONTHS),
    ("month", "and", "a", "half"): Span(45, Unit.DAYS),
    ("one", "and", "a", "half", "month"): Span(45, Unit.DAYS),
    ("half", "a", "month"): Span(15, Unit.DAYS),
    ("few", "day"): Span(3, Unit.DAYS),
    ("few", "week"): Span(3, Unit.WEEKS),
    ("few", "month"): Span(3, Unit.MONTHS),
    ("couple", "day"): Span(2, Unit.DAYS),
    ("couple", "week"): Span(2, Unit.WEEKS),
    ("couple", "month"): Span(2, Unit.MONTHS),
}
_ARTICLES = {"a", "an", "the", "one", "full", "whole", "good", "entire", "about", "around", "roughly", "approximately"}
_FIRST = {phrase[0] for phrase in _SPANS}
LONGEST = 20_000  # of any unit: dates go back no further than the year 1000
WORDS = frozenset(UNITS) | {"fortnight", "few"}


def read(words: Sequence[Word], start: int) -> tuple[Span | None, int]:
    """A length of time: 90 days, two weeks, a year and a half, six-month, the year. None when there is none here."""
    at = start
    while at < len(words) and words[at].key in _ARTICLES:
        at += 1
    for phrase, span in _SPANS.items() if at < len(words) and words[at].key in _FIRST else ():
        if _keys(words, at, len(phrase)) == phrase:
            return span, at + len(phrase)
        if phrase[0] == "couple" and _keys(words, at, 3) == ("couple", "of", phrase[1]):
            return span, at + 3
    number = numbers.read(words, start) or (numbers.read(words, at) if at > start else None)
    end = number.end if number else at
    if end < len(words) and words[end].key == "+":
        end += 1
    while end < len(words) and words[end].key in ("full", "calendar", "whole", "good", "of", "consecutive"):
        end += 1
    if end >= len(words) or words[end].key not in UNITS or (number is None and len(words[end].key) < 3):
        return None, start
    found = of(number.value if number else Decimal(1), words[end].key)
    return found, end + 1 if found else start


def of(value: Decimal, unit_key: str) -> Span | None:
    """So many of a unit, halves too; None for what no unit can tell."""
    size, unit = UNITS[unit_key]
    count = value * size
    if not 0 < count <= LONGEST or count * 2 != int(count * 2):
        return None
    return Span(int(count), unit) if count == int(count) else _halved(int(count * 2), unit)


def _halved(halves: int, unit: Unit) -> Span | None:
    """Half a unit more is told in the next smaller one: 1.5 years, 2.5 weeks."""
    match unit:
        case Unit.YEARS:
            return Span(6 * halves, Unit.MONTHS)
        case Unit.MONTHS:
            return Span(15 * halves, Unit.DAYS)
        case Unit.DAYS:
            return Span(12 * halves, Unit.HOURS)
        case Unit.WEEKS:
            return Span(84 * halves, Unit.HOURS)
        case _:
            return None


def ago(span: Span) -> Relative:
    """The instant so long ago."""
    return Relative(Anchor.NOW, -span.amount, span.unit)


def recently(days: int) -> Window:
    """What "recently" is taken to mean."""
    return Window(((Operator.AT_LEAST, ago(Span(days, Unit.DAYS))),))


def in_order(near: Span, far: Span) -> tuple[Date, Date]:
    """The two instants, the earlier first."""
    lengths = {Unit.HOURS: 1 / 24, Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 30.4, Unit.YEARS: 365.25}
    if near.amount * lengths[near.unit] > far.amount * lengths[far.unit]:
        near, far = far, near
    return ago(far), ago(near)


def _keys(words: Sequence[Word], at: int, count: int) -> tuple[str, ...]:
    return tuple(word.key for word in words[at : at + count])
