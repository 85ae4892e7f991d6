"""What this process has with the vendor: receipts of it wait until the vendor's answer is written down.

The answer to a call and the first receipts of its messages come at the same time. Two transactions on the same
messages are one too many: one of them is done again, which costs more than waiting does.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager

LONGEST_WAIT_SECONDS = 1.0  # an answer that takes longer may not come at all, and the receipts are here

_calls: dict[str, asyncio.Event] = {}  # by the id of each message that is in the call


@contextmanager
def flying(message_ids: Collection[str]) -> Iterator[None]:
    """Meanwhile these messages are with the vendor, or its answer is being written down."""
    landed = asyncio.Event()
    _calls.update(dict.fromkeys(message_ids, landed))
    try:
        yield
    finally:
        for message_id in message_ids:
            if _calls.get(message_id) is landed:  # it may have been taken over, from ourselves too
                del _calls[message_id]
        landed.set()


async def landed(message_ids: Collection[str]) -> None:
    """Wait until none of these is in flight, or until that takes too long."""
    calls = {call for message_id in message_ids if (call := _calls.get(message_id))}
    try:
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            for call in calls:
                await call.wait()
    except TimeoutError:
        return
