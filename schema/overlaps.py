"""Whether fields of one response name can be one field of the answer, found in time proportional to them.

The specification compares every pair of them, and so does graphql-core: a fifth of a second for 200 fields that are
alike. Two facts make pairs needless, as Simon Adameit found: equality is transitive, so that comparing all with the
first of a group is enough; and what is selected of a group can be looked at together.

Only for documents that are valid otherwise: there every spread leads somewhere, and none back.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    print_ast,
)
from graphql.utilities.sort_value_node import sort_value_node


@dataclass(frozen=True, slots=True)
class _Field:
    """A field as it stands in the document, the type that it is of and the type that it gives."""

    node: FieldNode
    parent: GraphQLCompositeType
    type: GraphQLOutputType


_Selected = Iterable[tuple[SelectionSetNode, GraphQLCompositeType]]
_Group = Sequence[_Field]


def conflicts(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """One error for each response name under which an operation asks for two things."""
    overlaps = _Overlaps(schema, document)
    return [
        error
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and (root := schema.get_root_type(node.operation))
        for error in overlaps.among([(node.selection_set, root)])
    ]


class _Overlaps:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def among(self, selected: _Selected) -> list[GraphQLError]:
        """What is wrong with these selections, taken as one."""
        groups = self._groups(selected)
        return list(self._different(groups)) or list(self._misshapen(groups))

    def _misshapen(self, groups: Mapping[str, _Group]) -> Iterator[GraphQLError]:
        """Fields whose values a client could not tell apart, whichever of them it gets."""
        for name, group in groups.items():
            first, other = group[0], _unlike(group, lambda field: _shape(field.type))
            if other:
                yield _conflict(name, first, other, f"they return conflicting types '{first.type}' and '{other.type}'")
            else:
                yield from self._misshapen(self._groups(_selected(group)))

    def _different(self, groups: Mapping[str, _Group]) -> Iterator[GraphQLError]:
        """Fields that may be of one object, and are not the same field of it."""
        for name, group in groups.items():
            for together in _of_one_object(group):
                first = together[0]
                if other := _unlike(together, lambda field: field.node.name.value):
                    names = f"'{first.node.name.value}' and '{other.node.name.value}'"
                    yield _conflict(name, first, other, f"{names} are different fields")
                elif other := _unlike(together, lambda field: _arguments(field.node)):
                    yield _conflict(name, first, other, "they have differing arguments")
                else:
                    yield from self._different(self._groups(_selected(together)))

    def _groups(self, selected: _Selected) -> Mapping[str, _Group]:
        """The fields of selections by their response names, each fragment looked into once."""
        groups: defaultdict[str, list[_Field]] = defaultdict(list)
        spread: set[str] = set()
        waiting = list(selected)
        for selections, parent in waiting:
            for node in selections.selections:
                match node:
                    case FieldNode():
                        if field := self._schema.get_field(parent, node.name.value):
                            groups[_response_name(node)].append(_Field(node, parent, field.type))
                    case InlineFragmentNode(type_condition=condition):
                        waiting.append((node.selection_set, self._type(condition) if condition else parent))
                    case FragmentSpreadNode() if (name := node.name.value) not in spread:
                        spread.add(name)
                        fragment = self._fragments[name]
                        waiting.append((fragment.selection_set, self._type(fragment.type_condition)))
        return groups

    def _type(self, condition: NamedTypeNode) -> GraphQLCompositeType:
        type_ = self._schema.get_type(condition.name.value)
        assert is_composite_type(type_)
        return type_


def _unlike(group: _Group, aspect: Callable[[_Field], str]) -> _Field | None:
    """The first field that differs in an aspect from those before it."""
    if len(group) == 1:
        return None
    expected = aspect(group[0])
    return next((field for field in group[1:] if aspect(field) != expected), None)


def _of_one_object(group: _Group) -> Iterable[_Group]:
    """The fields that may meet in one object: those of one object type, with those of interfaces and unions."""
    by_type: dict[str, list[_Field]] = {}
    anywhere = [field for field in group if not isinstance(field.parent, GraphQLObjectType)]
    for field in group:
        if isinstance(field.parent, GraphQLObjectType):
            by_type.setdefault(field.parent.name, list(anywhere)).append(field)
    return by_type.values() or [anywhere]


def _selected(group: _Group) -> Iterator[tuple[SelectionSetNode, GraphQLCompositeType]]:
    for field in group:
        type_ = get_named_type(field.type)
        if field.node.selection_set and is_composite_type(type_):
            yield field.node.selection_set, type_


def _shape(type_: GraphQLOutputType) -> str:
    """What of a type must be alike; two types of objects need not be one, their fields are looked at."""
    named = get_named_type(type_)
    return str(type_) if is_leaf_type(named) else str(type_).replace(named.name, "{}")


def _arguments(node: FieldNode) -> str:
    return " ".join(sorted(f"{one.name.value}:{print_ast(sort_value_node(one.value))}" for one in node.arguments or ()))


def _response_name(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _conflict(name: str, one: _Field, other: _Field, reason: str) -> GraphQLError:
    advice = "Use different aliases on the fields to fetch both if this was intentional."
    return GraphQLError(f"Fields '{name}' conflict because {reason}. {advice}", [one.node, other.node])
