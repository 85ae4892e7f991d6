"""Times: windows that a date has to be in, lengths that something has lasted, and days to come.

in the last six months · more than 90 days ago · since March 2026 · between June and August · 30 to 60 days ago ·
for over a year · in the next two weeks. Days and weeks are of 24 hours, months and years go by the calendar.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ai import numbers, periods, spans
from ai.periods import Period
from ai.phrases import Phrases
from ai.pieces import Ahead, Edge, Length, Piece, Slot, Span, Window
from ai.words import Word
from segmentation import dates
from segmentation.dates import AsOf
from segmentation.tree import Operator, Relative, Unit

_WITHIN = {
    "in",
    "within",
    "over",
    "during",
    "for",
    "from",
    "since",
    "of",
    "across",
    "throughout",
    "through",
    "these",
    "at",
    "on",
}
_ROLLING = {"last", "past", "previous", "preceding", "recent", "prior", "trailing", "latest"}
_COMING = {"next", "coming", "upcoming", "following", "forthcoming"}
_AGO = {"ago", "back", "earlier", "before", "prior"}
_DAYS_PER = {Unit.DAYS: 1, Unit.WEEKS: 7}
# What is longer ago is earlier: "more than 90 days ago" is before that instant.
_EARLIER = {
    Operator.MORE: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
    Operator.LESS: Operator.MORE,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.EQUAL: Operator.EQUAL,
}
WORDS = spans.WORDS | _ROLLING | _COMING | _AGO | {"tomorrow"}
_TO = {"to", "and", "till", "until", "through", "-", "thru", "upto"}


@dataclass(frozen=True, slots=True)
class Times:
    """The reader of times, as of one instant. `comparators` and `limits` are those of numbers."""

    as_of: AsOf
    comparators: Phrases[Operator]
    limits: Phrases[Operator]
    prepositions: Phrases[str]

    def edges(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """Every reading of the words from this one on that says a time."""
        readers: tuple[Callable[[Sequence[Word], int], Iterator[Edge]], ...] = (
            self._rolling,
            self._ago,
            self._lasting,
            self._in_period,
            self._between_periods,
            self._ahead,
        )
        for reader in readers:
            yield from reader(words, start)

    def _rolling(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """In the last six months; past 3 weeks; during the previous year."""
        at = start
        while at < len(words) and words[at].key in _WITHIN and at < start + 2:
            at += 1
        has_article = at < len(words) and words[at].key in ("the", "this", "these", "our", "their")
        at += has_article
        if at >= len(words) or words[at].key not in _ROLLING:
            return
        at += 1 + (at + 1 < len(words) and words[at].key == "last" and words[at + 1].key == "past")
        span, end = spans.read(words, at)
        if span is None:
            return
        counted = words[end - 1].key not in periods.UNITS or end - at > 1
        if counted or has_article or words[at - 1].key == "past":
            yield _window(start, end, Window(((Operator.AT_LEAST, spans.ago(span)),)))

    def _ago(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """More than 90 days ago; 30 to 60 days back; since 3 months ago; over a year ago; 90+ days ago."""
        for at, operator in self._compared(words, start):
            span, end, limit = self._limited_span(words, at)
            if (
                span is None
                or end >= len(words)
                or not (words[end].key in _AGO or _keys(words, end, 3) == ("in", "the", "past"))
            ):
                continue
            end = self._past_limit(words, end + (1 if words[end].key in _AGO else 3))
            asked = operator if operator is not Operator.EQUAL or at > start else limit
            if asked is None:
                note = f"{words[at].text} … {words[end - 1].text} means that long ago or longer"
                yield _window(start, end, Window(((Operator.AT_MOST, spans.ago(span)),), note=note), 0.6)
            elif asked in _EARLIER:
                yield _window(start, end, Window(((_EARLIER[asked], spans.ago(span)),)))
        for said, operator in (
            ("since", Operator.AT_LEAST),
            ("after", Operator.MORE),
            ("before", Operator.LESS),
            ("until", Operator.AT_MOST),
        ):
            for at in self._past(words, start, said):
                span, end = spans.read(words, at)
                if span and (end < len(words) and words[end].key in _AGO):
                    yield _window(start, end + 1, Window(((operator, spans.ago(span)),)))
                elif span and said == "before":
                    yield _window(
                        start, end, Window(((operator, spans.ago(span)),)), 0.5
                    )  # "before 90 days" is ago in India
        yield from self._between_agos(words, start)

    def _between_agos(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """Between 30 and 60 days ago; 2 weeks to 3 months ago."""
        for at in (start, *self._past(words, start, "between")):
            near, middle = spans.read(words, at)
            number = numbers.read(words, at)
            if near is None and number:
                middle = number.end
            middle += near is not None and middle < len(words) and words[middle].key in _AGO
            if middle == at or middle >= len(words) or words[middle].key not in _TO:
                continue
            far, end = spans.read(words, middle + 1)
            if far is None or end >= len(words) or words[end].key not in _AGO:
                continue
            if near is None and number:
                near = spans.of(number.value, words[end - 1].key)
            if near:
                yield _window(start, end + 1, Window(((Operator.BETWEEN, *spans.in_order(near, far)),), closed=True))

    def _lasting(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """For 90 days; in over six months; more than a year; since 8 weeks; 90+ days."""
        is_since = words[start].key in ("since", "from")
        begin = start + (words[start].key in ("for", "in", "since", "from", "after", "within", "over", "through"))
        for at, operator in (*self._compared(words, begin), *(self._compared(words, start) if begin > start else ())):
            span, end, limit = self._limited_span(words, at)
            if span is None or words[at].key in spans.UNITS:
                continue  # "year" alone is no length: "this year", "next year"
            asked = limit or (Operator.AT_LEAST if operator is Operator.EQUAL else operator)
            yield Edge(start, end, 0.15, (Piece(Slot.LENGTH, Length(asked, span)),))
            if (is_since or words[start].key == "within") and asked is Operator.AT_LEAST:
                yield _window(start, end, Window(((Operator.AT_LEAST, spans.ago(span)),)), 0.1)
            if words[start].key == "within" or asked is Operator.AT_MOST:
                yield _window(start, end, Window(((Operator.AT_LEAST, spans.ago(span)),)), 0.2)

    def _in_period(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """In 2025; since March 2026; before 1 June; after the end of 2025; March 2026 onwards; this year."""
        today = self.as_of.today
        readings: tuple[tuple[str, Callable[[Period], Window], float], ...] = (
            ("within", lambda period: period.within, 0.1),
            ("since", lambda period: period.since, 0.1),
            ("after", lambda period: period.after, 0.1),
            ("before", lambda period: period.before, 0.1),
            ("until", lambda period: period.until, 0.1),
        )
        for said, window, cost in readings:
            for at in self._past(words, start, said):
                if period := periods.read(words, at, today):
                    yield from self._onwards(words, start, period, window(period), cost)
        if period := periods.read(words, start, today):
            yield from self._onwards(words, start, period, period.within, 0.3)

    def _onwards(
        self, words: Sequence[Word], start: int, period: Period, window: Window, cost: float
    ) -> Iterator[Edge]:
        """The period in its window, and what "onwards" or "or earlier" after it makes of it."""
        yield _window(start, period.words_end, window, cost)
        for end in self._past(words, period.words_end, "onwards"):
            yield _window(start, end, period.since, 0.05)
        for end in self._past(words, period.words_end, "earlier"):
            yield _window(start, end, period.until, 0.05)

    def _between_periods(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """Between 1 January and 31 March 2026; June to August 2026; from March 2025 till May 2026."""
        today = self.as_of.today
        for at in (start, *self._past(words, start, "between")):
            first = periods.read(words, at, today) if at < len(words) else None
            if first is None:
                continue
            middle = first.words_end
            if middle >= len(words) or words[middle].key not in _TO or (words[middle].key == "and" and at == start):
                continue
            second = periods.read(words, middle + 1, today) if middle + 1 < len(words) else None
            first = periods.in_year_of(first, second) if second else first
            if second and not periods.is_reversed(first, second):
                yield _window(start, second.words_end, first.up_to(second), 0.05)

    def _ahead(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """In the next 7 days; within two weeks; this month; tomorrow; next week."""
        at = start
        while at < len(words) and words[at].key in (_WITHIN | {"the", "this"}) - {"since", "from"}:
            at += 1
        if at >= len(words):
            return
        has_coming = words[at].key in _COMING
        span, end = spans.read(words, at + has_coming)
        article = at > start and words[at - 1].key == "the"
        if (
            span
            and (has_coming or words[at - 1].key in ("in", "within") or words[at].key in ("a", "one"))
            and at + has_coming > start
        ):
            if has_coming and not article and end == at + 2 and words[end - 1].key in periods.UNITS:
                yield self._next_period(words, start, end)
            else:
                yield _days_ahead(start, end, 0, self._days(span))
        elif _keys(words, at, 1) == ("tomorrow",):
            yield _days_ahead(start, at + 1, 1, 1)
        elif _keys(words, at, 1) == ("today",):
            yield _days_ahead(start, at + 1, 0, 0)
        elif words[at - 1].key == "this" and at > start and words[at].key in periods.UNITS:
            unit = words[at].key
            yield self._calendar_days(start, at + 1, Relative(periods.UNITS[unit][0]), _end_of(unit, 0))

    def _next_period(self, words: Sequence[Word], start: int, end: int) -> Edge:
        anchor, count, step = periods.UNITS[words[end - 1].key]
        return self._calendar_days(start, end, Relative(anchor, count, step), _end_of(words[end - 1].key, 1))

    def _calendar_days(self, start: int, end: int, first: Relative, following: Relative) -> Edge:
        offset = self._offset
        return _days_ahead(start, end, offset(first), offset(following) - 1)

    def _offset(self, day: Relative) -> int:
        return (dates.day(day, self.as_of) - self.as_of.today).days

    def _days(self, span: Span) -> int:
        """How many days ahead a span ends."""
        if span.unit in _DAYS_PER:
            return span.amount * _DAYS_PER[span.unit]
        return 30 * span.amount if span.unit is Unit.MONTHS else min(366, 365 * span.amount)

    def _compared(self, words: Sequence[Word], start: int) -> Iterator[tuple[int, Operator]]:
        """Where what is compared begins, and how; first without a comparator."""
        yield start, Operator.EQUAL
        if start < len(words):
            yield from self.comparators.match(words, start)

    def _limited_span(self, words: Sequence[Word], start: int) -> tuple[Span | None, int, Operator | None]:
        """A span with what may limit it: "90+ days", "6 months or more"."""
        span, end = spans.read(words, start)
        if span is None:
            return self._limited_number(words, start)
        plus = any(word.key == "+" for word in words[start:end])
        limit: Operator | None = Operator.AT_LEAST if plus else None
        for limit_end, operator in self.limits.match(words, end):
            end, limit = limit_end, operator
        return span, end, limit

    def _limited_number(self, words: Sequence[Word], start: int) -> tuple[Span | None, int, Operator | None]:
        """A span whose limit stands before its unit: "30 or more days"."""
        number = numbers.read(words, start)
        for end, operator in self.limits.match(words, number.end) if number else ():
            if number and end < len(words) and words[end].key in spans.UNITS:
                return spans.of(number.value, words[end].key), end + 1, operator
        return None, start, None

    def _past(self, words: Sequence[Word], start: int, said: str) -> Iterator[int]:
        """Where each phrase of this kind that stands here ends."""
        return (end for end, kind in self.prepositions.match(words, start) if kind == said)

    def _past_limit(self, words: Sequence[Word], end: int) -> int:
        return max((limit_end for limit_end, _ in self.limits.match(words, end)), default=end)


def _end_of(unit: str, further: int) -> Relative:
    anchor, count, step = periods.UNITS[unit]
    return Relative(anchor, count * (1 + further), step)


def _days_ahead(start: int, end: int, first: int, last: int) -> Edge:
    return Edge(start, end, 0.1, (Piece(Slot.AHEAD, Ahead(max(first, -366), min(last, 366))),))


def _window(start: int, end: int, window: Window, cost: float = 0.1) -> Edge:
    return Edge(start, end, cost, (Piece(Slot.WINDOW, window),))


def _keys(words: Sequence[Word], at: int, count: int) -> tuple[str, ...]:
    return tuple(word.key for word in words[at : at + count])
