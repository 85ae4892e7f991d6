"""A short run of chaos; `make chaos N=100` makes long ones."""

import pytest

from tests.end_to_end import chaos, ledgers, scenarios


async def test_nothing_is_lost_or_repeated_when_primary_and_server_are_killed_before_a_bad_vendor() -> None:
    outcome = await chaos.run(scenarios.EVERYTHING, seed=1, audience=2000)
    assert outcome.is_good, outcome


def held(status: str, recipient: str, deliveries: int = 1) -> dict[str, object]:
    return {"status": status, "recipient": recipient, "deliveries": deliveries}


@pytest.mark.parametrize(
    ("ours", "theirs", "lost", "repeated"),
    [
        ({"m": "DELIVERED", "n": "SKIPPED"}, {"m": held("DELIVERED", "a")}, 0, 0),
        ({"m": "DELIVERED"}, {}, 1, 0),
        ({"m": "DELIVERED"}, {"m": held("FAILED", "a", 0)}, 1, 0),
        ({"m": "SENT"}, {"m": held("DELIVERED", "a")}, 1, 0),
        ({"m": "CANCELLED"}, {"m": held("DELIVERED", "a")}, 1, 0),
        ({"m": "DELIVERED"}, {"m": held("DELIVERED", "a", 2)}, 0, 1),
        ({"m": "DELIVERED"}, {"m": held("DELIVERED", "a"), "m~2": held("DELIVERED", "a")}, 1, 1),
    ],
)
def test_the_comparison_finds_what_is_lost_and_what_is_repeated(
    ours: dict[str, str], theirs: dict[str, dict[str, object]], lost: int, repeated: int
) -> None:
    assert (ledgers.lost(ours, theirs), ledgers.repeated(theirs)) == (lost, repeated)
