"""Texts that clients write for people to read, and what is looked for in them."""

import re
from collections.abc import Mapping, Sequence

import documents
import errors

LONGEST_SEARCHED = 200  # as the longest name; MongoDB takes patterns of up to 32,764


def faults(text: str | None, field: str) -> Sequence[errors.Fault]:
    """What is wrong with the characters of a text: MongoDB looks for none with a NUL in it."""
    return [errors.InvalidInput("This contains a NUL character.", [field])] if text and "\0" in text else []


def searched(text: str | None, *path: str) -> Mapping[str, str] | None:
    """What a folded text must match that has this one in it; raises InvalidInput for what cannot be looked for."""
    if not text:
        return None
    for fault in faults(text, path[-1]):
        raise fault.under(*path[:-1])
    if len(text) > LONGEST_SEARCHED:
        raise errors.InvalidInput(f"This is longer than {LONGEST_SEARCHED} characters.", path)
    return {"$regex": re.escape(documents.fold(text))}  # nothing that a user types is a pattern
