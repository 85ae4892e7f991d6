"""Phrases: patterns of words written out, and found again in a sentence.

A pattern is words, `(one|or|the other)`, `[what may be left out]` and `~buy` for a verb in all its forms.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ai import words
from ai.words import Word

T = TypeVar("T")
_CHOICE = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_DOUBLED = re.compile(r"[^aeiou][aeiou][bdgmnpt]$")


@dataclass(slots=True, eq=False)
class Phrases(Generic[T]):
    """Phrases with what they mean, found by their first words on: a trie."""

    _means: list[T] = field(default_factory=list)
    _next: dict[str, "Phrases[T]"] = field(default_factory=dict)

    def add(self, keys: Sequence[str], meaning: T) -> None:
        """Let this phrase mean this too."""
        node = self
        for key in keys:
            node = node._next.setdefault(key, Phrases())
        if keys and meaning not in node._means:
            node._means.append(meaning)

    def match(self, sentence: Sequence[Word], start: int) -> Iterator[tuple[int, T]]:
        """Every phrase that begins with this word, as where it ends and what it means."""
        node: Phrases[T] | None = self
        for index in range(start, len(sentence)):
            node = node._next.get(sentence[index].key) if node else None
            if node is None:
                return
            for meaning in node._means:
                yield index + 1, meaning

    def vocabulary(self) -> Iterator[str]:
        """Every word of every phrase, some of them several times."""
        for key, node in self._next.items():
            yield key
            yield from node.vocabulary()


def written_out(pattern: str, verbs: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The keys of each phrase that a pattern stands for; `verbs` has the forms of the irregular ones."""
    for text in _expanded(pattern):
        parts = [_forms(part[1:], verbs) if part.startswith("~") else (part,) for part in text.split()]
        for chosen in itertools.product(*parts):
            yield words.keys(" ".join(chosen))


def _expanded(pattern: str) -> Iterator[str]:
    choice = _CHOICE.search(pattern)
    if choice is None or pattern in ("(", ")"):
        yield pattern
        return
    alternatives = choice[1].split("|") if choice[1] is not None else ["", *choice[2].split("|")]
    for alternative in alternatives:
        yield from _expanded(pattern[: choice.start()] + alternative + pattern[choice.end() :])


def _forms(verb: str, verbs: Mapping[str, str]) -> tuple[str, ...]:
    """buy, buys, buying, bought; what is in `verbs` replaces the forms in -ed, and in -ing where it says one."""
    stem = verb.removesuffix("e")
    doubled = verb + verb[-1] if _DOUBLED.search(verb) and len(verb) <= 4 else stem
    past = verbs[verb].split() if verb in verbs else [f"{stem[:-1]}ied" if _is_consonant_y(verb) else f"{doubled}ed"]
    ing = [] if any(form.endswith("ing") for form in past) else [f"{doubled if doubled != stem else stem}ing"]
    return (verb, *past, *ing)


def _is_consonant_y(verb: str) -> bool:
    return verb.endswith("y") and verb[-2:-1] not in "aeiou"
