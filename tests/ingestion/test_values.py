"""Reading single values: what short cuts may not change, and the edges that rows meet seldom."""

import email_validator
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import documents
import errors
from ingestion import money, places, values

addresses = st.from_regex(r"[a-z0-9_+.-]{1,12}@[a-z0-9.-]{1,20}\.[a-z]{1,10}", fullmatch=True)


@given(addresses)
def test_an_address_is_one_exactly_if_email_validator_says_so(address: str) -> None:
    try:
        valid = email_validator.validate_email(address, check_deliverability=False, test_environment=True)
    except email_validator.EmailNotValidError:
        with pytest.raises(errors.InvalidInput):
            values.email(address)
    else:
        assert values.email(address) == documents.fold(valid.normalized)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("ASHA@EXAMPLE.COM", "asha@example.com"),
        ("Jörg@Müller.example.com", "jörg@müller.example.com"),
        ("asha+news@example.co.in", "asha+news@example.co.in"),
        ("asha@shop.test", "asha@shop.test"),
    ],
)
def test_an_address_is_kept_folded(sent: str, read: str) -> None:
    assert values.email(sent) == read


@pytest.mark.parametrize(
    "sent",
    ["a@localhost", "a@x.invalid", "a@b..com", "a..b@example.com", "@example.com", "a b@example.com", "a@-b.com"],
)
def test_what_is_no_address_is_refused(sent: str) -> None:
    with pytest.raises(errors.InvalidInput, match="not an e-mail address"):
        values.email(sent)


@pytest.mark.parametrize("region", ["IN", "US", "GB", "DE", "FR", "AE", "SG", "BR", "IT", "RU"])
@pytest.mark.parametrize("way", [phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL])
def test_a_phone_is_read_however_it_is_written(region: str, way: int) -> None:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert number
    written = places.phone(phonenumbers.format_number(number, way))
    assert places.e164(written, region) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@settings(max_examples=500)
@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.data())
def test_a_number_in_e164_is_one_exactly_if_phonenumbers_says_so(region: str, data: st.DataObject) -> None:
    kinds = [phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]
    example = phonenumbers.example_number_for_type(region, data.draw(st.sampled_from(kinds)))
    known = example and phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    # Not far from a real one: some of its last digits, and perhaps its length, are others.
    kept = data.draw(st.integers(2, 14))
    written = (known or "+")[:kept] + data.draw(st.text("0123456789", min_size=1, max_size=15 - min(kept, 12)))
    try:
        number = phonenumbers.parse(written)
        expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        valid = phonenumbers.is_valid_number(number)
    except phonenumbers.NumberParseException:
        valid = False
    if valid:
        assert places.e164(written, None) == expected
    else:
        with pytest.raises(errors.InvalidInput):
            places.e164(written, None)


@pytest.mark.parametrize("sent", ["+91 98765 4321", "+999 12345678", "call me", "+", "+14155552671 ext. 5"])
def test_what_is_no_phone_is_refused(sent: str) -> None:
    with pytest.raises(errors.InvalidInput):
        places.e164(places.phone(sent), "IN")


@pytest.mark.parametrize("sent", ["IN", "us", " de ", "XK"])
def test_a_country_is_a_code_of_iso_3166(sent: str) -> None:
    assert places.country(sent) == sent.strip().upper()


@pytest.mark.parametrize(("sent", "read"), [("EN_in", "en-IN"), ("zh-hant-tw", "zh-Hant-TW"), ("de", "de")])
def test_a_locale_is_written_in_the_usual_case(sent: str, read: str) -> None:
    assert places.locale(sent) == read


@pytest.mark.parametrize(("currency", "unit"), [("USD", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("CLF", "0.0001")])
def test_a_currency_has_so_many_decimals(currency: str, unit: str) -> None:
    assert str(money.unit(currency)) == unit
    assert str(money.zero(currency)) == unit.replace("1", "0")
