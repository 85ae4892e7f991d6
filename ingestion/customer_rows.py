"""Rows about customers: what each says, in the form in which it is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import errors
from documents import ConsentState
from ingestion import money, places, rows, values
from ingestion.policy import Policy
from ingestion.reports import Row

# What somebody is known by, in the order in which it is asked.
KEYS = ("external_id", "email", "phone")

# Where fields are stored that are not stored under their own name.
_PATHS = {
    "total_spend": "opening.total_spend",
    "visit_count": "opening.visit_count",
    "last_purchase": "opening.last_purchase",
}

Key = tuple[str, str]  # one of KEYS, and a value


@dataclass(slots=True)
class CustomerRow:
    """What a row says: stored values by their path, None for what is not to be set any more.

    While `local_phone` is set, it waits for somebody who knows which country it is to be read in.
    """

    index: int
    values: dict[str, object]
    faults: list[errors.Fault]
    local_phone: str | None = None

    def known_by(self) -> Iterator[Key]:
        """What the customer is known by, according to this row."""
        for kind in KEYS:
            if isinstance(value := self.values.get(kind), str):
                yield kind, value

    def settle_phone(self, region: str | None) -> None:
        """Read the phone that waits as one of this region; it is a fault if that cannot be."""
        assert self.local_phone is not None, "a phone waits"
        try:
            self.values["phone"] = places.e164(self.local_phone, region)
        except errors.Fault as fault:
            self.faults.append(fault.under("phone"))
        self.local_phone = None


class CustomerReader:
    """Reads rows about customers by one policy, as of one instant."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        self._readers: Mapping[str, values.Reader] = {
            "external_id": values.filled,
            "name": values.text,
            "email": values.email,
            "phone": places.phone,
            "city": values.text,
            "state": values.text,
            "country": places.country,
            "postal_code": values.text,
            "birthday": values.birthday(now),
            "timezone": places.timezone,
            "locale": places.locale,
            "source": values.text,
            "tags": values.tags,
            "attributes": values.attributes,
            "sms_consent": values.choice(ConsentState),
            "email_consent": values.choice(ConsentState),
            "total_spend": values.amount(policy.currency),
            "visit_count": values.count,
            "last_purchase": values.instant,
        }
        self.defaults: Mapping[str, object] = {
            "tags": [],
            "attributes": {},
            "sms_consent": ConsentState.UNKNOWN,
            "email_consent": ConsentState.UNKNOWN,
            "opening.total_spend": money.zero(policy.currency),
            "opening.visit_count": 0,
        }

    def read(self, index: int, row: Row) -> CustomerRow:
        """What a row says, with every fault that shows without looking at what is stored."""
        faults: list[errors.Fault] = []
        found = rows.read(row, self._readers, faults)
        if not faults and all(found.get(kind) is None for kind in KEYS):
            faults.append(errors.Required("At least one of externalId, email and phone is needed."))
        read = CustomerRow(index, {}, faults)
        for name, value in found.items():
            path = _PATHS.get(name, name)
            read.values[path] = self.defaults.get(path) if value is None else value
        self._place_phone(read)
        return read

    def _place_phone(self, row: CustomerRow) -> None:
        """Read the phone if the row itself says where it is from; otherwise the stored customer may know."""
        if isinstance(written := row.values.get("phone"), str):
            row.local_phone = written
            country = row.values.get("country")
            if places.is_international(written) or isinstance(country, str):
                row.settle_phone(country if isinstance(country, str) else None)
            else:
                del row.values["phone"]
