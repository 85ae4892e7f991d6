"""Reading where somebody is and how they are reached there: country, time zone, locale, phone."""

import importlib.resources
import re
import zoneinfo
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

import documents
import errors
from ingestion import values

_LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", re.ASCII)
_E164 = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)
LONGEST_PHONE = 40
KOSOVO = "XK"  # not of ISO 3166-1, which has yet to give one; used by the EU, the IMF and everybody's software


def country(sent: object) -> str:
    """An ISO 3166-1 alpha-2 code, in upper case."""
    code = values.filled(sent).upper()
    if code not in _countries():
        raise errors.InvalidInput("This must be a country's ISO 3166-1 alpha-2 code, such as IN.")
    return code


def timezone(sent: object) -> str:
    """The IANA name of a time zone, spelt as IANA does."""
    name = _zones().get(documents.fold(values.filled(sent)))
    if name is None:
        raise errors.InvalidInput("This must be the IANA name of a time zone, such as Asia/Kolkata.")
    return name


def locale(sent: object) -> str:
    """A language tag in the shape of BCP 47, its parts in the usual case: en-IN, zh-Hant-TW."""
    tag = values.filled(sent)
    if not _LOCALE.fullmatch(tag) or len(tag) > 35:
        raise errors.InvalidInput("This must be a language tag, such as en-IN.")
    language, *subtags = tag.replace("_", "-").lower().split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in subtags]
    return "-".join([language, *cased])


def is_international(phone: str) -> bool:
    """Whether a phone number names its country itself."""
    return phone.lstrip("( ").startswith(("+", "＋"))


def phone(sent: object) -> str:
    """The text of a phone number, to be made sense of by `e164` once it is known where it is from."""
    if isinstance(sent, str) and _E164.fullmatch(sent):
        return sent
    return values.filled(sent, LONGEST_PHONE)


def e164(written: str, region: str | None) -> str:
    """A phone number in E.164; `region` says how to read one that names no country."""
    if _is_plainly_valid(written):
        return written
    if region is None and not is_international(written):
        raise errors.InvalidInput("This names no country: begin it with + and the country code, or give the country.")
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException as error:
        raise errors.InvalidInput("This is not a phone number.") from error
    if number.extension or not phonenumbers.is_valid_number(number):
        place = f" in {region}" if region and not is_international(written) else ""
        raise errors.InvalidInput(f"There is no such phone number{place}.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_plainly_valid(written: str) -> bool:
    """Whether this is a valid number in E.164 already, as far as that shows at a glance.

    phonenumbers asks the same of it, and takes ten times as long: a fifth of the time of ingesting a customer.
    """
    if not _E164.fullmatch(written):
        return False
    for digits in (2, 3, 4):
        if plan := _plan(written[1:digits]):
            return plan.fullmatch(written, digits) is not None
    return False


@cache
def _plan(calling_code: str) -> re.Pattern[str] | None:
    """The national numbers of a calling code that one region has to itself; no plan if several share it."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code), ())
    metadata = PhoneMetadata.metadata_for_region(regions[0]) if len(regions) == 1 else None
    if metadata is None:
        return None
    kinds = (metadata.fixed_line, metadata.mobile)
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    # What could be taken for a prefix to dial first is left to phonenumbers, and so is a leading zero.
    prefix = metadata.national_prefix_for_parsing or "0"
    return re.compile(rf"(?!0|{prefix})(?:{'|'.join(patterns)})")


@cache
def _countries() -> frozenset[str]:
    table = (importlib.resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text()
    return frozenset(line[:2] for line in table.splitlines() if not line.startswith("#")) | {KOSOVO}


@cache
def _zones() -> dict[str, str]:
    return {documents.fold(name): name for name in zoneinfo.available_timezones()}
