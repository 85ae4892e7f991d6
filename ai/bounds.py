"""Bounds: numbers and what they are held against, in figures and in words.

more than 10 · at least ₹1.5 lakh · no fewer than three times · between 5k and 10k · 3 to 6 · twice · older than 40.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ai import numbers
from ai.numbers import Number
from ai.phrases import Phrases
from ai.pieces import Bound, Edge, Family, Piece, Slot, Topic
from ai.words import Word
from segmentation.tree import Operator

_AGE = Piece(Slot.TOPIC, Topic(Family.MEASURE, "age"))
_TIMES = {"time", "occasion", "x"}
_COUNTED_TIMES = {"once": Decimal(1), "twice": Decimal(2), "thrice": Decimal(3)}
_TO = {"to", "up", "and", "-", "through", "till", "until", "thru", "upto", "or"}
_RANGE_WORDS = {
    "between",
    "from",
    "ranging",
    "anywhere",
    "somewhere",
    "in",
    "the",
    "range",
    "of",
    "any",
    "within",
    "a",
}
_SOFT = {
    "of",
    "a",
    "total",
    "about",
    "around",
    "roughly",
    "approximately",
    "the",
    "amount",
    "sum",
    "value",
    "just",
    "at",
    "is",
    "was",
    "than",
    ":",
}
_AGES = {"age"}
_SOFT |= _AGES
_RANGE_WORDS |= _AGES
MOST_SOFT = 5
_MORE = {"more": Operator.MORE, "fewer": Operator.LESS, "less": Operator.LESS}
MOST_BETWEEN = 3  # words between these and their "than"
LIKELY_YEARS = range(1990, 2040)  # "in 2024 and 2025" are times before they are amounts
YEAR_COST = 0.6
_INCLUSIVE = {"inclusive"}
_TEENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "teen": 13,
}
_DECADES = {str(decade) for decade in range(20, 100, 10)}
_APPROXIMATE = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The reader of bounds; `older` compares ages."""

    comparators: Phrases[Operator]
    older: Phrases[Operator]

    def edges(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """Every reading of the words from this one on that says a bound."""
        yield from self._compared(words, start)
        yield from _apart(words, start)
        yield from self._ranges(words, start)
        yield from _decade_of_life(words, start)
        if number := numbers.read(words, start):
            bound = Bound(Operator.EQUAL, (number.value,), number.is_money, is_plain=True)
            yield from _bounded(words, start, number.end, bound)

    def _compared(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        for phrases, pieces in ((self.comparators, ()), (self.older, (_AGE,))):
            for at, operator in phrases.match(words, start):
                for begin in range(at, min(at + MOST_SOFT, len(words))):
                    between = {word.key for word in words[at:begin]}
                    number = numbers.read(words, begin) or _times(words, begin) if between <= _SOFT else None
                    if number is None:
                        continue
                    if between & _AGES:
                        pieces = (_AGE,)
                    if operator is Operator.EQUAL and (through := _upper(words, number)):
                        yield from _bounded(words, start, through.end, _between(number, through), pieces)
                    bound = Bound(operator, (number.value,), number.is_money)
                    if number.is_times:
                        yield Edge(start, number.end, 0.05, (*pieces, Piece(Slot.TIMES, bound)))
                        break
                    yield from _bounded(words, start, number.end, bound, pieces)
                    break

    def _ranges(self, words: Sequence[Word], start: int) -> Iterator[Edge]:
        """Between 5 and 10, from 2k to 8k, 3-6, 22 through 29; "5 and 10" alone is no range."""
        at = start
        while at < len(words) and words[at].key in _RANGE_WORDS and at < start + MOST_SOFT:
            at += 1
        low = numbers.read(words, at) if at < len(words) else None
        high = _upper(words, low) if low else None
        if low is None or high is None:
            return
        joint = words[low.end].key
        said = {word.key for word in words[start:at]}
        pieces = (_AGE,) if said & _AGES else ()
        if joint in ("and", "or") and not said & {"between", "range"}:
            return
        end = high.end + (high.end < len(words) and words[high.end].key in _INCLUSIVE)
        yield from _bounded(words, start, end, _between(low, high), pieces)


def _apart(words: Sequence[Word], start: int) -> Iterator[Edge]:
    """More orders than 5: the comparison is said where the number is, and its first word passed over."""
    if words[start].key in _MORE:
        if any(_number_after_than(words, at) for at in range(start + 2, min(start + 2 + MOST_BETWEEN, len(words)))):
            yield Edge(start, start + 1, 0.05)
    elif number := _number_after_than(words, start):
        before = [word.key for word in words[max(0, start - 1 - MOST_BETWEEN) : max(0, start - 1)]]
        if said := next((key for key in reversed(before) if key in _MORE), None):
            yield from _bounded(words, start, number.end, Bound(_MORE[said], (number.value,), number.is_money))


def _number_after_than(words: Sequence[Word], at: int) -> Number | None:
    return numbers.read(words, at + 1) if words[at].key == "than" and at + 1 < len(words) else None


def _times(words: Sequence[Word], at: int) -> Number | None:
    """Once, twice, thrice, where something is compared with them: more than twice."""
    value = _COUNTED_TIMES.get(words[at].key)
    return Number(value, at + 1, is_times=True) if value else None


def _upper(words: Sequence[Word], low: Number) -> Number | None:
    """The other end of a range, when one follows."""
    if low.end >= len(words) or words[low.end].key not in _TO:
        return None
    is_up_to = words[low.end].key == "up"
    if is_up_to and (low.end + 1 == len(words) or words[low.end + 1].key != "to"):
        return None
    high = numbers.read(words, low.end + 1 + is_up_to)
    return high if high and high.value >= low.value else None


def _between(low: Number, high: Number) -> Bound:
    """A range; the unit of its end counts for its beginning too: 5-10k, 2 to 3 lakh."""
    is_shared = low.scale == 1 and high.scale > 1 and low.value < high.value / high.scale
    bottom = low.value * high.scale if is_shared else low.value
    return Bound(Operator.BETWEEN, (bottom, high.value), low.is_money or high.is_money)


def _bounded(
    words: Sequence[Word], start: int, end: int, bound: Bound, pieces: tuple[Piece, ...] = ()
) -> Iterator[Edge]:
    """The bound of what is said elsewhere, or the times that something happened."""
    is_year = bound.is_plain and words[start].key.isdigit() and int(bound.values[0]) in LIKELY_YEARS
    yield Edge(start, end, YEAR_COST if is_year else 0.1, (*pieces, Piece(Slot.NUMBER, bound)))
    past = end + (end < len(words) and words[end].key in ("separate", "different", "or", "distinct"))
    if past < len(words) and words[past].key in _TIMES and not bound.is_money:
        yield Edge(start, past + 1, 0.05, (*pieces, Piece(Slot.TIMES, bound)))


def _decade_of_life(words: Sequence[Word], start: int) -> Iterator[Edge]:
    """In their thirties, in his 20s, early 40s: an age."""
    at = start
    while at < len(words) and words[at].key in ("in", "their", "his", "her", "the") and at < start + 3:
        at += 1
    first, last = 0, 9
    if at < len(words) and words[at].key in _APPROXIMATE:
        first, last = _APPROXIMATE[words[at].key]
        at += 1
    if at >= len(words) or at == start:
        return
    key, end, decade = words[at].key, at + 1, None
    if key in _TEENS and words[at].text.lower().endswith("s"):
        decade = _TEENS[key]
    elif key in _DECADES and end < len(words) and words[end].key == "s":
        decade, end = int(key), end + 1
    if decade is None:
        return
    values = (Decimal(13), Decimal(19)) if decade == 13 else (Decimal(decade + first), Decimal(decade + last))
    yield Edge(start, end, 0.05, (_AGE, Piece(Slot.NUMBER, Bound(Operator.BETWEEN, values))))


def limited(bound: Bound, operator: Operator) -> Bound:
    """A plain bound with what was said after it: "3 orders or more"."""
    return replace(bound, operator=operator, is_plain=False)
