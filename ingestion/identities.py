"""Who is who: the customers that the rows of a chunk name, each as the rows so far leave them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from beanie import PydanticObjectId

import documents
import errors
from ingestion.customer_rows import KEYS, CustomerRow, Key
from ingestion.reports import Outcome

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
    changed: set[str] = field(default_factory=set)
    applied: list[tuple[CustomerRow, Outcome]] = field(default_factory=list)

    @classmethod
    def of(cls, stored: Mapping[str, object], defaults: Mapping[str, object]) -> Self:
        """A customer as stored."""
        values = {**defaults, **stored}
        opening = values.pop("opening", None)
        if isinstance(opening, Mapping):
            values |= {f"opening.{name}": value for name, value in opening.items()}
        return cls(PydanticObjectId(str(stored["_id"])), False, values, stored.get("external_id"))

    def known_by(self) -> set[Key]:
        """What the customer is known by, after the rows so far."""
        return {(kind, value) for kind in KEYS if isinstance(value := self.values.get(kind), str)}

    def apply(self, row: CustomerRow) -> None:
        """Take over what the row says, and note what became of it."""
        changes = {path: value for path, value in row.values.items() if not _same(self.values.get(path), value)}
        self.values |= changes
        self.changed |= changes.keys()
        created = self.is_new and not self.applied
        outcome = Outcome.CREATED if created else Outcome.UPDATED if changes else Outcome.UNCHANGED
        self.applied.append((row, outcome))


class Identities:
    """The customers by every key that was looked up; a key that is not here is nobody's."""

    def __init__(self, defaults: Mapping[str, object]) -> None:
        self._defaults = defaults
        self._by_key: dict[Key, Draft] = {}
        self.touched: dict[Draft, None] = {}  # in the order in which the rows named them

    async def look_up(self, keys: Iterable[Key]) -> None:
        """Learn whose these keys are, in one query."""
        wanted: dict[str, list[str]] = {}
        for kind, value in keys:
            wanted.setdefault(kind, []).append(value)
        if not wanted:
            return
        known = {draft.id: draft for draft in self._by_key.values()}
        anyone = {"$or": [{kind: {"$in": found}} for kind, found in wanted.items()]}
        customers = documents.Customer.get_pymongo_collection()
        for stored in await customers.find(anyone, dict.fromkeys(_UNSAID, False)).to_list():
            draft = Draft.of(stored, self._defaults)
            self._by_key |= dict.fromkeys(draft.known_by(), known.get(draft.id, draft))

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
        if claimed is not None and own is not None and claimed != own:
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
