"""Two ledgers held against each other, message by message: ours as the API tells it, and the vendor's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from demo.api import Api
from tests.end_to_end.campaigns import VERIFY
from tests.product import Product

OURS = """query ($id: ID!, $after: String) {
  campaign(id: $id) {
    messages(first: 500, after: $after) { nodes { id status attempts } pageInfo { hasNextPage endCursor } }
  }
}"""
OUTCOMES = frozenset({"DELIVERED", "FAILED", "SKIPPED", "HELD_OUT", "CANCELLED"})
SETTLED = frozenset({"DELIVERED", "FAILED"})  # by the vendor, and told by a receipt


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is wrong; all zero when nothing is."""

    lost: int  # customers without an outcome, and messages of which the two tell different ones
    repeated: int  # deliveries beyond the first to one customer
    drifted: int  # counters that are not what a recount gives


async def compare(product: Product, api: Api, campaign: str, audience: int) -> Comparison:
    """Compare them for a vendor that has this one campaign, and that has told everything."""
    ours = {id_: str(message["status"]) for id_, message in (await messages(api, campaign)).items()}
    theirs = await _theirs(product)
    check = await api.ask(VERIFY, id=campaign)
    return Comparison(
        lost=audience - len(ours) + lost(ours, theirs),
        repeated=repeated(theirs) + int(str(check["duplicateMessages"])),
        drifted=int(check["consistent"] is not True),
    )


async def messages(api: Api, campaign: str) -> dict[str, Mapping[str, object]]:
    """All messages of a campaign, as the API tells them."""
    found: dict[str, Mapping[str, object]] = {}
    after = None
    while True:
        match await api.ask(OURS, id=campaign, after=after):
            case {"messages": {"nodes": [*nodes], "pageInfo": {"hasNextPage": more, "endCursor": after}}}:
                found |= {node["id"]: node for node in nodes}
                if not more:
                    return found


def lost(ours: Mapping[str, str], theirs: Mapping[str, Mapping[str, object]]) -> int:
    """How many messages have no outcome, or not the same one on both sides."""
    undecided = {id_ for id_, status in ours.items() if status not in OUTCOMES}
    sent = {id_: status for id_, status in ours.items() if status in SETTLED}
    apart = {id_ for id_ in sent.keys() | theirs.keys() if theirs.get(id_, {}).get("status") != sent.get(id_)}
    return len(undecided | apart)


def repeated(theirs: Mapping[str, Mapping[str, object]]) -> int:
    """How many deliveries were too many. By the address: a second message under another key is one of them."""
    deliveries: Counter[object] = Counter()
    for held in theirs.values():
        deliveries[held["recipient"]] += int(str(held["deliveries"]))
    return sum(count - 1 for count in deliveries.values() if count > 1)


async def _theirs(product: Product) -> dict[str, Mapping[str, object]]:
    held: dict[str, Mapping[str, object]] = {}
    while True:
        answer = await product.http.get(f"{product.vendor_url}/messages", params={"skip": len(held)})
        if not (listed := answer.json()["messages"]):
            return held
        held |= {each["messageId"]: each for each in listed}
