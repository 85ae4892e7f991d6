"""Who may use which root field: the one table of authority.

`Context.require` reads it, so a field that is missing here can be used by nobody.
"""

from collections.abc import Mapping

from documents import Role

ANALYSTS = frozenset({Role.ANALYST, Role.MARKETER, Role.ADMIN})
ANYONE = frozenset(Role)
MARKETERS = frozenset({Role.MARKETER, Role.ADMIN})
INGESTERS = frozenset({Role.MARKETER, Role.SERVICE, Role.ADMIN})
REPORTERS = frozenset({Role.SERVICE, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

PUBLIC_FIELDS = frozenset({"me", "register", "login", "refreshSession"})

# What these answer must not lie in the database: whoever can read it there could sign in.
SECRET_FIELDS = frozenset({"register", "login", "refreshSession", "createApiKey"})

ROLES: Mapping[str, frozenset[Role]] = {
    "logout": ANYONE,
    # Records that programs read too.
    "customer": ANYONE,
    "customers": ANYONE,
    "order": ANYONE,
    "orders": ANYONE,
    "message": ANYONE,
    "deliveryUpdates": ANYONE,
    "importJob": ANYONE,
    "importProgress": ANYONE,
    # Everything else that is read.
    "overview": ANALYSTS,
    "duplicateCustomers": ANALYSTS,
    "segmentFields": ANALYSTS,
    "segment": ANALYSTS,
    "segments": ANALYSTS,
    "previewSegment": ANALYSTS,
    "explainMembership": ANALYSTS,
    "suggestSegments": ANALYSTS,
    "generateSegmentRules": ANALYSTS,
    "campaign": ANALYSTS,
    "campaigns": ANALYSTS,
    "flightPlan": ANALYSTS,
    "verifyCampaign": ANALYSTS,
    "campaignProgress": ANALYSTS,
    # Writing.
    "ingestCustomer": INGESTERS,
    "ingestCustomers": INGESTERS,
    "importCustomers": INGESTERS,
    "ingestOrder": INGESTERS,
    "ingestOrders": INGESTERS,
    "importOrders": INGESTERS,
    "mergeCustomers": MARKETERS,
    "createSegment": MARKETERS,
    "updateSegment": MARKETERS,
    "deleteSegment": MARKETERS,
    "createCampaign": MARKETERS,
    "launchCampaign": MARKETERS,
    "pauseCampaign": MARKETERS,
    "resumeCampaign": MARKETERS,
    "cancelCampaign": MARKETERS,
    "retryFailedMessages": MARKETERS,
    "recordDeliveryReceipt": REPORTERS,
    "recordDeliveryReceipts": REPORTERS,
    # Administration.
    "users": ADMINS,
    "apiKeys": ADMINS,
    "setUserRole": ADMINS,
    "createApiKey": ADMINS,
    "revokeApiKey": ADMINS,
    "eraseCustomer": ADMINS,
    "liftSuppression": ADMINS,
}
