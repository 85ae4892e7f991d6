"""What happens to a running campaign in the chaos runs: who is killed, at which moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import httpx

from demo.api import Api
from tests.end_to_end import campaigns
from tests.end_to_end.campaigns import State
from tests.end_to_end.replica_set import ReplicaSet
from tests.product import Product

# Slow receipts, for a kill to find some still to come; late ones among them would be late by minutes.
SLOW_RECEIPTS = {"VENDOR_SIM_LATENCY_MS": "1500", "VENDOR_SIM_REORDER": "0"}


@dataclass(slots=True)
class Stage:
    """What a scenario acts upon. `struck` notes what was killed, and how far the campaign had got."""

    product: Product
    api: Api
    campaign: str
    random: Random
    database: ReplicaSet | None = None
    struck: list[str] = field(default_factory=list)

    async def until(self, reached: Callable[[State], bool]) -> None:
        """Wait until this holds of the campaign."""
        await campaigns.until(self.api, self.campaign, reached)

    async def moment(self, longest_seconds: float) -> None:
        """Let a random while pass: the moment is what a run is about."""
        await asyncio.sleep(self.random.uniform(0, longest_seconds))

    async def kill(self, name: str) -> None:
        """SIGKILL a process."""
        await self.note(name)
        await self.product.kill(name)

    async def kill_server(self) -> None:
        """SIGKILL the server, and start it again."""
        await self.kill("server")
        await self.product.start_server()

    async def kill_primary(self) -> None:
        """SIGKILL the database's primary; the other two elect a new one."""
        assert self.database
        await self.note("primary")
        await self.database.kill_primary()

    async def note(self, what: str) -> None:
        """Note how far the campaign has got."""
        try:
            now = await campaigns.state(self.api, self.campaign)
        except httpx.HTTPError:
            self.struck.append(f"{what}, while nobody answered")
        else:
            counts = ", ".join(f"{count} {status}" for status, count in now.stats.items() if count)
            self.struck.append(f"{what} at {now.status} ({counts})")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that happens to a running campaign, in these circumstances."""

    name: str
    act: Callable[[Stage], Awaitable[None]]
    environment: Mapping[str, str] = field(default_factory=dict)
    on_replica_set: bool = False


def is_sending(state: State) -> bool:
    """Whether some have been sent."""
    return state.stats["sent"] + state.done > 0


def is_sent(state: State) -> bool:
    """Whether planning is over and nothing is left to send: only receipts are to come."""
    return state.status == "RUNNING" and not state.stats["pending"] + state.stats["sending"]


async def kill_server_planning(stage: Stage) -> None:
    """Before its first step is written, or behind it: planning 4,000 takes some 0.3 s, and a look at it a few ms."""
    if stage.random.random() < 0.5:
        await stage.until(lambda now: now.stats["audience"] > 0)
        await stage.moment(0.1)
    else:
        await stage.moment(0.3)
    await stage.kill_server()


async def kill_server_sending(stage: Stage) -> None:
    """Twice: what was taken over may have to be taken over again."""
    for _ in range(2):
        await stage.until(is_sending)
        await stage.moment(2)
        await stage.kill_server()


async def kill_server_in_receipts(stage: Stage) -> None:
    """While the vendor tells what became of the messages, all of which it has."""
    await stage.until(is_sent)
    await stage.moment(2)
    await stage.kill_server()


async def kill_a_worker(stage: Stage) -> None:
    """One of two that send beside a server that does not; nobody takes its place."""
    for name in ("worker 1", "worker 2"):
        await stage.product.start_worker(name)
    await stage.until(is_sending)
    await stage.moment(3)
    await stage.kill("worker 1")


async def vendor_down(stage: Stage) -> None:
    """At any moment of sending and receipts, for 20 s."""
    await stage.moment(4)
    await stage.note("vendor")
    await stage.product.http.post(f"{stage.product.vendor_url}/outage", params={"seconds": 20})


async def kill_the_primary(stage: Stage) -> None:
    """At any moment of planning, sending and receipts."""
    await stage.moment(6)
    await stage.kill_primary()


async def kill_primary_and_server(stage: Stage) -> None:
    """One after the other, with hardly a pause for breath."""
    await kill_the_primary(stage)
    await stage.moment(2)
    await stage.kill_server()


EVERYTHING = Scenario("primary, then server killed", kill_primary_and_server, on_replica_set=True)
SCENARIOS = (
    Scenario("server killed in planning", kill_server_planning),
    Scenario("server killed twice in sending", kill_server_sending),
    Scenario("server killed in receipts", kill_server_in_receipts, SLOW_RECEIPTS),
    Scenario("one of two workers killed", kill_a_worker, {"SENDERS": "0"}),
    Scenario("vendor down for 20 s", vendor_down),
    Scenario("primary of three killed", kill_the_primary, on_replica_set=True),
    EVERYTHING,
)
