"""The columns of a CSV file: what its header names, and what a line of cells says under it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NoReturn

import errors
from documents import ImportKind
from ingestion import values
from ingestion.files import fields
from ingestion.files.fields import Leaf, Listed, Shape
from ingestion.reports import Row

# An empty cell leaves the field as it is; this clears it. It is how MySQL and PostgreSQL write NULL.
NULL = r"\N"
ATTRIBUTE = "attributes."
_ATTRIBUTES = "attributes"
MOST_COLUMNS = 500

# Of each of these groups of columns, a file needs one.
_NEEDED = {
    ImportKind.CUSTOMERS: [["externalId", "email", "phone"]],
    ImportKind.ORDERS: [
        ["externalId"],
        ["customer.id", "customer.externalId", "customer.email", "customer.phone"],
        ["placedAt"],
    ],
}


@dataclass(frozen=True, slots=True)
class Column:
    """A cell's place in the row: under `key`, in the object `inside` it if there is one. `name` is the header's."""

    name: str
    key: str
    read: Callable[[str], object]
    inside: str | None = None

    def put(self, row: dict[str, object], value: object) -> None:
        """Put a value where it belongs in the row."""
        if self.inside is None:
            row[self.key] = value
        else:
            inner = row.setdefault(self.inside, values.Named() if self.inside == _ATTRIBUTES else {})
            assert isinstance(inner, dict), "no column is of the whole that another is in"
            inner[self.key] = value


class Columns:
    """The columns of a header. Raises Rejected with all that is wrong with it."""

    def __init__(self, kind: ImportKind, names: Sequence[str]) -> None:
        if len(names) > MOST_COLUMNS:
            raise errors.TooLarge(f"The file has {len(names):,} columns, and at most {MOST_COLUMNS} are taken.")
        known = {column.name: column for column in _columns(fields.of(kind))}
        faults = [*_repeated(names), *_missing(kind, names)]
        self._columns: list[Column] = []
        for name in names:
            try:
                self._columns.append(known.get(name) or _attribute(kind, name, known))
            except errors.Fault as fault:
                faults.append(fault)
        if faults:
            refuse_other_kind(kind, names)
            raise errors.Rejected(faults)

    @property
    def count(self) -> int:
        """How many cells a row has."""
        return len(self._columns)

    def read(self, cells: Sequence[str]) -> Row:
        """What a line of cells says; raises Rejected when it cannot be read."""
        if len(cells) != len(self._columns):
            raise errors.InvalidInput(f"This row has {len(cells)} cells, and the header has {len(self._columns)}.")
        row: dict[str, object] = {}
        faults: list[errors.Fault] = []
        for column, cell in zip(self._columns, cells, strict=True):
            if text := cell.strip():
                try:
                    column.put(row, None if text == NULL else column.read(text))
                except errors.Fault as fault:
                    faults.append(fault.under(column.name))
        if faults:
            raise errors.Rejected(faults)
        return row

    def refuse_encoding(self, cells: Sequence[str]) -> NoReturn:
        """Raise Rejected for a row with bytes that are not UTF-8, which are lone surrogates here."""
        raise errors.Rejected(
            errors.InvalidInput(
                f"The byte 0x{ord(stray) - 0xDC00:02X} is not UTF-8: save the file as UTF-8.", name.split(".")
            )
            for name, cell in zip_longest([column.name for column in self._columns], cells, fillvalue="")
            if (stray := next((each for each in cell if "\udc80" <= each <= "\udcff"), None))
        )


def recognised(kind: ImportKind, names: Sequence[str]) -> int:
    """How many of these are names of columns."""
    known = {column.name for column in _columns(fields.of(kind))}
    return sum(name in known or name.startswith(ATTRIBUTE) for name in names)


def refuse_other_kind(kind: ImportKind, names: Sequence[str]) -> None:
    """Raise InvalidInput, with where to send it, for a file whose names are those of the other kind."""
    other = ImportKind.ORDERS if kind is ImportKind.CUSTOMERS else ImportKind.CUSTOMERS
    if recognised(other, names) > recognised(kind, names) and not list(_missing(other, names)):
        what, where = (each.value.lower() for each in (kind, other))
        raise errors.InvalidInput(
            f"This looks like a file of {where}, and not of {what}: use import{where.capitalize()}, "
            f"or `server.py import {where}`."
        )


def _columns(shape: Shape) -> Iterator[Column]:
    for name, own in shape.names.items():
        match shape.fields[own]:
            case Leaf() | Listed() as field:
                yield Column(name, own, field.from_text)
            case Shape() as inner:
                yield from (Column(f"{name}.{each.name}", each.key, each.read, own) for each in _columns(inner))


def _attribute(kind: ImportKind, name: str, known: dict[str, Column]) -> Column:
    if not name:
        raise errors.InvalidInput("A column has no name: does the header end with a delimiter?")
    attribute = name.removeprefix(ATTRIBUTE)
    if kind is not ImportKind.CUSTOMERS or attribute == name:
        raise errors.InvalidInput(fields.unknown("column", name[: fields.MOST_TOLD], known))
    try:
        values.attributes({attribute: None})
    except errors.Fault as fault:
        raise errors.InvalidInput(f"{name[: fields.MOST_TOLD]!r}: {fault.message}") from fault
    return Column(name, attribute, fields.read_attribute, _ATTRIBUTES)


def _repeated(names: Sequence[str]) -> Iterator[errors.Fault]:
    for name, times in Counter(names).items():
        if name and times > 1:
            yield errors.InvalidInput(f"The column {name[: fields.MOST_TOLD]!r} is there {times} times.")
    if _ATTRIBUTES in names and any(name.startswith(ATTRIBUTE) for name in names):
        yield errors.InvalidInput(f"Give attributes as one column, or as columns {ATTRIBUTE}NAME, and not as both.")


def _missing(kind: ImportKind, names: Sequence[str]) -> Iterator[errors.Fault]:
    for group in _NEEDED[kind]:
        if not set(group) & set(names):
            yield errors.Required(f"A column {' or '.join(group)} is needed.")
