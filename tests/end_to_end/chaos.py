"""Chaos: a campaign through real processes that are killed at random moments, before a vendor that misbehaves.

A run is told by its seed. `python -m tests.end_to_end.chaos 100` makes many, and prints what became of them.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from tests.end_to_end import campaigns, ledgers
from tests.end_to_end.ledgers import Comparison
from tests.end_to_end.replica_set import ReplicaSet, replica_set
from tests.end_to_end.scenarios import SCENARIOS, Scenario, Stage
from tests.product import Product

AUDIENCE = 4000
LONGEST_SECONDS = 150
AT_ONCE = 3  # a run waits more than it works
RATE_PER_SECOND = 800  # slow enough for a kill to find it sending
ENVIRONMENT = {
    "VENDOR_BATCH_SIZE": "100",
    "VENDOR_SIM_ERROR_RATE": "0.05",
    "VENDOR_SIM_DROP_RATE": "0.02",
    "VENDOR_SIM_DUPLICATE_RATE": "0.05",
    "VENDOR_SIM_REORDER": "0.05",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    audience: int
    seconds: float
    comparison: Comparison
    struck: tuple[str, ...]  # what was killed, and how far the campaign had got

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, repeated or miscounted."""
        return self.comparison == Comparison(lost=0, repeated=0, drifted=0)


async def run(scenario: Scenario, seed: int, audience: int = AUDIENCE) -> Outcome:
    """One campaign under one scenario, to its end; raises TimeoutError when it does not come to one."""
    async with _product(scenario, seed) as (product, database):
        api = await product.sign_up()
        await campaigns.people(api, audience)
        started = time.monotonic()
        campaign = await campaigns.launch(api, ratePerSecond=RATE_PER_SECOND)
        stage = Stage(product, api, campaign, Random(seed), database)
        await scenario.act(stage)
        await campaigns.until(api, campaign, lambda now: now.status == "COMPLETED", LONGEST_SECONDS)
        seconds = time.monotonic() - started
        comparison = await ledgers.compare(product, api, campaign, audience)
        return Outcome(audience, seconds, comparison, tuple(stage.struck))


@asynccontextmanager
async def _product(scenario: Scenario, seed: int) -> AsyncIterator[tuple[Product, ReplicaSet | None]]:
    environment = {**ENVIRONMENT, "VENDOR_SIM_SEED": str(seed), **scenario.environment}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = await stack.enter_async_context(replica_set(folder)) if scenario.on_replica_set else None
        if database:
            environment["MONGODB_URI"] = database.uri
        product = Product(folder, environment)
        stack.push_async_callback(product.stop_all)
        await product.start()
        yield product, database


async def main(count: int, first_seed: int) -> int:
    """Run the scenarios in turn, `count` runs in all, and print the table; how many went wrong."""
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    unfinished: Counter[str] = Counter()
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(scenario: Scenario, seed: int) -> None:
        async with slots:
            try:
                outcome = await run(scenario, seed)
            except TimeoutError as late:
                unfinished[scenario.name] += 1
                print(f"{seed}: {scenario.name}: not completed {late}", flush=True)
                return
        outcomes[scenario.name].append(outcome)
        struck = "; ".join(outcome.struck)
        print(f"{seed}: {scenario.name}: {outcome.comparison}, {outcome.seconds:.0f} s; {struck}", flush=True)

    async with asyncio.TaskGroup() as runs:
        for number in range(count):
            runs.create_task(one(SCENARIOS[number % len(SCENARIOS)], first_seed + number))
    Console(width=120).print(_table(outcomes, unfinished))
    return sum(not each.is_good for several in outcomes.values() for each in several) + unfinished.total()


def _table(outcomes: Mapping[str, list[Outcome]], unfinished: Mapping[str, int]) -> Table:
    table = Table("what happens", "runs", "messages", "lost", "repeated", "drifted", "not completed", "longest")
    for name in [scenario.name for scenario in SCENARIOS]:
        runs = outcomes.get(name, [])
        table.add_row(
            name,
            str(len(runs) + unfinished.get(name, 0)),
            f"{sum(each.audience for each in runs):,}",
            str(sum(each.comparison.lost for each in runs)),
            str(sum(each.comparison.repeated for each in runs)),
            str(sum(each.comparison.drifted for each in runs)),
            str(unfinished.get(name, 0)),
            f"{max((each.seconds for each in runs), default=0):.0f} s",
        )
    return table


if __name__ == "__main__":
    sys.exit(min(1, asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))))
