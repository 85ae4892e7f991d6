"""Erasures: a person is removed from everything that is stored, and not taken in again unless that is lifted."""

import logging
from collections.abc import Mapping

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import errors
from auth import Viewer
from delivery import addressees, ledger
from ingestion import Policy, erasing, histories, suppressions
from ingestion.erasing import Person
from ingestion.order_rows import OrderReader
from resolvers import idempotency, transactions

log = logging.getLogger(__name__)


async def erase(viewer: Viewer, customer_id: PydanticObjectId, policy: Policy) -> PydanticObjectId:
    """Erase a person, by the id of now or of before a merger; the id that is gone. Erasing again changes nothing.

    Raises NotFound. Should it be cut short, everything is still to be found by erasing again: what names the person
    goes last.
    """
    person = await erasing.find(customer_id)
    if person is None:
        if await suppressions.among([("_id", customer_id)], policy.suppression_key):
            return customer_id
        raise errors.NotFound("There is no such customer.", ["id"])
    await _forget_copies(person)
    while await histories.is_long([person.id]):
        await _shorten(person)
    with transactions.in_time():
        erased = await _erase(viewer, person.id, policy)
        if erased:
            await _forget_latecomers(erased)
    await _forget_copies(erased or person)
    log.info("customer %s: erased by user %s", person.id, viewer.id)
    return person.id


async def lift(viewer: Viewer, owner: Mapping[str, object], policy: Policy) -> int:
    """Let somebody who was erased be taken in again, by any key or id of theirs; how many of them there were.

    Raises a Fault for what is no key, NotFound for what is not suppressed.
    """
    lifted = await suppressions.lift(OrderReader(policy).read_owner(owner), policy.suppression_key)
    if not lifted:
        raise errors.NotFound("Nobody with this key is suppressed.")
    log.info("suppressions: %s lifted by user %s", lifted, viewer.id)  # whose they were is not to be known
    return lifted


async def _erase(viewer: Viewer, customer_id: PydanticObjectId, policy: Policy) -> Person | None:
    async def work(entry: ledger.Entry) -> Person | None:
        person = await erasing.find(customer_id, entry.session)
        if person:
            await addressees.forget(person.ids, entry)
            await erasing.erase(person, policy.suppression_key, viewer.id, entry.session)
        return person

    return await ledger.write(work, documents.now())


async def _shorten(person: Person) -> None:
    async def work(session: AsyncClientSession) -> None:
        await histories.shorten(person.id, session)

    async with documents.Order.get_pymongo_collection().database.client.start_session() as session:
        await session.with_transaction(work)


async def _forget_latecomers(person: Person) -> None:
    """Forget messages of a campaign that was made and launched while the transaction ran, which it could not see."""
    await ledger.write(lambda entry: addressees.forget(person.ids, entry), documents.now())


async def _forget_copies(person: Person) -> None:
    await erasing.forget_imports(person)
    await idempotency.forget(person.traces())
