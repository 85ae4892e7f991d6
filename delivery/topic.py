"""One campaign as its subscribers see it: what has changed, and what it is now, read once for all of them."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from beanie import PydanticObjectId

import documents
from delivery import tallies
from delivery.tallies import Stats
from documents import Campaign, CampaignStatus, Message, MessageStatus
from documents.once import Once
from documents.records import Record

SPEED_WINDOW_SECONDS = 5.0
SHORTEST_INTERVAL_SECONDS = 0.1
LONGEST_LIST = 2000
REMEMBERED_CHANGES = 10_000  # a reader that is further behind than this does not hear of the oldest

ENDED = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign has got, at an instant."""

    campaign: Campaign
    stats: Stats
    at: datetime
    messages_per_second: float | None
    eta_seconds: float | None

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come, late receipts apart."""
        return self.campaign.status in ENDED and not self.campaign.unsettled


_Which = tuple[int, frozenset[MessageStatus]]


@dataclass(frozen=True, slots=True)
class _Progress:
    """The reading of a campaign's state as of a version."""

    version: int
    read: Once[Progress | None] = field(default_factory=Once)


class Topic:
    """What is known of one campaign. Its version grows with every change; its bell rings at most ten times a second.

    All who listen for the bell ask for the same then, and it is read once for them.
    """

    def __init__(self, campaign_id: PydanticObjectId) -> None:
        self.campaign_id = campaign_id
        self.subscribers = 0
        self.version = 0
        self.rung = 0  # the version that the bell last rang for
        self._bell = asyncio.Event()
        self._next_ring: asyncio.TimerHandle | None = None
        self._rings_again_at = 0.0  # by the clock of the event loop
        self._progress = _Progress(-1)
        self._speed = Speed()
        self._changes: OrderedDict[str, int] = OrderedDict()  # the version in which each message last changed
        self._messages: dict[str, tuple[int, Record]] = {}  # as of a version
        self._reading_messages = asyncio.Lock()
        self._lists: dict[_Which, Once[tuple[int, Sequence[Record]]]] = {}  # since the bell last rang

    def touch(self, message_id: str | None = None) -> None:
        """Note a change: of this message, or of the campaign's own state."""
        self.version += 1
        if message_id is not None:
            self._changes[message_id] = self.version
            self._changes.move_to_end(message_id)
            if len(self._changes) > REMEMBERED_CHANGES:
                oldest, _ = self._changes.popitem(last=False)
                self._messages.pop(oldest, None)
        if self._next_ring is None:
            loop = asyncio.get_running_loop()
            self._next_ring = loop.call_at(max(loop.time(), self._rings_again_at), self._ring)

    def _ring(self) -> None:
        self._next_ring = None
        self._rings_again_at = asyncio.get_running_loop().time() + SHORTEST_INTERVAL_SECONDS
        self.rung = self.version
        self._lists = {}
        self._bell.set()
        self._bell = asyncio.Event()

    async def rung_since(self, version: int) -> int:
        """The version that the bell rang for, once it has rung for a later one than this."""
        while self.rung <= version:
            await self._bell.wait()
        return self.rung

    async def progress(self, version: int) -> tuple[int, Progress | None]:
        """The state as of this version or a later one, None when there is no such campaign, and which version it is."""
        if self._progress.version < version:
            self._progress = _Progress(self.version)
        asked = self._progress
        return asked.version, await asked.read.get(self._read_progress)

    async def messages_since(
        self, version: int, statuses: frozenset[MessageStatus] = frozenset()
    ) -> tuple[int, Sequence[Record]]:
        """What had changed when the bell rang, as it is now, and the version reached: LONGEST_LIST changes at most.

        Only messages in one of these statuses, if any are given. Who asks for the same gets the same list.
        """
        if version >= self.rung:
            return version, ()
        which = version, statuses
        return await self._lists.setdefault(which, Once()).get(partial(self._list, *which))

    async def _list(self, version: int, statuses: frozenset[MessageStatus]) -> tuple[int, Sequence[Record]]:
        ids, reached = self._changed_after(version), self.rung
        if len(ids) > LONGEST_LIST:
            del ids[LONGEST_LIST:]
            reached = self._changes[ids[-1]]
        async with self._reading_messages:
            await self._read_messages([id_ for id_ in ids if self._is_stale(id_)])
            found = [self._messages[id_][1] for id_ in ids if id_ in self._messages]
            for forgotten in [id_ for id_ in ids if id_ not in self._changes]:  # while they were read
                self._messages.pop(forgotten, None)
        return reached, [message for message in found if not statuses or message["status"] in statuses]

    def _changed_after(self, version: int) -> list[str]:
        ids = []
        for message_id, changed in reversed(self._changes.items()):
            if changed <= version:
                break
            if changed <= self.rung:
                ids.append(message_id)
        return ids[::-1]

    def _is_stale(self, message_id: str) -> bool:
        read = self._messages.get(message_id)
        return read is None or read[0] < self._changes.get(message_id, 0)

    async def _read_messages(self, ids: Sequence[str]) -> None:
        if ids:
            version = self.version
            for message in await Message.get_pymongo_collection().find({"_id": {"$in": ids}}).to_list():
                self._messages[message["_id"]] = version, message

    async def _read_progress(self) -> Progress | None:
        campaign = await Campaign.get(self.campaign_id)
        if campaign is None:
            return None
        stats = (await tallies.stats([campaign.id]))[campaign.id]
        now = documents.now()
        if campaign.status in ENDED:
            return Progress(campaign, stats, now, _overall(campaign, stats), 0.0)
        speed = self._speed.note(time.monotonic(), stats.handed_over)
        return Progress(campaign, stats, now, speed, stats.to_send / speed if speed else None)


class Speed:
    """How many messages a second the vendor has accepted lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, at: float, count: int) -> float | None:
        """The speed now that there were so many in all; None before there is anything to compare with."""
        self._seen.append((at, count))
        while self._seen[0][0] < at - SPEED_WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        since, before = self._seen[0]
        return max(0, count - before) / (at - since) if at > since else None


def _overall(campaign: Campaign, stats: Stats) -> float | None:
    """The speed of a whole campaign, from its launch to its end."""
    if campaign.launched_at is None or campaign.completed_at is None:
        return None
    seconds = (campaign.completed_at - campaign.launched_at).total_seconds()
    return stats.handed_over / seconds if seconds > 0 else None
