"""What a template can name: the fields of Customer, under the names that clients know them by."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

Record = Mapping[str, object]


def customer(stored: Record, names: Iterable[str]) -> dict[str, object]:
    """These variables of a customer as it is stored. What is not set is left out: for Liquid it is undefined."""
    values = {name: CUSTOMER[name](stored) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def instant(at: datetime) -> str:
    """An instant as the API writes it, which Liquid's date filter reads."""
    return f"{at.astimezone(UTC).isoformat(timespec='milliseconds')[:23]}Z"


def _plain(field: str) -> Callable[[Record], object]:
    return lambda stored: stored.get(field)


def _instant(field: str) -> Callable[[Record], object]:
    def read(stored: Record) -> object:
        at = stored.get(field)
        return instant(at) if isinstance(at, datetime) else None

    return read


def _day(stored: Record) -> object:
    birthday = stored.get("birthday")
    return birthday.date().isoformat() if isinstance(birthday, datetime) else None


def _first_name(stored: Record) -> object:
    words = str(stored.get("name") or "").split()
    return words[0] if words else None


def _set_only(value: object) -> object:
    """JSON without its nulls, which would be printed as nothing instead of being undefined."""
    match value:
        case dict():
            return {key: _set_only(each) for key, each in value.items() if each is not None}
        case list():
            return [_set_only(each) for each in value if each is not None]
        case _:
            return value


CUSTOMER: Mapping[str, Callable[[Record], object]] = MappingProxyType(
    {
        "id": lambda stored: str(stored["_id"]),
        "firstName": _first_name,
        "birthday": _day,
        "tags": lambda stored: stored.get("tags") or [],
        "attributes": lambda stored: _set_only(stored.get("attributes") or {}),
        "externalId": _plain("external_id"),
        "postalCode": _plain("postal_code"),
        "smsConsent": _plain("sms_consent"),
        "emailConsent": _plain("email_consent"),
        "totalSpend": _plain("total_spend"),
        "orderCount": _plain("order_count"),
        "visitCount": _plain("visit_count"),
        "averageOrderValue": _plain("average_order_value"),
        "aliveProbability": _plain("alive_probability"),
        "predictedOrders90d": _plain("predicted_orders_90d"),
        "predictedSpend90d": _plain("predicted_spend_90d"),
        "firstPurchase": _instant("first_purchase"),
        "lastPurchase": _instant("last_purchase"),
        "createdAt": _instant("created_at"),
        "updatedAt": _instant("updated_at"),
        **{
            name: _plain(name)
            for name in ("name", "email", "phone", "city", "state", "country", "timezone", "locale", "source", "rfm")
        },
    }
)
