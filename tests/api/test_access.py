"""Authority: every root field, for nobody and for each role, against the one table of schema/access.py."""

from collections.abc import Mapping

import pytest
from beanie import PydanticObjectId
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_leaf_type,
)

import documents
from auth import Viewer
from documents import Role
from schema import access, schema
from schema.context import ContextFactory
from schema.operations import Answer, Request
from tests.api.conftest import Api

ROOTS: Mapping[str, GraphQLObjectType | None] = {
    "query": schema._schema.query_type,
    "mutation": schema._schema.mutation_type,
    "subscription": schema._schema.subscription_type,
}
FIELDS = [(kind, name) for kind, root in ROOTS.items() if root for name in root.fields]
GUARDED = [(kind, name) for kind, name in FIELDS if name not in access.PUBLIC_FIELDS]


def test_the_table_names_every_root_field_and_no_other() -> None:
    assert {name for _, name in FIELDS} == access.ROLES.keys() | access.PUBLIC_FIELDS


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize(("kind", "name"), GUARDED, ids=[name for _, name in GUARDED])
async def test_a_root_field_opens_to_its_roles_alone(api: Api, kind: str, name: str, role: Role | None) -> None:
    viewer = Viewer(PydanticObjectId(), role) if role else None
    answer = await first_answer(api.contexts, kind, name, viewer)
    codes = {str((error.extensions or {}).get("code")) for error in answer.errors}
    if role is None:
        assert codes == {"UNAUTHENTICATED"}
    elif role in access.ROLES[name]:
        assert not codes & {"UNAUTHENTICATED", "FORBIDDEN", "INTERNAL"}
    else:
        assert codes == {"FORBIDDEN"}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SERVICE])
def test_who_only_reads_or_only_ingests_writes_no_campaign(role: Role) -> None:
    assert not [name for name in access.ROLES if name.endswith(("Campaign", "Segment")) and may_write(name, role)]


def may_write(name: str, role: Role) -> bool:
    mutation = ROOTS["mutation"]
    return mutation is not None and name in mutation.fields and role in access.ROLES[name]


async def first_answer(contexts: ContextFactory, kind: str, name: str, viewer: Viewer | None) -> Answer:
    """What the field answers to arguments that are well formed and about nothing."""
    root = ROOTS[kind]
    assert root is not None
    request = request_of(kind, name, root.fields[name])
    if kind != "subscription":
        return await schema.answer(request, contexts.open(viewer))
    async for event in schema.performed(schema.prepare(request), lambda: contexts.open(viewer)):
        return event
    return Answer(executed=True)


def request_of(kind: str, name: str, field: GraphQLField) -> Request:
    """The smallest request of a field: its required arguments, and no more of its type than must be."""
    needed = {key: argument for key, argument in field.args.items() if isinstance(argument.type, GraphQLNonNull)}
    declared = ", ".join(f"${key}: {argument.type}" for key, argument in needed.items())
    passed = ", ".join(f"{key}: ${key}" for key in needed)
    selection = "" if is_leaf_type(named(field.type)) else " { __typename }"
    head = f"{kind} ({declared})" if needed else kind
    document = f"{head} {{ {name}{f'({passed})' if needed else ''}{selection} }}"
    return Request(document, {key: anything(argument.type) for key, argument in needed.items()})


def anything(type_: GraphQLInputType) -> object:
    """A value of this type that is about nothing."""
    match type_:
        case GraphQLNonNull():
            return anything(type_.of_type)
        case GraphQLList():
            return []
        case GraphQLEnumType():
            return next(iter(type_.values))
        case GraphQLInputObjectType():
            fields = list(type_.fields.items())
            # One field will do where all are optional: exactly one is what a @oneOf input wants.
            needed = [pair for pair in fields if isinstance(pair[1].type, GraphQLNonNull)] or fields[:1]
            return {key: anything(field.type) for key, field in needed}
        case _:
            return SAMPLES.get(type_.name, "nothing")


SAMPLES: Mapping[str, object] = {
    "ID": "000000000000000000000000",
    "Int": 1,
    "Float": 1.0,
    "Decimal": "1.00",
    "DateTime": documents.now().isoformat(),
    "SegmentRules": {"combinator": "and", "rules": []},
}


def named(type_: object) -> object:
    """The type within its lists and non-nulls."""
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        type_ = type_.of_type
    return type_
