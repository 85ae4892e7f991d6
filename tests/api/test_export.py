"""The export: whatever is stored about a person can be asked for."""

import pytest
from graphql import GraphQLObjectType
from pydantic import BaseModel

import documents
from delivery import receipts
from delivery.receipts import Report
from documents import ReceiptStatus
from ingestion.rows import published
from schema import schema
from tests.api.conftest import Api
from tests.delivery.conftest import messages_of, sent
from tests.factories import a_customer

# What is stored of these is told in another way, or worked out from the rest.
TOLD_OTHERWISE = {
    "Customer": {"folded", "purchases"},  # the texts once more, to compare; the figures less the opening ones
    "Order": {"folded", "item_count", "customer_id"},  # it is asked for through the customer
    "OrderItem": {"folded"},
    "Message": {"campaign_id", "customer_id", "call_id"},  # the call has the vendor's id, which is told
    "Receipt": {"id", "message_id"},  # receiptId; it is asked for through the message
    "Alias": {"customer_id"},
}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (documents.Customer, "Customer"),
        (documents.Opening, "OpeningFigures"),
        (documents.Order, "Order"),
        (documents.OrderItem, "OrderItem"),
        (documents.Payment, "Payment"),
        (documents.Message, "Message"),
        (documents.Receipt, "DeliveryReceipt"),
        (documents.Alias, "MergedCustomer"),
    ],
)
def test_every_stored_field_can_be_asked_for(stored: type[BaseModel], shown: str) -> None:
    told_otherwise = {*TOLD_OTHERWISE.get(stored.__name__, set()), "revision_id"}  # Beanie's, and never stored
    type_ = schema._schema.type_map[shown]
    assert isinstance(type_, GraphQLObjectType)
    assert {published(name) for name in stored.model_fields.keys() - told_otherwise} <= type_.fields.keys()


async def test_a_person_with_everything_that_is_held(marketer: Api) -> None:
    former = await a_customer(external_id="b", email="b@example.com")
    person = await a_customer(external_id="a", email="a@example.com", total_spend=documents.decimal_of("7.50"))
    merge = "mutation ($k: ID!, $m: [ID!]!) { mergeCustomers(keepId: $k, mergeIds: $m) { userErrors { code } } }"
    await marketer.ask(merge, k=str(person.id), m=[str(former.id)])
    query = """
    query ($id: ID!) {
      customer(id: $id) { opening { totalSpend visitCount lastPurchase } mergedFrom { id externalId email phone } }
    }
    """
    assert await marketer.ask(query, id=str(person.id)) == {
        "opening": {"totalSpend": "7.50", "visitCount": 0, "lastPurchase": None},
        "mergedFrom": [{"id": str(former.id), "externalId": "b", "email": "b@example.com", "phone": None}],
    }


async def test_a_message_with_what_the_vendor_reported(marketer: Api) -> None:
    campaign = await sent(1)
    [message] = await messages_of(campaign)
    reported = Report(
        "r-1", message.id, ReceiptStatus.FAILED, documents.now(), "v", "BLOCKED", "The number is blocked."
    )
    await receipts.apply([reported], documents.now())
    query = (
        "query ($id: ID!) { message(id: $id) { life receipts { receiptId status life failureCode failureReason } } }"
    )
    assert await marketer.ask(query, id=message.id) == {
        "life": 1,
        "receipts": [
            {
                "receiptId": "r-1",
                "status": "FAILED",
                "life": 1,
                "failureCode": "BLOCKED",
                "failureReason": "The number is blocked.",
            }
        ],
    }
