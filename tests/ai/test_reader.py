"""The built-in reader of sentences."""

from zoneinfo import ZoneInfo

import pytest

import documents
import errors
from ai import reader
from ai.vocabulary import Library
from segmentation import printer
from segmentation.dates import AsOf, Calendar
from tests.factories import a_customer

pytestmark = pytest.mark.usefixtures("database")


def as_of_now() -> AsOf:
    return Calendar(ZoneInfo("UTC")).as_of(documents.now())


async def query_of(sentence: str) -> str:
    """The query that a sentence is read as."""
    return printer.query((await reader.read(sentence, Library(), as_of_now())).rules)


async def test_a_sentence_is_read_with_the_values_of_the_database() -> None:
    await a_customer(city="Pune", tags=["vip"])
    assert await query_of("vip customers in pune") == 'tags CONTAINS "vip" AND city = "Pune"'


async def test_numbers_are_read_in_words_and_units() -> None:
    assert await query_of("customers who spent more than 1.5 lakh") == "totalSpend > 150000"


@pytest.mark.parametrize(
    "sentence", ["", " ", "?!", "🎉", "asdf qwerty", "customers who own a dog", "ग्राहक जो पुणे में रहते हैं", "x" * 100_000]
)
async def test_what_says_nothing_of_customers_is_refused(sentence: str) -> None:
    with pytest.raises(errors.InvalidInput):
        await query_of(sentence)
