"""Live: campaigns and messages as they change, for any number of subscribers in this process.

One change stream per collection notes what has changed, and nobody is pushed anything: a subscriber that is ready for
more asks its campaign's topic. So a slow reader holds nobody up and piles up nothing, what it missed meanwhile having
become the present state, and no subscriber has a task of its own that could be left behind. Those who come when the
topic's bell rings get the same object, so that it can be shown to all of them at the price of one (schema/sharing.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from beanie import PydanticObjectId

import documents
from delivery.topic import LONGEST_LIST, SHORTEST_INTERVAL_SECONDS, Progress, Topic
from documents import Campaign, Message, MessageStatus, Tally
from documents.records import Record
from documents.stream import IDS_ONLY, Change, Stream, Tap

LAST_CHANGES_SECONDS = 1.0  # for the messages' stream to tell of what was before the campaign's end

STATUS_CHANGES: list[Mapping[str, object]] = [
    {
        "$match": {
            "$or": [
                {"operationType": {"$in": ["insert", "replace"]}},
                {"updateDescription.updatedFields.status": {"$exists": True}},
            ]
        }
    },
    *IDS_ONLY,
]


class Feed:
    """The live feed of this process; `run` it for as long as anybody may subscribe."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self._states = Tap(
            Stream(Campaign, IDS_ONLY, self._campaign_changed, self._reset),
            Stream(Tally, IDS_ONLY, self._tally_changed, self._reset),
        )
        self._messages = Tap(Stream(Message, STATUS_CHANGES, self._message_changed, self._reset))

    async def run(self) -> None:
        """Follow the collections while somebody reads, until cancelled."""
        async with asyncio.TaskGroup() as taps:
            taps.create_task(self._states.run(), name="change streams of campaigns and tallies")
            taps.create_task(self._messages.run(), name="change stream of messages")

    async def progress(self, campaign_id: PydanticObjectId) -> AsyncGenerator[Progress]:
        """The present state, then every change, at most ten a second, until the campaign has ended.

        Nothing when there is no such campaign.
        """
        with self._topic(campaign_id) as topic, self._states.reading():
            version = topic.version
            while True:
                version, progress = await topic.progress(version)
                if progress is None:
                    return
                yield progress
                if progress.is_final:
                    return
                version = await topic.rung_since(version)

    async def messages(
        self, campaign_id: PydanticObjectId, statuses: Collection[MessageStatus]
    ) -> AsyncGenerator[Sequence[Record]]:
        """First, in lists, the messages of which there is something to tell already; then those whose status changes.

        Only messages that are in one of these statuses when they are told, if any are given. At most ten lists a
        second; a message that changes several times in between is told once. Ends when the campaign has.
        """
        with self._topic(campaign_id) as topic, self._states.reading(), self._messages.reading():
            await self._messages.opened()
            before = topic.version
            async for present in _present(campaign_id, statuses):
                yield present
                await asyncio.sleep(SHORTEST_INTERVAL_SECONDS)
            async for changed in _changes(topic, before, frozenset(statuses)):
                yield changed

    @contextmanager
    def _topic(self, campaign_id: PydanticObjectId) -> Iterator[Topic]:
        topic = self._topics.setdefault(str(campaign_id), Topic(campaign_id))
        topic.subscribers += 1
        try:
            yield topic
        finally:
            topic.subscribers -= 1
            if not topic.subscribers:
                del self._topics[str(campaign_id)]

    def _campaign_changed(self, change: Change) -> None:
        self._changed(_id_of(change))

    def _tally_changed(self, change: Change) -> None:
        self._changed(_id_of(change).partition("-")[0])

    def _message_changed(self, change: Change) -> None:
        message_id = _id_of(change)
        if topic := self._topics.get(message_id.partition("-")[0]):
            topic.touch(message_id)

    def _changed(self, campaign_id: str) -> None:
        if topic := self._topics.get(campaign_id):
            topic.touch()

    def _reset(self) -> None:
        for topic in self._topics.values():
            topic.touch()


def _id_of(change: Change) -> str:
    key = change["documentKey"]
    assert isinstance(key, Mapping)
    return str(key["_id"])


async def _present(
    campaign_id: PydanticObjectId, statuses: Collection[MessageStatus]
) -> AsyncGenerator[Sequence[Record]]:
    wanted = {"$in": list(statuses)} if statuses else {"$ne": MessageStatus.PENDING.value}
    ids = documents.messages_of(campaign_id)
    while True:
        which = {**ids, "status": wanted}
        found = await Message.get_pymongo_collection().find(which).sort("_id").limit(LONGEST_LIST).to_list()
        if found:
            yield found
        if len(found) < LONGEST_LIST:
            return
        ids = {"$and": [documents.messages_of(campaign_id), {"_id": {"$gt": found[-1]["_id"]}}]}


async def _changes(topic: Topic, version: int, statuses: frozenset[MessageStatus]) -> AsyncGenerator[Sequence[Record]]:
    """Messages as they change after a version, until the campaign has ended and nothing more is heard of it."""
    while True:
        version, changed = await topic.messages_since(version, statuses)
        is_more = version < topic.rung
        if changed:
            yield changed
        if is_more:
            await asyncio.sleep(SHORTEST_INTERVAL_SECONDS)
            continue
        _, progress = await topic.progress(topic.rung)
        ended = progress is None or progress.is_final
        try:
            async with asyncio.timeout(LAST_CHANGES_SECONDS if ended else None):
                await topic.rung_since(version)
        except TimeoutError:
            return
