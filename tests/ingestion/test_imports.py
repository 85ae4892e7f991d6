"""Imports carried out: rows stored with what counts them, whoever dies, whoever else is at work."""

import asyncio
import gzip
import io
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

import documents
import errors
import resolvers.imports
from documents import ImportJob, ImportKind, ImportLease, ImportStatus
from ingestion import Policy, importer, imports
from ingestion.files import blocks, records
from ingestion.files.lines import Lines
from ingestion.progress import Feed
from ingestion.steps import MOST_FAULTY_ROWS, STEP_ROWS, Steps
from tests.factories import a_customer

pytestmark = pytest.mark.usefixtures("database")

CUSTOMERS, ORDERS = ImportKind.CUSTOMERS, ImportKind.ORDERS


async def queued(file: str | bytes, kind: ImportKind = CUSTOMERS, filename: str = "people.csv") -> ImportJob:
    """A file that was sent, and that nobody has worked on."""
    content = io.BytesIO(file.encode() if isinstance(file, str) else file)

    async def read(size: int) -> bytes:
        return content.read(size)

    return await imports.begin(kind, filename, read)


async def imported(file: str | bytes, kind: ImportKind = CUSTOMERS) -> ImportJob:
    """A file that was sent, when the import is over."""
    return await after_the_importer(await queued(file, kind))


async def after_the_importer(job: ImportJob) -> ImportJob:
    """A job as it is when the importer has found nothing more to do."""
    while await importer.carry_out_next(Policy()):
        pass
    return await as_stored(job)


async def as_stored(job: ImportJob) -> ImportJob:
    found = await ImportJob.get(job.id)
    assert found
    return found


async def told(job: ImportJob) -> list[tuple[int, list[str], str]]:
    """The faults that are kept: the row, the field, and the message."""
    rows = (await resolvers.imports.faulty_rows([job.id])).get(job.id, [])
    return [(row.index, fault.field, fault.message) for row in rows for fault in row.faults]


def counts(job: ImportJob) -> tuple[int | None, int, int, int, int, int]:
    return job.total, job.processed, job.created, job.updated, job.unchanged, job.failed


def session_of(database: AsyncDatabase[dict[str, object]]) -> AsyncClientSession:
    return database.client.start_session()


async def expire(job: ImportJob) -> None:
    """Let the lease of a job run out, as it does when nobody renews it."""
    lease = (await as_stored(job)).lease
    past = documents.now() - timedelta(seconds=1)
    await ImportLease.get_pymongo_collection().update_one({"_id": lease}, {"$set": {"until": past}})


# What becomes of a file


async def test_every_row_is_stored_and_counted() -> None:
    await a_customer(external_id="1", city="Pune")
    await a_customer(external_id="2", city="Pune")
    job = await imported("externalId,city\n1,Pune\n2,Delhi\n3,Delhi\n3,Delhi\n\n4,x\0y\n")
    assert job.status is ImportStatus.COMPLETED
    assert counts(job) == (5, 5, 1, 1, 2, 1)
    assert await told(job) == [(4, ["city"], "This contains a NUL character.")]
    assert await documents.Customer.find({"city": "Delhi"}).count() == 2
    assert job.started_at
    assert job.finished_at
    assert await documents.ImportBlock.count() == 0, "the file is not needed any more"


async def test_orders_find_the_customers_of_the_file_before() -> None:
    people = "".join(f"{n}\n" for n in range(2 * STEP_ROWS))
    await queued(f"externalId\n{people}")
    rows = "".join(f"o{n},{n},2026-01-0{1 + n % 9}T00:00:00Z,10.50\n" for n in range(2 * STEP_ROWS))
    orders = await queued(f"externalId,customer.externalId,placedAt,amount\n{rows}", ORDERS)
    assert counts(await after_the_importer(orders)) == (2 * STEP_ROWS, 2 * STEP_ROWS, 2 * STEP_ROWS, 0, 0, 0)
    assert await documents.Customer.find({"order_count": 1, "visit_count": 1}).count() == 2 * STEP_ROWS


async def test_a_file_of_many_blocks_is_kept_as_it_is() -> None:
    rows = "".join(f"{n},{'x' * 180}\n" for n in range(3 * blocks.BLOCK_BYTES // 180))
    job = await queued(f"externalId,name\n{rows}")
    kept = b"".join([piece async for piece in blocks.unpacked(job)])
    assert kept == rows.encode()
    assert job.size == len(f"externalId,name\n{rows}")


async def test_only_the_first_faulty_rows_are_kept_and_all_are_counted() -> None:
    job = await imported("email\n" + "nobody\n" * (MOST_FAULTY_ROWS + 700))
    assert counts(job) == (MOST_FAULTY_ROWS + 700, MOST_FAULTY_ROWS + 700, 0, 0, 0, MOST_FAULTY_ROWS + 700)
    assert [index for index, _, _ in await told(job)] == list(range(MOST_FAULTY_ROWS))


async def test_a_file_that_breaks_off_fails_and_stores_nothing() -> None:
    file = gzip.compress("".join(["externalId\n", *(f"{n}\n" for n in range(5 * STEP_ROWS))]).encode())
    job = await imported(file[:-20])
    assert (job.status, job.status_reason) == (
        ImportStatus.FAILED,
        "The gzip ends in the middle: was the file cut off?",
    )
    assert counts(job) == (None, 0, 0, 0, 0, 0)
    assert await documents.Customer.count() == 0


async def test_a_file_that_cannot_be_one_is_not_kept() -> None:
    with pytest.raises(errors.Rejected):
        await queued("externalId,fone\n1,2\n")
    assert await documents.ImportBlock.count() == await ImportJob.count() == 0


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("C:\\data\\people.csv", "people.csv"), ("../../x", "x"), ("", "unnamed"), ("a\0b", "ab"), ("\ud800", "?")],
)
async def test_a_filename_is_a_plain_one(sent: str, kept: str) -> None:
    assert (await queued("email\n", filename=sent)).filename == kept


async def test_customers_who_hand_on_a_key_in_a_circle_get_through() -> None:
    await a_customer(external_id="1", email="a@example.com")
    await a_customer(external_id="2", email="b@example.com")
    circle = "externalId,email\n0,\n1,c@example.com\n2,a@example.com\n1,b@example.com\n3,\n"
    assert counts(await imported(circle)) == (5, 5, 2, 3, 0, 0)


# Who works on it


async def test_one_import_goes_on_at_a_time_in_the_order_in_which_they_came(
    database: AsyncDatabase[dict[str, object]],
) -> None:
    first, second = await queued("email\na@example.com\n"), await queued("email\nb@example.com\n")
    async with session_of(database) as one, session_of(database) as another:
        taken = await imports.take(one, documents.now())
        assert taken
        assert taken.id == first.id
        assert await imports.take(another, documents.now()) is None
        await imports.complete(taken)
        taken = await imports.take(another, documents.now())
        assert taken
        assert taken.id == second.id


async def test_whoever_was_taken_for_dead_stores_nothing_more(database: AsyncDatabase[dict[str, object]]) -> None:
    job = await queued("externalId\n1\n2\n3\n")
    async with session_of(database) as session:
        taken = await imports.take(session, documents.now())
        assert taken
        await expire(taken)
        assert counts(await after_the_importer(job)) == (3, 3, 3, 0, 0, 0)
        with pytest.raises(imports.LeaseLost):
            await Steps(taken, session, Policy()).make(rows_of(taken, b"4\n"))
    assert await documents.Customer.count() == 3


async def test_what_a_dead_process_had_under_way_is_in_nobodys_way(database: AsyncDatabase[dict[str, object]]) -> None:
    await a_customer(external_id="1")
    job = await queued("externalId,city\n1,Pune\n")
    async with session_of(database) as dead:
        taken = await imports.take(dead, documents.now())
        assert taken
        await dead.start_transaction()
        locked = {"$set": {"city": "Delhi"}}
        await documents.Customer.get_pymongo_collection().update_one({"external_id": "1"}, locked, session=dead)
        await expire(taken)
        async with asyncio.timeout(10):  # MongoDB itself gives up such a transaction after a minute
            assert counts(await after_the_importer(job)) == (1, 1, 0, 1, 0, 0)


async def test_a_row_that_others_hold_on_to_fails_alone(database: AsyncDatabase[dict[str, object]]) -> None:
    await a_customer(external_id="1")
    await queued("externalId,city\n0,Pune\n1,Pune\n2,Pune\n")
    async with session_of(database) as other, session_of(database) as session, await other.start_transaction():
        locked = {"$set": {"city": "Delhi"}}
        await documents.Customer.get_pymongo_collection().update_one({"external_id": "1"}, locked, session=other)
        job = await imports.take(session, documents.now())
        assert job
        await Steps(job, session, Policy(), attempts_alone=1).make(rows_of(job, b"0,Pune\n1,Pune\n2,Pune\n"))
    assert counts(await as_stored(job)) == (None, 3, 2, 0, 0, 1)
    assert await told(job) == [(1, [], "Others keep changing what this row is about. Send it again.")]


async def test_an_import_that_is_put_down_goes_on_behind_its_last_step() -> None:
    count = 10 * STEP_ROWS
    job = await queued("externalId\n" + "".join(f"{n}\n" for n in range(count)))
    at_work = [asyncio.create_task(importer.run(Policy())), asyncio.create_task((feed := Feed()).run())]
    async with asyncio.timeout(60), aclosing(feed.progress(job.id)) as progress:
        async for seen in progress:
            if seen.processed:
                break
    for task in at_work:
        task.cancel()
    await asyncio.gather(*at_work, return_exceptions=True)
    stopped = await as_stored(job)
    assert stopped.lease is None
    assert 0 < stopped.processed == await documents.Customer.count() < count
    assert counts(await after_the_importer(job)) == (count, count, count, 0, 0, 0)


async def test_a_job_at_which_every_process_ends_is_given_up(database: AsyncDatabase[dict[str, object]]) -> None:
    job = await queued("externalId\n1\n")
    for _ in range(importer.MOST_ATTEMPTS):
        async with session_of(database) as session:
            taken = await imports.take(session, documents.now())
            assert taken
            await expire(taken)
    failed = await after_the_importer(job)
    assert failed.status is ImportStatus.FAILED
    assert failed.status_reason == "Work on it broke off 5 times behind row 0."


def rows_of(job: ImportJob, file: bytes) -> Sequence[records.Record]:
    found = records.of(job.kind, job.layout)
    return list(found.feed(Lines(job.position).feed(file)))


# Watching


async def test_progress_begins_with_the_present_state_and_ends_with_the_import() -> None:
    feed = Feed()
    following = asyncio.create_task(feed.run())
    job = await queued("externalId\n" + "".join(f"{n}\n" for n in range(3 * STEP_ROWS)))
    async with aclosing(feed.progress(job.id)) as progress:
        seen = [await anext(progress)]
        carried_out = asyncio.create_task(after_the_importer(job))
        seen += [each async for each in progress]
    await carried_out
    following.cancel()
    assert (seen[0].status, seen[-1].status) == (ImportStatus.QUEUED, ImportStatus.COMPLETED)
    processed = [each.processed for each in seen]
    assert processed == sorted(processed)
    assert processed[-1] == 3 * STEP_ROWS


async def test_all_who_watch_an_import_hear_the_same_event() -> None:
    feed = Feed()
    job = await queued("externalId\nA1\n")
    following = asyncio.create_task(feed.run())
    async with asyncio.timeout(20), AsyncExitStack() as stack:
        watching = [await stack.enter_async_context(aclosing(feed.progress(job.id))) for _ in range(20)]
        await asyncio.gather(*(anext(each) for each in watching))
        changing = ImportJob.get_pymongo_collection().update_one({"_id": job.id}, {"$set": {"filename": "another"}})
        heard, _ = await asyncio.gather(asyncio.gather(*(anext(each) for each in watching)), changing)
    assert len({id(each) for each in heard}) == 1
    assert heard[0].filename == "another"
    following.cancel()
    await asyncio.wait([following])
