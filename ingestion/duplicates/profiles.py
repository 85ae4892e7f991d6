"""Profiles: what of a customer is compared with others, in the form in which it is compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self

from documents.records import Record, pick

# What is read of each customer.
FIELDS = ("folded.name", "folded.city", "folded.postal_code", "email", "phone", "birthday")
NATIONAL_DIGITS = 10

_WORD = re.compile(r"\w+")
_SEPARATOR = "\x1f"  # in no text that was taken in
_SAME_DOMAIN = {"googlemail.com": "gmail.com"}


@dataclass(frozen=True)
class Profile:
    """A customer's texts, folded; empty where there is none. Everything else is worked out when it is asked for."""

    name: str = ""
    city: str = ""
    postal_code: str = ""
    email: str = ""
    phone: str = ""
    birthday: str = ""

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
        """The profile in a quarter of the memory."""
        texts = (self.name, self.city, self.postal_code, self.email, self.phone, self.birthday)
        return _SEPARATOR.join(texts).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """What `pack` made small."""
        return cls(*packed.decode().split(_SEPARATOR))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the name, in an order that does not depend on who writes it."""
        return tuple(sorted(_WORD.findall(self.name)))

    @cached_property
    def initials(self) -> str:
        """The first letters of the first and the last of those words."""
        return self.words[0][0] + self.words[-1][0] if self.words else ""

    @cached_property
    def local(self) -> str:
        """What stands before the @ of the e-mail, without dots and tag."""
        return self.email.partition("@")[0].partition("+")[0].replace(".", "")

    @cached_property
    def domain(self) -> str:
        """What stands behind it."""
        domain = self.email.rpartition("@")[2]
        return _SAME_DOMAIN.get(domain, domain)

    @cached_property
    def number(self) -> str:
        """The end of the phone number, which is the same whatever country it was thought to be of."""
        return self.phone[1:][-NATIONAL_DIGITS:]
