"""The audience: counted, sampled, paged and walked, always the same people."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from beanie import PydanticObjectId
from hypothesis import HealthCheck, given, settings
from pymongo.asynchronous.database import AsyncDatabase

import documents
from segmentation import audience, evaluator, query
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from segmentation.filters import Filter, Stage
from segmentation.tree import Group
from tests.segmentation import people, strategies
from tests.segmentation.people import a_person, an_order

Database = AsyncDatabase[dict[str, object]]

AS_OF = AsOf(datetime(2026, 3, 31, 18, 30, tzinfo=UTC), ZoneInfo("UTC"))
BIG = audience.FEW + 200


@pytest_asyncio.fixture
async def population(database: Database) -> AsyncIterator[Sequence[Person]]:
    """Some people, in the database and here."""
    population = people.people(seed=3, count=60)
    await people.store(population)
    yield population


async def walked(rules: Group, after: PydanticObjectId | None = None) -> list[object]:
    """The ids of a whole walk."""
    batches = [batch async for batch in audience.batches(rules, AS_OF, after, ["name"])]
    assert all(0 < len(batch) <= audience.BATCH for batch in batches)
    return [record["_id"] for batch in batches for record in batch]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=strategies.trees)
async def test_every_way_to_ask_tells_of_the_same_people(population: Sequence[Person], rules: Group) -> None:
    ids = sorted(str(person.customer["_id"]) for person in population if evaluator.holds(rules, person, AS_OF))
    everybody = [PydanticObjectId(str(person.customer["_id"])) for person in population]
    assert await audience.count(rules, AS_OF) == len(ids)
    assert [str(id_) for id_ in await walked(rules)] == ids
    assert sorted(map(str, await audience.members(rules, AS_OF, everybody))) == ids
    assert [str(record["_id"]) for record in await audience.sample(rules, AS_OF, 5)] == ids[:5]


async def test_a_walk_is_taken_up_behind_a_customer(population: Sequence[Person]) -> None:
    for text in ("EVERYONE", "COUNT(orders) >= 1", "COUNT(orders) = 0 OR visitCount > 1"):
        rules = query.parse(text)
        ids = await walked(rules)
        assert await walked(rules, PydanticObjectId(str(ids[4]))) == ids[5:]


async def test_a_filter_narrows_the_audience(population: Sequence[Person]) -> None:
    few: Filter = {"_id": {"$in": [person.customer["_id"] for person in population[:10]]}}
    for text in ("EVERYONE", "COUNT(orders) >= 1", "COUNT(orders) = 0"):
        rules = query.parse(text)
        expected = sum(evaluator.holds(rules, person, AS_OF) for person in population[:10])
        assert await audience.count(rules, AS_OF, few) == expected
        sieve = await audience.sieve(rules, AS_OF, few)
        sieved: list[Stage] = [{"$match": sieve.filter}, *sieve.stages]
        found = await documents.Customer.get_pymongo_collection().aggregate(sieved)
        assert len(await found.to_list()) == expected


@pytest.mark.parametrize("text", ["COUNT(orders) >= 1", 'city = "Pune" AND COUNT(orders) >= 1'])
async def test_many_members_are_found_as_well_as_few(database: Database, text: str) -> None:
    crowd = [a_person(f"p{number}", city="Pune", orders=[an_order()]) for number in range(BIG)]
    await people.store([*crowd, a_person("other"), a_person("nobody", city="Pune")])
    rules = query.parse(text)
    assert await audience.count(rules, AS_OF) == BIG
    assert await walked(rules) == [person.customer["_id"] for person in crowd]
    assert len(await audience.sample(rules, AS_OF, 7)) == 7


async def test_a_person_comes_with_orders_and_messages(database: Database) -> None:
    asha = a_person("asha", orders=[an_order("12.50")], messages=[{"channel": "SMS", "status": "SENT"}])
    await people.store([asha, a_person("bela", orders=[an_order()])])
    found = await audience.person(PydanticObjectId(str(asha.customer["_id"])))
    assert found
    assert [found.customer["name"], [order["amount"] for order in found.orders]] == ["asha", [Decimal("12.50")]]
    assert [message["channel"] for message in found.messages] == ["SMS"]
    assert await audience.person(PydanticObjectId()) is None
