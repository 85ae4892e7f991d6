"""Pages by key: every record once, in order, whichever way one walks; and how they look as a connection."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import bson
import pytest
import strawberry
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

import documents
import errors
from resolvers.pages import Page, PageRequest, Record, Sort, fetch, fetch_each, fetch_sieved
from schema import pages
from segmentation.audience import Sieve

Things = AsyncCollection[Record]

# Ties, nothing in both its forms, and every kind of value that is sorted by.
VALUES: dict[str, list[object]] = {
    "number": [3, 1, None, 2, 2, ..., 2, 1, None, 5],
    "money": [Decimal("9.50"), None, Decimal("10.00"), Decimal("9.50"), ..., Decimal("-1")],
    "text": ["b", "a", "", "b", None, "é", ..., "a"],
    "moment": [datetime(2026, 1, day, 0, 0, 0, 123000, tzinfo=UTC) for day in (3, 1, 2, 3, 1)],
}


@pytest.fixture
async def things(database: AsyncDatabase[Record]) -> Things:
    return database.with_options(codec_options=documents.CODEC_OPTIONS)["things"]


async def filled(things: Things, field: str) -> None:
    values = VALUES[field]
    await things.insert_many([{} if value is ... else {"at": {field: value}} for value in values])


async def sieved(things: Things, request: PageRequest, sort: Sort) -> Page[Record]:
    """A page of what stages let through, which here is everything."""
    await things.create_index([(sort.field, 1), ("_id", 1)])
    stages = Sieve({}, [{"$match": {"_id": {"$ne": None}}}])
    return await fetch_sieved(things, stages, request, sort, things.estimated_document_count)


async def walked(things: Things, sort: Sort, size: int, *, backwards: bool, through: bool) -> list[object]:
    """The ids met by going from page to page, in the list's own order."""
    met: list[object] = []
    cursor: str | None = None
    for _ in range(20):
        request = PageRequest(last=size, before=cursor) if backwards else PageRequest(first=size, after=cursor)
        page = await (sieved(things, request, sort) if through else fetch(things, {}, request, sort))
        ids = [item["_id"] for item in page.items]
        met = [*ids, *met] if backwards else [*met, *ids]
        if not (page.has_previous if backwards else page.has_next):
            return met
        cursor = page.cursors[0] if backwards else page.cursors[-1]
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("through", [False, True], ids=["filter", "stages"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("field", VALUES)
async def test_a_walk_meets_every_record_once_and_in_order(
    things: Things, field: str, descending: bool, backwards: bool, through: bool
) -> None:
    await filled(things, field)
    sort = Sort(f"at.{field}", descending)
    direction = -1 if descending else 1
    in_order = [row["_id"] async for row in things.find().sort([(sort.field, direction), ("_id", direction)])]
    for size in (1, 2, 3, 100):
        assert await walked(things, sort, size, backwards=backwards, through=through) == in_order


async def test_a_walk_by_id_needs_no_other_field(things: Things) -> None:
    await filled(things, "number")
    in_order = [row["_id"] async for row in things.find().sort("_id", -1)]
    assert await walked(things, Sort("_id", descending=True), 3, backwards=False, through=False) == in_order


async def test_a_page_between_two_cursors_holds_what_lies_between(things: Things) -> None:
    await things.insert_many([{"at": {"number": number}} for number in range(6)])
    sort = Sort("at.number")
    everything = await fetch(things, {}, PageRequest(), sort)
    between = PageRequest(first=10, after=everything.cursors[1], before=everything.cursors[4])
    assert (await fetch(things, {}, between, sort)).cursors == everything.cursors[2:4]


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
async def test_the_pages_of_many_filters_are_those_of_each(things: Things, backwards: bool) -> None:
    await filled(things, "number")
    sort = Sort("at.number")
    cursor = (await fetch(things, {}, PageRequest(), sort)).cursors[-2 if backwards else 1]
    request = PageRequest(last=2, before=cursor) if backwards else PageRequest(first=2, after=cursor)
    filters: dict[object, dict[str, object]] = {number: {"at.number": number} for number in (1, 2, 3, 7)}
    together = await fetch_each(things, filters, request, sort)
    for number, filter in filters.items():
        alone = await fetch(things, filter, request, sort)
        assert replace(together[number], count=alone.count) == alone
        assert await together[number].count() == await alone.count()


async def test_the_count_is_of_what_matches_and_not_of_the_page(things: Things) -> None:
    await things.insert_many([{"at": {"number": number}} for number in range(6)])
    sort, request = Sort("at.number"), PageRequest(first=1)
    few = {"at.number": {"$gte": 3}}
    assert await (await fetch(things, {}, request, sort)).count() == 6
    assert await (await fetch(things, few, request, sort)).count() == 3


@pytest.mark.parametrize("filter", [{}, {"kind": "odd"}], ids=["all", "some"])
@pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])
@pytest.mark.parametrize("value", [500, None])
async def test_a_later_page_reads_only_its_own_keys(
    database: AsyncDatabase[Record], value: int | None, descending: bool, filter: Record
) -> None:
    profiled = database.client["pages_profiled"]
    things = profiled["things"]
    await things.insert_many(
        [{"number": n % 1000 if n % 3 else None, "kind": "odd" if n % 2 else "even"} for n in range(3000)]
    )
    await things.create_index([("number", 1), ("_id", 1)])
    sort = Sort("number", descending)
    start = await fetch(things, {"number": value}, PageRequest(first=1), sort)
    try:
        await profiled.command("profile", 2)
        page = await fetch(things, filter, PageRequest(first=10, after=start.cursors[0]), sort)
        await profiled.command("profile", 0)
        [measured] = [row async for row in profiled["system.profile"].find({"op": "query"})]
    finally:
        await database.client.drop_database(profiled.name)
    assert len(page.items) == 10
    assert not measured.get("hasSortStage")
    assert int(str(measured["keysExamined"])) <= 60


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": 1, "last": 1}, "last"),
        ({"first": -1}, "first"),
        ({"first": 501}, "first"),
        ({"last": 501}, "last"),
    ],
)
def test_a_page_that_makes_no_sense_is_refused(arguments: dict[str, int], field: str) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        PageRequest(first=arguments.get("first"), last=arguments.get("last"))
    assert refused.value.field == (field,)


def forged(**point: object) -> str:
    return base64.urlsafe_b64encode(bson.encode(point)).rstrip(b"=").decode()


SOME_ID = bson.ObjectId("0" * 24)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "é",
        "A" * 9000,
        forged(),
        forged(sort="at.number", value=1),
        forged(sort="at.text", value=1, id=SOME_ID),
        forged(sort="-at.number", value=1, id=SOME_ID),
        forged(sort="at.number", value={"$gt": ""}, id=SOME_ID),
        forged(sort="at.number", value=1, id={"$ne": None}),
        forged(sort="at.number", value=bson.Regex(".*"), id=SOME_ID),
    ],
)
async def test_a_cursor_that_is_not_ours_or_of_another_order_is_refused(things: Things, cursor: str) -> None:
    with pytest.raises(errors.InvalidInput) as refused:
        await fetch(things, {}, PageRequest(after=cursor), Sort("at.number"))
    assert refused.value.field == ("after",)


@strawberry.type
class Thing:
    number: int


@strawberry.type
class Query:
    counted: strawberry.Private[list[str]]

    @strawberry.field
    async def things(
        self,
        first: pages.First = strawberry.UNSET,
        after: pages.After = strawberry.UNSET,
        last: pages.Last = strawberry.UNSET,
        before: pages.Before = strawberry.UNSET,
    ) -> pages.Connection[Thing]:
        async def count() -> int:
            self.counted.append("once")
            return 7

        asked = pages.request(first, after, last, before)
        things = [Thing(number=number) for number in range(asked.size)]
        page = Page(things, [f"c{thing.number}" for thing in things], True, False, count)
        return pages.Connection.of(page)


SCHEMA = strawberry.Schema(query=Query)


async def test_a_connection_shows_its_page_as_edges_and_as_nodes() -> None:
    query = "{ things(first: 2) { edges { cursor node { number } } nodes { number } pageInfo { endCursor } } }"
    told = await SCHEMA.execute(query, root_value=Query(counted=[]))
    assert told.data == {
        "things": {
            "edges": [{"cursor": "c0", "node": {"number": 0}}, {"cursor": "c1", "node": {"number": 1}}],
            "nodes": [{"number": 0}, {"number": 1}],
            "pageInfo": {"endCursor": "c1"},
        }
    }


@pytest.mark.parametrize(("selected", "counts"), [("pageInfo { hasNextPage }", 0), ("totalCount", 1)])
async def test_all_are_counted_only_when_asked(selected: str, counts: int) -> None:
    root = Query(counted=[])
    told = await SCHEMA.execute(f"{{ things(first: 2) {{ {selected} }} }}", root_value=root)
    assert told.errors is None
    assert len(root.counted) == counts


def test_a_connection_is_named_for_what_it_holds() -> None:
    assert {"ThingConnection", "ThingEdge", "PageInfo"} <= SCHEMA._schema.type_map.keys()
    assert "things(" in SCHEMA.as_str()
    assert "= null" not in SCHEMA.as_str()
