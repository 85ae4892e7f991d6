"""Scoring the reader: a sentence is read rightly when its rules select exactly the right customers, however written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import errors
from ai import reader
from ai.conditions import Ranking
from segmentation import evaluator, printer, query
from segmentation.dates import Calendar
from segmentation.evaluator import Person
from segmentation.tree import Group
from tests.ai.people import NOW, Shelf

SENTENCES = Path(__file__).with_name("sentences.jsonl")
AS_OF = Calendar(ZoneInfo("UTC")).as_of(NOW)
TOP_TENTH = Ranking("totalSpend", top=True, percent=Decimal(10))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the query that it means; None where it is to be refused."""

    kind: str
    text: str
    query: str | None


@dataclass(frozen=True, slots=True)
class Score:
    """How one sentence was read."""

    sentence: Sentence
    is_right: bool
    made: str


def sentences() -> list[Sentence]:
    """The sentences of the test set."""
    rows = map(json.loads, SENTENCES.read_text(encoding="utf-8").splitlines())
    return [Sentence(row["kind"], row["sentence"], row["query"]) for row in rows]


async def score(population: Sequence[Person]) -> list[Score]:
    """Every sentence of the set, read and held against these people."""
    shelf = Shelf(population)
    top = printer.scalar(await shelf.threshold(TOP_TENTH))
    return [await _score(sentence, population, shelf, top) for sentence in sentences()]


def shares(scores: Sequence[Score]) -> Mapping[str, float]:
    """The share of sentences of each kind that were read rightly."""
    kinds = dict.fromkeys(score.sentence.kind for score in scores)
    found = {kind: [score.is_right for score in scores if score.sentence.kind == kind] for kind in kinds}
    return {kind: sum(rights) / len(rights) for kind, rights in found.items()}


def selected(rules: Group, population: Sequence[Person]) -> frozenset[int]:
    """Which of these people the rules select."""
    return frozenset(index for index, person in enumerate(population) if evaluator.holds(rules, person, AS_OF))


async def _score(sentence: Sentence, population: Sequence[Person], shelf: Shelf, top: str) -> Score:
    try:
        rules = (await reader.read(sentence.text, shelf, AS_OF)).rules
    except errors.InvalidInput as refusal:
        return Score(sentence, sentence.query is None, f"refused: {refusal.message}")
    if sentence.query is None:
        return Score(sentence, False, printer.query(rules))
    meant = query.parse(sentence.query.replace("TOP_TENTH", top))
    is_right = rules == meant or selected(rules, population) == selected(meant, population)
    return Score(sentence, is_right, printer.query(rules))
