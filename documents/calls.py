"""Calls to the vendor that it answered: which id it gave to each message that it accepted."""

from datetime import datetime

from beanie import PydanticObjectId

from documents.values import Stored


class VendorCall(Stored):
    """One answered call. Its messages carry its id (`call_id`), which makes accepting them one update of all alike.

    `vendor_ids` has the vendor's id of every message that it accepted, by the key that the message went under.
    """

    campaign_id: PydanticObjectId
    answered_at: datetime
    vendor_ids: dict[str, str]

    class Settings:
        name = "vendor_calls"
        keep_nulls = False
