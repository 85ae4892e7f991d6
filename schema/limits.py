"""How much one request may ask for: one walk over the document, each fragment weighed once.

The walk takes time proportional to the text, where following every spread takes time exponential in it: of 668
characters, 0.66 s. Introspection has limits of its own, within which the query that GraphiQL sends fits.

What a query costs is about how many objects it fetches: one for each field that gives an object, times the page size
for what is on a page, times ASSUMED_LENGTH for what is in another list. A field that computes a value costs one too.
A field's own cost is set with `strawberry.field(metadata={"cost": 10})`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from resolvers.pages import DEFAULT_SIZE, LARGEST_SIZE

MAX_COST = 5_000
ASSUMED_LENGTH = 10
INTROSPECTION_COST = 100
REFUSED_COST = 500  # to read what cannot be executed takes as long as some pages, and nothing of it is kept

# By the name of what is counted, as Weight has it.
MAXIMA = {"depth": 12, "aliases": 30, "root_fields": 20, "directives": 50, "fields": 500, "introspection_depth": 3}

# Lists of introspection through which it comes back to types: each level multiplies the answer by their number.
_RECURSIVE_LISTS = {"fields", "interfaces", "possibleTypes", "inputFields"}

_Composite = GraphQLObjectType | GraphQLInterfaceType


@dataclass(frozen=True, slots=True)
class Weight:
    """What a selection adds up to. `root_fields` are those at its top; `cost_per_item` awaits the size of its page."""

    depth: int = 0
    introspection_depth: int = 0
    root_fields: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0
    cost_per_item: int = 0

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(
            max(self.depth, other.depth),
            max(self.introspection_depth, other.introspection_depth),
            self.root_fields + other.root_fields,
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.cost + other.cost,
            self.cost_per_item + other.cost_per_item,
        )


class Scales:
    """Weighs the operations of one document, given the values of its variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._weights: dict[str, Weight] = {}

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        """What the operation asks for, fragments included."""
        root = self._schema.get_root_type(operation.operation)
        return self._selections(operation.selection_set, root) + Weight(directives=len(operation.directives or ()))

    def _selections(self, selections: SelectionSetNode, parent: GraphQLNamedType | None) -> Weight:
        total = Weight()
        for node in selections.selections:
            total += Weight(directives=len(node.directives or ()))
            match node:
                case FieldNode():
                    total += self._field(node, parent)
                case InlineFragmentNode(type_condition=condition):
                    type_ = self._schema.get_type(condition.name.value) if condition else parent
                    total += self._selections(node.selection_set, type_)
                case FragmentSpreadNode():
                    total += self._fragment(node.name.value)
        return total

    def _fragment(self, name: str) -> Weight:
        if name not in self._weights:
            # Nothing yet: a fragment within itself, which validation refuses later, must not keep us here.
            self._weights[name] = Weight()
            if fragment := self._fragments.get(name):
                condition = self._schema.get_type(fragment.type_condition.name.value)
                self._weights[name] = self._selections(fragment.selection_set, condition)
        return self._weights[name]

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Weight:
        name = node.name.value
        field = self._schema.get_field(parent, name) if isinstance(parent, _Composite) else None
        type_ = get_named_type(field.type) if field else None
        inner = self._selections(node.selection_set, type_) if node.selection_set else Weight()
        introspecting = name in ("__schema", "__type")
        returns = name in _RECURSIVE_LISTS and parent is not None and parent.name.startswith("__")
        cost, cost_per_item = self._cost(node, field, parent, inner) if field else (0, 0)
        return Weight(
            depth=1 if introspecting else inner.depth + 1,
            introspection_depth=inner.introspection_depth + returns,
            root_fields=1,
            fields=inner.fields + 1,
            aliases=inner.aliases + (node.alias is not None),
            directives=inner.directives,
            cost=INTROSPECTION_COST if introspecting else cost,
            cost_per_item=cost_per_item,
        )

    def _cost(
        self, node: FieldNode, field: GraphQLField, parent: GraphQLNamedType | None, inner: Weight
    ) -> tuple[int, int]:
        """What a field costs once, and for each item of the page that it belongs to."""
        own = _own_cost(field)
        if not is_list_type(get_nullable_type(field.type)):
            return own + inner.cost + self._size(node, field) * inner.cost_per_item, 0
        if _is_connection(parent):
            return 0, own + inner.cost
        return (self._size(node, field) if "first" in field.args else ASSUMED_LENGTH) * (own + inner.cost), 0

    def _size(self, node: FieldNode, field: GraphQLField) -> int:
        """The page size that a field is given, or has by default."""
        for argument in node.arguments or ():
            if argument.name.value not in ("first", "last"):
                continue
            match argument.value:
                case IntValueNode(value=digits):
                    return _clamped(int(digits[:10]))
                case VariableNode(name=name):
                    if isinstance(size := self._variables.get(name.value), int):
                        return _clamped(size)
        default = coerce_default_value(field.args["first"]) if "first" in field.args else None
        return default if isinstance(default, int) else DEFAULT_SIZE


def _clamped(size: int) -> int:
    return min(max(size, 0), LARGEST_SIZE)


def _own_cost(field: GraphQLField) -> int:
    definition = field.extensions.get("strawberry-definition")
    cost = definition.metadata.get("cost") if definition else None
    if isinstance(cost, int):
        return cost
    type_ = get_named_type(field.type)
    if is_leaf_type(type_):
        return 0 if getattr(field.resolve, "_is_default", True) else 1
    return 0 if type_.name.endswith("Edge") else 1


def _is_connection(type_: GraphQLNamedType | None) -> bool:
    return isinstance(type_, GraphQLObjectType) and "pageInfo" in type_.fields
