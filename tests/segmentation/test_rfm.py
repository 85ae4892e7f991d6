"""The groups of recency, frequency and money that the data suggests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from pymongo.asynchronous.database import AsyncDatabase

from segmentation import audience, evaluator, printer, query, rfm
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from tests.segmentation import people
from tests.segmentation.people import a_person

Database = AsyncDatabase[dict[str, object]]

AS_OF = AsOf(datetime(2026, 3, 31, 18, 30, tzinfo=UTC), ZoneInfo("UTC"))


def a_buyer(name: str, days_ago: int, visits: int, spend: int) -> Person:
    """Somebody who bought so many days ago."""
    bought = AS_OF.now - timedelta(days=days_ago, hours=1)
    return a_person(name, last_purchase=bought, visit_count=visits, total_spend=Decimal(spend))


async def groups_of(population: Sequence[Person]) -> dict[str, str]:
    """The name of each one's only group."""
    rules = await rfm.groups(AS_OF)
    found = {}
    for person in population:
        names = [name for name, group in rules.items() if evaluator.holds(group, person, AS_OF)]
        assert len(names) == 1, (person.customer["name"], names)
        found[str(person.customer["name"])] = names[0]
    return found


async def test_everyone_who_ever_bought_is_in_exactly_one_group(database: Database) -> None:
    random = Random(1)
    buyers = [
        a_buyer(f"b{number}", int(random.expovariate(0.01)), 1 + int(random.expovariate(0.4)), random.randrange(500))
        for number in range(400)
    ]
    await people.store([*buyers, a_person("never")])
    await groups_of(buyers)
    found = await rfm.suggestions(AS_OF)
    assert [suggestion.name for suggestion in found] == list(rfm.DESCRIPTIONS)
    assert sum(suggestion.audience_size for suggestion in found) == 400
    assert sum(suggestion.total_spend for suggestion in found) == sum(
        spend for buyer in buyers if isinstance(spend := buyer.customer["total_spend"], Decimal)
    )
    assert all(suggestion.audience_size for suggestion in found)


async def test_the_rules_select_as_many_as_is_said_however_they_are_told(database: Database) -> None:
    await people.store([a_buyer(f"b{number}", number, number % 7, number * 10) for number in range(100)])
    for suggestion in await rfm.suggestions(AS_OF):
        rules = query.parse(printer.query(suggestion.rules))
        assert rules == suggestion.rules
        assert await audience.count(rules, AS_OF) == suggestion.audience_size


async def test_the_groups_are_what_they_are_called(database: Database) -> None:
    crowd = [a_buyer(f"b{number}", 10 * number, 1 + number % 10, 100 * (number % 10)) for number in range(100)]
    known = [
        a_buyer("regular", 5, 10, 950),
        a_buyer("newcomer", 6, 1, 10),
        a_buyer("faithful", 450, 9, 10),
        a_buyer("big one gone", 990, 10, 950),
        a_buyer("one-timer gone", 991, 1, 10),
    ]
    await people.store([*crowd, *known])
    found = await groups_of(known)
    assert found == {
        "regular": "Champions",
        "newcomer": "New",
        "faithful": "Loyal",
        "big one gone": "Can't Lose",
        "one-timer gone": "Lost",
    }


async def test_ties_are_never_torn_apart(database: Database) -> None:
    alike = [a_buyer(f"b{number}", 50, 1, 10) for number in range(50)]
    await people.store(alike)
    assert len(set((await groups_of(alike)).values())) == 1


async def test_nothing_is_suggested_when_nobody_ever_bought(database: Database) -> None:
    assert await rfm.suggestions(AS_OF) == []
    await people.store([a_person("never")])
    assert await rfm.suggestions(AS_OF) == []
