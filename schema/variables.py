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
from schema.reading import Refused

MAX_ERRORS = 50


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
            try:
                if coerce is not None:
                    rows[name] = coerce(sent[name])
                    continue
            except inputs.MalformedError:
                pass  # graphql-core says below what is wrong with it
            others.append(definition)
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
