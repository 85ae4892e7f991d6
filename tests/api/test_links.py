"""No N+1: however many parents a list has, a link of theirs takes as many commands as for one.

The links are those of the schema itself: every field with a resolver on a type that comes in lists. One without a
loader fails here, and so does a type that LISTS has no list of.
"""

from collections.abc import Iterator

import pytest
from beanie import PydanticObjectId
from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_list_type, is_object_type
from graphql.type import get_nullable_type

import documents
from schema import schema
from tests.api.conftest import Api
from tests.commands import Commands
from tests.delivery.conftest import launched
from tests.factories import an_order

SCHEMA = schema._schema

# Where a list of each type is found, of $first.
LISTS = {
    "Campaign": "campaigns(first: $first) { nodes { %s } }",
    "Customer": "customers(first: $first) { nodes { %s } }",
    "Message": "customers(first: $first) { nodes { messages(first: 1) { nodes { %s } } } }",
    "Order": "orders(first: $first) { nodes { %s } }",
    "Segment": "segments(first: $first) { nodes { %s } }",
}
ALONE = {
    "RenderedMessage": "comes three at a time at most, in flightPlan",
    # A segment has rules of its own, so each is a question of its own; limits.py weighs them as such.
    "Segment.audienceSize": "a count by each segment's rules",
    "Segment.customers": "a page by each segment's rules",
}
SELECTED = {"connection": "{ totalCount pageInfo { endCursor } nodes { id } }", "object": "{ __typename }", "leaf": ""}


def links() -> Iterator[str]:
    """Type.field of every field with a resolver, of every type that comes in lists."""
    objects = [type_ for type_ in SCHEMA.type_map.values() if isinstance(type_, GraphQLObjectType)]
    fields = [field for type_ in objects for field in type_.fields.values()]
    listed = {get_named_type(field.type).name for field in fields if is_list_type(get_nullable_type(field.type))}
    for type_ in objects:
        if type_.name in listed and not type_.name.startswith("__") and type_.name not in ALONE:
            for name, field in type_.fields.items():
                if _resolves(field) and f"{type_.name}.{name}" not in ALONE:
                    yield f"{type_.name}.{name}"


def _resolves(field: GraphQLField) -> bool:
    definition = field.extensions.get("strawberry-definition")
    return definition is not None and not definition.is_basic_field


def query_of(link: str) -> str:
    parent, _, name = link.partition(".")
    type_ = SCHEMA.type_map[parent]
    assert isinstance(type_, GraphQLObjectType)
    given = get_named_type(type_.fields[name].type)
    kind = "connection" if given.name.endswith("Connection") else "object" if is_object_type(given) else "leaf"
    return f"query ($first: Int!) {{ {LISTS[parent] % f'{name} {SELECTED[kind]}'} }}"


@pytest.mark.parametrize("link", sorted(links()))
async def test_a_link_takes_as_many_commands_for_many_as_for_one(link: str, marketer: Api, commands: Commands) -> None:
    await three_of_everything()
    asked = []
    for first in (1, 1, 3):  # once for nothing, as who is asking is remembered
        commands.names.clear()
        found = await marketer.ask(query_of(link), first=first)
        assert len(found["nodes"]) == first
        asked.append(list(commands.names))
    assert asked[1] == asked[2]


async def three_of_everything() -> None:
    """Three campaigns of as many segments and users to three customers, each of whom has ordered."""
    for number in range(3):
        campaign = await launched(audience=1)
        author = documents.User(email=f"u{number}@example.com", name="U", role=documents.Role.ADMIN, password_hash="")
        await author.insert()
        by: dict[str, dict[str, PydanticObjectId]] = {"$set": {"created_by": author.id}}
        await documents.Campaign.get_pymongo_collection().update_one({"_id": campaign.id}, by)
        await documents.Segment.get_pymongo_collection().update_one({"_id": campaign.segment_id}, by)
    for customer in await documents.Customer.find_all().to_list():
        await an_order(customer)
