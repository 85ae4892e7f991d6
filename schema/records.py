"""From stored records to GraphQL types, reading no more than is asked for.

A type's leaves have the names under which they are stored, so a record becomes an object as it is. Working out each of
a customer's 27 leaves took five times as long, and most queries ask for eight.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from documents.records import Record
from schema import selections
from schema.context import EngineInfo

T = TypeVar("T")


def made(cls: type[T], record: Record) -> T:
    """An object whose attributes are the record's; what the record lacks is as the class has it."""
    made = object.__new__(cls)
    made.__dict__ = dict(record)
    return made


def selected_nodes(info: EngineInfo) -> set[str]:
    """The names of the fields that are selected of the nodes of a connection, by whichever way."""
    fragments = info._raw_info.fragments
    connection = info._raw_info.field_nodes
    edges = selections.within(connection, "edges", fragments)
    nodes = [*selections.within(connection, "nodes", fragments), *selections.within(edges, "node", fragments)]
    return {field.name.value for field in selections.fields([node.selection_set for node in nodes], fragments)}


def stored_names(selected: Iterable[str], stored: Mapping[str, tuple[str, ...]]) -> set[str]:
    """What to read of each record for these fields; a field that is not in the table needs nothing of its own."""
    return {name for field in selected for name in stored.get(field, ())}
