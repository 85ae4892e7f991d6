"""The lexicon: what phrases may mean, by english.toml, the catalogue of fields and the values in the database."""

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from ai import numbers, periods, times, words
from ai.phrases import Phrases, written_out
from ai.pieces import Bound, Edge, Family, Joint, Piece, Share, Slot, Topic, Vague, Value, Which
from ai.spelling import Dictionary
from ai.vocabulary import Vocabulary
from ai.words import Word
from segmentation.tree import Operator

ENGLISH = Path(__file__).with_name("english.toml")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]+")
_ORDER_FIELDS = {
    "coupon": Slot.COUPON,
    "payment.method": Slot.METHOD,
    "items.category": Slot.CATEGORY,
    "items.name": Slot.ITEM,
}
_ALIASED = {"method": "payment.method", "category": "items.category", "plan": "attributes.plan"}
# The likelier field of a value that several have: Delhi is a city before it is a state.
_VALUE_COSTS = {"city": 0.1, "tags": 0.12, "source": 0.16, "state": 0.2, "country": 0.22, "items.name": 0.3}
_ALIAS_COST = 0.1


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase may mean, and how far-fetched that is."""

    cost: float
    pieces: tuple[Piece, ...] = ()
    joint: Joint | None = None
    is_people: bool = False
    is_leading: bool = False


@dataclass(slots=True)
class English:
    """What english.toml says, ready to be matched."""

    comparators: Phrases[Operator] = field(default_factory=Phrases)
    older: Phrases[Operator] = field(default_factory=Phrases)
    limits: Phrases[Operator] = field(default_factory=Phrases)
    prepositions: Phrases[str] = field(default_factory=Phrases)
    entries: Phrases[Entry] = field(default_factory=Phrases)
    aliases: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]] = field(default_factory=dict)


@functools.cache
def english() -> English:
    """The English of english.toml, read once."""
    source = tomllib.loads(ENGLISH.read_text(encoding="utf-8"))
    verbs: Mapping[str, str] = source["verbs"]
    read = English()
    for section, phrases in (("comparators", read.comparators), ("older", read.older), ("limits", read.limits)):
        for sign, patterns in source[section].items():
            for keys in _written(patterns, verbs):
                phrases.add(keys, Operator(sign))
    for name, patterns in source["periods"].items():
        for keys in _written(patterns, verbs):
            read.prepositions.add(keys, name)
    for name, patterns in source["joints"].items():
        for keys in _written(patterns, verbs):
            read.entries.add(keys, Entry(0.02, joint=Joint(name)))
    for cost, name in ((0.05, "free"), (0.2, "cheap"), (0.3, "leading")):
        for keys in _written(source["filler"][name], verbs):
            read.entries.add(keys, Entry(cost, is_leading=name == "leading"))
    for keys in _written(source["people"]["words"], verbs):
        read.entries.add(keys, Entry(0.02, is_people=True))
    for said in source["say"]:
        pieces = tuple(_piece(key, value) for key, value in said.items() if key not in ("phrases", "cost"))
        for keys in _written(said["phrases"], verbs):
            read.entries.add(keys, Entry(0.1 + said.get("cost", 0.0), pieces))
    for name, patterns in source["fields"].items():
        for keys in _written(patterns, verbs):
            read.entries.add(keys, Entry(0.15, (Piece(Slot.TOPIC, Topic(Family.LABEL, name)),)))
    _add_countries(read, source["countries"], verbs)
    read.aliases = {
        _ALIASED.get(name, name): {value: tuple(_written(patterns, verbs)) for value, patterns in values.items()}
        for name, values in source["aliases"].items()
    }
    return read


@functools.lru_cache(maxsize=2)
def of(vocabulary: Vocabulary) -> Phrases[Entry]:
    """The phrases for the values and attributes that the database has."""
    phrases: Phrases[Entry] = Phrases()
    for name, values in vocabulary.values.items():
        for value in values:
            _add_value(phrases, name, value)
    for name, attribute in vocabulary.attributes.items():
        full = f"attributes.{name}"
        family = Family.MEASURE if attribute.is_numeric else Family.LABEL
        if name != "age":
            for cost, label in _names(name):
                phrases.add(label, Entry(cost, (Piece(Slot.TOPIC, Topic(family, full)),)))
        for known_value in attribute.values:
            if isinstance(known_value, str):
                _add_value(phrases, full, known_value)
            elif known_value:
                for cost, label in _names(name):
                    phrases.add(label, Entry(cost, (Piece(Slot.VALUE, Value(full, True)),)))
    return phrases


@functools.lru_cache(maxsize=2)
def known(values: Phrases[Entry]) -> Dictionary:
    """Every word that some phrase has, to mend the spelling of others by."""
    read = english()
    found = {*read.entries.vocabulary(), *read.comparators.vocabulary(), *read.older.vocabulary()}
    found |= {*read.limits.vocabulary(), *values.vocabulary(), *numbers.WORDS, *times.WORDS, *periods.WORDS}
    return Dictionary(frozenset(found))


def _add_value(phrases: Phrases[Entry], name: str, value: str) -> None:
    if name == "country":
        return  # spoken of by names, which english.toml and ISO 3166 have: "us" and "in" are words first
    slot = _ORDER_FIELDS.get(name, Slot.VALUE)
    entry = Entry(_VALUE_COSTS.get(name, 0.18), (Piece(slot, Value(name, value)),))
    phrases.add(words.keys(value), entry)
    known = english().aliases.get(name, {})
    folded = words.keys(value)
    for alias_of, aliases in known.items():
        if words.keys(alias_of) == folded:
            for keys in aliases:
                phrases.add(keys, Entry(entry.cost + _ALIAS_COST, entry.pieces))


def _names(name: str) -> Iterator[tuple[float, tuple[str, ...]]]:
    """What an attribute is called: loyaltyTier is loyalty tier, and tier, and loyalty."""
    parts = words.keys(" ".join(_CAMEL.split(name)))
    yield 0.15, parts
    yield 0.15, words.keys(name)
    if len(parts) > 1:
        yield 0.25, parts[-1:]
        yield 0.35, parts[:1]


def _add_countries(read: English, spoken: Mapping[str, Sequence[str]], verbs: Mapping[str, str]) -> None:
    table = (importlib.resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    named = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    for code, name in named:
        pieces = (Piece(Slot.VALUE, Value("country", code)),)
        read.entries.add(words.keys(re.sub(r" \(.*\)", "", name)), Entry(0.25, pieces))
        for keys in _written(spoken.get(code, ()), verbs):
            read.entries.add(keys, Entry(0.17, pieces))


def _written(patterns: Iterable[str], verbs: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for pattern in patterns:
        yield from (keys for keys in written_out(pattern, verbs) if keys)


def _piece(key: str, value: object) -> Piece:
    slot, text = Slot(key.replace("_", " ")), str(value)
    match slot:
        case Slot.TOPIC:
            family, _, name = text.partition(":")
            return Piece(slot, Topic(Family(family), name))
        case Slot.WHICH:
            return Piece(slot, Which(text))
        case Slot.NUMBER | Slot.TIMES:
            operator, _, number = text.partition(" ")
            return Piece(slot, Bound(Operator(operator), (Decimal(number),), is_plain=operator == "="))
        case Slot.WINDOW:
            return Piece(slot, Vague(text))
        case Slot.SHARE:
            end, percent, assumed = text.split(" ", 2)
            return Piece(slot, Share(end == "top", Decimal(percent), assumed))
        case _:
            return Piece(slot, value if isinstance(value, bool) else text)


def edges(phrases: Phrases[Entry], sentence: Sequence[Word], start: int) -> Iterator[tuple[Edge, Entry]]:
    """The readings of the words from this one on that some phrases give."""
    for end, entry in phrases.match(sentence, start):
        yield Edge(start, end, entry.cost, entry.pieces, entry.joint), entry
