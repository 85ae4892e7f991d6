"""Signing in and staying signed in: sessions, refresh tokens, and who is behind a token."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from beanie import PydanticObjectId
from pymongo import ReturnDocument

import auth
import documents
import errors
from auth import AccessClaims, Viewer

VIEWER_CACHE_SECONDS = 20.0  # a logout elsewhere, a changed role or a revoked key takes effect within this time
VIEWER_CACHE_SIZE = 10_000
LAST_USED_RESOLUTION = timedelta(minutes=1)
FAILURES_ALLOWED = 10
LOCKOUT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in gives."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    user: documents.User


@dataclass(slots=True)
class Sessions:
    """Sign-ins, for one process: makes tokens, and remembers for a moment who is behind one."""

    tokens: auth.Tokens
    _cache: dict[str, tuple[float, Viewer]] = field(default_factory=dict)
    # Checking a signature takes 70 µs, as long as printing a page. What was genuine once is so until it expires.
    _genuine: dict[str, AccessClaims] = field(default_factory=dict)

    async def start(self, user: documents.User) -> SignedIn:
        """A new session of this user."""
        now = documents.now()
        session = documents.Session(user_id=user.id, expires_at=now + self.tokens.refresh_lifetime)
        await session.insert()
        return self._signed_in(user, session, now)

    async def sign_in(self, email: str, password: str) -> SignedIn:
        """A new session for whoever knows the password.

        Raises InvalidInput with the same text for a wrong password and an unknown e-mail, both after the same work;
        and after ten wrong ones in a row for one e-mail, without looking, for five minutes.
        """
        folded = documents.fold(email)
        attempts = await _count_attempt(folded)
        if attempts > FAILURES_ALLOWED:
            minutes = int(LOCKOUT.total_seconds() // 60)
            raise errors.InvalidInput(f"Too many wrong passwords for this e-mail. Try again in {minutes} minutes.")
        user = await documents.User.find_one({"email": folded})
        if not await auth.verify_password(password, user.password_hash if user else None) or user is None:
            raise errors.InvalidInput("The e-mail or the password is wrong.")
        await documents.SignInFailures.get_pymongo_collection().delete_one({"_id": auth.fingerprint(folded)})
        return await self.start(user)

    async def refresh(self, refresh_token: str) -> SignedIn:
        """Trade a refresh token for a new pair.

        A token works once. One that was used before means that two parties hold it: the session is revoked, with
        every token of it. Raises InvalidInput for a token that is no good.
        """
        try:
            claims = self.tokens.read_refresh(refresh_token)
        except errors.Unauthenticated as error:
            raise errors.InvalidInput(error.message, ["refreshToken"]) from error
        now = documents.now()
        alive = {"_id": claims.session_id, "revoked_at": None, "expires_at": {"$gt": now}}
        extended = {"expires_at": now + self.tokens.refresh_lifetime}
        stored = await documents.Session.get_pymongo_collection().find_one_and_update(
            {**alive, "generation": claims.generation},
            {"$inc": {"generation": 1}, "$set": extended},
            return_document=ReturnDocument.AFTER,
        )
        if stored is None:
            await self._revoke(claims.session_id)
            raise errors.InvalidInput("The session has ended: sign in again.", ["refreshToken"])
        session = documents.Session.model_validate(stored)
        user = await documents.User.get(session.user_id)
        if user is None:
            raise errors.InvalidInput("The user is no more.", ["refreshToken"])
        return self._signed_in(user, session, now)

    async def sign_out(self, viewer: Viewer) -> bool:
        """End the viewer's session; False when there is none, as with an API key. May be said twice."""
        if viewer.session_id is None:
            return False
        await self._revoke(viewer.session_id)
        return True

    async def viewer(self, authorization: str) -> Viewer:
        """Who is behind an Authorization value; raises Unauthenticated when it is no good, or no longer."""
        token = auth.bearer(authorization)
        if token.startswith(auth.API_KEY_PREFIX):
            return await self._remembered(auth.fingerprint(token), _viewer_of_key)
        claims = self._claims(token)
        viewer = await self._remembered(str(claims.session_id), _viewer_of_session)
        return replace(viewer, expires_at=claims.expires_at)

    def forget_viewers(self) -> None:
        """Look everybody up again: a role or a key has changed."""
        self._cache.clear()

    def _claims(self, token: str) -> AccessClaims:
        known = self._genuine.get(token)
        if known and known.expires_at > datetime.now(UTC):
            return known
        claims = self.tokens.read_access(token)
        if len(self._genuine) >= VIEWER_CACHE_SIZE:
            self._genuine.clear()
        self._genuine[token] = claims
        return claims

    async def _remembered(self, key: str, look_up: Callable[[str], Awaitable[Viewer]]) -> Viewer:
        found = self._cache.get(key)
        moment = time.monotonic()
        if found and moment - found[0] < VIEWER_CACHE_SECONDS:
            return found[1]
        viewer = await look_up(key)
        if len(self._cache) >= VIEWER_CACHE_SIZE:
            self._cache.clear()  # rare, and a fresh look-up is one indexed read
        self._cache[key] = (moment, viewer)
        return viewer

    async def _revoke(self, session_id: PydanticObjectId) -> None:
        await documents.Session.get_pymongo_collection().update_one(
            {"_id": session_id, "revoked_at": None}, {"$set": {"revoked_at": documents.now()}}
        )
        self._cache.pop(str(session_id), None)

    def _signed_in(self, user: documents.User, session: documents.Session, now: datetime) -> SignedIn:
        access_token, expires_at = self.tokens.access(user.id, session.id, now)
        refresh_token = self.tokens.refresh(session.id, session.generation, now, session.expires_at)
        return SignedIn(access_token, refresh_token, expires_at, user)


async def _viewer_of_session(session_id: str) -> Viewer:
    now = documents.now()
    session = await documents.Session.get(PydanticObjectId(session_id))
    user = await documents.User.get(session.user_id) if session else None
    if session is None or user is None or session.revoked_at is not None or session.expires_at <= now:
        raise errors.Unauthenticated("The session has ended: sign in again.")
    return Viewer(user.id, user.role, session.id)


async def _viewer_of_key(fingerprint: str) -> Viewer:
    now = documents.now()
    key = await documents.ApiKey.find_one({"secret_hash": fingerprint, "revoked_at": None})
    if key is None:
        raise errors.Unauthenticated("The API key is unknown or revoked.")
    if key.last_used_at is None or key.last_used_at < now - LAST_USED_RESOLUTION:
        await documents.ApiKey.get_pymongo_collection().update_one({"_id": key.id}, {"$max": {"last_used_at": now}})
    return Viewer(key.id, key.role)


async def _count_attempt(folded_email: str) -> int:
    """Count an attempt before it is checked, so that many at once are not all let through; returns how many there
    were in a row. The lock's end is set by the last attempt that was allowed: trying on does not prolong it."""
    now = documents.now()
    forgotten = {"$lte": [{"$ifNull": ["$expires_at", now]}, now]}
    locked = {"$gt": ["$failures", FAILURES_ALLOWED]}
    stored = await documents.SignInFailures.get_pymongo_collection().find_one_and_update(
        {"_id": auth.fingerprint(folded_email)},
        [
            {"$set": {"failures": {"$cond": [forgotten, 1, {"$add": ["$failures", 1]}]}}},
            {"$set": {"expires_at": {"$cond": [locked, "$expires_at", now + LOCKOUT]}}},
        ],
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    record: documents.SignInFailures = documents.SignInFailures.model_validate(stored)
    return record.failures
