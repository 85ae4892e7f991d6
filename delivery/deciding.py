"""What becomes of one member of an audience: sent what, or not, and why. Pure: the same for a plan and for a launch."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple, TypedDict

from beanie import PydanticObjectId

import errors
from delivery import templates, variables
from delivery.templates import Template
from documents import Campaign, Channel, ConsentState, MessageStatus, SkipReason, Variant, message_id

Record = Mapping[str, object]

ADDRESS = {Channel.SMS: "phone", Channel.EMAIL: "email"}
CONSENT = {Channel.SMS: "sms_consent", Channel.EMAIL: "email_consent"}


class Member(TypedDict):
    """A customer as stored, with whatever fields there are."""

    _id: PydanticObjectId


class Decision(NamedTuple):
    """The outcome of one customer: PENDING, HELD_OUT, or SKIPPED with its reason."""

    customer_id: PydanticObjectId
    status: MessageStatus
    variant: str
    recipient: str | None = None
    subject: str | None = None
    body: str = ""
    skip_reason: SkipReason | None = None

    def stored(self, campaign_id: PydanticObjectId, channel: Channel, now: datetime) -> dict[str, object]:
        """The message as it goes into the ledger."""
        if_any = {
            "recipient": self.recipient,
            "subject": self.subject,
            "skip_reason": self.skip_reason and self.skip_reason.value,
        }
        return {
            "_id": message_id(campaign_id, self.customer_id),
            "campaign_id": campaign_id,
            "customer_id": self.customer_id,
            "variant": self.variant,
            "channel": channel.value,
            "body": self.body,
            "status": self.status.value,
            "attempts": 0,
            "life": 1,
            "created_at": now,
            "updated_at": now,
            **{name: value for name, value in if_any.items() if value is not None},
        }


@dataclass(frozen=True, slots=True)
class Text:
    """A variant's templates."""

    variant: str
    subject: Template | None
    body: Template

    @classmethod
    def of(cls, variant: Variant) -> "Text":
        """Parse the variant's templates. Raises InvalidInput with the field that is at fault."""
        return cls(
            variant.name,
            None if variant.subject is None else parsed(variant.subject, "subject"),
            parsed(variant.body, "body"),
        )


class Decider:
    """Decides for one campaign. Chance is a hash of campaign and customer, so that asking again answers the same."""

    def __init__(self, campaign: Campaign, as_of: datetime) -> None:
        # Reading a field of a document takes a microsecond, and these are read for every customer.
        self._name, self._holdout_percent = campaign.name, campaign.holdout_percent
        self._as_of = as_of
        self._texts = [Text.of(variant) for variant in campaign.variants]
        self._weights = list(accumulate(variant.weight for variant in campaign.variants))
        self._salt = str(campaign.id).encode()
        self._address = ADDRESS[campaign.channel]
        self._consent = CONSENT[campaign.channel]

    @property
    def fields(self) -> Sequence[str]:
        """The stored fields of a customer that the decision needs."""
        templates = [template for text in self._texts for template in (text.subject, text.body) if template]
        used = {variables.CUSTOMER[name].field for template in templates for name in template.names}
        return sorted({self._address, self._consent, *used})

    def address_of(self, customer: Record) -> str | None:
        """Where the campaign's channel reaches a customer."""
        address = customer.get(self._address)
        return str(address) if address else None

    def decide(self, customer: Member, *, taken: bool, capped: bool) -> Decision:
        """The outcome of a customer whose address is `taken` by another one, or who is `capped` for today."""
        customer_id = customer["_id"]
        for_holdout, for_variant = self._chances(customer_id)
        text = self._text(for_variant)
        reason = self._reason(customer, taken, capped)
        if reason is not None:
            return Decision(customer_id, MessageStatus.SKIPPED, text.variant, skip_reason=reason)
        try:
            subject = None if text.subject is None else self._render(text.subject, customer)
            body = self._render(text.body, customer)
        except templates.RenderError:
            reason = SkipReason.TEMPLATE_ERROR
            return Decision(customer_id, MessageStatus.SKIPPED, text.variant, skip_reason=reason)
        # Last, so that those held out are like those written to in everything but this.
        held_out = for_holdout * 100 < self._holdout_percent
        status = MessageStatus.HELD_OUT if held_out else MessageStatus.PENDING
        return Decision(customer_id, status, text.variant, self.address_of(customer), subject, body)

    def _reason(self, customer: Record, taken: bool, capped: bool) -> SkipReason | None:
        if self.address_of(customer) is None:
            return SkipReason.NO_ADDRESS
        if customer.get(self._consent) == ConsentState.UNSUBSCRIBED:
            return SkipReason.UNSUBSCRIBED
        if taken:
            return SkipReason.DUPLICATE_ADDRESS
        return SkipReason.FREQUENCY_CAP if capped else None

    def _chances(self, customer_id: PydanticObjectId) -> tuple[float, float]:
        """Two independent numbers from 0 to below 1."""
        digest = hashlib.blake2b(customer_id.binary, key=self._salt, digest_size=14).digest()
        return int.from_bytes(digest[:7]) * 2.0**-56, int.from_bytes(digest[7:]) * 2.0**-56

    def _text(self, chance: float) -> Text:
        if len(self._texts) == 1:
            return self._texts[0]
        mark = chance * self._weights[-1]
        return next(text for text, weight in zip(self._texts, self._weights, strict=True) if mark < weight)

    def _render(self, template: Template, customer: Record) -> str:
        return template.render(customer, self._name, self._as_of)


def parsed(source: str, field: str) -> Template:
    """The template of a field. Raises InvalidInput with that field."""
    try:
        return templates.parse(source)
    except errors.InvalidInput as fault:
        raise fault.under(field) from fault
