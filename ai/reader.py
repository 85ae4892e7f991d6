"""The built-in reader: what a sentence means as rules. Deterministic, offline, and never a guess at everyone.

A sentence is cut into words, every way to read each of them is laid out in a lattice, the cheapest path through it
makes conditions, and a grammar puts these together. docs/sentences.md walks through an example.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import errors
from ai import descriptions, lattice, lexicon, meaning, search, spelling, structure, words
from ai.conditions import Meaning, Sense
from ai.drafts import Alternative, Draft, Source
from ai.lattice import Lattice
from ai.search import Clause, State
from ai.structure import Linked
from ai.vocabulary import Library
from ai.words import Word
from segmentation import validator
from segmentation.dates import AsOf
from segmentation.tree import Group

MOST_CHARACTERS = 1_000
MOST_WORDS = 150
DOUBTFUL = 1.0  # the cost of a meaning that is taken only when every word is accounted for
_ADDING = frozenset({"and", "&", "plus", "also", "well", "together", "along"})
_REFUSAL = (
    "Nothing here says which customers are meant. Say what they did, spent or are: "
    "'bought in the last 30 days and live in Pune'."
)


async def read(sentence: str, library: Library, as_of: AsOf) -> Draft:
    """The rules that a sentence means. Raises InvalidInput for one that means none, or is too long to be one."""
    said = _cut(sentence)
    vocabulary = await library.vocabulary()
    phrases = lexicon.of(vocabulary)
    mended = spelling.mend(said, lexicon.known(phrases))
    reading = _Reading(
        sentence,
        mended,
        lattice.build(mended.words, phrases, as_of),
        Sense(has_age="age" in vocabulary.attributes),
    )
    return await reading.draft(library)


def _cut(sentence: str) -> list[Word]:
    if len(sentence) > MOST_CHARACTERS:
        raise errors.InvalidInput(f"A sentence has at most {MOST_CHARACTERS:,} characters.")
    found = words.cut(sentence)
    if len(found) > MOST_WORDS:
        raise errors.InvalidInput(f"A sentence has at most {MOST_WORDS} words.")
    if not any(word.kind is not words.Kind.SIGN for word in found):
        raise errors.InvalidInput("This is not a sentence. Say in plain English which customers are meant.")
    return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """A sentence with all that can be said of it before anything is assumed."""

    sentence: str
    mended: spelling.Mended
    lattice: Lattice
    sense: Sense

    async def draft(self, library: Library) -> Draft:
        """The draft, with thresholds from the database."""
        state = _sifted(search.best(self.lattice, self.sense), self.lattice)
        rankings = {ranking for clause in state.clauses if clause.meaning for ranking in clause.meaning.rankings}
        sense = replace(self.sense, thresholds={one: await library.threshold(one) for one in rankings})
        meanings = _meanings(state, sense)
        rules = self._together(state, meanings)
        notes = dict.fromkeys(note for meaning in meanings for note in meaning.notes)
        return Draft(
            rules,
            descriptions.sentence(rules),
            Source.BUILT_IN,
            (*self.mended.notes, *notes),
            tuple(words.phrases(self.sentence, self.lattice.words, state.passed_over)),
            tuple(self._alternatives(state, sense, rules)),
        )

    def _together(self, state: State, meanings: Sequence[Meaning]) -> Group:
        linked, end = [], 0
        for clause, meant in zip(state.clauses, meanings, strict=True):
            opens = self._names_others(range(end, clause.start), clause)
            linked.append(Linked(meant.rule, clause.joints, opens))
            end = clause.end
        return validator.validate(structure.together(linked, state.pending))

    def _names_others(self, gap: range, clause: Clause) -> bool:
        """Whether the clause names people once more after an "and", who are then more people, not fewer.

        "…, and those who never ordered", "… and Chennai customers on the pro plan".
        """
        people, keys = self.lattice.people, [word.key for word in self.lattice.words]
        adding = next((index for index in gap if keys[index] in _ADDING), None)
        if adding is None:
            return False
        is_after = clause.end in people and any(index < adding for index in people)
        return is_after or any(index in people for index in range(adding, clause.start))

    def _alternatives(self, state: State, sense: Sense, rules: Group) -> Iterator[Alternative]:
        """Other readings of what is vague or ambiguous, those that differ from the first."""
        vague = {word for clause in state.clauses if clause.meaning for word in clause.meaning.vague}
        for changed in _otherwise(sense, vague):
            other = self._together(state, _meanings(state, changed))
            if other != rules:
                yield Alternative(other, descriptions.sentence(other))


def _meanings(state: State, sense: Sense) -> list[Meaning]:
    found = [meaning.of(clause.frame, sense) for clause in state.clauses]
    return [meant for meant in found if meant]


def _otherwise(sense: Sense, vague: set[str]) -> Iterator[Sense]:
    if "recently" in vague:
        yield replace(sense, recent_days=90)
    if "inactive" in vague:
        yield replace(sense, inactive_days=180)


def _sifted(state: State, lattice: Lattice) -> State:
    """Without values that belong to what no rule covers: "who speak French" says nothing about France.

    Raises InvalidInput when there is nothing left to go by.
    """
    unknown = set(state.passed_over)
    kept = [clause for clause in state.clauses if clause.frame.topic or clause.start - 1 not in unknown]
    for clause in state.clauses:
        if clause not in kept:
            unknown.update(range(clause.start, clause.end))
    is_firm = any(clause.meaning and clause.meaning.cost < DOUBTFUL for clause in kept)
    speaks_of_customers = bool(lattice.people) or any(clause.frame.topic for clause in kept)
    if not kept or (unknown and not (is_firm and speaks_of_customers)):
        raise errors.InvalidInput(_REFUSAL)
    return replace(state, clauses=tuple(kept), passed_over=tuple(sorted(unknown)))
