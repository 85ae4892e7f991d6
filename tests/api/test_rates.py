"""Rates: a burst is free, and then it is as fast as the bucket fills."""

import pytest

from schema.rates import REMEMBERED, Rates
from schema.reading import Refused


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def refused_for(rates: Rates, callers: list[str], cost: int = 1) -> int:
    """For how many seconds an operation is refused; none when it is not."""
    try:
        rates.spend(callers, cost)
    except Refused as refused:
        [error] = refused.found
        seconds: int = (error.extensions or {})["retryAfterSeconds"]
        return seconds
    return 0


def test_a_burst_is_free_and_then_the_bucket_fills_steadily() -> None:
    clock = Clock()
    rates = Rates(cost_per_second=10, burst=100, clock=clock)
    assert refused_for(rates, ["ann"], 100) == 0
    assert refused_for(rates, ["ann"]) == 1
    clock.now = 1.0
    assert refused_for(rates, ["ann"], 30) == 0
    assert refused_for(rates, ["ann"]) == 3
    clock.now = 1_000.0
    assert refused_for(rates, ["ann"], 100) == 0
    assert refused_for(rates, ["ann"]) == 1


def test_an_operation_dearer_than_a_burst_is_not_refused_for_ever() -> None:
    rates = Rates(cost_per_second=10, burst=100, clock=Clock())
    assert refused_for(rates, ["ann"], 5_000) == 0
    assert refused_for(rates, ["ann"]) == 491


def test_every_caller_has_a_bucket_and_both_of_one_request_must_hold() -> None:
    rates = Rates(cost_per_second=10, burst=100, clock=Clock())
    assert refused_for(rates, ["ann", "10.0.0.1"], 100) == 0
    assert refused_for(rates, ["ben", "10.0.0.1"]) == 1
    assert refused_for(rates, ["ann", "10.0.0.2"]) == 1
    assert refused_for(rates, ["ben", "10.0.0.2"], 100) == 0


def test_what_is_refused_takes_nothing_from_the_other_bucket() -> None:
    rates = Rates(cost_per_second=10, burst=100, clock=Clock())
    rates.spend(["ann"], 100)
    for _ in range(1_000):
        assert refused_for(rates, ["ann", "10.0.0.1"])
    assert refused_for(rates, ["10.0.0.1"], 100) == 0


def test_nothing_is_free() -> None:
    rates = Rates(cost_per_second=1, burst=3, clock=Clock())
    assert [refused_for(rates, ["ann"], 0) for _ in range(4)] == [0, 0, 0, 1]


def test_the_callers_of_long_ago_are_forgotten() -> None:
    rates = Rates(cost_per_second=1, burst=1, clock=Clock())
    rates.spend(["ann"], 1)
    for number in range(REMEMBERED):
        rates.spend([f"{number}"], 1)
    assert refused_for(rates, ["ann"]) == 0


@pytest.mark.parametrize("callers", [[], ["ann"]])
def test_the_defaults_let_a_busy_client_through(callers: list[str]) -> None:
    rates = Rates(clock=Clock())
    assert {refused_for(rates, callers, 51) for _ in range(10_000)} == {0}
