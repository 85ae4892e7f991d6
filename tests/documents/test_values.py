"""Values between Python and MongoDB."""

from decimal import Decimal

import pytest
from bson import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from documents.values import decimal_of_bson

# Every pattern of bits is a Decimal128, those included that no driver writes.
numbers = st.binary(min_size=16, max_size=16).map(Decimal128.from_bid) | st.decimals(
    allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9
).map(Decimal128)


@given(numbers)
def test_a_decimal_is_read_as_the_driver_reads_it(number: Decimal128) -> None:
    assert repr(decimal_of_bson(number)) == repr(number.to_decimal())


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0.00",
        "0E-6176",
        "1E-6176",
        "9.999999999999999999999999999999999E+6144",
        "1.10",
        "-1.10",
        "NaN",
        "Infinity",
    ],
)
def test_the_ends_of_the_range_are_read_exactly(text: str) -> None:
    assert repr(decimal_of_bson(Decimal128(text))) == repr(Decimal(text))
