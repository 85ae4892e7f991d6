"""Standard Webhooks: how a call proves that the vendor made it, and just now.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

PREFIX = "whsec_"
VERSION = "v1"
TOLERANCE = timedelta(minutes=5)


class SecretUnreadable(Exception):
    """The secret is not of the form whsec_<base64>."""


def key_of(secret: str) -> bytes:
    """The key that a secret stands for. Raises SecretUnreadable."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise SecretUnreadable("not base64 after whsec_") from error
    if not key or not secret.startswith(PREFIX):
        raise SecretUnreadable("not of the form whsec_<base64>")
    return key


def sign(key: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """The signature of a call, as it stands in `webhook-signature`."""
    digest = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def is_genuine(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether one of the call's signatures is of this key, and made within five minutes of now."""
    webhook_id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    if not webhook_id or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    expected = sign(key, webhook_id, timestamp, body).encode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, each.encode()) for each in given)
