"""What a template can name: the fields of Customer, under the names that clients know them by."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from documents.values import decoded

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that templates may use: the stored field it is made from, and how."""

    field: str
    read: Callable[[object], object] = lambda value: value


def customer(stored: Record, names: Iterable[str]) -> dict[str, object]:
    """These variables of a customer as it is stored. What is not set is left out: for Liquid it is undefined."""
    values = {}
    for name in names:
        variable = CUSTOMER[name]
        value = variable.read(stored.get(variable.field))
        if value is not None:
            values[name] = value
    return values


def instant(at: datetime) -> str:
    """An instant as the API writes it, which Liquid's date filter reads. One without a zone is in UTC."""
    in_utc = at.astimezone(UTC) if at.tzinfo else at
    return f"{in_utc.isoformat(timespec='milliseconds')[:23]}Z"


def _instant(value: object) -> object:
    return instant(value) if isinstance(value, datetime) else None


def _day(value: object) -> object:
    return value.date().isoformat() if isinstance(value, datetime) else None


def _first_word(value: object) -> object:
    return next(iter(str(value or "").split()), None)


def _set_only(value: object) -> object:
    """JSON without its nulls, which would be printed as nothing instead of being undefined."""
    match value:
        case dict():
            return {key: _set_only(each) for key, each in value.items() if each is not None}
        case list():
            return [_set_only(each) for each in value if each is not None]
        case _:
            return value


CUSTOMER: Mapping[str, Variable] = MappingProxyType(
    {
        "id": Variable("_id", str),
        "firstName": Variable("name", _first_word),
        "birthday": Variable("birthday", _day),
        "tags": Variable("tags", lambda value: value or []),
        "attributes": Variable("attributes", lambda value: _set_only(value or {})),
        "externalId": Variable("external_id"),
        "postalCode": Variable("postal_code"),
        "smsConsent": Variable("sms_consent"),
        "emailConsent": Variable("email_consent"),
        "totalSpend": Variable("total_spend", decoded),
        "orderCount": Variable("order_count"),
        "visitCount": Variable("visit_count"),
        "averageOrderValue": Variable("average_order_value", decoded),
        "aliveProbability": Variable("alive_probability"),
        "predictedOrders90d": Variable("predicted_orders_90d"),
        "predictedSpend90d": Variable("predicted_spend_90d", decoded),
        "firstPurchase": Variable("first_purchase", _instant),
        "lastPurchase": Variable("last_purchase", _instant),
        "createdAt": Variable("created_at", _instant),
        "updatedAt": Variable("updated_at", _instant),
        **{
            name: Variable(name)
            for name in ("name", "email", "phone", "city", "state", "country", "timezone", "locale", "source", "rfm")
        },
    }
)
