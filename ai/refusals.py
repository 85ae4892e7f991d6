"""Refusals: what is no sentence about customers, and what of one cannot be trusted: better none than half a reading."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import errors
from ai import periods, words
from ai.lattice import Lattice
from ai.search import State
from ai.words import Kind, Word

MOST_CHARACTERS = 1_000
MOST_WORDS = 60  # for the built-in reader: of any words, in the worst order, 0.1 s
DOUBTFUL = 1.0  # the cost of a meaning that is taken only when every word is accounted for
FAR_FETCHED = 2.0  # … and that is given up by itself otherwise: "bougt 90 dyas" says nothing about an age of 90
_NEGATIVE = re.compile(r"(?:^|[<>=]|[a-z]{2}\s)\s?-\d|(?:^|\s)minus \d", re.IGNORECASE)
# What rules have no way to say, though each word of it is known.
_BEYOND = re.compile(
    r"\bnot both\b|\beach of the (?:last|past|previous)\b|\b(?:in|on) (?:one|a single) day\b"
    r"|\b(?:has|have|is|are) (?:dropp|fallen|falling|declin|decreas|risen|rising|grow|increas)\w*",
    re.IGNORECASE,
)
_ENDING = frozenset({"then", "that", "but", "who", ",", ".", "!", ";"})
_NOTHING = (
    "Nothing here says which customers are meant. Say what they did, spent or are: "
    "'bought in the last 30 days and live in Pune'."
)


def refuse_unreadable(sentence: str) -> None:
    """Raises a Fault for what no reader need look at: Required for nothing, TooLarge, InvalidInput for no words."""
    if not sentence.strip():
        raise errors.Required("The sentence is empty.")
    if len(sentence) > MOST_CHARACTERS:
        raise errors.TooLarge(f"A sentence has at most {MOST_CHARACTERS:,} characters.")
    if not any(character.isalpha() for character in sentence):
        raise errors.InvalidInput("There are no words in it. Say in plain English which customers are meant.")


def refuse_impossible(sentence: str, said: Sequence[Word], today: date) -> None:
    """Raises TooLarge for too many words; InvalidInput for no such date, what is beyond rules, a number
    below zero, and a bare since."""
    if len(said) > MOST_WORDS:
        raise errors.TooLarge(f"A sentence has at most {MOST_WORDS} words.")
    if text := periods.impossible(said, today):
        raise errors.InvalidInput(f"There is no such date: {text}.")
    if beyond := _BEYOND.search(sentence):
        raise errors.InvalidInput(f"No rule can say {beyond[0]!r}. Say it in other words.")
    if _NEGATIVE.search(sentence):
        raise errors.InvalidInput("A number in a sentence cannot be below zero.")
    if _points_back(said):
        raise errors.InvalidInput("It is not clear since when: name the day, or how long ago it was.")


def _points_back(said: Sequence[Word]) -> bool:
    """Whether a "since" leans on what went before it: "were sent an SMS yesterday but have not ordered since"."""
    keys = [word.key for word in said]
    followed = [keys[at + 1 : at + 2] for at, key in enumerate(keys) if key == "since"]
    return any(not after or after[0] in _ENDING for after in followed)


def sift(sentence: str, state: State, lattice: Lattice) -> State:
    """The reading without values that belong to what no rule covers: "who speak French" says nothing about France.

    Raises InvalidInput when nothing is left to go by, or when a number or a time would be lost.
    """
    unknown = set(state.passed_over)
    kept = [clause for clause in state.clauses if clause.frame.topic or clause.start - 1 not in unknown]
    if unknown:
        kept = [clause for clause in kept if clause.meaning is None or clause.meaning.cost < FAR_FETCHED]
    for clause in state.clauses:
        if clause not in kept:
            unknown.update(range(clause.start, clause.end))
    is_firm = any(clause.meaning and clause.meaning.cost < DOUBTFUL for clause in kept)
    speaks_of_customers = bool(lattice.people) or any(clause.frame.topic for clause in kept)
    if not kept or (unknown and not (is_firm and speaks_of_customers)):
        raise errors.InvalidInput(_NOTHING)
    lost = [index for index in unknown if _carries_weight(lattice.words[index])]
    if lost:
        texts = "', '".join(words.phrases(sentence, lattice.words, lost))
        raise errors.InvalidInput(f"It is not clear what '{texts}' is about. Say it in other words.")
    return replace(state, clauses=tuple(kept), passed_over=tuple(sorted(unknown)))


def _carries_weight(word: Word) -> bool:
    """Whether leaving this word out would turn the sentence into another one."""
    has_digit = word.kind not in (Kind.QUOTED, Kind.ADDRESS) and any(character.isdigit() for character in word.key)
    return has_digit or word.key in _WEIGHTY


_WEIGHTY = frozenset(
    "% than least most between before after until ago last next not none never without except exactly top bottom "
    "hour day week month year biggest largest highest smallest lowest same first start begin end".split()
)
