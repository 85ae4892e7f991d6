"""The values of a request's variables: rows leniently and fast, all else as graphql-core coerces it."""

from collections.abc import Mapping, Sequence

from graphql import (
    GraphQLSchema,
    VariableDefinitionNode,
    is_input_type,
    print_ast,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values

from schema import errors, inputs
from schema.reading import Refused, refuse_beyond

MAX_ERRORS = 50
# Coercion comes before anybody can say that a list is too long, and holds all else up, at up to 20 µs a value.
MAX_ROWS = 100_000
MAX_VALUES = 50_000  # of all that is in no row; the longest list in rules has 1,000


class Variables:
    """Coerces the variables of operations on one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        # By the type as it is written in operations; there are as many as ways to write a valid type of rows.
        self._rows: dict[str, inputs.Coerce | None] = {}

    def coerce(self, definitions: Sequence[VariableDefinitionNode], sent: Mapping[str, object]) -> VariableValues:
        """The coerced values; raises Refused when one does not fit its type."""
        rows: dict[str, object] = {}
        others: list[VariableDefinitionNode] = []
        for definition in definitions:
            name = definition.variable.name.value
            coerce = self._row_coercion(definition) if name in sent else None
            if coerce is None:
                refuse_beyond("values", MAX_VALUES, _values(sent.get(name)))
                others.append(definition)
                continue
            refuse_beyond("rows", MAX_ROWS, _length(sent[name]))
            try:
                rows[name] = coerce(sent[name])
            except inputs.MalformedError:
                others.append(definition)  # graphql-core says below what is wrong with it
        values = get_variable_values(self._schema, others, dict(sent), max_errors=MAX_ERRORS)
        if isinstance(values, list):
            raise Refused(values, errors.BAD_USER_INPUT)
        # Sources are for variables within the literal of a scalar, where no row can be.
        return VariableValues(values.sources, values.coerced | rows)

    def _row_coercion(self, definition: VariableDefinitionNode) -> inputs.Coerce | None:
        written = print_ast(definition.type)
        if written not in self._rows:
            type_ = type_from_ast(self._schema, definition.type)
            self._rows[written] = inputs.coercion(type_) if is_input_type(type_) and inputs.is_row(type_) else None
        return self._rows[written]


def _values(sent: object) -> int:
    """How many values lie in one, with those of containers that lie in it; counted no further than too many."""
    found, waiting = 0, [sent]
    while waiting and found <= MAX_VALUES:
        value = waiting.pop()
        found += _length(value)
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return found


def _length(value: object) -> int:
    return len(value) if isinstance(value, dict | list) else 0
