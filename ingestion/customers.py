"""Ingesting customers: who each row is about, what it changes, and one write for a chunk of them.

What makes it safe with others at work: the unique indexes on the keys decide who is first, and whoever comes second
identifies anew. Nothing that another writes is lost, because only what changes is written.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

import errors
from ingestion import chunks, customer_writes
from ingestion.customer_rows import CustomerReader, CustomerRow, Key
from ingestion.identities import Identities
from ingestion.policy import Policy
from ingestion.reports import Report, Row, RowResult, counted

# All rows that somebody else got in the way of are tried again together, in case they were not in each other's; then
# each by itself, which is also how keys that customers of one chunk hand on in a circle get through.
ATTEMPTS_TOGETHER = 2
ATTEMPTS = 6


async def ingest(
    rows: Sequence[Row], policy: Policy, now: datetime, transaction: AsyncClientSession | None = None
) -> Report:
    """Store these rows about customers, in order; a row says what is wrong with it. Raises TooLarge for too many.

    A customer is known by external_id, then e-mail, then phone. What a row leaves out stays as it is, None clears.
    Ingesting the same again changes nothing. In a transaction of the caller's, whatever is in its way is raised.
    """
    policy.admit(rows)
    reader = CustomerReader(policy, now)
    store = _Store(policy, reader.defaults, now, transaction)
    return counted("customers", await chunks.ingest(rows, reader.read, store, transaction))


class _Store:
    """Stores chunks of rows, one after another."""

    def __init__(
        self,
        policy: Policy,
        defaults: Mapping[str, object],
        now: datetime,
        transaction: AsyncClientSession | None,
    ) -> None:
        self._policy = policy
        self._defaults = defaults
        self._now = now
        self._transaction = transaction

    async def __call__(self, rows: list[CustomerRow], attempt: int = 1) -> list[RowResult]:
        results, again = await self._attempt(rows)
        if attempt == ATTEMPTS:
            busy = errors.Unavailable("Others keep changing this customer's keys. Send this again.")
            return [*results, *(chunks.failed(row, busy) for row in again)]
        together = [again] if attempt < ATTEMPTS_TOGETHER else [[row] for row in again]
        for batch in filter(None, together):
            results += await self(batch, attempt + 1)
        return results

    async def _attempt(self, rows: list[CustomerRow]) -> tuple[list[RowResult], list[CustomerRow]]:
        """The results of the rows that are through, and the others, of which nothing is stored."""
        identities = await self._identify(rows)
        results = []
        async for row in chunks.unhurried(rows):
            try:
                if row.faults:
                    raise errors.Rejected(row.faults)
                identities.apply(row)
            except errors.Fault as fault:
                results.append(chunks.failed(row, fault))
        drafts = [draft for draft in identities.touched if draft.is_new or draft.changed]
        beaten = await customer_writes.write(drafts, self._now, self._transaction)
        for draft in identities.touched.keys() - beaten:
            results += [RowResult(row.index, outcome, draft.id) for row, outcome in draft.applied]
        return results, sorted((row for draft in beaten for row, _ in draft.applied), key=lambda row: row.index)

    async def _identify(self, rows: list[CustomerRow]) -> Identities:
        identities = Identities(self._defaults, self._policy.suppression_key, self._transaction)
        await identities.look_up(key for row in rows for key in row.known_by())
        if local := [row for row in rows if row.local_phone]:
            self._settle_phones(rows, identities)
            await identities.look_up(key for row in local for key in row.known_by() if key[0] == "phone")
        return identities

    def _settle_phones(self, rows: list[CustomerRow], identities: Identities) -> None:
        """Read local phones by the country that a row before gave the customer, or the stored one, or the policy's."""
        said: dict[Key, str] = {}
        for row in rows:
            if row.local_phone:
                told = next((said[key] for key in row.known_by() if key in said), None)
                row.settle_phone(told or identities.country(row.known_by()) or self._policy.default_region)
            if isinstance(country := row.values.get("country"), str):
                said |= dict.fromkeys(row.known_by(), country)
