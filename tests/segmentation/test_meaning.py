"""One meaning: MongoDB and plain Python select the same people for the same rules."""

from collections.abc import AsyncIterator, Sequence

import pytest_asyncio
from hypothesis import HealthCheck, given, note, settings
from pymongo.asynchronous.database import AsyncDatabase

import documents
from segmentation import evaluator, printer
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from segmentation.filters import Stage
from segmentation.selection import Selection
from segmentation.tree import Group
from tests.segmentation import people, strategies

Database = AsyncDatabase[dict[str, object]]

many_rules = settings(
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest_asyncio.fixture
async def population(database: Database) -> AsyncIterator[Sequence[Person]]:
    """Some people, in the database and here."""
    population = people.people(seed=1, count=120)
    await people.store(population)
    yield population


async def selected(rules: Group, as_of: AsOf, *, at_once: bool) -> set[object]:
    """The ids of those whom MongoDB selects."""
    selection = Selection.of(rules, as_of, {})
    one_by_one: list[Stage] = [{"$match": selection.filter}, *selection.lookups()]
    collection, stages = selection.at_once() if at_once else ("customers", one_by_one)
    found = await documents.Customer.get_pymongo_collection().database[collection].aggregate(stages)
    ids = [record["_id"] for record in await found.to_list()]
    assert len(ids) == len(set(ids))
    return set(ids)


def meant(rules: Group, population: Sequence[Person], as_of: AsOf) -> set[object]:
    """The ids of those for whom the rules hold."""
    return {person.customer["_id"] for person in population if evaluator.holds(rules, person, as_of)}


@many_rules
@given(rules=strategies.plain_trees, as_of=strategies.as_ofs)
async def test_rules_about_customers_mean_the_same_to_both(
    population: Sequence[Person], rules: Group, as_of: AsOf
) -> None:
    note(printer.query(rules))
    assert await selected(rules, as_of, at_once=True) == meant(rules, population, as_of)


@many_rules
@given(rules=strategies.trees, as_of=strategies.as_ofs)
async def test_rules_about_orders_and_messages_mean_the_same_to_both_and_in_both_ways(
    population: Sequence[Person], rules: Group, as_of: AsOf
) -> None:
    note(printer.query(rules))
    expected = meant(rules, population, as_of)
    assert await selected(rules, as_of, at_once=True) == expected
    assert await selected(rules, as_of, at_once=False) == expected
