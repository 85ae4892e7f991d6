"""Sentences: what somebody means by one, as rules to look at before anything is saved."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import errors
from ai.drafts import Draft
from auth import Viewer
from segmentation import audience
from segmentation.dates import AsOf
from segmentation.tree import Group


class Reader(Protocol):
    """Reads sentences."""

    async def read(self, sentence: str, as_of: AsOf) -> Draft:
        """The rules that a sentence means; raises a Fault for one that means none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What sentences are read by, and as of when."""

    reader: Reader
    as_of: AsOf


@dataclass(frozen=True, slots=True)
class Counted:
    """One way to read a sentence, with how many customers it reaches."""

    rules: Group
    explanation: str
    audience_size: int


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a sentence was read as, first and otherwise."""

    draft: Draft
    audience_size: int
    alternatives: Sequence[Counted]


async def understand(viewer: Viewer, sentence: str, reading: Reading) -> Understanding:
    """The sentence as rules, and whom they and each alternative reach now. Raises a Fault under `prompt`."""
    draft = await read(sentence, reading)
    readings = (draft.rules, *(other.rules for other in draft.alternatives))
    size, *others = await asyncio.gather(*(audience.count(rules, reading.as_of) for rules in readings))
    return Understanding(
        draft,
        size,
        [
            Counted(other.rules, other.explanation, count)
            for other, count in zip(draft.alternatives, others, strict=True)
        ],
    )


async def read(sentence: str, reading: Reading | None) -> Draft:
    """What the reader makes of the sentence. Raises a Fault under `prompt`."""
    if reading is None:
        raise errors.Unavailable("Sentences cannot be read here.", ["prompt"])
    try:
        return await reading.reader.read(sentence, reading.as_of)
    except errors.Fault as fault:
        raise fault.under("prompt") from fault
