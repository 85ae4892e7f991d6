"""The segments that the data suggests, as clients meet them."""

from datetime import timedelta
from decimal import Decimal

import documents
from tests.api.conftest import Api
from tests.factories import a_customer

SUGGEST = "{ suggestSegments { name description rules query audienceSize totalSpend } }"
PREVIEW = """query ($definition: SegmentDefinition!) {
  previewSegment(definition: $definition) { audienceSize userErrors { message } }
}"""


async def test_segments_are_suggested_with_rules_that_select_them(marketer: Api) -> None:
    now = documents.now()
    for number in range(40):
        bought = now - timedelta(days=3 * number)
        await a_customer(total_spend=Decimal(10 * number), visit_count=1 + number % 9, last_purchase=bought)
    suggested = await marketer.ask(SUGGEST)
    assert [len(suggested), suggested[0]["name"], suggested[-1]["name"]] == [11, "Champions", "Lost"]
    assert sum(suggestion["audienceSize"] for suggestion in suggested) == 40
    assert sum(Decimal(suggestion["totalSpend"]) for suggestion in suggested) == sum(range(0, 400, 10))
    for suggestion in suggested:
        for definition in ({"query": suggestion["query"]}, {"rules": suggestion["rules"]}):
            preview = await marketer.ask(PREVIEW, definition=definition)
            assert preview == {"audienceSize": suggestion["audienceSize"], "userErrors": []}


async def test_nothing_is_suggested_before_anybody_bought(marketer: Api) -> None:
    await a_customer()
    assert await marketer.ask(SUGGEST) == []
