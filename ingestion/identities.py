"""Who is who: the customers that the rows of a chunk name, each as the rows so far leave them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from beanie import PydanticObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

import documents
import errors
from documents.records import pick
from ingestion import aliases, suppressions, values
from ingestion.customer_rows import KEYS, CustomerRow, Key
from ingestion.reports import Outcome
from ingestion.rows import published

_SAID = {"external_id": "externalId", "email": "e-mail", "phone": "phone"}
# What rows do not speak of, or speak of as opening figures; decimals above all take their time to decode.
_UNSAID = (
    *("folded", "purchases", "total_spend", "visit_count", "order_count", "average_order_value"),
    *("first_purchase", "last_purchase", "rfm", "predicted_spend_90d"),
)


@dataclass(slots=True, eq=False)
class Draft:
    """One customer on the way to the database: `values` by stored path, and which of them are to be written."""

    id: PydanticObjectId
    is_new: bool
    values: dict[str, object]
    stored_external_id: object = None
    aliases: set[Key] = field(default_factory=set)  # those of its former keys that rows have named
    changed: set[str] = field(default_factory=set)
    applied: list[tuple[CustomerRow, Outcome]] = field(default_factory=list)

    @classmethod
    def of(cls, stored: Mapping[str, object], defaults: Mapping[str, object]) -> Self:
        """A customer as stored."""
        known = {**defaults, **stored}
        opening = known.pop("opening", None)
        if isinstance(opening, Mapping):
            known |= {f"opening.{name}": value for name, value in opening.items()}
        return cls(PydanticObjectId(str(stored["_id"])), False, known, stored.get("external_id"))

    def known_by(self) -> set[Key]:
        """What the customer is known by, after the rows so far."""
        return {(kind, value) for kind in KEYS if isinstance(value := self.values.get(kind), str)}

    def apply(self, row: CustomerRow) -> None:
        """Take over what the row says, and note what became of it. Raises InvalidInput for too many attributes."""
        said = {path: self._whole(path, value) for path, value in row.values.items()}
        changes = {path: value for path, value in said.items() if not self.says(path, value)}
        self.values |= changes
        self.changed |= changes.keys()
        created = self.is_new and not self.applied
        outcome = Outcome.CREATED if created else Outcome.UPDATED if changes else Outcome.UNCHANGED
        self.applied.append((row, outcome))

    def _whole(self, path: str, value: object) -> object:
        """The value with what a row leaves alone of it."""
        if not isinstance(value, values.Named):
            return value
        try:
            return values.attributes({**(pick(self.values, path, dict) or {}), **value})
        except errors.Fault as fault:
            raise fault.under(path) from fault

    def says(self, path: str, value: object) -> bool:
        """Whether the customer is so already. A key of someone who was merged into the customer is only a name."""
        own = self.values.get(path)
        named = isinstance(value, str) and (path, value) in self.aliases
        return _same(own, value) or (named and own is not None)


class Identities:
    """The customers by every key that was looked up; a key that is not here is nobody's."""

    def __init__(
        self, defaults: Mapping[str, object], suppression_key: bytes, transaction: AsyncClientSession | None
    ) -> None:
        self._defaults = defaults
        self._suppression_key = suppression_key
        self._transaction = transaction
        self._by_key: dict[Key, Draft] = {}
        self._suppressed: set[aliases.Name] = set()
        self.touched: dict[Draft, None] = {}  # in the order in which the rows named them

    async def look_up(self, keys: Iterable[Key]) -> None:
        """Learn whose these keys are, or were."""
        asked = dict.fromkeys(keys)
        wanted: dict[str, list[str]] = {}
        for kind, value in asked:
            wanted.setdefault(kind, []).append(value)
        if not wanted:
            return
        await self._load([{kind: {"$in": found}} for kind, found in wanted.items()])
        if unknown := [key for key in asked if key not in self._by_key]:
            await self._follow(unknown)
            self._suppressed |= await suppressions.among(
                [key for key in unknown if key not in self._by_key], self._suppression_key, self._transaction
            )

    async def _follow(self, keys: Iterable[Key]) -> None:
        """Find those who were merged into others."""
        if owners := await aliases.owners(keys, self._transaction):
            drafts = await self._load([{"_id": {"$in": list(set(owners.values()))}}])
            for key, customer_id in owners.items():
                if draft := drafts.get(customer_id):
                    draft.aliases.add(key)
                    self._by_key[key] = draft

    async def _load(self, anyone: Sequence[Mapping[str, object]]) -> Mapping[PydanticObjectId, Draft]:
        """Every customer whom this loads or has loaded before, by id."""
        drafts = {draft.id: draft for draft in self._by_key.values()}
        customers = documents.Customer.get_pymongo_collection()
        found = customers.find({"$or": anyone}, dict.fromkeys(_UNSAID, False), session=self._transaction)
        for stored in await found.to_list():
            draft = Draft.of(stored, self._defaults)
            self._by_key |= dict.fromkeys(draft.known_by(), drafts.setdefault(draft.id, draft))
        return drafts

    def country(self, keys: Iterable[Key]) -> str | None:
        """The stored country of whoever has one of these keys."""
        for key in keys:
            country = self._by_key[key].values.get("country") if key in self._by_key else None
            if isinstance(country, str):
                return country
        return None

    def apply(self, row: CustomerRow) -> None:
        """Take the row over into the draft of the customer that it is about, who may be a new one. Raises Conflict."""
        draft = self._whom(row) or Draft(PydanticObjectId(), True, dict(self._defaults))
        before = draft.known_by()
        draft.apply(row)
        after = draft.known_by()
        if before != after:
            for key in before - after:
                del self._by_key[key]
            self._by_key |= dict.fromkeys(after, draft)
        self.touched[draft] = None

    def _whom(self, row: CustomerRow) -> Draft | None:
        """The first customer that a key of the row names, unless another key says that it is somebody else's row."""
        if gone := next((key for key in row.known_by() if key in self._suppressed), None):
            raise suppressions.refusal(gone, published(gone[0]))
        named = [(kind, self._by_key[kind, value]) for kind, value in row.known_by() if (kind, value) in self._by_key]
        if not named:
            return None
        first, draft = named[0]
        faults: list[errors.Fault] = [
            errors.Conflict(f"This {_SAID[kind]} belongs to another customer than the {_SAID[first]}.", [kind])
            for kind, other in named
            if other is not draft
        ]
        claimed, own = row.values.get("external_id"), draft.values.get("external_id")
        if claimed is not None and own is not None and not draft.says("external_id", claimed):
            faults.append(
                errors.Conflict(f"This {_SAID[first]} belongs to a customer with another externalId.", [first])
            )
        if faults:
            raise errors.Rejected(faults)
        return draft


def _same(stored: object, said: object) -> bool:
    # To Python True, 1 and 1.0 are the same; to a segment they are not, and in attributes each can stand for another.
    if isinstance(stored, dict) and stored == said:
        return json.dumps(stored, sort_keys=True) == json.dumps(said, sort_keys=True)
    return stored == said
