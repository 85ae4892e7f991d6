"""Rules as react-querybuilder itself reads them: by its MongoDB filters, and by way of its JsonLogic."""

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from pymongo.asynchronous.database import AsyncDatabase

from segmentation import evaluator, rules
from segmentation.dates import AsOf
from segmentation.evaluator import Person

HERE = Path(__file__).parent
AS_OF = AsOf(datetime(2026, 3, 31, tzinfo=UTC), ZoneInfo("UTC"))
TREES = 300
TEXTS = ("pune", "pune west", "delhi", "new delhi", "goa")
NUMBERS = (0, 1, 2, 5, 10)
STORED = {"city": "city", "state": "state", "visitCount": "visit_count", "totalSpend": "total_spend"}
TEXT_OPERATORS = ("=", "!=", "contains", "doesNotContain", "beginsWith", "doesNotBeginWith", "endsWith")
NUMBER_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")

Json = dict[str, Any]
Database = AsyncDatabase[dict[str, object]]

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="needs node and npm")


async def run(*command: str, told: str = "") -> str:
    """What a program prints; fails when it does."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=HERE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complained = await asyncio.wait_for(process.communicate(told.encode()), 120)
    assert process.returncode == 0, complained.decode()
    return printed.decode()


async def read_by_builder(trees: Sequence[Json]) -> list[Json]:
    """What the rule builder makes of these trees."""
    if not (HERE / "node_modules").exists():
        await run("npm", "ci", "--no-audit", "--no-fund")
    readings: list[Json] = json.loads(await run("node", "builder.js", told=json.dumps(trees)))
    return readings


def a_rule(random: Random) -> Json:
    """A test of a text or of a number."""
    is_text = random.random() < 0.5
    field = random.choice(("city", "state") if is_text else ("visitCount", "totalSpend"))
    values = TEXTS if is_text else NUMBERS
    match random.randrange(6):
        case 0:
            return {"field": field, "operator": random.choice(("in", "notIn")), "value": random.sample(values, 2)}
        case 1:
            return {"field": field, "operator": random.choice(("null", "notNull")), "value": None}
        case 2 if not is_text:
            return {"field": field, "operator": "between", "value": sorted(random.sample(values, 2))}
    operator = random.choice((*TEXT_OPERATORS, "doesNotEndWith") if is_text else NUMBER_OPERATORS)
    return {"field": field, "operator": operator, "value": random.choice(values)}


def a_group(random: Random, depth: int = 3) -> Json:
    """A group of rules and groups, some of them negated."""
    members = [
        a_group(random, depth - 1) if depth > 1 and random.random() < 0.3 else a_rule(random)
        for _ in range(random.randint(1, 3))
    ]
    return {"combinator": random.choice(("and", "or")), "not": random.random() < 0.3, "rules": members}


def people() -> list[Json]:
    """Customers by the fields' names, each of which many of them lack."""
    random = Random(2)
    pools: Mapping[str, Sequence[object]] = {
        "city": TEXTS,
        "state": TEXTS,
        "visitCount": NUMBERS,
        "totalSpend": NUMBERS,
    }
    return [
        {"_id": number} | {name: random.choice(pool) for name, pool in pools.items() if random.random() < 0.75}
        for number in range(100)
    ]


def selected(tree: object, population: Sequence[Json]) -> list[int]:
    """The ids of those whom our reading of a tree selects."""
    group = rules.read(tree)
    return [one["_id"] for one in population if evaluator.holds(group, _person(one), AS_OF)]


def _person(one: Json) -> Person:
    stored = {STORED[name]: value for name, value in one.items() if name != "_id"}
    spend = {"total_spend": Decimal(stored["total_spend"])} if "total_spend" in stored else {}
    return Person(stored | spend)


@pytest_asyncio.fixture
async def population(database: Database) -> list[Json]:
    """The people, in a collection that knows nothing of ours."""
    found = people()
    await database["rule_builder"].insert_many([dict(one) for one in found])
    return found


async def by_filter(database: Database, filter_: Json) -> list[object]:
    """The ids of those whom a filter of the builder's selects."""
    return [one["_id"] async for one in database["rule_builder"].find(filter_).sort("_id", 1)]


async def test_its_filters_and_its_json_logic_select_whom_we_select(database: Database, population: list[Json]) -> None:
    random = Random(1)
    trees = [a_group(random) for _ in range(TREES)]
    for tree, reading in zip(trees, await read_by_builder(trees), strict=True):
        ours = selected(tree, population)
        assert await by_filter(database, reading["filter"]) == ours, (tree, reading["filter"])
        assert selected(reading["tree"], population) == ours, (tree, reading["tree"])


@pytest.mark.parametrize(
    ("rule", "only_ours", "only_theirs"),
    [
        ({"field": "city", "operator": "=", "value": "Pune"}, {"pune"}, set()),
        ({"field": "city", "operator": "contains", "value": "p.n"}, set(), {"pune", "pune west"}),
        ({"field": "visitCount", "operator": "notBetween", "value": [0, 10]}, {None}, set()),
    ],
)
async def test_where_we_differ_is_what_the_documentation_says(
    database: Database, population: list[Json], rule: Json, only_ours: set[object], only_theirs: set[object]
) -> None:
    tree = {"combinator": "and", "rules": [rule]}
    [reading] = await read_by_builder([tree])
    values = {one["_id"]: one.get(rule["field"]) for one in population}
    ours, theirs = set(selected(tree, population)), set(await by_filter(database, reading["filter"]))
    assert {values[id_] for id_ in ours - theirs} == only_ours
    assert {values[int(str(id_))] for id_ in theirs - ours} == only_theirs
