"""Customers through the API: taken in one by one and in batches, found again, listed in any order."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

import documents
from tests.api.conftest import Api
from tests.factories import a_customer, an_order

INGEST = """
mutation Ingest($input: CustomerInput!) {
  ingestCustomer(input: $input) {
    outcome
    customer {
      id externalId name email phone city state country postalCode birthday timezone locale source tags attributes
      smsConsent emailConsent totalSpend orderCount visitCount firstPurchase lastPurchase averageOrderValue
      rfm aliveProbability predictedOrders90d predictedSpend90d createdAt updatedAt
    }
    userErrors { field code message }
  }
}
"""
INGEST_MANY = """
mutation Ingest($input: [CustomerInput!]!, $outcomes: [IngestOutcome!]) {
  ingestCustomers(input: $input) {
    created updated unchanged failed
    results(outcomes: $outcomes) { index outcome id userErrors { field code } }
    userErrors { field code }
  }
}
"""


async def names(api: Api, arguments: str, **variables: object) -> list[str]:
    document = f"query ($search: String) {{ customers({arguments}) {{ nodes {{ name }} }} }}"
    return [node["name"] for node in (await api.ask(document, **variables))["nodes"]]


async def test_a_customer_comes_back_as_it_was_sent(marketer: Api) -> None:
    sent = {
        "externalId": "c-1",
        "name": "Asha Rao",
        "email": "asha@example.com",
        "phone": "+919876543210",
        "city": "Pune",
        "state": "Maharashtra",
        "country": "IN",
        "postalCode": "411001",
        "birthday": "1990-02-28",
        "timezone": "Asia/Kolkata",
        "locale": "en-IN",
        "source": "web",
        "tags": ["vip"],
        "attributes": {"plan": "pro", "children": [{"age": 3.5}]},
        "smsConsent": "SUBSCRIBED",
        "emailConsent": "UNSUBSCRIBED",
        "totalSpend": "1234.50",
        "visitCount": 7,
        "lastPurchase": "2026-01-31T10:00:00.000Z",
    }
    payload = await marketer.ask(INGEST, input=sent)
    assert (payload["outcome"], payload["userErrors"]) == ("CREATED", [])
    customer = payload["customer"]
    assert {name: customer[name] for name in sent} == sent
    assert customer["createdAt"] == customer["updatedAt"]
    assert (customer["orderCount"], customer["averageOrderValue"]) == (0, "0.00")
    found = await marketer.ask("query ($id: ID!) { customer(id: $id) { email totalSpend } }", id=customer["id"])
    assert found == {"email": "asha@example.com", "totalSpend": "1234.50"}


async def test_a_customer_of_whom_only_a_key_is_known(marketer: Api) -> None:
    customer = (await marketer.ask(INGEST, input={"email": "a@example.com"}))["customer"]
    unset = {name for name, value in customer.items() if value is None}
    assert unset == {
        *("externalId", "name", "phone", "city", "state", "country", "postalCode", "birthday", "timezone", "locale"),
        *("source", "firstPurchase", "lastPurchase", "rfm", "aliveProbability"),
        *("predictedOrders90d", "predictedSpend90d"),
    }
    assert (customer["tags"], customer["attributes"], customer["totalSpend"]) == ([], {}, "0.00")
    assert (customer["smsConsent"], customer["emailConsent"]) == ("UNKNOWN", "UNKNOWN")


async def test_what_is_left_out_stays_and_null_clears(marketer: Api) -> None:
    await marketer.ask(INGEST, input={"externalId": "c", "name": "Asha", "city": "Pune"})
    payload = await marketer.ask(INGEST, input={"externalId": "c", "city": None})
    assert payload["outcome"] == "UPDATED"
    assert (payload["customer"]["name"], payload["customer"]["city"]) == ("Asha", None)


async def test_the_faults_of_one_customer_are_named_where_they_are(marketer: Api) -> None:
    sent = {"email": "no", "totalSpend": "ten", "lastPurchase": "yesterday", "smsConsent": "PERHAPS", "name": 7}
    payload = await marketer.ask(INGEST, input=sent)
    assert (payload["outcome"], payload["customer"]) == ("FAILED", None)
    assert {tuple(error["field"]) for error in payload["userErrors"]} == {("input", name) for name in sent}
    assert {error["code"] for error in payload["userErrors"]} == {"INVALID"}


async def test_a_batch_tells_what_became_of_each(marketer: Api) -> None:
    await a_customer(external_id="known", name="Asha")
    payload = await marketer.ask(
        INGEST_MANY,
        input=[
            {"externalId": "new"},
            {"externalId": "known", "name": "Asha Rao"},
            {"externalId": "known"},
            {"externalId": "bad", "phone": "+12", "country": "Atlantis"},
            {},
        ],
    )
    assert {name: payload[name] for name in ("created", "updated", "unchanged", "failed")} == {
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "failed": 2,
    }
    results = payload["results"]
    assert [result["index"] for result in results] == [0, 1, 2, 3, 4]
    assert [bool(result["id"]) for result in results] == [True, True, True, False, False]
    assert results[3]["userErrors"] == [
        {"field": ["input", "3", "country"], "code": "INVALID"},
        {"field": ["input", "3", "phone"], "code": "INVALID"},
    ]
    assert results[4]["userErrors"] == [{"field": ["input", "4"], "code": "REQUIRED"}]


async def test_a_batch_may_tell_of_some_outcomes_only(marketer: Api) -> None:
    payload = await marketer.ask(INGEST_MANY, input=[{"externalId": "a"}, {}], outcomes=["FAILED"])
    assert [result["index"] for result in payload["results"]] == [1]


async def test_too_large_a_batch_stores_nothing(marketer: Api) -> None:
    payload = await marketer.ask(INGEST_MANY, input=[{"externalId": str(n)} for n in range(1_001)])
    assert payload["userErrors"] == [{"field": ["input"], "code": "TOO_LARGE"}]
    assert (payload["created"], payload["results"]) == (0, [])
    assert await documents.Customer.count() == 0


@pytest.mark.parametrize("id", ["nobody", "", "0" * 24])
async def test_nobody_is_found_by_an_id_of_nobody(marketer: Api, id: str) -> None:
    assert await marketer.ask("query ($id: ID!) { customer(id: $id) { id } }", id=id) is None


@pytest_asyncio.fixture
async def three(api: Api) -> None:
    await a_customer(name="Asha Rao", email="asha@shop.example", city="Pune", tags=["VIP", "new"], visit_count=2)
    await a_customer(name="bela (Ltd.)", phone="+919876543210", city=" pune ", tags=["vip"], visit_count=9)
    await a_customer(external_id="K-77", name="Chen", city="Delhi", visit_count=5)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ASHA", ["Asha Rao"]),
        ("@shop.", ["Asha Rao"]),
        ("a (l", ["bela (Ltd.)"]),
        ("98765 43210", ["bela (Ltd.)"]),
        ("+91 (98765)", ["bela (Ltd.)"]),
        ("k-7", ["Chen"]),
        (".*", []),
        ("  ", ["Asha Rao", "bela (Ltd.)", "Chen"]),
    ],
)
async def test_a_search_finds_parts_and_knows_no_patterns(marketer: Api, search: str, found: list[str]) -> None:
    assert await names(marketer, "filter: {search: $search}", search=search) == found


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("", ["Asha Rao", "bela (Ltd.)", "Chen"]),
        ('filter: {city: "PUNE"}', ["Asha Rao", "bela (Ltd.)"]),
        ('filter: {tags: ["vip"]}', ["Asha Rao", "bela (Ltd.)"]),
        ('filter: {tags: ["Vip", "NEW"]}', ["Asha Rao"]),
        ('filter: {tags: ["vip"], city: "Delhi"}', []),
        ("filter: {tags: [], city: null}", ["Asha Rao", "bela (Ltd.)", "Chen"]),
        ("orderBy: {field: NAME, direction: DESC}", ["Chen", "bela (Ltd.)", "Asha Rao"]),
        ("orderBy: {field: VISIT_COUNT}", ["Asha Rao", "Chen", "bela (Ltd.)"]),
        ("orderBy: {field: CREATED_AT, direction: DESC}", ["Chen", "bela (Ltd.)", "Asha Rao"]),
        ("orderBy: {field: TOTAL_SPEND}, first: 2", ["Asha Rao", "bela (Ltd.)"]),
        ("orderBy: {field: LAST_PURCHASE}, last: 1", ["Chen"]),
        ("orderBy: {field: UPDATED_AT}, first: 1", ["Asha Rao"]),
    ],
)
async def test_customers_are_filtered_and_ordered(marketer: Api, arguments: str, found: list[str]) -> None:
    document = f"{{ customers({arguments}) {{ nodes {{ name }} }} }}".replace("()", "")
    assert [node["name"] for node in (await marketer.ask(document))["nodes"]] == found


@pytest.mark.usefixtures("three")
async def test_customers_come_in_pages(marketer: Api) -> None:
    document = """
    query ($after: String) {
      customers(first: 2, after: $after, orderBy: {field: NAME}) {
        edges { cursor node { ...Name } } pageInfo { hasNextPage endCursor } totalCount
      }
    }
    fragment Name on Customer { name ... on Customer { averageOrderValue } }
    """
    first = await marketer.ask(document)
    assert [edge["node"]["name"] for edge in first["edges"]] == ["Asha Rao", "bela (Ltd.)"]
    assert first["edges"][0]["node"]["averageOrderValue"] == "0.00"
    assert first["totalCount"] == 3
    second = await marketer.ask(document, after=first["pageInfo"]["endCursor"])
    assert [edge["node"]["name"] for edge in second["edges"]] == ["Chen"]
    assert second["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("filter", ['{search: "\\u0000"}', '{city: "\\u0000"}', '{tags: ["\\u0000"]}'])
async def test_what_nobody_can_be_found_by_is_refused(marketer: Api, filter: str) -> None:
    assert await marketer.refusal(f"{{ customers(filter: {filter}) {{ totalCount }} }}") == "INVALID"


async def test_nobody_is_looked_for_by_more_tags_than_anybody_has(marketer: Api) -> None:
    query = "query ($tags: [String!]) { customers(filter: {tags: $tags}) { totalCount } }"
    assert await marketer.ask(query, tags=[f"{number}" for number in range(100)]) == {"totalCount": 0}
    assert await marketer.refusal(query, tags=[f"{number}" for number in range(101)]) == "INVALID"


async def test_a_customer_has_orders(marketer: Api) -> None:
    customer = await a_customer()
    now = documents.now()
    numbers = [(await an_order(customer, placed_at=now - timedelta(days=days))).external_id for days in (2, 1, 3)]
    await an_order(await a_customer())
    document = """
    query ($id: ID!) {
      customer(id: $id) { orders(first: 2) { nodes { externalId customer { id } } totalCount } totalSpend }
    }
    """
    found: dict[str, Any] = await marketer.ask(document, id=str(customer.id))
    assert [order["externalId"] for order in found["orders"]["nodes"]] == [numbers[1], numbers[0]]
    assert {order["customer"]["id"] for order in found["orders"]["nodes"]} == {str(customer.id)}
    assert (found["orders"]["totalCount"], found["totalSpend"]) == (3, "30.00")
