"""What goes wrong on purpose: outages, errors, throttling, answers that never arrive."""

import random
from dataclasses import dataclass, field
from enum import Enum, auto

from vendor_sim.settings import Settings


class Fault(Enum):
    """What becomes of one call."""

    OUTAGE = auto()  # 503
    ERROR = auto()  # 500, nothing accepted
    THROTTLED = auto()  # 429
    DROPPED = auto()  # accepted, and the connection cut before the answer


@dataclass(slots=True)
class Faults:
    """Decides for each call, from the seed, the clock, and how many calls there were."""

    settings: Settings
    started: float
    chance: random.Random = field(init=False)
    _down_until: float = field(init=False)
    _tokens: float = field(init=False)
    _refilled: float = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.settings.seed)
        self._tokens = self.settings.throttle_rps or 0
        self._refilled = self._down_until = self.started

    def of_call(self, now: float) -> Fault | None:
        """What goes wrong with a call that comes in now; None for nothing."""
        if self.is_outage(now):
            return Fault.OUTAGE
        if self._is_throttled(now):
            return Fault.THROTTLED
        roll = self.chance.random()
        if roll < self.settings.error_rate:
            return Fault.ERROR
        if roll < self.settings.error_rate + self.settings.drop_rate:
            return Fault.DROPPED
        return None

    def is_outage(self, now: float) -> bool:
        """Whether the vendor is down, receipts included."""
        window = self.settings.outage_window
        return now < self._down_until or (window is not None and window[0] <= now - self.started < window[1])

    def go_down(self, until: float) -> None:
        """Begin an outage now; or end it, with a time that has come."""
        self._down_until = until

    def receipt_delay(self) -> float:
        """Seconds until a receipt is sent: around the mean, and for some much later than their neighbours."""
        mean = self.settings.latency_ms / 1000
        late = self.chance.random() < self.settings.reorder
        return self.chance.expovariate(1) * mean * (20 if late else 1)

    def is_repeated(self) -> bool:
        """Whether a receipt is sent twice."""
        return self.chance.random() < self.settings.duplicate_rate

    def _is_throttled(self, now: float) -> bool:
        rate = self.settings.throttle_rps
        if rate is None:
            return False
        self._tokens = min(max(rate, 1.0), self._tokens + (now - self._refilled) * rate)
        self._refilled = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False
