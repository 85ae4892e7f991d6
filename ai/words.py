"""Words: a sentence cut into what the lexicon is looked up by, each remembering where it stood.

A word is matched by its key: folded, without its apostrophe, and singular. Lexicon and database values are cut by the
same rules, so that "at-risk", "At Risk" and "at risks" meet, however crude the singular is.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import documents


class Kind(Enum):
    """What a word is made of."""

    LETTERS = "letters"
    NUMBER = "number"
    DATE = "date"
    QUOTED = "quoted"
    ADDRESS = "address"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Word:
    """One word: as written, as matched, and from where to where in the sentence."""

    text: str
    key: str
    kind: Kind
    start: int
    end: int


_PATTERN = re.compile(
    r"""
    (?P<quoted> "[^"\n]{1,100}" | (?<!\w)'[^'\n]{1,100}'(?!\w) )
  | (?P<address> (?:[\w.+-]*@)? (?:[A-Za-z0-9-]+\.)+ (?:com|net|org|edu|gov|io|co\.[a-z]{2}) (?![\w@]|\.\w) )
  | (?P<date> \d{4}-\d{1,2}-\d{1,2}(?!\d) | \d{1,2}(?P<mark>[/.-])\d{1,2}(?P=mark)\d{4}(?!\d) )
  | (?P<number> \d+(?:,\d{2,3})*(?:\.\d+)?(?=\D|$) | \d+ )
  | (?P<letters> (?:[A-Za-z]\.){2,}(?:[A-Za-z]\b)? | [A-Za-z]\.[A-Za-z]\b | [^\W\d_][^\W_]*(?:'[^\W\d_]+)* )
  | (?P<sign> >=|=>|<=|=<|!=|<>|==|\S )
    """,
    re.VERBOSE,
)
_ENDS_IN_NUMBER = re.compile(r"\d[a-z]{0,5}$")
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "\u00a0": " "})
_CONTRACTIONS = {
    **dict.fromkeys(("won't", "wont"), ("will", "not")),
    **dict.fromkeys(("can't", "cant", "cannot"), ("can", "not")),
    **{f"{word}nt": (word, "not") for word in ("have", "has", "had", "do", "did", "does", "is", "are", "was", "were")},
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "emails": ("email",),
}
_ENDINGS = {"'s": (), "'ve": ("have",), "'re": ("are",), "'d": ("had",), "'ll": ("will",), "'m": ("am",)}
_NO_PLURAL = ("ss", "us", "is", "'s")


def cut(sentence: str) -> list[Word]:
    """The words of a sentence, in order."""
    words: list[Word] = []
    for match in _PATTERN.finditer(sentence.translate(_TYPOGRAPHY)):
        kind = Kind(match.lastgroup)
        text = sentence[match.start() : match.end()]
        word = Word(text, _plain(match[0]), kind, match.start(), match.end())
        if kind is Kind.LETTERS:
            words += _opened(word)
        elif kind is Kind.QUOTED:
            words.append(replace(word, text=text[1:-1], key=word.key[1:-1]))
        elif kind is not Kind.SIGN or not _is_hyphen(sentence, word):
            words.append(word)
    return words


def keys(text: str) -> tuple[str, ...]:
    """The keys of the words of a phrase, as they are looked up."""
    return tuple(word.key for word in cut(text))


def singular(word: str) -> str:
    """The word without a plural's ending; the same for any form, though not always a word."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(_NO_PLURAL):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1]


def phrases(sentence: str, words: Sequence[Word], indices: Sequence[int]) -> Iterator[str]:
    """The source text of these words, those that stand side by side as one phrase."""
    run: list[int] = []
    for index in sorted(indices):
        if run and index != run[-1] + 1:
            yield sentence[words[run[0]].start : words[run[-1]].end]
            run = []
        run.append(index)
    if run:
        yield sentence[words[run[0]].start : words[run[-1]].end]


def _plain(text: str) -> str:
    """Folded, and without accents: Île-de-France is typed Ile-de-France."""
    decomposed = unicodedata.normalize("NFKD", documents.fold(text))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _opened(word: Word) -> list[Word]:
    """A word of letters, or the two that it contracts."""
    word = replace(word, key=word.key.replace(".", ""))
    parts = _CONTRACTIONS.get(word.key)
    if parts is None and word.key.endswith("n't"):
        parts = (word.key[:-3], "not")
    for ending, added in _ENDINGS.items():
        if parts is None and word.key.endswith(ending):
            parts = (word.key.removesuffix(ending), *added)
    return [replace(word, key=singular(part.replace("'", ""))) for part in parts or (word.key,)]


def _is_hyphen(sentence: str, word: Word) -> bool:
    """Whether this sign only joins two words: non-vip, under-25s, but not 5-10, 20k-40k or "Pune - Mumbai"."""
    before, after = sentence[word.start - 1 : word.start], sentence[word.end : word.end + 1]
    is_range = after.isdigit() and _ENDS_IN_NUMBER.search(sentence, max(0, word.start - 20), word.start)
    return word.key == "-" and before.isalnum() and after.isalnum() and not is_range
