"""Why a customer is or is not in a segment, as clients are told."""

from decimal import Decimal

from bson import ObjectId

from tests.api.conftest import Api
from tests.factories import a_customer, an_order

CREATE = """mutation ($query: String!) {
  createSegment(input: {name: "Rich of Pune", definition: {query: $query}}) { segment { id } }
}"""
EXPLAIN = """query ($segmentId: ID!, $customerId: ID!) {
  explainMembership(segmentId: $segmentId, customerId: $customerId) {
    customer { name } segment { name } member asOf
    trace { query holds children { query holds actual toFlip children { query } } }
  }
}"""


async def a_segment(api: Api, query: str) -> str:
    segment_id: str = (await api.ask(CREATE, query=query))["segment"]["id"]
    return segment_id


async def test_a_membership_is_explained_rule_by_rule(marketer: Api) -> None:
    asha = await a_customer(name="Asha", city="Pune")
    await an_order(asha, amount=Decimal("80.00"))
    segment_id = await a_segment(marketer, 'totalSpend >= 1000 AND city = "Pune" AND COUNT(orders) >= 3')
    told = await marketer.ask(EXPLAIN, segmentId=segment_id, customerId=str(asha.id))
    assert [told["customer"], told["segment"], told["member"]] == [{"name": "Asha"}, {"name": "Rich of Pune"}, False]
    assert [(rule["query"], rule["holds"], rule["actual"], rule["toFlip"]) for rule in told["trace"]["children"]] == [
        ("totalSpend >= 1000", False, "80.00", "needs 920.00 more"),
        ('city = "Pune"', True, "Pune", 'needs to be other than "Pune"'),
        ("COUNT(orders) >= 3", False, "1", "needs 2 more"),
    ]


async def test_an_explanation_agrees_with_the_segment(marketer: Api) -> None:
    people = [await a_customer(city="Pune"), await a_customer(), await a_customer(visit_count=3)]
    segment_id = await a_segment(marketer, 'city = "Pune" OR visitCount > 2')
    for customer, member in zip(people, (True, False, True), strict=True):
        told = await marketer.ask(EXPLAIN, segmentId=segment_id, customerId=str(customer.id))
        assert told["member"] is told["trace"]["holds"] is member


async def test_there_is_nothing_to_explain_about_nobody(marketer: Api) -> None:
    asha = str((await a_customer()).id)
    segment_id = await a_segment(marketer, "EVERYONE")
    for segment, customer in ((segment_id, str(ObjectId())), (str(ObjectId()), asha), ("nonsense", asha)):
        assert await marketer.ask(EXPLAIN, segmentId=segment, customerId=customer) is None
