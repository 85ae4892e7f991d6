"""The catalogue: what rules can be about, how each field may be tested, and where its values are stored."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import documents
from segmentation.tree import Operator, Subject

ATTRIBUTES = "attributes."
_PLAIN_WORD = re.compile(r"[\w-]+")


class Format(StrEnum):
    """What the values of a field are written as, where that is narrower than its type."""

    CALENDAR_DATE = "a calendar date"
    COUNTRY_CODE = "an alpha-2 country code, such as IN"
    CAMPAIGN_ID = "the id of a campaign"


class FieldType(StrEnum):
    """How a field's values compare."""

    STRING = "STRING"
    NUMBER = "NUMBER"
    MONEY = "MONEY"
    DATE = "DATE"
    BOOLEAN = "BOOLEAN"
    LIST = "LIST"
    ENUM = "ENUM"
    ORDERS = "ORDERS"
    MESSAGES = "MESSAGES"


_SET = (Operator.NULL, Operator.NOT_NULL)
_EQUALITY = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.IN, Operator.NOT_IN)
ORDERING = (
    Operator.LESS,
    Operator.AT_MOST,
    Operator.MORE,
    Operator.AT_LEAST,
    Operator.BETWEEN,
    Operator.NOT_BETWEEN,
)
_TEXT = (
    Operator.CONTAINS,
    Operator.DOES_NOT_CONTAIN,
    Operator.BEGINS_WITH,
    Operator.DOES_NOT_BEGIN_WITH,
    Operator.ENDS_WITH,
    Operator.DOES_NOT_END_WITH,
)
OPERATORS: Mapping[FieldType, tuple[Operator, ...]] = {
    FieldType.STRING: (*_EQUALITY, *_TEXT, *_SET),
    FieldType.NUMBER: (*_EQUALITY, *ORDERING, *_SET),
    FieldType.MONEY: (*_EQUALITY, *ORDERING, *_SET),
    FieldType.DATE: (*_EQUALITY, *ORDERING, *_SET),
    FieldType.BOOLEAN: (*_EQUALITY, *_SET),
    FieldType.LIST: (Operator.CONTAINS, Operator.DOES_NOT_CONTAIN, Operator.IN, Operator.NOT_IN, *_SET),
    FieldType.ENUM: (*_EQUALITY, *_SET),
    FieldType.ORDERS: _SET,
    FieldType.MESSAGES: _SET,
}
ANY_TYPE = (*_EQUALITY, *ORDERING, *_TEXT, *_SET)


@dataclass(frozen=True, slots=True)
class Field:
    """One field that rules can be about.

    `type` is None for an attribute, which takes the type of the value it is compared with. `path` is where the value
    is stored, `folded` where it is stored once more as strings compare (None for what is not text). A field of the
    items of an order has both paths within the item. `values` are all that an ENUM has, `fields` the sub-fields.
    """

    name: str
    label: str
    type: FieldType | None
    path: str = ""
    folded: str | None = None
    values: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()
    format: Format | None = None
    of_item: bool = False

    @property
    def operators(self) -> tuple[Operator, ...]:
        """The operators that the field has."""
        if self.format is Format.CALENDAR_DATE:
            return (*OPERATORS[FieldType.DATE], Operator.ANNIVERSARY_IN)
        return OPERATORS[self.type] if self.type else ANY_TYPE


def _text(name: str, label: str, path: str, values: Sequence[str] = ()) -> Field:
    return Field(name, label, FieldType.STRING, path, f"folded.{path}", tuple(values))


def _plain(name: str, label: str, type_: FieldType, path: str) -> Field:
    return Field(name, label, type_, path)


def _enum(name: str, label: str, path: str, values: type[StrEnum]) -> Field:
    return Field(name, label, FieldType.ENUM, path, values=tuple(value.value for value in values))


_ORDER_FIELDS = (
    _plain("amount", "Amount", FieldType.MONEY, "amount"),
    _plain("placedAt", "Placed at", FieldType.DATE, "placed_at"),
    _enum("status", "Status", "status", documents.OrderStatus),
    _text("currency", "Currency", "currency"),
    _text("coupon", "Coupon", "coupon"),
    _plain("itemCount", "Number of items", FieldType.NUMBER, "item_count"),
    Field("items.sku", "Item SKU", FieldType.STRING, "sku", "folded.sku", of_item=True),
    Field("items.name", "Item name", FieldType.STRING, "name", "folded.name", of_item=True),
    Field("items.category", "Item category", FieldType.STRING, "category", "folded.category", of_item=True),
    Field("items.quantity", "Item quantity", FieldType.NUMBER, "quantity", of_item=True),
    Field("items.unitPrice", "Item unit price", FieldType.MONEY, "unit_price", of_item=True),
    Field("payment.method", "Payment method", FieldType.STRING, "payment.method", "folded.payment_method"),
    _enum("payment.status", "Payment status", "payment.status", documents.PaymentStatus),
)
_MESSAGE_FIELDS = (
    Field("campaignId", "Campaign", FieldType.ENUM, "campaign_id", format=Format.CAMPAIGN_ID),
    _enum("status", "Status", "status", documents.MessageStatus),
    _enum("channel", "Channel", "channel", documents.Channel),
    _plain("sentAt", "Sent at", FieldType.DATE, "sent_at"),
    _plain("deliveredAt", "Delivered at", FieldType.DATE, "delivered_at"),
)
RFM_GROUPS = (
    "Champions",
    "Loyal",
    "Potential Loyalists",
    "New",
    "Promising",
    "Need Attention",
    "About to Sleep",
    "At Risk",
    "Can't Lose",
    "Hibernating",
    "Lost",
)
CATALOGUE = (
    _text("name", "Name", "name"),
    _text("email", "E-mail", "email"),
    _text("phone", "Phone", "phone"),
    _text("externalId", "External id", "external_id"),
    _text("city", "City", "city"),
    _text("state", "State", "state"),
    Field("country", "Country", FieldType.STRING, "country", "folded.country", format=Format.COUNTRY_CODE),
    _text("postalCode", "Postal code", "postal_code"),
    _text("timezone", "Time zone", "timezone"),
    _text("locale", "Locale", "locale"),
    _text("source", "Source", "source"),
    Field("tags", "Tags", FieldType.LIST, "tags", "folded.tags"),
    _enum("smsConsent", "SMS consent", "sms_consent", documents.ConsentState),
    _enum("emailConsent", "E-mail consent", "email_consent", documents.ConsentState),
    _plain("totalSpend", "Total spend", FieldType.MONEY, "total_spend"),
    _plain("averageOrderValue", "Average order value", FieldType.MONEY, "average_order_value"),
    _plain("visitCount", "Visits", FieldType.NUMBER, "visit_count"),
    _plain("orderCount", "Orders", FieldType.NUMBER, "order_count"),
    _plain("firstPurchase", "First purchase", FieldType.DATE, "first_purchase"),
    _plain("lastPurchase", "Last purchase", FieldType.DATE, "last_purchase"),
    _plain("createdAt", "Created at", FieldType.DATE, "created_at"),
    _plain("updatedAt", "Updated at", FieldType.DATE, "updated_at"),
    Field("birthday", "Birthday", FieldType.DATE, "birthday", format=Format.CALENDAR_DATE),
    _text("rfm", "RFM group", "rfm", RFM_GROUPS),
    _plain("aliveProbability", "Probability of still buying", FieldType.NUMBER, "alive_probability"),
    _plain("predictedOrders90d", "Orders predicted for 90 days", FieldType.NUMBER, "predicted_orders_90d"),
    _plain("predictedSpend90d", "Spend predicted for 90 days", FieldType.MONEY, "predicted_spend_90d"),
    Field("orders", "Order conditions", FieldType.ORDERS, fields=_ORDER_FIELDS),
    Field("messages", "Message conditions", FieldType.MESSAGES, fields=_MESSAGE_FIELDS),
)
SUMMED = frozenset({FieldType.MONEY, FieldType.NUMBER})  # what SUM, AVG, MIN and MAX can be worked out of

_CUSTOMER_FIELDS = {field.name: field for field in CATALOGUE}
_SUBFIELDS = {subject: {field.name: field for field in _CUSTOMER_FIELDS[subject.value].fields} for subject in Subject}


def find(name: str, subject: Subject | None = None) -> Field | None:
    """The field of customers, or the sub-field of their orders or messages, of this name."""
    if subject:
        return _SUBFIELDS[subject].get(name)
    return _CUSTOMER_FIELDS.get(name) or _attribute(name)


def sub_fields(subject: Subject) -> tuple[Field, ...]:
    """The fields that a customer's orders or messages have."""
    return _CUSTOMER_FIELDS[subject.value].fields


def summable(subject: Subject) -> tuple[str, ...]:
    """The names of the sub-fields that SUM, AVG, MIN and MAX can be worked out of."""
    return tuple(name for name, field in _SUBFIELDS[subject].items() if field.type in SUMMED and not field.of_item)


def near(name: str, subject: Subject | None = None) -> str | None:
    """The name that was probably meant by one that is no field's."""
    names = _SUBFIELDS[subject] if subject else _CUSTOMER_FIELDS
    unfolded = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name[:40].lower(), unfolded, n=1)
    return unfolded[close[0]] if close else None


def attribute_name(name: str) -> str | None:
    """NAME of a field `attributes.NAME`."""
    return name.removeprefix(ATTRIBUTES) if name.startswith(ATTRIBUTES) else None


def is_plain_word(key: str) -> bool:
    """Whether an attribute's name needs no quotes in the query language."""
    return _PLAIN_WORD.fullmatch(key) is not None


def is_attribute_key(key: str) -> bool:
    """Whether a key of a customer's attributes can be asked about. MongoDB gives dots and leading dollars meanings."""
    return 0 < len(key) <= 100 and "." not in key and not key.startswith("$") and key.isprintable()


def _attribute(name: str) -> Field | None:
    key = attribute_name(name)
    if key is None or not is_attribute_key(key):
        return None
    return Field(name, key, None, f"attributes.{key}", f"folded.attributes.{key}")
