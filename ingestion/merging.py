"""Merging: what is known about several customers becomes one customer, by the policy of docs/merging.md.

All of it in a transaction of the caller's. Whoever writes one of the customers, or an order of theirs, at the same
moment conflicts with it: one of the two is done again, from what is stored then.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import errors
from documents import ConsentState
from documents.records import Record, pick
from ingestion import totals, values
from ingestion.customer_rows import KEYS

# Taken over where the kept customer has none.
_SINGLE = ("external_id", "name", "email", "phone", "birthday", "timezone", "locale", "source")
# Taken over together, since half of one address and half of another are nowhere.
_PLACE = ("city", "state", "country", "postal_code")
_CHANNELS = (("sms_consent", "phone"), ("email_consent", "email"))


async def merge(kept: Record, merged: Sequence[Record], now: datetime, session: AsyncClientSession) -> None:
    """Make the merged customers, as this transaction has read them, one with the kept one. Their messages are not ours
    to move. Raises TooLarge when opening visits add up to more than a count can be."""
    kept_id, ids = kept["_id"], [each["_id"] for each in merged]
    customers = documents.Customer.get_pymongo_collection()
    await customers.delete_many({"_id": {"$in": ids}}, session=session)  # first: their keys become free
    result = kept
    for each in merged:
        result = united(result, each)
    _refuse_too_many_visits(result)
    await customers.update_one({"_id": kept_id}, _update(result, now), session=session)
    await _leave_aliases(result, merged, now, session)
    await documents.Order.get_pymongo_collection().update_many(
        {"customer_id": {"$in": ids}}, {"$set": {"customer_id": kept_id, "updated_at": now}}, session=session
    )


def _refuse_too_many_visits(result: Record) -> None:
    visits = pick(pick(result, "opening", dict) or {}, "visit_count", int) or 0
    if visits > values.LARGEST_COUNT:
        raise errors.TooLarge(
            f"Their opening visits add up to {visits:,}, and a customer has at most {values.LARGEST_COUNT:,}.",
            ["mergeIds"],
        )


def united(kept: Record, other: Record) -> Record:
    """The kept customer with what the other one adds."""
    single = {**kept, **_added(kept, other, _SINGLE)}
    if all(_alike(kept, other, name) for name in _PLACE):
        single |= _added(kept, other, _PLACE)
    for consent, address in _CHANNELS:
        single[consent] = _consent(kept, other, consent, address)
    return {
        **single,
        "tags": _tags(kept, other),
        "attributes": {**(pick(other, "attributes", dict) or {}), **(pick(kept, "attributes", dict) or {})},
        "opening": _sum(kept, other, "opening", "total_spend", "visit_count", last="last_purchase"),
        "purchases": _sum(kept, other, "purchases", "spend", "count", first="first", last="last"),
        "created_at": _earlier(kept.get("created_at"), other.get("created_at")),
    }


def _added(kept: Record, other: Record, names: Sequence[str]) -> Record:
    return {name: other[name] for name in names if kept.get(name) is None and other.get(name) is not None}


def _alike(kept: Record, other: Record, name: str) -> bool:
    """Whether the two do not contradict each other in this text."""
    one, two = pick(kept, name, str), pick(other, name, str)
    return one is None or two is None or documents.fold(one) == documents.fold(two)


def _consent(kept: Record, other: Record, consent: str, address: str) -> object:
    """Whoever does not want any has said so for the person; what was agreed to holds for the address it was said of."""
    own, theirs = kept.get(consent, ConsentState.UNKNOWN), other.get(consent, ConsentState.UNKNOWN)
    if ConsentState.UNSUBSCRIBED in (own, theirs):
        return ConsentState.UNSUBSCRIBED
    if kept.get(address) is not None:
        return own
    if other.get(address) is not None:
        return theirs
    return theirs if own == ConsentState.UNKNOWN else own


def _tags(kept: Record, other: Record) -> list[str]:
    distinct: dict[str, str] = {}
    for tag in [*(pick(kept, "tags", list) or []), *(pick(other, "tags", list) or [])]:
        distinct.setdefault(documents.fold(str(tag)), str(tag))
    return list(distinct.values())


def _sum(
    kept: Record, other: Record, name: str, spend: str, count: str, *, last: str, first: str | None = None
) -> Record:
    """Two sets of figures as one: amounts and counts added, instants stretched."""
    one, two = pick(kept, name, dict) or {}, pick(other, name, dict) or {}
    figures = {
        **one,
        spend: (pick(one, spend, Decimal) or Decimal(0)) + (pick(two, spend, Decimal) or Decimal(0)),
        count: (pick(one, count, int) or 0) + (pick(two, count, int) or 0),
        last: _later(one.get(last), two.get(last)),
    }
    if first:
        figures[first] = _earlier(one.get(first), two.get(first))
    return {name: value for name, value in figures.items() if value is not None}


def _earlier(one: object, two: object) -> datetime | None:
    return min((each for each in (one, two) if isinstance(each, datetime)), default=None)


def _later(one: object, two: object) -> datetime | None:
    return max((each for each in (one, two) if isinstance(each, datetime)), default=None)


def _update(result: Record, now: datetime) -> list[totals.Stage]:
    stored: Mapping[str, object] = {
        name: value for name, value in result.items() if name not in _DERIVED and value is not None
    }
    return totals.updated_with({**stored, "folded": documents.folded(result), "updated_at": now}, [])


# What the database works out anew, or never changes.
_DERIVED = {
    *("_id", "folded", "total_spend", "order_count", "visit_count"),
    *("first_purchase", "last_purchase", "average_order_value"),
}


async def _leave_aliases(result: Record, merged: Sequence[Record], now: datetime, session: AsyncClientSession) -> None:
    aliases = documents.Alias.get_pymongo_collection()
    ids = [each["_id"] for each in merged]
    here = {"customer_id": result["_id"]}
    await aliases.update_many({"customer_id": {"$in": ids}}, {"$set": here}, session=session)
    rows = [{"_id": each["_id"], **here, **_lost_keys(result, each), "merged_at": now} for each in merged]
    await aliases.insert_many(rows, session=session)


def _lost_keys(result: Record, merged: Record) -> Record:
    return {kind: merged[kind] for kind in KEYS if merged.get(kind) is not None and merged[kind] != result.get(kind)}
