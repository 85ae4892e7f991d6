"""Orders through the API: taken in one by one and in batches, found again."""

from datetime import UTC, datetime, timedelta

import pytest

import documents
from tests.api.conftest import Api
from tests.factories import a_customer, an_order

INGEST = """
mutation Ingest($input: OrderInput!) {
  ingestOrder(input: $input) {
    outcome
    order {
      externalId placedAt status amount currency coupon
      items { sku name category quantity unitPrice }
      payment { method status reference refundedAmount }
      customer { externalId totalSpend orderCount averageOrderValue lastPurchase }
    }
    userErrors { field code }
  }
}
"""
INGEST_MANY = """
mutation Ingest($input: [OrderInput!]!) {
  ingestOrders(input: $input) {
    created updated unchanged failed results { index outcome id userErrors { field code } } userErrors { field code }
  }
}
"""
PLACED_AT = "2026-06-30T12:00:00.000Z"


def an_order_input(number: object = "o-1", **fields: object) -> dict[str, object]:
    return {"externalId": number, "customer": {"externalId": "c"}, "placedAt": PLACED_AT, "amount": "10.00", **fields}


async def test_an_order_comes_back_as_it_was_sent(marketer: Api) -> None:
    await a_customer(external_id="c")
    items = [{"sku": "A", "name": "Chappal", "category": "Shoes", "quantity": 2, "unitPrice": "50.10"}]
    payment = {"method": "upi", "status": "PARTIALLY_REFUNDED", "reference": "r", "refundedAmount": "0.20"}
    sent = an_order_input(amount="100.20", items=items, payment=payment, coupon="DIWALI", currency="USD")
    payload = await marketer.ask(INGEST, input=sent)
    assert (payload["outcome"], payload["userErrors"]) == ("CREATED", [])
    assert payload["order"] == {
        **sent,
        "status": "COMPLETED",
        "customer": {
            "externalId": "c",
            "totalSpend": "100.00",
            "orderCount": 1,
            "averageOrderValue": "100.00",
            "lastPurchase": PLACED_AT,
        },
    }


async def test_an_average_is_told_in_the_decimals_of_the_currency(marketer: Api) -> None:
    await a_customer(external_id="c")
    await marketer.ask(INGEST, input=an_order_input("1", amount=10))
    payload = await marketer.ask(INGEST, input=an_order_input("2", amount="5.01"))
    assert payload["order"]["customer"]["averageOrderValue"] == "7.50"  # 7.505, and half goes to the even cent


async def test_the_same_order_again_counts_once(marketer: Api) -> None:
    await a_customer(external_id="c")
    await marketer.ask(INGEST, input=an_order_input())
    again = await marketer.ask(INGEST, input=an_order_input())
    assert (again["outcome"], again["order"]["customer"]["totalSpend"]) == ("UNCHANGED", "10.00")
    refunded = await marketer.ask(INGEST, input=an_order_input(status="REFUNDED"))
    assert (refunded["outcome"], refunded["order"]["customer"]["totalSpend"]) == ("UPDATED", "0.00")


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"customer": {"email": "nobody@example.com"}}, ["input", "customer"], "NOT_FOUND"),
        ({"customer": {"id": "nobody"}}, ["input", "customer"], "NOT_FOUND"),
        ({"customer": {"email": "no"}}, ["input", "customer", "email"], "INVALID"),
        ({"customer": None}, ["input", "customer"], "REQUIRED"),
        ({"placedAt": "soon"}, ["input", "placedAt"], "INVALID"),
        ({"amount": None}, ["input", "amount"], "REQUIRED"),
        ({"items": [{"sku": "A", "unitPrice": "x"}]}, ["input", "items", "0", "unitPrice"], "INVALID"),
        ({"items": [{"unitPrice": "10"}]}, ["input", "items", "0", "sku"], "REQUIRED"),
        ({"status": "LOST"}, ["input", "status"], "INVALID"),
        ({"currency": "EUR"}, ["input", "currency"], "INVALID"),
    ],
)
async def test_the_fault_of_an_order_is_named_where_it_is(
    marketer: Api, fields: dict[str, object], field: list[str], code: str
) -> None:
    await a_customer(external_id="c")
    payload = await marketer.ask(INGEST, input=an_order_input(**fields))
    assert (payload["outcome"], payload["order"]) == ("FAILED", None)
    assert payload["userErrors"] == [{"field": field, "code": code}]


async def test_a_batch_tells_what_became_of_each(marketer: Api) -> None:
    await a_customer(external_id="c")
    rows = [an_order_input("1"), an_order_input("1", coupon="x"), an_order_input("2", amount="-1"), an_order_input("1")]
    payload = await marketer.ask(INGEST_MANY, input=rows)
    assert [result["outcome"] for result in payload["results"]] == ["CREATED", "UPDATED", "FAILED", "UNCHANGED"]
    assert payload["results"][2]["userErrors"] == [{"field": ["input", "2", "amount"], "code": "INVALID"}]
    assert [payload[name] for name in ("created", "updated", "unchanged", "failed")] == [1, 1, 1, 1]


async def test_too_large_a_batch_stores_nothing(marketer: Api) -> None:
    await a_customer(external_id="c")
    payload = await marketer.ask(INGEST_MANY, input=[an_order_input(str(n)) for n in range(1_001)])
    assert payload["userErrors"] == [{"field": ["input"], "code": "TOO_LARGE"}]
    assert await documents.Order.count() == 0


@pytest.mark.parametrize("id", ["nothing", "0" * 24])
async def test_nothing_is_found_by_an_id_of_nothing(marketer: Api, id: str) -> None:
    assert await marketer.ask("query ($id: ID!) { order(id: $id) { id } }", id=id) is None
    assert await marketer.ask("query ($id: ID!) { orders(filter: {customerId: $id}) { totalCount } }", id=id) == {
        "totalCount": 0
    }


async def test_an_order_is_found_by_its_id(marketer: Api) -> None:
    order = await an_order(await a_customer())
    found = await marketer.ask("query ($id: ID!) { order(id: $id) { externalId } }", id=str(order.id))
    assert found == {"externalId": order.external_id}


async def test_an_order_of_somebody_who_is_gone_is_nobodys(marketer: Api) -> None:
    customer = await a_customer()
    await an_order(customer)
    await documents.Customer.get_pymongo_collection().delete_one({"_id": customer.id})
    assert await marketer.ask("{ orders { nodes { customer { id } } } }") == {"nodes": [{"customer": None}]}


async def test_orders_are_listed_the_latest_first_and_filtered(marketer: Api) -> None:
    noon = datetime(2026, 6, 30, 12, tzinfo=UTC)
    asha, bela = await a_customer(), await a_customer()
    await an_order(asha, external_id="1", placed_at=noon - timedelta(days=1))
    await an_order(bela, external_id="2", placed_at=noon)
    await an_order(asha, external_id="3", placed_at=noon + timedelta(days=1), status="PENDING")

    async def numbers(filter: str) -> list[str]:
        found = await marketer.ask(f"{{ orders(filter: {{{filter}}}) {{ nodes {{ externalId }} }} }}")
        return [order["externalId"] for order in found["nodes"]]

    assert await numbers("") == ["3", "2", "1"]
    assert await numbers(f'customerId: "{asha.id}"') == ["3", "1"]
    assert await numbers("status: COMPLETED") == ["2", "1"]
    assert await numbers('placedAfter: "2026-06-30T11:59:59Z"') == ["3", "2"]
    assert await numbers('placedAfter: "2026-06-29T12:00:00Z", placedBefore: "2026-07-01T12:00:00Z"') == ["2"]
