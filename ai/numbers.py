"""Numbers: figures, number words, Indian and Western units, and signs of currency.

₹1.5 lakh, 1,25,000, 10k, two thousand five hundred, a dozen, half a lakh, Rs 500/-. A currency says that money is
meant, whichever it is: nothing is converted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ai.words import Kind, Word

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = {
    **{word: Decimal(value) for value, word in enumerate(_UNITS)},
    **{word: Decimal(10 * value) for value, word in enumerate(_TENS, 2)},
    "nil": Decimal(0),
    "fourty": Decimal(40),
}
_SMALL_PHRASES = {(word,) for word in _SMALL}
_LARGE = {
    **dict.fromkeys(("hundred",), Decimal(100)),
    **dict.fromkeys(("thousand", "k", "grand"), Decimal(1_000)),
    **dict.fromkeys(("lakh", "lac", "l"), Decimal(100_000)),
    **dict.fromkeys(("million", "mn", "mil", "m"), Decimal(1_000_000)),
    **dict.fromkeys(("crore", "cr"), Decimal(10_000_000)),
}
_GLUED = {"l", "m", "k"}  # stand for a unit only right after a figure: 5m, but not "5 m"
_COLLECTIVE = {
    ("half", "a", "dozen"): Decimal(6),
    ("a", "half", "dozen"): Decimal(6),
    ("half", "dozen"): Decimal(6),
    ("a", "dozen"): Decimal(12),
    ("one", "dozen"): Decimal(12),
    ("two", "dozen"): Decimal(24),
    ("dozen",): Decimal(12),
    ("a", "couple", "of"): Decimal(2),
    ("a", "couple"): Decimal(2),
    ("couple", "of"): Decimal(2),
    ("a", "pair", "of"): Decimal(2),
}
_FRACTIONS = {
    ("half", "a"): Decimal("0.5"),
    ("a", "quarter", "of", "a"): Decimal("0.25"),
    ("quarter", "of", "a"): Decimal("0.25"),
    ("quarter", "of"): Decimal("0.25"),
    ("half",): Decimal("0.5"),
    ("one", "and", "a", "half"): Decimal("1.5"),
    ("two", "and", "a", "half"): Decimal("2.5"),
    ("three", "and", "a", "half"): Decimal("3.5"),
    ("a",): Decimal(1),
    ("an",): Decimal(1),
}
_CURRENCY_BEFORE = {"₹", "$", "€", "£", "r", "re", "rs", "inr", "usd", "eur", "gbp", "rupee"}
_CURRENCY_AFTER = {"rupee", "rs", "inr", "usd", "dollar", "buck", "euro", "eur", "pound", "gbp", "₹", "$", "€", "£"}
_FIGURE = re.compile(r"[\d,]+(\.\d+)?", re.ASCII)
MAX_DIGITS = 15
_FIRST = {phrase[0] for phrase in (*_COLLECTIVE, *_FRACTIONS)} | _SMALL.keys() | _LARGE.keys() | _CURRENCY_BEFORE
WORDS = frozenset(word for word in (*_SMALL, *_LARGE, "dozen", "couple", "half") if len(word) > 2)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, where it ends, whether it is said to be money, and the unit that it was counted in."""

    value: Decimal
    end: int
    is_money: bool = False
    is_times: bool = False  # once, twice
    scale: Decimal = Decimal(1)


def read(words: Sequence[Word], start: int) -> Number | None:
    """The longest number that begins with this word, if one does."""
    if start >= len(words) or (words[start].kind is not Kind.NUMBER and words[start].key not in _FIRST):
        return None
    at = start
    while at < len(words) and words[at].key in _CURRENCY_BEFORE:
        at = _past_dot(words, at + 1)
    found = _figure(words, at) or _in_words(words, at)
    if found is None or len(found.value.as_tuple().digits) > MAX_DIGITS or found.value > 10**MAX_DIGITS:
        return None
    return _with_currency(words, replace(found, is_money=at > start))


def _past_dot(words: Sequence[Word], at: int) -> int:
    return at + 1 if at < len(words) and words[at].key == "." else at


def _with_currency(words: Sequence[Word], number: Number) -> Number:
    end = number.end
    if _keys(words, end, 2) == ("/", "-"):
        return replace(number, end=end + 2, is_money=True)
    if _keys(words, end, 1) == ("of",) and _keys(words, end + 1, 1)[0:1] == ("rupee",):
        end += 1
    if end < len(words) and words[end].key in _CURRENCY_AFTER:
        return replace(number, end=end + 1, is_money=True)
    return number


def _figure(words: Sequence[Word], at: int) -> Number | None:
    if at >= len(words) or words[at].kind is not Kind.NUMBER or not _FIGURE.fullmatch(words[at].key):
        return None
    return _scaled(words, Number(Decimal(words[at].key.replace(",", "")), at + 1))


def _scaled(words: Sequence[Word], number: Number) -> Number:
    """With the units that follow: 2 lakh, 1.5 hundred thousand."""
    while (end := number.end) < len(words) and (unit := _LARGE.get(words[end].key)):
        if words[end].key in _GLUED and words[end].start != words[end - 1].end:
            break
        number = replace(number, value=number.value * unit, scale=number.scale * unit, end=end + 1)
    return number


def _in_words(words: Sequence[Word], at: int) -> Number | None:
    for phrase, value in _COLLECTIVE.items():
        if _keys(words, at, len(phrase)) == phrase:
            return Number(value, at + len(phrase))
    for phrase, value in _FRACTIONS.items():
        end = at + len(phrase)
        if _keys(words, at, len(phrase)) == phrase and end < len(words) and words[end].key in _LARGE.keys() - _GLUED:
            return _sum(words, at) if phrase in (("a",), ("an",)) else _scaled(words, Number(value, end))
    return _sum(words, at)


def _sum(words: Sequence[Word], at: int) -> Number | None:
    """Number words added up: two thousand five hundred and twenty."""
    total = Decimal(0)
    part = Decimal(1) if _keys(words, at, 1) in (("a",), ("an",)) else None
    end, scale = at, Decimal(1)
    for index in range(at + (part is not None), len(words)):
        key = words[index].key
        if key in _SMALL and _may_follow(part, _SMALL[key]):
            part, end = (part or 0) + _SMALL[key], index + 1
        elif key in _LARGE and key not in _GLUED and part is not None:
            scale, end = _LARGE[key], index + 1
            total, part = (total, part * scale) if scale == 100 else (total + part * scale, None)
        elif key != "and" or end != index or scale == 1 or _keys(words, index + 1, 1)[0:1] not in _SMALL_PHRASES:
            break
    return Number(total + (part or 0), end, scale=scale) if end > at else None


def _may_follow(part: Decimal | None, small: Decimal) -> bool:
    """Whether "five" goes on with what was said since the last thousand: nothing, "twenty" or "two hundred"."""
    if part is None or (part >= 100 and part % 100 == 0):
        return True
    return part % 100 >= 20 and part % 10 == 0 and 0 < small < 10


def _keys(words: Sequence[Word], at: int, count: int) -> tuple[str, ...]:
    return tuple(word.key for word in words[at : at + count])
