"""How hard the vendor is pressed: back-off, batch size and circuit breaker, with the clock and chance in hand."""

from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from delivery.breaker import FEWEST_CALLS, FEWEST_CALLS_DOWN, LOST_PROBE_SECONDS, WINDOW_SECONDS, Breaker
from delivery.pacing import BatchSize, backoff

FIRST, LONGEST = timedelta(seconds=2), timedelta(seconds=60)


@given(failures=st.integers(1, 10_000), seed=st.integers())
def test_a_wait_is_anything_up_to_a_bound_that_doubles(failures: int, seed: int) -> None:
    wait = backoff(failures, FIRST, LONGEST, Random(seed))
    assert timedelta(0) <= wait <= min(LONGEST, FIRST * 2 ** min(failures - 1, 20))


def test_waits_are_spread_over_the_whole_of_the_bound() -> None:
    random = Random(1)
    waits = [backoff(3, FIRST, LONGEST, random).total_seconds() for _ in range(1000)]
    assert min(waits) < 0.1
    assert max(waits) > 7.9
    assert 3.7 < sum(waits) / 1000 < 4.3


def test_a_batch_shrinks_by_half_and_grows_by_a_quarter_up_to_its_ceiling() -> None:
    size = BatchSize(500)
    size.failed()
    assert size.now == 250
    size.went_well(5.0)
    assert size.now == 125, "slow is as bad as failed"
    for _ in range(20):
        size.went_well(0.1)
    assert size.now == 500
    for _ in range(20):
        size.failed()
    assert size.now == 10


def test_a_batch_that_is_too_large_shrinks_down_to_a_single_message() -> None:
    size = BatchSize(500)
    for count in (500, 250, 9, 3, 1):
        size.too_large(count)
    assert size.now == 1
    size.failed()
    assert size.now == 1


def test_a_ceiling_below_the_smallest_batch_holds() -> None:
    size = BatchSize(3)
    size.failed()
    assert size.now == 3


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FEWEST_CALLS):
        breaker.record(False, now)
    return breaker


def test_the_circuit_opens_when_over_half_of_the_calls_failed() -> None:
    breaker = Breaker()
    for number in range(FEWEST_CALLS):
        assert not breaker.is_open
        breaker.record(number % 2 == 0 and number < 18, number / 10)
    assert breaker.is_open


def test_half_is_not_over_half_and_few_calls_prove_nothing() -> None:
    even, few = Breaker(), Breaker()
    for number in range(100):
        even.record(number % 2 == 0, 0.0)
    for _ in range(FEWEST_CALLS - 1):
        few.record(False, 0.0)
    assert not even.is_open
    assert not few.is_open


def test_what_is_older_than_the_window_is_forgotten() -> None:
    breaker = Breaker()
    for _ in range(FEWEST_CALLS - 1):
        breaker.record(False, 0.0)
    for number in range(FEWEST_CALLS):
        breaker.record(number % 3 != 0, WINDOW_SECONDS + 1)
    assert not breaker.is_open


def test_a_run_of_failures_opens_it_after_a_good_time() -> None:
    breaker = Breaker()
    for _ in range(1000):
        breaker.record(True, 0.0)
    for _ in range(FEWEST_CALLS):
        breaker.record(False, 1.0)
    assert breaker.is_open


def test_a_few_calls_that_found_nobody_there_open_it() -> None:
    breaker = Breaker()
    for _ in range(FEWEST_CALLS_DOWN - 1):
        breaker.record(False, 0.0, down=True)
    breaker.record(True, 0.0)
    for _ in range(FEWEST_CALLS_DOWN):
        assert not breaker.is_open
        breaker.record(False, 0.0, down=True)
    assert breaker.is_open


def test_an_open_circuit_lets_one_probe_through_at_a_time_and_waits_longer_each_time() -> None:
    breaker = opened()
    assert breaker.wait_seconds(0.5) == 0.5
    assert breaker.wait_seconds(1.0) == 0
    breaker.start(1.0)
    assert breaker.wait_seconds(1.0) > 0, "the probe is under way"
    breaker.record(False, 1.0)
    assert breaker.wait_seconds(1.0) == 2


def test_a_probe_of_which_nothing_is_heard_is_made_again() -> None:
    breaker = opened()
    breaker.start(1.0)
    assert breaker.wait_seconds(1.0 + LOST_PROBE_SECONDS - 1) == 1
    assert breaker.wait_seconds(1.0 + LOST_PROBE_SECONDS) == 0


def test_a_call_from_before_does_not_count_as_the_probe() -> None:
    breaker = opened()
    breaker.record(False, 0.9)
    assert breaker.wait_seconds(1.0) == 0


def test_a_probe_that_succeeds_closes_the_circuit_with_a_clean_slate() -> None:
    breaker = opened()
    breaker.start(1.0)
    breaker.record(True, 1.0)
    assert not breaker.is_open
    breaker.record(False, 1.1)
    assert not breaker.is_open
