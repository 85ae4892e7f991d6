"""Periods: a day, month, quarter, year or decade that a sentence names, whole.

1 June 2026, June 1st, 2026-06-01, March 2026, Q2 2026, the first half of 2025, the nineties, yesterday, last month.
A day or month without a year is its latest that has begun.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from ai.pieces import Test, Window
from ai.words import Kind, Word
from segmentation.tree import Anchor, Date, Day, Operator, Relative, Unit

_MONTHS = {
    **{name.lower(): number for number, name in enumerate(calendar.month_name) if number},
    **{name.lower(): number for number, name in enumerate(calendar.month_abbr) if number},
    "sept": 9,
}
_ALSO_WORDS = {"may", "march", "mar", "dec", "sun"}  # a month only where a date may stand, or with a capital
_BEFORE_A_MONTH = {
    "in",
    "since",
    "before",
    "after",
    "of",
    "by",
    "until",
    "till",
    "during",
    "and",
    "to",
    "from",
    "last",
    "-",
    "between",
    "this",
}
_DECADES = {
    "sixty": 1960,
    "seventy": 1970,
    "eighty": 1980,
    "ninety": 1990,
    "60": 1960,
    "70": 1970,
    "80": 1980,
    "90": 1990,
}
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
UNITS = {
    "week": (Anchor.START_OF_WEEK, 1, Unit.WEEKS),
    "month": (Anchor.START_OF_MONTH, 1, Unit.MONTHS),
    "quarter": (Anchor.START_OF_QUARTER, 3, Unit.MONTHS),
    "year": (Anchor.START_OF_YEAR, 1, Unit.YEARS),
}
_SPLIT = re.compile(r"[/.-]")
LEAP_YEAR = 2024
YEARS = range(1900, 2101)
WORDS = frozenset(_MONTHS) | {"yesterday", "today", "quarter"} | UNITS.keys()


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of whole days, from the first instant of `start`; `end` is its last day, or the instant it ends at.

    Without `has_year` it was said without one: a range may leave the year to its other end.
    """

    start: Date
    end: Date
    words_end: int
    has_year: bool = True
    note: str = ""

    @property
    def within(self) -> Window:
        """In the period."""
        if self.start == self.end:
            return Window(((Operator.EQUAL, self.start),), closed=True, note=self.note)
        if isinstance(self.end, Day):
            return Window(((Operator.BETWEEN, self.start, self.end),), closed=True, note=self.note)
        closed = self.end != Relative(Anchor.NOW)
        tests: tuple[Test, ...] = ((Operator.AT_LEAST, self.start),)
        return Window((*tests, (Operator.LESS, self.end)) if closed else tests, closed=closed, note=self.note)

    @property
    def since(self) -> Window:
        """In the period or after it."""
        return Window(((Operator.AT_LEAST, self.start),), note=self.note)

    @property
    def after(self) -> Window:
        """When it is over."""
        operator = Operator.MORE if self._ends_with_a_day else Operator.AT_LEAST
        return Window(((operator, self.end),), note=self.note)

    @property
    def before(self) -> Window:
        """Before it begins."""
        return Window(((Operator.LESS, self.start),), note=self.note)

    @property
    def until(self) -> Window:
        """In the period or before it."""
        operator = Operator.AT_MOST if self._ends_with_a_day else Operator.LESS
        return Window(((operator, self.end),), note=self.note)

    def up_to(self, other: "Period") -> Window:
        """From the beginning of this one to the end of another."""
        (ending,) = other.until.tests
        if isinstance(self.start, Day) and ending[0] is Operator.AT_MOST:
            return Window(((Operator.BETWEEN, self.start, ending[1]),), closed=True, note=self.note or other.note)
        return Window(((Operator.AT_LEAST, self.start), ending), closed=True, note=self.note or other.note)

    @property
    def _ends_with_a_day(self) -> bool:
        return isinstance(self.end, Day) or (isinstance(self.end, Relative) and self.end.anchor is Anchor.TODAY)


def read(words: Sequence[Word], start: int, today: date) -> Period | None:
    """The longest period whose name begins with this word, if one does."""
    if start >= len(words):
        return None
    at = start + (words[start].key == "the")
    found = [
        period
        for reader in (
            _numeric,
            _day_and_month,
            _month_and_day,
            _month,
            _part_of_year,
            _decade,
            _year,
            _relative,
            _edge,
        )
        if at < len(words) and (period := reader(words, at, today))
    ]
    return max(found, key=lambda period: period.words_end, default=None)


def in_year_of(period: Period, other: Period) -> Period:
    """The period, in the other's year when it was said without one: June to August 2026."""
    if period.has_year or not (isinstance(period.start, Day) and isinstance(period.end, Day)):
        return period
    if not isinstance(other.start, Day):
        return period
    year = other.start.date.year
    if period.start.date.month > other.start.date.month:
        year -= 1  # November to February 2026
    first, days = period.start.date.replace(year=year), period.end.date - period.start.date
    return replace(period, start=Day(first), end=Day(first + days), has_year=True, note="")


def is_reversed(first: Period, second: Period) -> bool:
    """Whether two periods of the calendar are told backwards."""
    return isinstance(first.start, Day) and isinstance(second.end, Day) and first.start.date > second.end.date


def impossible(words: Sequence[Word], today: date) -> str | None:
    """The text of a date that no calendar has: 31 February, 2026-13-01."""
    for at, word in enumerate(words):
        if word.kind is Kind.DATE and read(words, at, today) is None:
            return word.text
        month = _month_number(words, at, named=True)
        day, _ = _day_number(words, max(0, at - 1)) if month else (None, at)
        if month and day and day > calendar.monthrange(LEAP_YEAR, month)[1]:
            return f"{day} {calendar.month_name[month]}"
    return None


def _numeric(words: Sequence[Word], at: int, today: date) -> Period | None:
    if words[at].kind is not Kind.DATE:
        return None
    first, second, third = map(int, _SPLIT.split(words[at].key))
    if first > 31:
        return _one_day(first, second, third, at + 1)
    if second > 12:
        return _one_day(third, first, second, at + 1)
    day = _one_day(third, second, first, at + 1)
    ambiguous = first <= 12 and first != second
    said = date(2000, second, 1).strftime("%B") if ambiguous else ""
    return replace(day, note=f"{words[at].text} is read as day/month/year, {first} {said}") if day and said else day


def _day_and_month(words: Sequence[Word], at: int, today: date) -> Period | None:
    """15 March 2026, the 1st of July, 3rd Sep."""
    day, end = _day_number(words, at)
    if day is None:
        return None
    end += _is(words, end, "of")
    month = _month_number(words, end, named=True)
    return _dated(words, end + 1, month, day, today) if month else None


def _month_and_day(words: Sequence[Word], at: int, today: date) -> Period | None:
    """March 15, 2026; Sep 3rd."""
    month = _month_number(words, at, named=False)
    if month is None:
        return None
    day, end = _day_number(words, at + 1 + _is(words, at + 1, "the"))
    return _dated(words, end, month, day, today) if day else None


def _dated(words: Sequence[Word], end: int, month: int, day: int, today: date) -> Period | None:
    year, year_end = _year_after(words, end)
    if year:
        return _one_day(year, month, day, year_end)
    latest = _one_day(today.year, month, day, end) or _one_day(today.year - 1, month, day, end)
    if latest and isinstance(latest.start, Day) and latest.start.date > today:
        latest = _one_day(today.year - 1, month, day, end)
    if not latest or not isinstance(latest.start, Day):
        return None
    said = f"{day} {calendar.month_name[month]}"
    return replace(latest, has_year=False, note=f"{said} is that of {latest.start.date.year}")


def _month(words: Sequence[Word], at: int, today: date) -> Period | None:
    month = _month_number(words, at, named=False)
    if month is None:
        return None
    year, end = _year_after(words, at + 1)
    if year:
        return _months(year, month, 1, end)
    year = today.year if month <= today.month else today.year - 1
    if _is(words, at - 1, "last") and month == today.month:
        year -= 1
    period = _months(year, month, 1, at + 1)
    return replace(period, has_year=False, note=f"{calendar.month_name[month]} is that of {year}")


def _part_of_year(words: Sequence[Word], at: int, today: date) -> Period | None:
    """Q2 2026, 2026 Q2, H1 2025, the second quarter of 2026, the first half of this year."""
    year_first, start = _year_after(words, at)
    key = words[start].key if start < len(words) else ""
    match = re.fullmatch(r"([qh])([1-4])", key)
    if match:
        part, number, end = match[1], int(match[2]), start + 1
    elif key in _ORDINALS and start + 1 < len(words) and words[start + 1].key in ("quarter", "half"):
        part, end = words[start + 1].key[0], start + 2
        number = 2 if part == "h" and key == "last" else _ORDINALS[key]
        if not (_is(words, end, "of") or year_first or _year_after(words, end)[0]):
            return None  # "the last quarter" is no part of a year that was named
    else:
        return None
    year, end = (year_first, end) if year_first else _year_after(words, end)
    if year is None and _keys(words, end, 3) in (("of", "this", "year"), ("of", "the", "year")):
        year, end = today.year, end + 3
    elif year is None and _keys(words, end, 3) == ("of", "last", "year"):
        year, end = today.year - 1, end + 3
    length = 3 if part == "q" else 6
    if number * length > 12:
        return None
    chosen = year or (today.year if (number - 1) * length < today.month else today.year - 1)
    note = "" if year else f"{key.upper()} is that of {chosen}"
    return replace(_months(chosen, (number - 1) * length + 1, length, end), note=note)


def _decade(words: Sequence[Word], at: int, today: date) -> Period | None:
    """The nineties, the 1990s, the '80s."""
    key, end = words[at].key, at + 1
    if key == "'":
        key, end = (words[end].key if end < len(words) else ""), end + 1
    if key not in _DECADES and not (key.isdigit() and int(key) in YEARS and int(key) % 10 == 0):
        return None
    if words[end - 1].kind is Kind.NUMBER:
        if not _is(words, end, "s"):
            return None
        end += 1
    elif not words[end - 1].text.lower().endswith("ies"):
        return None
    first = _DECADES.get(key) or int(key)
    return Period(Day(date(first, 1, 1)), Day(date(first + 9, 12, 31)), end)


def _year(words: Sequence[Word], at: int, today: date) -> Period | None:
    year, end = _year_after(words, at)
    if year is None or _is(words, end, "s"):
        return None
    return _months(year, 1, 12, end)


def _relative(words: Sequence[Word], at: int, today: date) -> Period | None:
    match _keys(words, at, 2):
        case ("today", *_):
            return Period(Relative(Anchor.TODAY), Relative(Anchor.TODAY), at + 1)
        case ("yesterday", *_):
            return Period(Relative(Anchor.TODAY, -1), Relative(Anchor.TODAY, -1), at + 1)
        case ("this" | "current" | "ongoing" | "present" | "running", unit) if unit in UNITS:
            return Period(Relative(UNITS[unit][0]), Relative(Anchor.NOW), at + 2)
        case ("last" | "previous" | "preceding" | "prior", unit) if unit in UNITS:
            anchor, count, step = UNITS[unit]
            return Period(Relative(anchor, -count, step), Relative(anchor), at + 2)
        case ("year" | "month" | "quarter" | "week", "to") if _is(words, at + 2, "date"):
            return Period(Relative(UNITS[words[at].key][0]), Relative(Anchor.NOW), at + 3)
        case ("ytd", *_):
            return Period(Relative(Anchor.START_OF_YEAR), Relative(Anchor.NOW), at + 1)
        case ("mtd", *_):
            return Period(Relative(Anchor.START_OF_MONTH), Relative(Anchor.NOW), at + 1)
    return None


def _edge(words: Sequence[Word], at: int, today: date) -> Period | None:
    """The beginning, or the end, of a period: the start of 2026, the end of last month."""
    if words[at].key not in ("start", "beginning", "end", "close") or not _is(words, at + 1, "of"):
        return None
    inner = at + 2 + _is(words, at + 2, "the")
    if _keys(words, inner, 1) in (("year",), ("month",), ("quarter",), ("week",)):
        period: Period | None = Period(Relative(UNITS[words[inner].key][0]), Relative(Anchor.NOW), inner + 1)
    else:
        period = read(words, inner, today) if inner < len(words) else None
    if period is None:
        return None
    edge = period.start if words[at].key in ("start", "beginning") else period.end
    return replace(period, start=edge, end=edge)


def _months(year: int, month: int, count: int, words_end: int) -> Period:
    last = month + count - 1
    return Period(Day(date(year, month, 1)), Day(date(year, last, calendar.monthrange(year, last)[1])), words_end)


def _one_day(year: int, month: int, day: int, words_end: int) -> Period | None:
    try:
        found = Day(date(year, month, day))
    except ValueError:
        return None
    return Period(found, found, words_end) if year in YEARS else None


def _day_number(words: Sequence[Word], at: int) -> tuple[int | None, int]:
    if at >= len(words) or not re.fullmatch(r"\d{1,2}", words[at].key, re.ASCII) or not 1 <= int(words[at].key) <= 31:
        return None, at
    end = at + 1
    if end < len(words) and words[end].key in ("st", "nd", "rd", "th"):
        end += 1
    return int(words[at].key), end


def _month_number(words: Sequence[Word], at: int, *, named: bool) -> int | None:
    """The month that a word names; `named` when what stands before it leaves no doubt."""
    if at >= len(words) or words[at].key not in _MONTHS:
        return None
    doubtful = words[at].key in _ALSO_WORDS and not words[at].text[:1].isupper()
    if doubtful and not named and not (at and words[at - 1].key in _BEFORE_A_MONTH):
        return None
    return _MONTHS[words[at].key]


def _year_after(words: Sequence[Word], at: int) -> tuple[int | None, int]:
    """A year with what may stand before it: ", 2026", "of 2026", "the year 2025"."""
    end = at
    while end < len(words) and end < at + 3 and words[end].key in (",", "of", "the", "year", "calendar", "'"):
        end += 1
    if end < len(words) and words[end].kind is Kind.NUMBER and words[end].key.isdigit():
        if int(words[end].key) in YEARS and len(words[end].key) == 4:
            return int(words[end].key), end + 1
        if words[end - 1].key == "'" and end > at and len(words[end].key) == 2:
            return 2000 + int(words[end].key), end + 1
    return None, at


def _is(words: Sequence[Word], at: int, key: str) -> bool:
    return 0 <= at < len(words) and words[at].key == key


def _keys(words: Sequence[Word], at: int, count: int) -> tuple[str, ...]:
    return tuple(word.key for word in words[at : at + count])
