"""How much one caller may ask for in a while: a bucket for each user and each address, filled at a steady rate."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil

from schema import errors
from schema.reading import Refused

# One process answers some 1,500 requests of cost 51 a second: only who asks for more than a server can give is told
# to wait, and a burst of ten seconds is free.
COST_PER_SECOND = 100_000
BURST = 1_000_000
# The buckets of that many callers are remembered; a forgotten one is full.
REMEMBERED = 10_000


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_at: float


class Rates:
    """The buckets. `clock` tells seconds from any beginning."""

    def __init__(
        self,
        cost_per_second: float = COST_PER_SECOND,
        burst: float = BURST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cost_per_second = cost_per_second
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def spend(self, callers: Iterable[str], cost: int) -> None:
        """Take what an operation costs from every bucket, or nothing and raise Refused when one has run dry.

        A level may fall below zero by one operation, so that an operation dearer than the burst is not refused for
        ever. Nothing is free.
        """
        buckets = [self._filled(caller) for caller in callers]
        lowest = min((bucket.level for bucket in buckets), default=self._burst)
        if lowest <= 0:
            seconds = max(1, ceil((1 - lowest) / self._cost_per_second))
            problem = f"Too much in a short time; try again in {seconds} s."
            error = errors.coded(errors.LIMIT_EXCEEDED, problem, limit="rate", retryAfterSeconds=seconds)
            raise Refused([error], errors.LIMIT_EXCEEDED)
        for bucket in buckets:
            bucket.level -= max(cost, 1)

    def _filled(self, caller: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(caller, _Bucket(self._burst, now))
        self._buckets.move_to_end(caller)
        bucket.level = min(self._burst, bucket.level + (now - bucket.filled_at) * self._cost_per_second)
        bucket.filled_at = now
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket
