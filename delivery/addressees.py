"""Addressees: what becomes of messages when the customers they are to are merged, or erased."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from beanie import PydanticObjectId

import documents
import errors
from delivery import ledger
from delivery.batches import TO_SEND
from documents import CampaignStatus, MessageStatus, message_id

# Whoever has one of these has had the campaign's message, or is about to.
_LIVE = (*TO_SEND, MessageStatus.SENT, MessageStatus.DELIVERED)
_UNPLANNED = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED, CampaignStatus.PLANNING)
_WANTED_FIELDS = ("campaign_id", "status")
# What is left of a message to somebody who was erased is its place in the counters. A failure's reason is the
# vendor's text, and may quote the address.
_NOBODYS = {"customer_id": None, "recipient": None, "subject": None, "body": "", "failure_reason": None}


async def hand_over(merged: Collection[PydanticObjectId], kept: PydanticObjectId, entry: ledger.Entry) -> None:
    """Make the messages of the merged customers the kept one's. Of those to one person that a campaign has yet to send,
    one is sent and the others are called off. Raises IllegalState while a campaign is being planned that has come to
    one of them and not to the kept one, who would get a second message."""
    await _refuse_half_planned(merged, kept, entry)
    await _interrupt_planning([kept, *merged], entry)
    for duplicate in await _duplicates([kept, *merged], kept, entry):
        entry.move(duplicate, MessageStatus.CANCELLED, {})
    await documents.Message.get_pymongo_collection().update_many(
        {"customer_id": {"$in": list(merged)}}, {"$set": {"customer_id": kept}}, session=entry.session
    )


async def forget(customer_ids: Collection[PydanticObjectId], entry: ledger.Entry) -> None:
    """Take the customers out of their messages and receipts, and call off what is yet to be sent.

    What is SENDING may be with the vendor: then its receipt will count, as for any message that was called off.
    """
    await _interrupt_planning(customer_ids, entry)
    theirs = {"customer_id": {"$in": list(customer_ids)}}
    messages = documents.Message.get_pymongo_collection()
    found = await messages.find(theirs, _WANTED_FIELDS, session=entry.session).to_list()
    await messages.update_many(theirs, ledger.update(_NOBODYS), session=entry.session)
    for message in found:
        if message["status"] in TO_SEND:
            entry.move(message, MessageStatus.CANCELLED, {})
    await documents.Receipt.get_pymongo_collection().update_many(
        {"message_id": {"$in": [message["_id"] for message in found]}},
        ledger.update({"failure_reason": None}),
        session=entry.session,
    )


async def _interrupt_planning(people: Collection[PydanticObjectId], entry: ledger.Entry) -> None:
    """Have campaigns that may yet come to these people look at their audience anew, and those that are not launched
    wait: a step that was decided before must not be written after.

    A walk goes by id, and a step moves `planned_to` in the transaction that writes its messages. So a campaign that is
    past the last of them, as this transaction sees it, has written all that it will ever write to them, and we see it.
    One that moves past them meanwhile meets us in its own record, and one of the two is done again.
    """
    await documents.Campaign.get_pymongo_collection().update_many(
        {"status": {"$in": list(_UNPLANNED)}, "planned_to": {"$not": {"$gte": max(people)}}},
        {"$unset": {"lease": ""}, "$inc": {"met": 1}},
        session=entry.session,
    )


async def _refuse_half_planned(
    merged: Collection[PydanticObjectId], kept: PydanticObjectId, entry: ledger.Entry
) -> None:
    campaigns = documents.Campaign.get_pymongo_collection()
    planning = campaigns.find({"status": CampaignStatus.PLANNING.value}, {"name": 1}, session=entry.session)
    for campaign in await planning.to_list():
        ids = [message_id(campaign["_id"], each) for each in merged]
        planned = await _ids([*ids, message_id(campaign["_id"], kept)], entry)
        if planned & set(ids) and message_id(campaign["_id"], kept) not in planned:
            raise errors.IllegalState(
                f"The campaign {campaign['name']!r} is being planned, and has come to one of them: "
                "try again in a moment."
            )


async def _ids(ids: Sequence[str], entry: ledger.Entry) -> set[str]:
    found = documents.Message.get_pymongo_collection().find({"_id": {"$in": ids}}, {"_id": 1}, session=entry.session)
    return {message["_id"] for message in await found.to_list()}


async def _duplicates(
    people: Sequence[PydanticObjectId], kept: PydanticObjectId, entry: ledger.Entry
) -> Iterable[ledger.Row]:
    """Those PENDING messages of one person that are too many, because another one of their campaign is live."""
    messages = documents.Message.get_pymongo_collection()
    theirs = {"customer_id": {"$in": list(people)}}
    pending = await messages.distinct(
        "campaign_id", {**theirs, "status": MessageStatus.PENDING.value}, session=entry.session
    )
    live: dict[PydanticObjectId, list[ledger.Row]] = defaultdict(list)
    which = {**theirs, "campaign_id": {"$in": pending}, "status": {"$in": list(_LIVE)}}
    for message in await messages.find(which, _WANTED_FIELDS, session=entry.session).to_list():
        live[message["campaign_id"]].append(message)
    return [
        message
        for several in live.values()
        for message in _but_one(several, kept)
        if message["status"] == MessageStatus.PENDING
    ]


def _but_one(messages: Sequence[ledger.Row], kept: PydanticObjectId) -> Sequence[ledger.Row]:
    """All but the one that is furthest; among equals, the kept customer's own."""
    own = message_id(messages[0]["campaign_id"], kept)
    return sorted(messages, key=lambda each: (each["status"] == MessageStatus.PENDING, each["_id"] != own))[1:]
