"""What the operator decided about records that come in."""

from collections.abc import Sized
from dataclasses import dataclass

import errors


@dataclass(frozen=True, slots=True)
class Policy:
    """How rows are read, and how many at once."""

    currency: str = "USD"  # of every amount; nothing is converted
    default_region: str | None = None  # alpha-2: where a phone is from that names no country, of a customer without one
    max_batch: int = 10_000
    suppression_key: bytes = b""  # what the names of erased people are hashed with

    def admit(self, rows: Sized) -> None:
        """Raise TooLarge for more rows than are taken at once."""
        if len(rows) > self.max_batch:
            raise errors.TooLarge(f"{len(rows):,} records were sent, and at most {self.max_batch:,} are taken at once.")
