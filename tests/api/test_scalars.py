"""The scalars: what is read, what is refused, and how values are written."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from bson import Decimal128
from graphql import parse_value
from hypothesis import given
from hypothesis import strategies as st

from documents.values import digits_of_bson
from schema import scalars
from schema.scalars import Unreadable

INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31t10:00:00z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T10:00:00+05:30", datetime(2026, 1, 31, 4, 30, tzinfo=UTC)),
        ("2026-01-31T10:00:00.123456789Z", datetime(2026, 1, 31, 10, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_to_the_millisecond_in_utc(text: str, instant: datetime) -> None:
    assert scalars.parse_instant(text) == instant


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "2026-01-31",
        "2026-01-31T10:00:00",
        "2026-01-31 10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-01-31T25:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "２０２６-01-31T10:00:00Z",
        "2026-01-31T10:00:00Z\n",
        1769853600,
        None,
        {},
    ],
)
def test_what_is_no_instant_is_kept_as_it_was_sent(sent: object) -> None:
    assert scalars.parse_instant(sent) == Unreadable(sent, "DateTime")


def test_an_instant_is_written_in_utc_with_milliseconds() -> None:
    assert scalars.print_instant(datetime(2026, 1, 31, 10, tzinfo=INDIA)) == "2026-01-31T04:30:00.000Z"


def test_an_instant_without_a_zone_is_in_utc_as_mongodb_keeps_it() -> None:
    assert scalars.print_instant(datetime(2026, 1, 31, 10)) == "2026-01-31T10:00:00.000Z"  # noqa: DTZ001


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_written_reads_back(instant: datetime) -> None:
    to_the_millisecond = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert scalars.parse_instant(scalars.print_instant(instant)) == to_the_millisecond


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("12.50", "12.50"),
        ("-0.01", "-0.01"),
        ("1e3", "1000"),
        (7, "7"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
    ],
)
def test_a_decimal_is_read_exactly_from_text_or_number(sent: object, number: str) -> None:
    read = scalars.parse_decimal(sent)
    assert isinstance(read, Decimal)
    assert scalars.print_decimal(read) == number


@pytest.mark.parametrize(
    "sent",
    ["", "NaN", "Infinity", "1_000", "1,5", " 1", "1\n", "1e999", "9" * 35, "٣", True, None, [], float("nan")],
)
def test_what_is_no_decimal_is_kept_as_it_was_sent(sent: object) -> None:
    assert isinstance(scalars.parse_decimal(sent), Unreadable)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15))
def test_a_decimal_written_reads_back(number: Decimal) -> None:
    assert scalars.parse_decimal(scalars.print_decimal(number)) == number


def test_a_decimal_literal_keeps_every_digit() -> None:
    literal = scalars.SCALARS[Decimal].parse_literal
    assert literal is not None
    assert literal(parse_value("12345678901234567.89"), None) == Decimal("12345678901234567.89")
    assert literal(parse_value("[1]"), None) == Unreadable([1], "Decimal")


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2).map(Decimal128)


@given(st.binary(min_size=16, max_size=16).map(Decimal128.from_bid) | amounts)
def test_a_stored_decimal_is_written_as_the_decimal_that_it_is(stored: Decimal128) -> None:
    number = stored.to_decimal()
    if number.is_finite():
        assert scalars.print_decimal(stored) == format(number, "f")
        assert scalars.print_amounts([stored]) == [format(number, "f")]
    else:
        with pytest.raises(TypeError):
            scalars.print_decimal(stored)


of_one_kind = st.integers(0, 6).flatmap(
    lambda places: st.lists(
        st.decimals(-(10**20), 10**20, places=places).map(Decimal128) | st.just(Decimal128("1E+3")), min_size=1
    )
)


@given(of_one_kind)
def test_amounts_are_written_together_as_they_are_alone(amounts: list[Decimal128]) -> None:
    assert scalars.print_amounts(amounts) == list(map(scalars.print_decimal, amounts))


@given(st.decimals(0, 10**15, places=2), st.integers(1, 4))
def test_amounts_of_one_currency_are_written_in_one_go(amount: Decimal, places: int) -> None:
    stored = Decimal128(amount.quantize(Decimal(10) ** -places))
    assert digits_of_bson([stored]) == [scalars.print_decimal(stored)]


@given(
    st.lists(st.datetimes(timezones=st.sampled_from([None, UTC])) | st.datetimes(timezones=st.just(INDIA)), min_size=1)
)
def test_instants_are_written_together_as_they_are_alone(instants: list[datetime]) -> None:
    assert scalars.print_instants(instants) == list(map(scalars.print_instant, instants))
