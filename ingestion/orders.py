"""Ingesting orders: each chunk, with what it means for its customers' figures, in one transaction.

One commit, so no crash can come between an order and the figures it counts in. Transactions that touch the same
customer or the same order conflict, and the one that MongoDB refuses is run again from what is stored then.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pymongo
from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import errors
from ingestion import aliases, chunks, figures, suppressions, totals
from ingestion.order_drafts import OrderDraft
from ingestion.order_rows import OrderReader, OrderRow, Owner
from ingestion.policy import Policy
from ingestion.reports import Report, Row, RowResult, counted

# A lane takes 0.2 s; with this patience eight writers on one customer all get their turn.
TRANSACTION_SECONDS = 20


async def ingest(
    rows: Sequence[Row], policy: Policy, now: datetime, transaction: AsyncClientSession | None = None
) -> Report:
    """Store these rows about orders, in order; a row says what is wrong with it. Raises TooLarge for too many.

    An order is known by external_id, and counts once however often it is sent. What a row leaves out stays as it is,
    None clears. The figures of its customer, and of the one it was of before, move with it. In a transaction of the
    caller's, whatever is in its way is raised.
    """
    policy.admit(rows)

    async def store(chunk: list[OrderRow]) -> Sequence[RowResult]:
        async def transact(session: AsyncClientSession) -> Sequence[RowResult]:
            return await _Transaction(session, policy, now).store(chunk)

        if transaction:
            return await transact(transaction)
        with pymongo.timeout(TRANSACTION_SECONDS):
            async with documents.Order.get_pymongo_collection().database.client.start_session() as session:
                return await session.with_transaction(transact)

    report = await chunks.ingest(rows, OrderReader(policy).read, store, transaction, _split)
    return counted("orders", report)


def _split(rows: list[OrderRow], lanes: int) -> list[list[OrderRow]]:
    """Rows of one order stay in one lane, in order. So do those of one customer as far as the rows show it; where they
    do not, the transactions conflict, which costs time and nothing else."""
    split: list[list[OrderRow]] = [[] for _ in range(lanes)]
    lane_of: dict[str, list[OrderRow]] = {}
    for row in rows:
        lane_of.setdefault(row.external_id, split[hash(row.owner) % lanes]).append(row)
    return split


class _Transaction:
    """One attempt to store a chunk."""

    def __init__(self, session: AsyncClientSession, policy: Policy, now: datetime) -> None:
        self._session = session
        self._policy = policy
        self._now = now
        self._customers = documents.Customer.get_pymongo_collection()
        self._orders = documents.Order.get_pymongo_collection()
        self._suppressed: set[Owner] = set()

    async def store(self, rows: Sequence[OrderRow]) -> list[RowResult]:
        """The results that hold if the transaction is committed."""
        owners = await self._find_owners({row.owner for row in rows if row.owner})
        drafts = await self._load({row.external_id for row in rows})
        results = []
        async for row in chunks.unhurried(rows):
            draft = drafts.setdefault(row.external_id, OrderDraft.of(row.external_id, None))
            try:
                draft.apply(row, self._owner(row, owners), self._policy.currency)
            except errors.Fault as fault:
                results.append(chunks.failed(row, fault))
        touched = [draft for draft in drafts.values() if draft.applied]
        await self._write(touched)
        changes = totals.changes((draft.stored, draft.fields) for draft in touched)
        await figures.move(changes, self._session)
        new = {draft.new_owner for draft in touched if draft.new_owner}
        await figures.meet(new - changes.keys(), self._session)
        for draft in touched:
            results += [RowResult(row.index, outcome, draft.id) for row, outcome in draft.applied]
        return results

    async def _find_owners(self, wanted: set[Owner]) -> Mapping[Owner, PydanticObjectId]:
        by_kind: dict[str, list[object]] = {}
        for owner in wanted:
            by_kind.setdefault(owner.kind, []).append(owner.value)
        if not by_kind:
            return {}
        anyone = {"$or": [{kind: {"$in": values}} for kind, values in by_kind.items()]}
        found = self._customers.find(anyone, dict.fromkeys(by_kind, True), session=self._session)
        owners = {
            Owner(kind, value): PydanticObjectId(stored["_id"])
            for stored in await found.to_list()
            for kind in by_kind
            if isinstance(value := stored.get(kind), str | ObjectId)
        }
        if unknown := wanted - owners.keys():
            owners |= await aliases.owners(unknown, self._session)
            self._suppressed = await suppressions.among(
                unknown - owners.keys(), self._policy.suppression_key, self._session
            )
        return owners

    def _owner(self, row: OrderRow, owners: Mapping[Owner, PydanticObjectId]) -> PydanticObjectId:
        if row.owner and row.owner in owners:
            return owners[row.owner]
        if row.owner and row.owner in self._suppressed:
            raise suppressions.refusal(row.owner, "customer")
        raise errors.NotFound("There is no such customer.", ["customer"])

    async def _load(self, external_ids: set[str]) -> dict[str, OrderDraft]:
        found = self._orders.find({"external_id": {"$in": list(external_ids)}}, session=self._session)
        return {
            (external_id := str(stored["external_id"])): OrderDraft.of(external_id, stored)
            for stored in await found.to_list()
        }

    async def _write(self, drafts: Sequence[OrderDraft]) -> None:
        if writes := [write for draft in drafts if (write := draft.write(self._now))]:
            await self._orders.bulk_write(writes, ordered=False, session=self._session)
