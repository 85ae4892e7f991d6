"""A short run of chaos; `make chaos N=100` makes long ones."""

from tests.end_to_end import chaos, scenarios


async def test_nothing_is_lost_or_repeated_when_primary_and_server_are_killed_before_a_bad_vendor() -> None:
    outcome = await chaos.run(scenarios.EVERYTHING, seed=1, audience=2000)
    assert outcome.is_good, outcome
