"""Profiles: what of a customer is compared with others, in the form in which it is compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from documents.records import Record, pick

# What is read of each customer.
FIELDS = ("folded.name", "folded.city", "folded.postal_code", "email", "phone", "birthday")
NATIONAL_DIGITS = 10

_WORD = re.compile(r"\w+")
_SEPARATOR = "\x1f"  # in no text that was taken in
_SAME_DOMAIN = {"googlemail.com": "gmail.com"}


@dataclass(slots=True)
class Profile:
    """A customer's texts, folded; empty where there is none. What keys are made of is worked out at once."""

    name: str = ""
    city: str = ""
    postal_code: str = ""
    email: str = ""
    phone: str = ""
    birthday: str = ""
    words: tuple[str, ...] = field(init=False)  # of the name, in an order that does not depend on who writes it
    initials: str = field(init=False)  # of the first and the last of those words
    local: str = field(init=False)  # what stands before the @ of the e-mail, without dots and tag
    domain: str = field(init=False)  # what stands behind it
    number: str = field(init=False)  # the end of the phone, which is the same whatever country it was thought to be of

    def __post_init__(self) -> None:
        self.words = tuple(sorted(_WORD.findall(self.name)))
        self.initials = self.words[0][0] + self.words[-1][0] if self.words else ""
        local, _, domain = self.email.rpartition("@")
        self.local = local.partition("+")[0].replace(".", "")
        self.domain = _SAME_DOMAIN.get(domain, domain)
        self.number = self.phone[1:][-NATIONAL_DIGITS:]

    @classmethod
    def of(cls, record: Record) -> Self:
        """The profile of a customer as stored."""
        folded: Mapping[str, object] = pick(record, "folded", dict) or {}
        born = pick(record, "birthday", datetime)
        return cls(
            str(folded.get("name", "")),
            str(folded.get("city", "")),
            str(folded.get("postal_code", "")),
            str(record.get("email", "")),
            str(record.get("phone", "")),
            f"{born:%Y%m%d}" if born else "",
        )

    def pack(self) -> bytes:
        """The profile in a tenth of the memory."""
        texts = (self.name, self.city, self.postal_code, self.email, self.phone, self.birthday)
        return _SEPARATOR.join(texts).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """What `pack` made small."""
        return cls(*packed.decode().split(_SEPARATOR))
