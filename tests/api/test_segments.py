"""Segments as clients meet them: said in two languages, tried out, saved, changed, deleted."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import documents
from resolvers.catalogue import SAMPLED
from tests.api.conftest import Api
from tests.factories import a_customer, an_order

INGEST = """mutation ($rows: [CustomerInput!]!) { ingestCustomers(input: $rows) { created userErrors { message } } }"""
PREVIEW = """query ($definition: SegmentDefinition!) {
  previewSegment(definition: $definition) {
    query rules audienceSize sample { name } userErrors { field code message }
  }
}"""
CREATE = """mutation ($input: CreateSegmentInput!) {
  createSegment(input: $input) {
    segment { id name description query rules prompt audienceSize } userErrors { field code }
  }
}"""
UPDATE = """mutation ($id: ID!, $input: UpdateSegmentInput!) {
  updateSegment(id: $id, input: $input) { segment { name description query audienceSize } userErrors { field code } }
}"""
DELETE = "mutation ($id: ID!) { deleteSegment(id: $id) { deletedId userErrors { field code } } }"
CAMPAIGN = """mutation ($id: ID!) {
  createCampaign(input: {name: "Hello", segmentId: $id, body: "Hi"}) { campaign { id } userErrors { message } }
}"""
IN_PUNE = {"combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "pune "}]}


@pytest.fixture
def people() -> list[dict[str, object]]:
    return [
        {"externalId": "1", "name": "Asha", "city": "Pune", "totalSpend": "900"},
        {"externalId": "2", "name": "Ben", "city": "PUNE", "totalSpend": "100"},
        {"externalId": "3", "name": "Carla", "city": "Delhi", "totalSpend": "900"},
    ]


async def a_segment(api: Api, query: str = 'city = "Pune"') -> Any:
    return (await api.ask(CREATE, input={"name": "People", "definition": {"query": query}}))["segment"]


async def test_what_cannot_be_in_a_name_is_neither_saved_nor_looked_for(marketer: Api) -> None:
    refused = await marketer.ask(CREATE, input={"name": "a\0b", "definition": {"query": "EVERYONE"}})
    assert [error["field"] for error in refused["userErrors"]] == [["input", "name"]]
    for sought in ("a\0b", "x" * 40_000):
        assert (
            await marketer.refusal("query ($s: String) { segments(search: $s) { totalCount } }", s=sought) == "INVALID"
        )


async def test_rules_and_query_select_the_same_and_each_gives_the_other(
    marketer: Api, people: list[dict[str, object]]
) -> None:
    await marketer.ask(INGEST, rows=people)
    by_rules = await marketer.ask(PREVIEW, definition={"rules": IN_PUNE})
    assert [one["name"] for one in by_rules["sample"]] == ["Asha", "Ben"]
    assert by_rules["audienceSize"] == 2
    assert await marketer.ask(PREVIEW, definition={"query": by_rules["query"]}) == by_rules


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"query": "city = "}, ["definition", "query"]),
        ({"query": ""}, ["definition", "query"]),
        (
            {"rules": {"combinator": "and", "rules": [{"field": "visitCount", "operator": "<", "value": "many"}]}},
            ["definition", "rules", "rules", "0", "value"],
        ),
    ],
)
async def test_what_cannot_be_read_is_refused_with_its_place(
    marketer: Api, definition: dict[str, object], field: list[str]
) -> None:
    preview = await marketer.ask(PREVIEW, definition=definition)
    assert preview["userErrors"][0]["field"] == field
    assert preview["audienceSize"] is None


async def test_a_segment_is_saved_and_counted_when_asked(marketer: Api, people: list[dict[str, object]]) -> None:
    await marketer.ask(INGEST, rows=people)
    segment = await a_segment(marketer)
    assert segment["audienceSize"] == 2
    assert segment["rules"]["rules"][0]["field"] == "city"
    listed = await marketer.ask('{ segments(search: "peo") { totalCount nodes { id customers { totalCount } } } }')
    assert listed == {"totalCount": 1, "nodes": [{"id": segment["id"], "customers": {"totalCount": 2}}]}


async def test_every_fault_of_a_segment_is_told_at_once(marketer: Api) -> None:
    payload = await marketer.ask(CREATE, input={"name": " ", "definition": {"query": "?"}})
    assert [error["field"] for error in payload["userErrors"]] == [["input", "name"], ["input", "definition", "query"]]


async def test_a_change_touches_what_it_names_alone(marketer: Api) -> None:
    segment = await a_segment(marketer)
    changed = await marketer.ask(UPDATE, id=segment["id"], input={"description": "Nearby"})
    assert changed["segment"]["description"] == "Nearby"
    assert changed["segment"]["query"] == segment["query"]
    cleared = await marketer.ask(UPDATE, id=segment["id"], input={"name": "Locals", "description": None})
    assert (cleared["segment"]["name"], cleared["segment"]["description"]) == ("Locals", None)
    missing = await marketer.ask(UPDATE, id="0" * 24, input={"name": "Nobody"})
    assert missing["userErrors"] == [{"field": ["id"], "code": "NOT_FOUND"}]


async def test_a_segment_that_a_campaign_waits_for_stays(marketer: Api) -> None:
    segment = await a_segment(marketer)
    campaign = (await marketer.ask(CAMPAIGN, id=segment["id"]))["campaign"]["id"]
    refused = await marketer.ask(DELETE, id=segment["id"])
    assert refused["userErrors"] == [{"field": ["id"], "code": "ILLEGAL_STATE"}]
    await marketer.ask("mutation ($id: ID!) { cancelCampaign(id: $id) { userErrors { message } } }", id=campaign)
    assert (await marketer.ask(DELETE, id=segment["id"]))["deletedId"] == segment["id"]
    assert await marketer.ask("query ($id: ID!) { campaign(id: $id) { segment { id } } }", id=campaign) == {
        "segment": None
    }


async def test_customers_are_filtered_by_segment_rules_and_query_together(
    marketer: Api, people: list[dict[str, object]]
) -> None:
    await marketer.ask(INGEST, rows=people)
    segment = await a_segment(marketer)
    find = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount nodes { name } } }"
    found = await marketer.ask(find, filter={"segmentId": segment["id"], "query": "totalSpend > 500"})
    assert found == {"totalCount": 1, "nodes": [{"name": "Asha"}]}
    assert await marketer.refusal(find, filter={"query": "totalSpend >"}) == "INVALID"
    assert await marketer.refusal(find, filter={"segmentId": "nonsense"}) == "NOT_FOUND"


async def test_a_customer_knows_the_segments_it_is_in(marketer: Api, people: list[dict[str, object]]) -> None:
    await marketer.ask(INGEST, rows=people)
    await a_segment(marketer)
    listed = await marketer.ask("{ customers { nodes { name segments { name } } } }")
    assert [len(node["segments"]) for node in listed["nodes"]] == [1, 1, 0]


async def test_the_catalogue_has_the_attributes_and_values_of_the_data(
    marketer: Api, people: list[dict[str, object]]
) -> None:
    await marketer.ask(INGEST, rows=[{**person, "attributes": {"age": 30}} for person in people])
    fields = {field["name"]: field for field in await marketer.ask("{ segmentFields { name type values } }")}
    assert fields["attributes.age"]["type"] == "NUMBER"
    assert set(fields["city"]["values"]) == {"Pune", "PUNE", "Delhi"}
    assert "DELIVERED" not in (fields["smsConsent"]["values"] or [])


async def test_attributes_come_with_the_values_that_several_customers_have(marketer: Api) -> None:
    for note, plan in (("tall", "pro"), ("shy", "free"), ("late", "pro"), ("loud", "free"), ("new", "pro")):
        await a_customer(attributes={"plan": plan, "note": note, "age": 30})
    fields = {field["name"]: field["values"] for field in await marketer.ask("{ segmentFields { name values } }")}
    assert fields["attributes.plan"] == ["pro", "free"]
    assert fields["attributes.note"] is None
    assert fields["attributes.age"] is None


async def test_attributes_of_the_first_and_of_the_latest_customers_are_known(marketer: Api) -> None:
    await a_customer(attributes={"old": 1})
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    many: list[dict[str, object]] = [{"updated_at": long_ago} for _ in range(2 * SAMPLED)]
    await documents.Customer.get_pymongo_collection().insert_many(many)
    await a_customer(attributes={"new": 1})
    fields = [field["name"] for field in await marketer.ask("{ segmentFields { name } }")]
    assert {"attributes.old", "attributes.new"} <= set(fields)


async def test_order_conditions_are_counted_listed_and_combined(marketer: Api) -> None:
    buyer, _ = await a_customer(name="Asha", city="Pune"), await a_customer(name="Ben", city="Pune")
    await an_order(buyer, items=[{"sku": "S1", "category": "Shoes", "unit_price": Decimal(80)}])
    bought = 'COUNT(orders WHERE placedAt >= 30 days ago AND items.category = "shoes") >= 1'
    segment = await a_segment(marketer, bought)
    find = "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount nodes { name } } }"
    for filter, names in (
        ({"segmentId": segment["id"]}, ["Asha"]),
        ({"segmentId": segment["id"], "query": "COUNT(orders) = 0"}, []),
        ({"query": f"NOT {bought}", "city": "pune"}, ["Ben"]),
    ):
        found = await marketer.ask(find, filter=filter)
        assert found == {"totalCount": len(names), "nodes": [{"name": name} for name in names]}
    listed = await marketer.ask("{ customers { nodes { segments { name } } } }")
    assert [len(node["segments"]) for node in listed["nodes"]] == [1, 0]


async def test_every_field_of_the_catalogue_can_be_asked_about(marketer: Api) -> None:
    await a_customer(attributes={"plan": "pro", "Loyalty tier": "gold"})
    for field in await marketer.ask("{ segmentFields { name operators } }"):
        assert "notNull" in field["operators"]
        rules = {"combinator": "and", "rules": [{"field": field["name"], "operator": "notNull"}]}
        preview = await marketer.ask(PREVIEW, definition={"rules": rules})
        assert preview["userErrors"] == []
        assert (await marketer.ask(PREVIEW, definition={"query": preview["query"]}))["rules"] == preview["rules"]
