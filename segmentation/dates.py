"""Dates: what one of a rule means as of one instant, in the server's time zone.

Every date becomes a half-open span of UTC instants, a whole day or one millisecond (which is what MongoDB keeps), so
that `<`, `<=`, `=`, `>` and BETWEEN read the same for both: `<= D` is before the span's end, `> D` not before it.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from segmentation.tree import Anchor, Date, Day, Instant, Relative, Unit

MILLISECOND = timedelta(milliseconds=1)
YEARS = range(1000, 9001)  # far enough from datetime's ends for any time zone and any offset
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_FIXED_LENGTHS = {
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.DAYS: timedelta(days=1),
    Unit.WEEKS: timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class AsOf:
    """The one instant that an evaluation is about, and the time zone that its days are counted in."""

    now: datetime
    timezone: ZoneInfo

    @property
    def today(self) -> date:
        """The calendar day of that instant."""
        return self.now.astimezone(self.timezone).date()


@dataclass(frozen=True, slots=True)
class Calendar:
    """What segmentation is configured with: the server's time zone."""

    timezone: ZoneInfo

    def as_of(self, now: datetime) -> AsOf:
        """The evaluation of this instant, kept to the millisecond."""
        return AsOf(floor(now), self.timezone)


@dataclass(frozen=True, slots=True)
class Span:
    """The instants from `start` up to, and not including, `end`."""

    start: datetime
    end: datetime


def read(text: str) -> Day | Instant | None:
    """The date that this ISO 8601 text says, a whole day or an instant with its offset; None if it says none."""
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return Day(day) if day.year in YEARS else None
        if _INSTANT.fullmatch(text):
            instant = floor(datetime.fromisoformat(text))
            return Instant(instant) if instant.year in YEARS else None
    except (ValueError, OverflowError):
        pass  # of the right shape, but no such day or hour
    return None


def text(value: Day | Instant) -> str:
    """The ISO 8601 text of a date, which `read` reads back."""
    match value:
        case Day(day):
            return day.isoformat()
        case Instant(at):
            whole = at.microsecond == 0
            return at.isoformat(timespec="seconds" if whole else "milliseconds").replace("+00:00", "Z")


def floor(instant: datetime) -> datetime:
    """The instant in UTC, to the millisecond."""
    instant = instant.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def span(value: Date, as_of: AsOf) -> Span:
    """The instants that a date covers."""
    match value:
        case Day(day):
            return _whole_day(day, as_of.timezone)
        case Instant(at):
            return Span(at, at + MILLISECOND)
        case Relative(Anchor.TODAY, amount, unit):
            return _whole_day(_shifted(as_of.today, amount, unit), as_of.timezone)
        case Relative():
            at = _instant(value, as_of)
            return Span(at, at + MILLISECOND)


def day(value: Date, as_of: AsOf) -> date:
    """The calendar day that a date falls on."""
    return value.date if isinstance(value, Day) else span(value, as_of).start.astimezone(as_of.timezone).date()


def anniversaries(days: int, as_of: AsOf) -> frozenset[int]:
    """The anniversaries from today to so many days ahead, each as month × 100 + day.

    Who was born on 29 February has their day on 28 February in a year without one.
    """
    found = set()
    for offset in range(days + 1):
        ahead = as_of.today + timedelta(days=offset)
        found.add(ahead.month * 100 + ahead.day)
        if (ahead.month, ahead.day) == (2, 28) and not calendar.isleap(ahead.year):
            found.add(229)
    return frozenset(found)


def _whole_day(day: date, timezone: ZoneInfo) -> Span:
    return Span(_midnight(day, timezone), _midnight(day + timedelta(days=1), timezone))


def _midnight(day: date, timezone: ZoneInfo) -> datetime:
    # Where the clocks skip midnight this is the first instant of the day all the same (PEP 495, fold=0).
    return datetime.combine(day, time(), timezone).astimezone(UTC)


def _instant(value: Relative, as_of: AsOf) -> datetime:
    is_fixed = value.unit in (Unit.MINUTES, Unit.HOURS)
    if value.anchor is Anchor.NOW:
        return _from_now(value, as_of)
    opening = _period_start(as_of.today, value.anchor)
    if value.anchor.startswith("end"):
        last = _period_end(opening, value.anchor)
        last = last if is_fixed else _shifted(last, value.amount, value.unit)
        at = _midnight(last + timedelta(days=1), as_of.timezone) - MILLISECOND
    else:
        at = _midnight(opening if is_fixed else _shifted(opening, value.amount, value.unit), as_of.timezone)
    return at + value.amount * _FIXED_LENGTHS[value.unit] if is_fixed else at


def _from_now(value: Relative, as_of: AsOf) -> datetime:
    if value.unit in _FIXED_LENGTHS:
        return as_of.now + value.amount * _FIXED_LENGTHS[value.unit]
    local = as_of.now.astimezone(as_of.timezone)
    shifted = _shifted(local.date(), value.amount, value.unit)
    return datetime.combine(shifted, local.timetz()).astimezone(UTC)


def _period_start(today: date, anchor: Anchor) -> date:
    match anchor:
        case Anchor.START_OF_WEEK | Anchor.END_OF_WEEK:
            return today - timedelta(days=today.weekday())
        case Anchor.START_OF_MONTH | Anchor.END_OF_MONTH:
            return today.replace(day=1)
        case Anchor.START_OF_QUARTER | Anchor.END_OF_QUARTER:
            return today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        case Anchor.START_OF_YEAR | Anchor.END_OF_YEAR:
            return today.replace(month=1, day=1)
        case _:
            return today


def _period_end(opening: date, anchor: Anchor) -> date:
    """The last day of the period that opens on this one."""
    match anchor:
        case Anchor.END_OF_WEEK:
            return opening + timedelta(days=6)
        case Anchor.END_OF_MONTH:
            return _shifted(opening, 1, Unit.MONTHS) - timedelta(days=1)
        case Anchor.END_OF_QUARTER:
            return _shifted(opening, 3, Unit.MONTHS) - timedelta(days=1)
        case Anchor.END_OF_YEAR:
            return opening.replace(month=12, day=31)
        case _:
            return opening


def _shifted(day: date, amount: int, unit: Unit) -> date:
    """The day so many days, weeks, months or years away; 31 March less a month is the last day of February."""
    if unit in (Unit.DAYS, Unit.WEEKS):
        return day + amount * _FIXED_LENGTHS[unit]
    months = day.year * 12 + day.month - 1 + amount * (12 if unit is Unit.YEARS else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
