"""One campaign as its subscribers see it: what has changed, and what it is now, read once for all of them."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from beanie import PydanticObjectId

import documents
from delivery import tallies
from delivery.tallies import Stats
from documents import Campaign, CampaignStatus, Message
from documents.records import Record

SPEED_WINDOW_SECONDS = 5.0
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


class Topic:
    """What is known of one campaign; it grows a version with every change."""

    def __init__(self, campaign_id: PydanticObjectId) -> None:
        self.campaign_id = campaign_id
        self.subscribers = 0
        self.version = 0
        self._bell = asyncio.Event()
        self._reading = asyncio.Lock()
        self._progress: tuple[int, Progress | None] = (-1, None)
        self._speed = Speed()
        self._changes: OrderedDict[str, int] = OrderedDict()  # the version in which each message last changed
        self._messages: dict[str, tuple[int, Record]] = {}  # as of a version

    def touch(self, message_id: str | None = None) -> None:
        """Note a change: of this message, or of the campaign's own state."""
        self.version += 1
        if message_id is not None:
            self._changes[message_id] = self.version
            self._changes.move_to_end(message_id)
            if len(self._changes) > REMEMBERED_CHANGES:
                oldest, _ = self._changes.popitem(last=False)
                self._messages.pop(oldest, None)
        self._bell.set()
        self._bell = asyncio.Event()

    async def changed_since(self, version: int) -> None:
        """Wait until there is something newer."""
        while self.version <= version:
            await self._bell.wait()

    async def progress(self) -> tuple[int, Progress | None]:
        """The present state, None when there is no such campaign, and the version that it is of."""
        async with self._reading:
            if self._progress[0] < self.version:
                self._progress = self.version, await self._read_progress()
            return self._progress

    async def messages_since(self, version: int) -> tuple[int, Sequence[Record]]:
        """Messages that changed after a version, as they are now, at most LONGEST_LIST; and the version reached."""
        ids = self._changed_after(version)
        if not ids:
            return self.version, ()
        reached = self.version if len(ids) <= LONGEST_LIST else self._changes[ids[LONGEST_LIST - 1]]
        del ids[LONGEST_LIST:]
        async with self._reading:
            await self._read_messages([id_ for id_ in ids if self._is_stale(id_)])
            return reached, [self._messages[id_][1] for id_ in ids if id_ in self._messages]

    def _changed_after(self, version: int) -> list[str]:
        ids = []
        for message_id, changed in reversed(self._changes.items()):
            if changed <= version:
                break
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
