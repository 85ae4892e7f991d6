"""Execution by plan: plain attributes are read and written in one loop, and only the rest goes field by field.

graphql-core asks for each field of each object anew which field it is, how it is resolved, and of which type its
value is. For most the answer is an attribute of a scalar type, so it is worked out once per selection, and kept with
the document when no directive can change what is selected. Whatever is not plainly right (a value of another type, a
null where none may be, an attribute that raises) is left to graphql-core, so that data and errors are exactly its own.

This leans on methods that graphql-core does not promise: its version is pinned, and tests/api/test_planning.py
compares the two over generated queries.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any, NamedTuple, Self

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLList,
    GraphQLNonNull,
    GraphQLNullableType,
    GraphQLObjectType,
    GraphQLScalarType,
    Undefined,
    get_nullable_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, DeferUsage, FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path, gather_with_cancel
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.types.field import StrawberryField

from schema.scalars import print_decimal, print_instant

Read = Callable[[object], object]
# What writes a value, by the exact type that it has; None for a value that is written as it is. Of the types that are
# not among them, nothing is plain.
Writers = dict[type, Callable[[Any], object] | None]

# What a Read gives for a value that is not plain.
LEFT = object()


class Step(NamedTuple):
    """What is done for one response name of a selection: `read` it, or leave it to graphql-core."""

    name: str
    details: FieldDetailsList
    read: Read | None = None


@dataclass(slots=True)
class Plans:
    """The plans of one operation, shared by its executions if all select the same."""

    root: GroupedFieldSet | None = None
    subfields: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = field(
        default_factory=dict
    )
    # By the identity of the grouped fields, which are kept beside the plan so that it stays theirs.
    steps: dict[int, tuple[GroupedFieldSet, list[Step]]] = field(default_factory=dict)


class PlanningExecutor(Executor[None]):
    """graphql-core's executor, with a shorter way for what is plain."""

    plans: Plans

    def using(self, plans: Plans) -> Self:
        """The same executor, which executes by these plans and adds to them what is missing."""
        self.plans = plans
        self._relevant_sub_fields = plans.subfields
        return self

    def execute_collected_root_fields(
        self,
        root_type: GraphQLObjectType,
        root_value: object,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        new_defer_usages: Sequence[DeferUsage],
    ) -> AwaitableOrValue[dict[str, object]]:
        """Execute the root fields, by the plans of the first execution."""
        if self.plans.root is None:
            self.plans.root = grouped_field_set
        return self.execute_root_grouped_field_set(root_type, root_value, self.plans.root, serially, None)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: object,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: None,
    ) -> AwaitableOrValue[dict[str, object]]:
        """Execute a selection on an object: the plain fields here, the others as graphql-core does."""
        results: dict[str, object] = {}
        awaited: dict[str, Awaitable[object]] = {}
        try:
            for name, details, read in self._steps(parent_type, grouped_field_set):
                try:
                    value = read(source_value) if read else LEFT
                except Exception:  # graphql-core meets the same below, and tells it in its own words
                    value = LEFT
                if value is LEFT:
                    field_path = Path(path, name, parent_type.name)
                    value = self.execute_field(parent_type, source_value, details, field_path, None)
                    if value is Undefined:
                        continue
                    if self.is_awaitable(value):
                        awaited[name] = value
                results[name] = value
        except Exception:
            if awaited:
                self.settle_in_background(list(awaited.values()))
            raise
        return self._gathered(results, awaited) if awaited else results

    async def _gathered(
        self, results: dict[str, object], awaited: Mapping[str, Awaitable[object]]
    ) -> dict[str, object]:
        if len(awaited) == 1:
            [(name, result)] = awaited.items()
            results[name] = await result
        else:
            results.update(zip(awaited, await gather_with_cancel(*awaited.values()), strict=True))
        return results

    def _steps(self, parent_type: GraphQLObjectType, grouped: GroupedFieldSet) -> list[Step]:
        known = self.plans.steps.get(id(grouped))
        if known is None:
            steps = [self._step(parent_type, name, details) for name, details in grouped.items()]
            known = self.plans.steps[id(grouped)] = grouped, steps
        return known[1]

    def _step(self, parent_type: GraphQLObjectType, name: str, details: FieldDetailsList) -> Step:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            return Step(name, details, lambda _: parent_type.name)
        field = self.schema.get_field(parent_type, field_name)
        definition = field.extensions.get("strawberry-definition") if field else None
        if field is None or not isinstance(definition, StrawberryField) or not definition.is_basic_field:
            return Step(name, details)
        writers = _writers(get_nullable_type(field.type))
        if writers and not isinstance(field.type, GraphQLNonNull):
            writers = writers | {type(None): None}
        return Step(name, details, _reading(definition.python_name, writers) if writers else None)


def _reading(attribute: str, writers: Writers) -> Read:
    def read(source: object) -> object:
        value = getattr(source, attribute)
        write = writers.get(type(value), _leave)
        return value if write is None else write(value)

    return read


def _leave(_: object) -> object:
    return LEFT


def _writers(type_: GraphQLNullableType) -> Writers:
    match type_:
        case GraphQLScalarType():
            return _SCALARS.get(type_.name, {})
        case CustomGraphQLEnumType():
            # A record from the database holds the value where an object of ours holds the member.
            members: list[Enum] = list(type_.wrapped_cls)
            held = [*members, *(member.value for member in members)]
            names = {value: type_.coerce_output_value(value) for value in held}
            return {type(value): names.__getitem__ for value in held}
        case GraphQLList(of_type=GraphQLNonNull(of_type=GraphQLScalarType(name="String" | "ID"))):
            return {list: _texts}
        case _:
            return {}


def _int32(value: int) -> int:
    if not GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT:
        raise ValueError("too large for an Int")
    return value


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("not a number of JSON")
    return value


def _texts(values: list[object]) -> list[object]:
    if not {type(value) for value in values} <= {str}:
        raise TypeError("not texts alone")
    return values


_JSON: Writers = dict.fromkeys((dict, list, str, int, float, bool))
_SCALARS: Mapping[str, Writers] = {
    "ID": {str: None},
    "String": {str: None},
    "Boolean": {bool: None},
    "Int": {int: _int32},
    "Float": {float: _finite},
    "DateTime": {datetime: print_instant},
    "Decimal": {Decimal: print_decimal},
    "JSON": _JSON,
    "SegmentRules": _JSON,
}
