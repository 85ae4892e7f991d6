"""Reading a row field by field, so that every fault in it is told and not only the first."""

import re
from collections.abc import Mapping
from functools import cache

import errors
from ingestion.reports import Row
from ingestion.values import Reader

_INNER_WORD = re.compile(r"_(\w)")


@cache
def published(name: str) -> str:
    """A field's name as clients write it: postal_code → postalCode."""
    return _INNER_WORD.sub(lambda letter: letter[1].upper(), name)


def read(row: Row, readers: Mapping[str, Reader], faults: list[errors.Fault], *path: str) -> dict[str, object]:
    """The row's values as they are stored; an explicit null stays None. What cannot be read is added to the faults,
    with `path` before the field's name, and left out."""
    found: dict[str, object] = {}
    for name, sent in row.items():
        try:
            found[name] = None if sent is None else readers[name](sent)
        except errors.Fault as fault:
            faults.append(fault.under(*path, published(name)))
        except KeyError:
            faults.append(errors.InvalidInput("There is no such field.", (*path, published(name))))
    return found
