"""What delivery is told by the operator."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How messages are planned and sent; `docs/settings.md` says which variable sets what."""

    senders: int = 1
    vendor_batch_size: int = 500
    max_attempts: int = 5
    receipt_timeout: timedelta = timedelta(hours=1)
    frequency_cap_per_day: int | None = None
    # A call may take 10 s; what is left is for writing down what it answered.
    lease: timedelta = timedelta(seconds=15)
    # The first retry comes within 2 s, the fourth within 16: together longer than most restarts take.
    backoff: timedelta = timedelta(seconds=2)
    longest_backoff: timedelta = timedelta(seconds=60)
