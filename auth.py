"""Passwords, access and refresh tokens, API keys: how somebody proves who they are.

Nothing here touches the database: sessions and keys are looked up in resolvers/sessions.py.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import argon2
import jwt
from beanie import PydanticObjectId
from bson.errors import InvalidId

import errors
from documents import Role

ISSUER = "campaign-engine"
ALGORITHM = "HS256"
API_KEY_PREFIX = "crm_"
MIN_SECRET_BYTES = 32  # as long as the digest of HS256, RFC 7518 section 3.2

_hasher = argon2.PasswordHasher()  # argon2id with the parameters of RFC 9106, second recommendation
_UNKNOWN_USER_HASH = _hasher.hash(secrets.token_urlsafe())


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: a signed-in user or an API key. `id` is the user's or the key's."""

    id: PydanticObjectId
    role: Role
    session_id: PydanticObjectId | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid access token says."""

    user_id: PydanticObjectId
    session_id: PydanticObjectId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a genuine refresh token says; whether it was used already, the session knows."""

    session_id: PydanticObjectId
    generation: int


async def hash_password(password: str) -> str:
    """The argon2id hash of a password. Takes some 50 ms of a thread, not of the event loop."""
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the hashed one. Without a hash it takes as long, and is not."""
    return await asyncio.to_thread(_verify, password, password_hash)


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        _hasher.verify(password_hash or _UNKNOWN_USER_HASH, password)
    except argon2.exceptions.VerificationError:
        return False
    return password_hash is not None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Makes and reads the two kinds of token. Each has an audience of its own, so neither passes for the other."""

    secret: str
    access_lifetime: timedelta
    refresh_lifetime: timedelta

    def __post_init__(self) -> None:
        if len(self.secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret of the tokens needs at least {MIN_SECRET_BYTES} bytes")

    def access(self, user_id: PydanticObjectId, session_id: PydanticObjectId, now: datetime) -> tuple[str, datetime]:
        """A new access token and when it expires."""
        # Whole seconds, as JWT counts them, so that the time told to the client is the token's own.
        expires_at = (now + self.access_lifetime).replace(microsecond=0)
        return self._sign("access", {"sub": str(user_id), "sid": str(session_id)}, now, expires_at), expires_at

    def refresh(self, session_id: PydanticObjectId, generation: int, now: datetime, expires_at: datetime) -> str:
        """A new refresh token of a session's generation."""
        return self._sign("refresh", {"sid": str(session_id), "gen": generation}, now, expires_at)

    def read_access(self, token: str) -> AccessClaims:
        """What an access token says; raises Unauthenticated unless it is genuine and in time."""
        claims = self._read("access", token)
        return AccessClaims(
            user_id=_object_id(claims.get("sub")),
            session_id=_object_id(claims.get("sid")),
            expires_at=datetime.fromtimestamp(float(str(claims["exp"])), UTC),
        )

    def read_refresh(self, token: str) -> RefreshClaims:
        """What a refresh token says; raises Unauthenticated unless it is genuine and in time."""
        claims = self._read("refresh", token)
        return RefreshClaims(session_id=_object_id(claims.get("sid")), generation=int(str(claims.get("gen"))))

    def _sign(
        self, kind: Literal["access", "refresh"], claims: dict[str, object], now: datetime, until: datetime
    ) -> str:
        registered = {"iss": ISSUER, "aud": f"{ISSUER}:{kind}", "iat": now, "exp": until}
        return jwt.encode({**claims, **registered}, self.secret, algorithm=ALGORITHM)

    def _read(self, kind: Literal["access", "refresh"], token: str) -> dict[str, object]:
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                self.secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=f"{ISSUER}:{kind}",
                options={"require": ["iss", "aud", "exp", "iat"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise errors.Unauthenticated("The token has expired: refresh the session or sign in again.") from error
        except jwt.InvalidTokenError as error:
            raise errors.Unauthenticated("The token is not valid.") from error
        return claims


def new_api_key_secret() -> str:
    """A fresh API key: 256 random bits, recognisable by its prefix."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """The SHA-256 of a secret, as it is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def bearer(authorization: str) -> str:
    """The token in an Authorization value; raises Unauthenticated when it is not of the Bearer scheme."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise errors.Unauthenticated("Authorization must be of the form 'Bearer <token>'.")
    return token.strip()


def _object_id(value: object) -> PydanticObjectId:
    try:
        return PydanticObjectId(str(value))
    except InvalidId as error:
        raise errors.Unauthenticated("The token is not valid.") from error
