"""Shares: one end of all customers ranked by a figure: the top 10%, the bottom fifth, the top decile."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ai import numbers
from ai.pieces import Edge, Piece, Share, Slot
from ai.words import Word

COST = 0.05
_ENDS = {
    **dict.fromkeys(("top", "highest", "upper", "best", "biggest", "leading"), True),
    **dict.fromkeys(("bottom", "lowest", "lower", "worst", "least"), False),
}
_PARTS = {
    **dict.fromkeys(("tenth", "decile"), Decimal(10)),
    **dict.fromkeys(("fifth", "quintile"), Decimal(20)),
    **dict.fromkeys(("quarter", "quartile"), Decimal(25)),
    "third": Decimal(100) / 3,
    "half": Decimal(50),
    "percentile": Decimal(1),
}
_PERCENT = (("%",), ("percent",), ("per", "cent"), ("pct",))


def edges(words: Sequence[Word], start: int) -> Iterator[Edge]:
    """Every reading of the words from this one on that says a share."""
    is_top = _ENDS.get(words[start].key)
    if is_top is None or start + 1 == len(words):
        return
    if part := _PARTS.get(words[start + 1].key):
        yield Edge(start, start + 2, COST, (Piece(Slot.SHARE, Share(is_top, part)),))
    number = numbers.read(words, start + 1)
    if number is None or not 0 < number.value < 100:
        return
    for sign in _PERCENT:
        end = number.end + len(sign)
        if tuple(word.key for word in words[number.end : end]) == sign:
            yield Edge(start, end, COST, (Piece(Slot.SHARE, Share(is_top, number.value)),))
