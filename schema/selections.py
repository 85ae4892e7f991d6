"""What a selection names, by whichever way: fields, fragments, inline fragments."""

from collections.abc import Iterable, Mapping

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

Fragments = Mapping[str, FragmentDefinitionNode]


def fields(sets: Iterable[SelectionSetNode | None], fragments: Fragments) -> list[FieldNode]:
    """The fields of these selections, in order, those of fragments in the place of the spread."""
    found: list[FieldNode] = []
    for selections in sets:
        for node in selections.selections if selections else ():
            match node:
                case FieldNode():
                    found.append(node)
                case FragmentSpreadNode():
                    found += fields([fragments[node.name.value].selection_set], fragments)
                case InlineFragmentNode():
                    found += fields([node.selection_set], fragments)
    return found


def within(parents: Iterable[FieldNode], name: str, fragments: Fragments) -> list[FieldNode]:
    """The fields of this name that are selected of any of the parents."""
    return [node for node in fields([parent.selection_set for parent in parents], fragments) if node.name.value == name]
