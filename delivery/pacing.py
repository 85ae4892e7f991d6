"""How hard the vendor is pressed: how long to wait after a failure, and how many messages go into one call."""

from datetime import timedelta
from random import Random

SMALLEST_BATCH = 10
SLOW_SECONDS = 2.0


def backoff(failures: int, first: timedelta, longest: timedelta, random: Random) -> timedelta:
    """How long to wait after so many failures in a row: anything up to a bound that doubles ("full jitter").

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    doublings = min(failures - 1, 16)  # more overflow a timedelta, and the bound is reached long before
    bound: timedelta = min(first * 2**doublings, longest)
    return bound * random.random()


class BatchSize:
    """How many messages to put into one call: halved when one fails or is slow, grown again by quarters."""

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self.now = ceiling

    def went_well(self, seconds: float) -> None:
        """A call was answered after so long."""
        if seconds > SLOW_SECONDS:
            self.failed()
        else:
            self.now = min(self._ceiling, self.now + max(1, self.now // 4))

    def failed(self) -> None:
        """A call was not answered, or refused as a whole."""
        self.now = max(min(SMALLEST_BATCH, self.now), self.now // 2)

    def too_large(self, count: int) -> None:
        """A call with so many messages was too large: by what is in them, for there may be very few of them."""
        self.now = max(1, min(self.now, count // 2))
