"""The state of things on one page, as figures of the data at hand."""

from tests.api.conftest import Api

ORDERS = """mutation ($rows: [OrderInput!]!) { ingestOrders(input: $rows) { created failed } }"""
OVERVIEW = """{ overview {
  customers orders revenue segments campaignsByStatus { status count }
  messagesLast30Days { audience } recentCampaigns { name }
} }"""


def an_order(number: int, **fields: object) -> dict[str, object]:
    return {
        "externalId": f"o{number}",
        "customer": {"externalId": "1"},
        "placedAt": "2026-01-01T00:00:00Z",
        "amount": "10.10",
        **fields,
    }


async def test_an_empty_store_is_all_zeros(marketer: Api) -> None:
    assert await marketer.ask(OVERVIEW) == {
        "customers": 0,
        "orders": 0,
        "revenue": "0",
        "segments": 0,
        "campaignsByStatus": [],
        "messagesLast30Days": {"audience": 0},
        "recentCampaigns": [],
    }


async def test_revenue_is_completed_orders_less_refunds(marketer: Api) -> None:
    await marketer.ask('mutation { ingestCustomer(input: {externalId: "1"}) { outcome } }')
    refund = {"status": "PARTIALLY_REFUNDED", "refundedAmount": "0.10"}
    rows = [an_order(1), an_order(2, payment=refund), an_order(3, status="CANCELLED")]
    assert (await marketer.ask(ORDERS, rows=rows)) == {"created": 3, "failed": 0}
    overview = await marketer.ask("{ overview { customers orders revenue } }")
    assert overview == {"customers": 1, "orders": 3, "revenue": "20.10"}
