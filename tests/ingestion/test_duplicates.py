"""Duplicates found: a labelled set of true pairs and near misses, and blocks that are too large to compare."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from pymongo.asynchronous.database import AsyncDatabase

import documents
from ingestion import duplicates
from ingestion.duplicates import likeness, search
from ingestion.duplicates.profiles import Profile

ASHA = {"name": "Asha Rao", "city": "Pune", "email": "asha.rao84@gmail.com", "phone": "+919876543210"}

Fields = Mapping[str, str | None]

# One person each time, as source systems and typists have them twice.
SAME: Mapping[str, tuple[Fields, Fields]] = {
    "dots in the address": ({**ASHA, "phone": None}, {"name": "Asha Rao", "email": "asharao84@gmail.com"}),
    "a tag in the address": (ASHA, {"name": "Rao, Asha", "email": "asha.rao84+shop@gmail.com", "city": "Mumbai"}),
    "another name of the domain": (ASHA, {"name": "Asha Rao", "email": "asha.rao84@googlemail.com"}),
    "an address without a name": (ASHA, {"email": "asharao84@gmail.com"}),
    "a letter left out of the address": (ASHA, {"name": "Asha Rao", "email": "asha.ro84@gmail.com"}),
    "letters in turn in the address": (
        {"name": "Vikram Seth", "email": "vikram.seth@example.com"},
        {"name": "Vikram Seth", "email": "vikarm.seth@example.com"},
    ),
    "a typo in the domain": (ASHA, {"name": "Asha Rao", "email": "asha.rao84@gmial.com"}),
    "the same address elsewhere": (ASHA, {"name": "Asha Rao", "email": "asharao84@yahoo.com", "city": "Pune"}),
    "a digit of the phone": (ASHA, {"name": "Asha Rao", "phone": "+919876543211", "city": "Pune"}),
    "digits of the phone in turn": (ASHA, {"name": "Asha Rao", "phone": "+919876534210", "city": "Pune"}),
    "a digit of the phone left out": (ASHA, {"name": "A. Rao", "phone": "+91987654310", "city": "Pune"}),
    "another country's code": (ASHA, {"name": "Asha Rao", "phone": "+19876543210"}),
    "a typo in the name and in the phone": (ASHA, {"name": "Ashaa Rao", "phone": "+919876543219", "city": "Pune"}),
    "a birthday": (
        {"name": "Meera Nair", "birthday": "19900228", "email": "meera@example.com"},
        {"name": "Meera Nair", "birthday": "19900228", "phone": "+919811111111", "city": "Kochi"},
    ),
    "a name as one word": (
        {"name": "Ashok Kumar", "email": "ashok.kumar@example.com"},
        {"name": "Ashokkumar", "email": "ashokkumar@example.com"},
    ),
}

# Two people each time, who look alike.
DIFFERENT: Mapping[str, tuple[Fields, Fields]] = {
    "no more than name and city": (
        {"name": "Rahul Sharma", "city": "Delhi"},
        {"name": "Rahul Sharma", "city": "Delhi"},
    ),
    "name and city, and nothing else alike": (
        {"name": "Rahul Sharma", "city": "Delhi", "email": "rahul@example.com", "phone": "+919811111111"},
        {"name": "Rahul Sharma", "city": "Delhi", "email": "sharma.r@example.org", "phone": "+919822222222"},
    ),
    "a household with one mailbox": (
        {"name": "Asha Rao", "email": "rao.family+asha@gmail.com", "city": "Pune"},
        {"name": "Vijay Rao", "email": "rao.family+vijay@gmail.com", "city": "Pune"},
    ),
    "a household with numbers in a row": (
        {"name": "Asha Rao", "phone": "+919876543210", "city": "Pune"},
        {"name": "Vijay Rao", "phone": "+919876543211", "city": "Pune"},
    ),
    "numbers in a row of strangers": (
        {"name": "Asha Rao", "phone": "+919876543210"},
        {"name": "Amit Roy", "phone": "+919876543211"},
    ),
    "numbered addresses": (
        {"name": "Asha Rao", "email": "asha.rao1@gmail.com"},
        {"name": "Asha Rao", "email": "asha.rao2@gmail.com"},
    ),
    "numbered names": (
        {"name": "Customer 17", "email": "customer17@example.com", "phone": "+919800000017"},
        {"name": "Customer 18", "email": "customer18@example.com", "phone": "+919800000018"},
    ),
    "twins": (
        {"name": "Ram Iyer", "birthday": "19900228", "city": "Chennai"},
        {"name": "Shyam Iyer", "birthday": "19900228", "city": "Chennai"},
    ),
    "father and son": (
        {"name": "John Smith", "email": "john.smith@example.com", "birthday": "19600101"},
        {"name": "John Smith", "email": "johnsmith@example.org", "birthday": "19900101"},
    ),
    "a common name at two providers": (
        {"name": "Amit Das", "email": "amitdas@gmail.com", "city": "Pune"},
        {"name": "Amit Das", "email": "amitdas@yahoo.com", "city": "Delhi"},
    ),
    "a mailbox of a company": (
        {"name": "Asha Rao", "email": "info@example.com"},
        {"name": "Vijay Nair", "email": "info@example.org"},
    ),
    "a typo that is none": (
        {"name": "Amit Shah", "email": "amit.shah@gmail.com", "city": "Surat"},
        {"name": "Anil Shah", "email": "anil.shah@gmail.com", "city": "Surat"},
    ),
}


@pytest.mark.parametrize(("one", "two"), SAME.values(), ids=SAME)
def test_one_person_is_more_likely_than_not(one: Fields, two: Fields) -> None:
    found = likeness.of(profile(one), profile(two))
    assert found.score >= 0.5, found
    assert found.reasons
    assert likeness.of(profile(two), profile(one)) == found


@pytest.mark.parametrize(("one", "two"), DIFFERENT.values(), ids=DIFFERENT)
def test_two_people_who_look_alike_are_not(one: Fields, two: Fields) -> None:
    assert likeness.of(profile(one), profile(two)).score < 0.5


async def test_all_true_pairs_are_found_among_all_others_and_before_them(
    database: AsyncDatabase[dict[str, object]],
) -> None:
    labelled = [*SAME.items(), *DIFFERENT.items()]
    # Each pair with names and numbers of its own, so that no two pairs are alike.
    people = {name: [own(each, number) for each in pair] for number, (name, pair) in enumerate(labelled)}
    ids = {name: tuple([await stored(each) for each in pair]) for name, pair in people.items()}
    best = await duplicates.best(len(SAME))
    found = {candidate.customer_ids for candidate in best}
    missed = [name for name in SAME if ids[name] not in found]
    wrong = [name for name in DIFFERENT if ids[name] in found]
    recall = 1 - len(missed) / len(SAME)
    assert (recall, wrong) == (1, []), missed
    scores = [candidate.likeness.score for candidate in best]
    assert scores == sorted(scores, reverse=True)


async def test_a_name_that_thousands_share_hides_no_duplicate(database: AsyncDatabase[dict[str, object]]) -> None:
    crowd = [
        {"name": "Rahul Sharma", "city": "Delhi", "email": f"rahul{number}@example.com", "phone": f"+9198{number:08}"}
        for number in range(3_000)
    ]
    await documents.Customer.get_pymongo_collection().insert_many([record(each) for each in crowd])
    one = await stored({"name": "Rahul Sharma", "city": "Delhi", "email": "rs.delhi@example.com"})
    two = await stored({"name": "Rahul Sharma", "city": "Delhi", "email": "rsdelhi@example.com"})
    assert (await duplicates.best(1))[0].customer_ids == (one, two)


async def test_no_more_is_kept_than_is_asked_for(database: AsyncDatabase[dict[str, object]]) -> None:
    for number in range(60):
        for address in (f"person.number{number:03}@example.com", f"personnumber{number:03}@example.com"):
            await stored({"name": f"Person Number{number:03}", "email": address})
    assert len(await duplicates.best(50)) == 50


async def test_a_search_goes_on_for_whoever_asks_next(database: AsyncDatabase[dict[str, object]]) -> None:
    for address in ("asha.rao@example.com", "asharao@example.com"):
        await stored({"name": "Asha Rao", "email": address})
    impatient = asyncio.create_task(duplicates.best(1))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    [under_way] = search._searches
    one, two = await asyncio.gather(duplicates.best(1), duplicates.best(1))
    assert one == two == under_way.task.result()
    await stored({"name": "Asha Rao", "email": "a.sharao@example.com"})
    assert len(await duplicates.best(3)) == 3


def test_of_a_block_that_is_too_large_neighbours_are_compared() -> None:
    table = search._Table()
    for _ in range(search.LARGEST_BLOCK + 1):
        table.add(documents.Customer().id, Profile(name="rahul sharma", email="shop@example.com"))
    assert len(set(table.pairs())) <= search.NEIGHBOURS * (search.LARGEST_BLOCK + 1)


def profile(fields: Fields) -> Profile:
    return Profile.of(record(fields))


def record(fields: Fields) -> dict[str, object]:
    """A customer as stored."""
    values: dict[str, object] = {name: value for name, value in fields.items() if value is not None}
    if born := fields.get("birthday"):
        values["birthday"] = datetime.strptime(born, "%Y%m%d").replace(tzinfo=UTC)
    return {**values, "folded": documents.folded(values)}


def own(fields: Fields, number: int) -> Fields:
    """The same customer with one more name, at another address, with another number."""
    letters = "bcd"[number // 10] * 2 + "npqrstvwxz"[number % 10] * 2  # no typo of one another
    changed = dict(fields)
    for name, between in (("name", " "), ("email", "")):
        if changed.get(name):
            changed[name] = f"{letters}{between}{changed[name]}"
    if phone := changed.get("phone"):
        changed["phone"] = re.sub(r"98\d", f"9{number:02}", phone, count=1)
    if born := changed.get("birthday"):
        changed["birthday"] = f"{born[:4]}{1 + number % 12:02}{born[6:]}"
    return changed


async def stored(fields: Fields) -> object:
    customer = record(fields)
    result = await documents.Customer.get_pymongo_collection().insert_one(customer)
    return result.inserted_id
