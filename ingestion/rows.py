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


def read(row: Row, readers: Mapping[str, Reader], faults: list[errors.Fault]) -> dict[str, object]:
    """The row's values as they are stored; an explicit null stays None. What cannot be read is added to the faults
    and left out."""
    found: dict[str, object] = {}
    for name, sent in row.items():
        try:
            found[name] = None if sent is None else readers[name](sent)
        except errors.Fault as fault:
            faults.append(fault.under(published(name)))
        except KeyError:
            faults.append(errors.InvalidInput("There is no such field.", [published(name)]))
    return found


def given(values: Mapping[str, object]) -> dict[str, object]:
    """The values that are set: what is not is stored by leaving it out."""
    return {name: value for name, value in values.items() if value is not None}


def read_object(sent: object, readers: Mapping[str, Reader], *required: str) -> dict[str, object]:
    """The values of an object within a row; raises Rejected with all that is wrong in it."""
    if not isinstance(sent, Mapping):
        raise errors.InvalidInput("This must be an object.")
    faults: list[errors.Fault] = []
    found = read(sent, readers, faults)
    faults += missing(sent, *required)
    if faults:
        raise errors.Rejected(faults)
    return found


def missing(row: Row, *required: str) -> list[errors.Fault]:
    """A fault for each of these fields that the row leaves out."""
    return [errors.Required("This is needed.", [published(name)]) for name in required if row.get(name) is None]
