"""Duplicates through the API: pairs of customers who may be one person, with a score and reasons in words."""

import pytest

from tests.api.conftest import Api
from tests.factories import a_customer

DUPLICATES = "query ($first: Int) { duplicateCustomers(first: $first) { score reasons customers { externalId name } } }"


async def test_the_likeliest_pair_comes_first_and_says_why(marketer: Api) -> None:
    await a_customer(external_id="a", name="Asha Rao", city="Pune", email="asha.rao84@gmail.com")
    await a_customer(external_id="b", name="Asha Rao", city="Pune", phone="+919876543210")
    await a_customer(external_id="c", name="Rao, Asha", email="asharao84+web@gmail.com")
    await a_customer(external_id="d", name="Vijay Nair", city="Pune")
    first, second = await marketer.ask(DUPLICATES)
    assert [customer["externalId"] for customer in first["customers"]] == ["a", "c"]
    assert first["score"] == pytest.approx(0.98)
    assert first["reasons"] == ["e-mail addresses differ only by dots or a tag", "same name"]
    assert [customer["externalId"] for customer in second["customers"]] == ["a", "b"]
    assert (second["score"], second["reasons"]) == (pytest.approx(0.21), ["same name", "same city"])
    assert await marketer.ask(DUPLICATES, first=1) == [first]


async def test_nobody_is_a_duplicate_of_nobody(marketer: Api) -> None:
    assert await marketer.ask(DUPLICATES) == []


@pytest.mark.parametrize("first", [0, 101])
async def test_too_many_pairs_are_refused(marketer: Api, first: int) -> None:
    assert await marketer.refusal(DUPLICATES, first=first) == "INVALID"
