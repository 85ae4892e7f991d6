"""Drafts: what a sentence was read as, whoever read it. Nothing is stored before somebody says so."""

from dataclasses import dataclass
from enum import StrEnum

from segmentation.tree import Group


class Source(StrEnum):
    """Who read the sentence."""

    GEMINI = "GEMINI"
    BUILT_IN = "BUILT_IN"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way to read the sentence, with what tells it from the first."""

    rules: Group
    explanation: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Rules for a sentence; what was assumed where it left room, and its words that no rule covers."""

    rules: Group
    explanation: str
    source: Source
    assumptions: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
