"""Spelling: words of one wrong, missing, doubled or swapped letter, mended when one known word is that near."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ai.words import Kind, Word

SHORTEST = 5  # shorter words are near too many others


@dataclass(frozen=True, slots=True)
class Mended:
    """The words with their keys mended, and what was read as what."""

    words: tuple[Word, ...]
    notes: tuple[str, ...] = ()


class Dictionary:
    """Known words, found by what is left of them when one letter is taken out."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._near: dict[str, list[str]] = {}
        for word in sorted(known):
            if len(word) >= SHORTEST and word.isalpha():
                for rest in (word, *_shortened(word)):
                    self._near.setdefault(rest, []).append(word)

    def mend(self, key: str) -> str:
        """The known word that was meant, or the word itself."""
        if key in self._known or len(key) < SHORTEST or not key.isalpha():
            return key
        rests = (key, *_shortened(key))
        near = sorted({word for rest in rests for word in self._near.get(rest, ()) if _is_near(key, word)})
        near = [word for word in near if word[0] == key[0]]  # a slip seldom hits the first letter
        if len(key) == SHORTEST:
            near = [word for word in near if sorted(word) == sorted(key)]  # "table" is no "tablet"
        return near[0] if near else key


def mend(words: Sequence[Word], dictionary: Dictionary) -> Mended:
    """The sentence with words of one wrong letter read as those that were meant."""
    mended = tuple(
        replace(word, key=dictionary.mend(word.key)) if word.kind is Kind.LETTERS else word for word in words
    )
    notes = [
        f"'{new.text}' is read as '{new.key}'" for new, old in zip(mended, words, strict=True) if new.key != old.key
    ]
    return Mended(mended, tuple(dict.fromkeys(notes)))


def _shortened(word: str) -> Iterator[str]:
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]


def _is_near(one: str, other: str) -> bool:
    """Whether a single slip makes the one of the other: a letter more, less, other, or two swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    swapped = rest[:2] == other_rest[:2][::-1] and rest[2:] == other_rest[2:]
    return swapped or rest[1:] == other_rest or rest == other_rest[1:] or rest[1:] == other_rest[1:]
