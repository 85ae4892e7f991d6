"""The search for duplicates among all customers: one pass reads them, one compares those with a key in common.

In memory is one packed profile and some ten numbers for each customer, some 200 bytes in all, and never a pair that is
not among the best. Whatever is done is done a few milliseconds at a time, so that others notice nothing.
"""

import asyncio
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from beanie import PydanticObjectId

import documents
from ingestion.duplicates import blocking, likeness
from ingestion.duplicates.likeness import Likeness
from ingestion.duplicates.profiles import FIELDS, Profile

MOST = 100
KEPT_SECONDS = 600  # what nobody has waited for
LEAST_SCORE = 0.2
LARGEST_BLOCK = 30
LARGEST_WEAK_BLOCK = 10
NEIGHBOURS = 3  # of a larger block, in the order of names
READ_AT_ONCE = 250
BREATH_PAIRS = 100
BREATH_ROWS = 50

_BUCKETS = 256  # each is sorted at once, which nobody can interrupt
_ROW_BITS = 24
_ROWS = (1 << _ROW_BITS) - 1
_HASH_BITS = 48

Pair = tuple[int, int]

_searches: list["_Search"] = []  # one at most: the memory of one is enough


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two customers who may be one person."""

    customer_ids: tuple[PydanticObjectId, PydanticObjectId]
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class _Search:
    """A search, and when it began."""

    task: asyncio.Task[list[Candidate]]
    began: float


async def best(count: int) -> list[Candidate]:
    """The likeliest pairs, MOST at most, the likeliest first.

    Who asks while others wait is answered with them. A search goes on when its caller gives up, for whoever asks next:
    so there is an answer for more customers than a request has time for.
    """
    now = asyncio.get_running_loop().time()
    if _searches and _searches[0].began < now - KEPT_SECONDS and _searches[0].task.done():
        _searches.clear()
    if not _searches:
        _searches.append(_Search(asyncio.create_task(_search(), name="search for duplicates"), now))
    search = _searches[0]
    try:
        return (await asyncio.shield(search.task))[:count]
    finally:
        if search.task.done() and search in _searches:
            _searches.remove(search)


async def _search() -> list[Candidate]:
    table = await _read()
    top = _Top(MOST)
    for number, pair in enumerate(table.pairs()):
        top.offer(pair, likeness.of(table.profile(pair[0]), table.profile(pair[1])))
        if number % BREATH_PAIRS == 0:
            await asyncio.sleep(0)
    return [Candidate((table.id_of(one), table.id_of(two)), found) for (one, two), found in top.best()]


@dataclass(slots=True)
class _Table:
    """All profiles by row, and the rows by hashed key."""

    ids: bytearray = field(default_factory=bytearray)
    rows: list[bytes] = field(default_factory=list)
    strong: list["array[int]"] = field(default_factory=lambda: [array("Q") for _ in range(_BUCKETS)])
    weak: list["array[int]"] = field(default_factory=lambda: [array("Q") for _ in range(_BUCKETS)])

    def add(self, id_: PydanticObjectId, profile: Profile) -> None:
        """Take in one customer."""
        row = len(self.rows)
        self.ids += id_.binary
        self.rows.append(profile.pack())
        for buckets, keys in ((self.strong, blocking.strong(profile)), (self.weak, blocking.weak(profile))):
            for key in keys:
                hashed = hash(key) & ((1 << _HASH_BITS) - 1)
                buckets[hashed % _BUCKETS].append(hashed // _BUCKETS << _ROW_BITS | row)

    def pairs(self) -> Iterator[Pair]:
        """The rows with a key in common; those with several come several times."""
        for block in self._blocks(self.strong):
            yield from combinations(block, 2) if len(block) <= LARGEST_BLOCK else self._neighbours(block)
        for block in self._blocks(self.weak):
            if len(block) <= LARGEST_WEAK_BLOCK:
                yield from combinations(block, 2)

    def profile(self, row: int) -> Profile:
        """The profile of a row."""
        return Profile.unpack(self.rows[row])

    def id_of(self, row: int) -> PydanticObjectId:
        """The customer's id."""
        return PydanticObjectId(bytes(self.ids[12 * row : 12 * row + 12]))

    def _blocks(self, buckets: Sequence["array[int]"]) -> Iterator[list[int]]:
        for bucket in buckets:
            last, block = -1, [0]
            for entry in sorted(bucket):
                if entry >> _ROW_BITS == last:
                    block.append(entry & _ROWS)
                    continue
                if len(block) > 1:
                    yield block
                last, block = entry >> _ROW_BITS, [entry & _ROWS]
            if len(block) > 1:
                yield block

    def _neighbours(self, block: Iterable[int]) -> Iterator[Pair]:
        # A packed profile begins with the name.
        ordered = sorted(block, key=self.rows.__getitem__)
        for distance in range(1, NEIGHBOURS + 1):
            for one, two in zip(ordered, ordered[distance:], strict=False):
                yield min(one, two), max(one, two)


@dataclass(slots=True)
class _Top:
    """The best so far, each pair once."""

    count: int
    floor: float = LEAST_SCORE
    found: dict[Pair, Likeness] = field(default_factory=dict)

    def offer(self, pair: Pair, candidate: Likeness) -> None:
        """Keep the pair if it may be among the best."""
        if candidate.score >= self.floor:
            self.found[pair] = candidate
            if len(self.found) > 2 * self.count + 1000:
                self.found = dict(self.best())
                self.floor = min(kept.score for kept in self.found.values())

    def best(self) -> list[tuple[Pair, Likeness]]:
        """The best, in their order."""
        return sorted(self.found.items(), key=lambda item: (-item[1].score, item[0]))[: self.count]


async def _read() -> _Table:
    table = _Table()
    found = documents.Customer.get_pymongo_collection().find({}, FIELDS, batch_size=READ_AT_ONCE)
    async for record in found:
        table.add(record["_id"], Profile.of(record))
        if len(table.rows) % BREATH_ROWS == 0:
            await asyncio.sleep(0)
    return table
