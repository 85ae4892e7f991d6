"""The lattice: every way in which the words of a sentence can be read, one by one or as phrases.

Words that nothing explains can be passed over, at a price: little for "please", much for what has a meaning that would
be lost, most for "not" and for numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ai import lexicon, shares
from ai.bounds import Bounds
from ai.lexicon import Entry
from ai.phrases import Phrases
from ai.pieces import Edge, Piece, Slot, Value
from ai.times import Times
from ai.words import Kind, Word
from segmentation.dates import AsOf

UNKNOWN_COST = 3.0
PASSED_OVER_COST = {
    Slot.NOT: 6.0,
    Slot.NUMBER: 4.0,
    Slot.TIMES: 4.0,
    Slot.VALUE: 3.0,
    Slot.WINDOW: 2.5,
    Slot.PRESENT: 0.1,
}
OTHER_PIECE_COST = 1.6
INSIDE_COST = 1.6
LIMIT_COST = 0.05
LITERAL_COST = 1.2
QUOTED_COST = 0.2
NUMBER_COST = 0.5  # as a text: a postal code
UNMATCHED_COST = 1.5  # what costs as much to pass over is worth telling
_LITERAL_COSTS = {Kind.QUOTED: QUOTED_COST, Kind.ADDRESS: QUOTED_COST, Kind.NUMBER: NUMBER_COST}


@dataclass(frozen=True, slots=True)
class Lattice:
    """The readings by the word they begin with, and which words are people: customers, anyone, those."""

    words: tuple[Word, ...]
    edges: tuple[tuple[Edge, ...], ...]
    people: frozenset[int]


def build(sentence: Sequence[Word], values: Phrases[Entry], as_of: AsOf) -> Lattice:
    """The lattice of a sentence; it goes on from each word to its end."""
    english = lexicon.english()
    times = Times(as_of, english.comparators, english.limits, english.prepositions)
    bounds = Bounds(english.comparators, english.older)
    people: set[int] = set()
    found: list[list[Edge]] = []
    for start in range(len(sentence)):
        here = [*times.edges(sentence, start), *bounds.edges(sentence, start), *shares.edges(sentence, start)]
        for end, operator in english.limits.match(sentence, start):
            here.append(Edge(start, end, LIMIT_COST, (Piece(Slot.LIMIT, operator),)))
        for phrases in (english.entries, values):
            for edge, entry in lexicon.edges(phrases, sentence, start):
                if entry.is_leading and start > 3:
                    continue
                here.append(edge)
                if entry.is_people:
                    people.update(range(edge.start, edge.end))
        here += _spelt(sentence, start, here)
        found.append(_cheapest(here))
    covered = _inside(found)
    for start, here in enumerate(found):
        if not any(edge.end == start + 1 and not edge.pieces and edge.joint is None for edge in here):
            here.append(_passed_over(sentence, start, here, start in covered))
    return Lattice(tuple(sentence), tuple(map(tuple, found)), frozenset(people))


def _spelt(sentence: Sequence[Word], start: int, known: Sequence[Edge]) -> list[Edge]:
    """The word itself, where a condition asks for one: coupon XYZ, a postal code."""
    word = sentence[start]
    if word.kind is Kind.SIGN:
        return []
    if word.text == "US" and any(other.text.islower() for other in sentence):
        return [Edge(start, start + 1, 0.0, (Piece(Slot.VALUE, Value("country", "US")),))]
    if known and word.kind is Kind.LETTERS:
        return []  # "your" is no value, nor is "nor"
    cost = _LITERAL_COSTS.get(word.kind, LITERAL_COST)
    return [Edge(start, start + 1, cost, (Piece(Slot.LITERAL, word.text),))]


def _cheapest(edges: Sequence[Edge]) -> list[Edge]:
    best: dict[object, Edge] = {}
    for edge in edges:
        key = (edge.end, edge.pieces, edge.joint)
        if key not in best or best[key].cost > edge.cost:
            best[key] = edge
    return list(best.values())


def _inside(found: Sequence[Sequence[Edge]]) -> set[int]:
    """The words that some phrase goes on with."""
    return {index for here in found for edge in here for index in range(edge.start + 1, edge.end)}


def _passed_over(sentence: Sequence[Word], start: int, here: Sequence[Edge], is_inside: bool) -> Edge:
    costs = [
        PASSED_OVER_COST.get(piece.slot, OTHER_PIECE_COST)
        for edge in here
        for piece in edge.pieces
        if edge.end == start + 1 and piece.slot is not Slot.LITERAL
    ]
    if sentence[start].kind is Kind.SIGN:
        cost = OTHER_PIECE_COST if sentence[start].key == "%" else 0.3
    elif any(edge.joint for edge in here):
        cost = 1.0
    elif costs:
        cost = max(costs)
    else:
        cost = (
            INSIDE_COST
            if is_inside or any(edge.pieces and edge.pieces[0].slot is not Slot.LITERAL for edge in here)
            else UNKNOWN_COST
        )
    return Edge(start, start + 1, cost, is_unknown=cost >= UNMATCHED_COST)
