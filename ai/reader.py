"""The built-in reader: what a sentence means as rules. Deterministic, offline, and never a guess at everyone.

A sentence is cut into words, every way to read each of them is laid out in a lattice, the cheapest path through it
makes conditions, and a grammar puts these together. docs/sentences.md walks through an example.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ai import descriptions, lattice, lexicon, meaning, refusals, search, spelling, structure, words
from ai.conditions import Meaning, Sense
from ai.drafts import Alternative, Draft, Source
from ai.lattice import Lattice
from ai.search import Clause, State
from ai.structure import Linked
from ai.vocabulary import Library
from segmentation import validator
from segmentation.dates import AsOf
from segmentation.tree import Group

MOST_ALTERNATIVES = 3
_ADDING = frozenset({"and", "or", "&", "plus", "also", "well", "together", "along"})


async def read(sentence: str, library: Library, as_of: AsOf) -> Draft:
    """The rules that a readable sentence means. Raises InvalidInput for one without, TooLarge for many words."""
    said = words.cut(sentence)
    refusals.refuse_impossible(sentence, said, as_of.today)
    vocabulary = await library.vocabulary()
    phrases = lexicon.of(vocabulary)
    mended = spelling.mend(said, lexicon.known(phrases))
    laid_out = lattice.build(mended.words, phrases, as_of)
    sense = Sense(has_age="age" in vocabulary.attributes)
    state = refusals.sift(sentence, search.best(laid_out, sense), laid_out)
    draft = await _Reading(laid_out, library).draft(state, sense)
    unmatched = tuple(words.phrases(sentence, laid_out.words, state.passed_over))
    return replace(draft, assumptions=(*mended.notes, *draft.assumptions), unmatched=unmatched)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the conditions of a sentence come to, by one sense of its vague words or another."""

    lattice: Lattice
    library: Library

    async def draft(self, state: State, sense: Sense) -> Draft:
        """The first reading, and the others that differ from it."""
        meanings = await self._meanings(state, sense)
        rules = self._together(state, meanings)
        others: list[Alternative] = []
        for other in [group async for group in self._otherwise(state, sense, meanings)]:
            known = (rules, *(alternative.rules for alternative in others))
            if other not in known and len(others) < MOST_ALTERNATIVES:
                others.append(Alternative(other, descriptions.sentence(other)))
        notes = tuple(dict.fromkeys(note for meant in meanings for note in meant.notes))
        return Draft(rules, descriptions.sentence(rules), Source.BUILT_IN, notes, (), tuple(others))

    async def _meanings(self, state: State, sense: Sense) -> list[Meaning]:
        """The meanings of the conditions, with thresholds from the database."""
        found = _meant(state, sense)
        rankings = {ranking for meant in found for ranking in meant.rankings}
        if not rankings:
            return found
        return _meant(state, replace(sense, thresholds={one: await self.library.threshold(one) for one in rankings}))

    def _together(self, state: State, meanings: Sequence[Meaning], *, regrouped: bool = False) -> Group:
        linked, end = [], 0
        for clause, meant in zip(state.clauses, meanings, strict=True):
            opens = self._names_others(range(end, clause.start), clause)
            linked.append(Linked(meant.rule, clause.joints, opens))
            end = clause.end
        return validator.validate(structure.together(linked, state.pending, regrouped=regrouped))

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

    async def _otherwise(self, state: State, sense: Sense, meanings: Sequence[Meaning]) -> AsyncIterator[Group]:
        """Other senses of vague words, "or" for an "and" in a list, and "A and (B or C)" for "A and B or C"."""
        for changed in _senses(sense, frozenset().union(*(meant.vague for meant in meanings))):
            yield self._together(state, await self._meanings(state, changed))
        if not any(word.key == "both" for word in self.lattice.words):
            clauses = tuple(replace(clause, frame=clause.frame.either()) for clause in state.clauses)
            listed = replace(state, clauses=clauses)
            yield self._together(listed, await self._meanings(listed, sense))
        yield self._together(state, meanings, regrouped=True)


def _meant(state: State, sense: Sense) -> list[Meaning]:
    found = [meaning.of(clause.frame, sense) for clause in state.clauses]
    return [meant for meant in found if meant]


def _senses(sense: Sense, vague: frozenset[str]) -> Iterator[Sense]:
    if "recently" in vague:
        yield replace(sense, recent_days=90)
    if "inactive" in vague:
        yield replace(sense, inactive_days=180)
    if "share" in vague:
        yield replace(sense, top_percent=Decimal(5))
