"""What is stored: one module per collection. `prepare` readies a database for all of them."""

from beanie import init_beanie
from pymongo.asynchronous.database import AsyncDatabase

from documents.aliases import Alias
from documents.batches import Batch
from documents.calls import VendorCall
from documents.campaigns import Campaign, CampaignStatus, Channel, Tally, Variant, tally_id
from documents.customers import ConsentState, Customer, Opening, Purchases, fold_deep, folded
from documents.idempotency import KeyedMutation
from documents.imports import (
    FaultyRow,
    FileFormat,
    FileLayout,
    ImportBlock,
    ImportJob,
    ImportKind,
    ImportLease,
    ImportStatus,
    RowFault,
)
from documents.messages import Message, MessageStatus, SkipReason, message_id, messages_of
from documents.orders import Order, OrderItem, OrderStatus, Payment, PaymentStatus
from documents.paces import Pace
from documents.receipts import Receipt, ReceiptStatus
from documents.segments import Segment
from documents.suppressions import Suppression
from documents.texts import decimal_of, instant_of
from documents.users import ApiKey, FirstAdmin, Role, Session, SignInFailures, User
from documents.values import CODEC_OPTIONS, Money, fold, now

ALL = [
    User,
    FirstAdmin,
    Session,
    ApiKey,
    SignInFailures,
    Customer,
    Alias,
    Suppression,
    Order,
    Segment,
    Campaign,
    Tally,
    Batch,
    Pace,
    Message,
    VendorCall,
    Receipt,
    ImportJob,
    ImportLease,
    ImportBlock,
    FaultyRow,
    KeyedMutation,
]


async def prepare(database: AsyncDatabase[dict[str, object]]) -> None:
    """Bind the documents to this database and build every index that is missing."""
    await init_beanie(database=database.with_options(codec_options=CODEC_OPTIONS), document_models=ALL)


__all__ = [
    "ALL",
    "CODEC_OPTIONS",
    "Alias",
    "ApiKey",
    "Batch",
    "Campaign",
    "CampaignStatus",
    "Channel",
    "ConsentState",
    "Customer",
    "FaultyRow",
    "FileFormat",
    "FileLayout",
    "FirstAdmin",
    "ImportBlock",
    "ImportJob",
    "ImportKind",
    "ImportLease",
    "ImportStatus",
    "KeyedMutation",
    "Message",
    "MessageStatus",
    "Money",
    "Opening",
    "Order",
    "OrderItem",
    "OrderStatus",
    "Pace",
    "Payment",
    "PaymentStatus",
    "Purchases",
    "Receipt",
    "ReceiptStatus",
    "Role",
    "RowFault",
    "Segment",
    "Session",
    "SignInFailures",
    "SkipReason",
    "Suppression",
    "Tally",
    "User",
    "Variant",
    "VendorCall",
    "decimal_of",
    "fold",
    "fold_deep",
    "folded",
    "instant_of",
    "message_id",
    "messages_of",
    "now",
    "prepare",
    "tally_id",
]
