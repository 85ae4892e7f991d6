"""Who may sign in, and the sessions, API keys and failed sign-ins that belong to them."""

from datetime import datetime
from enum import StrEnum

from beanie import Document, PydanticObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from documents.values import Stored, now


class Role(StrEnum):
    """What a viewer may do; see docs/architecture.md for the table."""

    ADMIN = "ADMIN"
    MARKETER = "MARKETER"
    ANALYST = "ANALYST"
    SERVICE = "SERVICE"


class User(Stored):
    """A person who signs in. `email` is stored folded; it is unique."""

    email: str
    name: str
    role: Role
    password_hash: str
    created_at: datetime = Field(default_factory=now)

    class Settings:
        name = "users"
        indexes = [IndexModel([("email", ASCENDING)], unique=True)]


class FirstAdmin(Document):
    """The one seat of the first to register: its fixed `_id` lets only one of two racing registrations have it."""

    id: str = Field(default="first")  # type: ignore[assignment]  # a key of our own
    user_id: PydanticObjectId

    class Settings:
        name = "first_admin"


class Session(Stored):
    """One sign-in and every refresh token descended from it.

    A refresh token carries the generation it was made for. Using it raises `generation` by one, so a token of an
    earlier generation is a used one: whoever shows it, the whole session is revoked.
    """

    user_id: PydanticObjectId
    generation: int = 0
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime
    revoked_at: datetime | None = None

    class Settings:
        name = "sessions"
        indexes = [
            IndexModel([("user_id", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class ApiKey(Stored):
    """A program's way in. Only the SHA-256 of the secret is kept: it has 256 bits, so nothing slower is needed."""

    name: str
    role: Role
    secret_hash: str
    created_at: datetime = Field(default_factory=now)
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    class Settings:
        name = "api_keys"
        indexes = [IndexModel([("secret_hash", ASCENDING)], unique=True)]


class SignInFailures(Document):
    """Wrong passwords in a row for one e-mail, known or not. `_id` is a hash of the e-mail."""

    id: str  # type: ignore[assignment]  # a key of our own
    failures: int
    expires_at: datetime

    class Settings:
        name = "sign_in_failures"
        indexes = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]
