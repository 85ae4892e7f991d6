"""From stored records to GraphQL types, reading no more than is asked for.

A type's leaves have the names under which they are stored, so a record becomes an object as it is. Working out each of
a customer's 27 leaves took five times as long, and most queries ask for eight.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from documents.records import Record
from schema.context import EngineInfo

T = TypeVar("T")


def made(cls: type[T], record: Record) -> T:
    """An object whose attributes are the record's; what the record lacks is as the class has it."""
    made = object.__new__(cls)
    vars(made).update(record)
    return made


def selected_nodes(info: EngineInfo) -> set[str]:
    """The names of the fields that are selected of the nodes of a connection, by whichever way."""
    top = [node.selection_set for node in info._raw_info.field_nodes]
    nodes = [found for name, found in _fields(top, info) if name == "nodes"]
    edges = [found for name, found in _fields(top, info) if name == "edges"]
    nodes += [found for name, found in _fields(edges, info) if name == "node"]
    return {name for name, _ in _fields(nodes, info)}


def stored_names(selected: Iterable[str], stored: Mapping[str, tuple[str, ...]]) -> set[str]:
    """What to read of each record for these fields; a field that is not in the table needs nothing of its own."""
    return {name for field in selected for name in stored.get(field, ())}


def _fields(sets: Iterable[SelectionSetNode | None], info: EngineInfo) -> list[tuple[str, SelectionSetNode | None]]:
    found: list[tuple[str, SelectionSetNode | None]] = []
    for selections in sets:
        for node in selections.selections if selections else ():
            match node:
                case FieldNode():
                    found.append((node.name.value, node.selection_set))
                case FragmentSpreadNode():
                    found += _fields([info._raw_info.fragments[node.name.value].selection_set], info)
                case InlineFragmentNode():
                    found += _fields([node.selection_set], info)
    return found
