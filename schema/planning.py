"""Execution by plan: what is plain is read and written in one loop, and only the rest goes field by field.

graphql-core asks for each field of each object anew which field it is, how it is resolved, and of which type its
value is. For most the answer is an attribute of a scalar type, so it is worked out once per selection, and kept with
the document when no directive can change what is selected. A selection of nothing but such attributes (schema/plain.py)
becomes one function, from objects to their responses, and so does the list of such objects that a page is. Whatever is
not plainly right is left to graphql-core, so that data and errors are exactly its own.

This leans on methods that graphql-core does not promise: its version is pinned, and tests/api/test_planning.py
compares the two over generated queries.
"""

from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    Undefined,
    get_nullable_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, DeferUsage, FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path, gather_with_cancel
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from schema import plain
from schema.plain import Plain, Writers

# What stands for the value of a field until graphql-core has executed it.
LEFT = object()


class Step(NamedTuple):
    """What is done for one response name of a selection: read it as what is `plain`, or leave it to graphql-core."""

    name: str
    details: FieldDetailsList
    plain: Plain | None = None


@dataclass(slots=True)
class Plans:
    """The plans of one operation, shared by its executions if all select the same."""

    root: GroupedFieldSet | None = None
    subfields: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = field(
        default_factory=dict
    )
    # By the identity of what they are made from, which is kept beside them so that it stays theirs.
    steps: dict[int, tuple[GroupedFieldSet, list[Step]]] = field(default_factory=dict)
    lists: dict[tuple[GraphQLList[GraphQLOutputType], int], tuple[FieldDetailsList, Writers]] = field(
        default_factory=dict
    )


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
            for name, details, field in self._steps(parent_type, grouped_field_set):
                try:
                    value = plain.written(getattr(source_value, field.attribute), field.writers) if field else LEFT
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

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: AsyncIterable[object] | Iterable[object],
        position_context: None,
    ) -> AwaitableOrValue[list[object]]:
        """Complete a list that a resolver gave: at once when all is plain, otherwise as graphql-core does."""
        try:
            written: list[object] = plain.written(result, self._list_writers(return_type, field_details_list))
        except Exception:  # as above; what is no list is among what is not plain
            return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)
        return written

    def _steps(self, parent_type: GraphQLObjectType, grouped: GroupedFieldSet) -> list[Step]:
        known = self.plans.steps.get(id(grouped))
        if known is None:
            steps = [self._step(parent_type, name, details) for name, details in grouped.items()]
            known = self.plans.steps[id(grouped)] = grouped, steps
        return known[1]

    def _step(self, parent_type: GraphQLObjectType, name: str, details: FieldDetailsList) -> Step:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            return Step(name, details, plain.typename(name, parent_type.name))
        field = self.schema.get_field(parent_type, field_name)
        definition = field.extensions.get("strawberry-definition") if field else None
        if field is None or not isinstance(definition, StrawberryField) or not definition.is_basic_field:
            return Step(name, details)
        writers = self._writers(field.type, details)
        return Step(name, details, Plain(name, definition.python_name, writers) if writers else None)

    def _list_writers(self, type_: GraphQLList[GraphQLOutputType], details: FieldDetailsList) -> Writers:
        key = type_, id(details)
        known = self.plans.lists.get(key)
        if known is None:
            known = self.plans.lists[key] = details, self._writers(type_, details)
        return known[1]

    def _writers(self, type_: GraphQLOutputType, details: FieldDetailsList) -> Writers:
        """How values of a type are written with this selection; empty when it is for graphql-core."""
        match inner := get_nullable_type(type_):
            case GraphQLObjectType():
                writers = self._object_writers(inner, details)
            case GraphQLList(of_type=item) if items := self._writers(item, details):
                writers = plain.lists(items)
            case _:
                writers = plain.leaves(inner)
        return writers if isinstance(type_, GraphQLNonNull) or not writers else plain.nullable(writers)

    def _object_writers(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Writers:
        definition = type_.extensions.get("strawberry-definition")
        if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of:
            return {}
        steps = self._steps(type_, self.collect_subfields(type_, details).grouped_field_set)
        fields = [step.plain for step in steps if step.plain]
        if not steps or len(fields) < len(steps):
            return {}
        # An Edge[Customer] is an Edge at run time.
        kinds = [definition.origin, *([definition.concrete_of.origin] if definition.concrete_of else [])]
        return plain.objects(kinds, fields)
