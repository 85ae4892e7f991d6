"""The circuit breaker: when the vendor is down, sending waits and probes instead of burning attempts.

    CLOSED ── most calls failed ──→ OPEN ── a probe is due ──→ PROBING ── it succeeded ──→ CLOSED
                                      └───────── it failed ────────┘

One for each process, without I/O; the clock is the caller's.
"""

from collections import deque

WINDOW_SECONDS = 30.0
FEWEST_CALLS = 20
FEWEST_CALLS_DOWN = 4  # below MAX_ATTEMPTS: a campaign of one batch has an attempt left when the circuit opens
SHORTEST_PROBE_SECONDS = 1.0
LONGEST_PROBE_SECONDS = 10.0
LOST_PROBE_SECONDS = 30.0  # a probe of which nothing was heard in this time, three times that of a call, is made again


class Breaker:
    """Opens when over half of the last 30 s' calls failed, of at least 20; or 20 in a row; or 4 that found it down.

    The runs are for an outage after a good time, in which messages would be out of attempts before half of the calls
    in the window had failed; and for a small campaign, which never makes 20 calls.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._run = 0
        self._run_down = 0
        self._probe_at: float | None = None
        self._probing = False
        self._probe_seconds = SHORTEST_PROBE_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether the vendor is taken to be down."""
        return self._probe_at is not None

    def wait_seconds(self, now: float) -> float:
        """How long until a call may be made; 0 when it may be made now."""
        if self._probe_at is None:
            return 0.0
        return max(0.0, self._probe_at - now)

    def start(self, now: float) -> None:
        """A call is being made; while the circuit is open it is the probe, and no other is let through."""
        if self.is_open:
            self._probing = True
            self._probe_at = now + LOST_PROBE_SECONDS

    def record(self, ok: bool, now: float, *, down: bool = False) -> None:
        """Note how a call ended; `down` when it failed as it does if nobody is there, whatever the messages."""
        self._calls.append((now, ok))
        self._failures += not ok
        self._run = 0 if ok else self._run + 1
        self._run_down = self._run_down + 1 if down else 0
        while self._calls[0][0] < now - WINDOW_SECONDS:
            self._failures -= not self._calls.popleft()[1]
        if self.is_open:
            self._while_open(ok, now)
        elif self._is_bad():
            self._probe_at = now + self._probe_seconds

    def _is_bad(self) -> bool:
        most_failed = len(self._calls) >= FEWEST_CALLS and self._failures * 2 > len(self._calls)
        return most_failed or self._run >= FEWEST_CALLS or self._run_down >= FEWEST_CALLS_DOWN

    def _while_open(self, ok: bool, now: float) -> None:
        if ok:
            self._close()  # afresh: the outage is not held against the vendor
        elif self._probing:  # not a call from before the circuit opened
            self._probing = False
            self._probe_seconds = min(self._probe_seconds * 2, LONGEST_PROBE_SECONDS)
            self._probe_at = now + self._probe_seconds

    def _close(self) -> None:
        self._calls.clear()
        self._failures = self._run = self._run_down = 0
        self._probe_at, self._probing, self._probe_seconds = None, False, SHORTEST_PROBE_SECONDS
