"""Users and API keys: registering, roles, and programs' ways in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import email_validator
from beanie import PydanticObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

import auth
import documents
import errors
from auth import Viewer
from documents import Role
from resolvers import texts
from resolvers.sessions import Sessions, SignedIn

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 200  # argon2 would take more; no person has one
MAX_NAME_LENGTH = 200
MAX_EMAIL_LENGTH = 254  # of RFC 5321; looking at a million characters took a second, in which nobody else was answered


class Registration(StrEnum):
    """Who may register."""

    FIRST = "first"  # the first becomes ADMIN; later ones only when an ADMIN is signed in
    OPEN = "open"  # anyone, as ANALYST
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key, and its secret, which nobody can see again."""

    key: documents.ApiKey
    secret: str


async def register(
    viewer: Viewer | None, mode: Registration, sessions: Sessions, *, email: str, password: str, name: str
) -> SignedIn:
    """A new user, signed in. Raises Forbidden when registration is not open to the viewer, Rejected for bad values."""
    seat_is_free = mode is Registration.FIRST and await documents.FirstAdmin.count() == 0
    may = seat_is_free or mode is Registration.OPEN
    may = may or (mode is Registration.FIRST and viewer is not None and viewer.role is Role.ADMIN)
    if not may:
        raise errors.Forbidden("Registration is closed: ask an administrator for an account.")
    address, faults = _checked(email, password, name)
    if faults:
        raise errors.Rejected(faults)
    user = documents.User(
        email=address,
        name=name.strip(),
        role=Role.ADMIN if seat_is_free else Role.ANALYST,
        password_hash=await auth.hash_password(password),
    )
    try:
        await _insert(user, seat_is_free)
    except DuplicateKeyError as error:
        if "first" in str(error.details):
            raise errors.Forbidden("Somebody else has just registered as the first user.") from error
        raise errors.Taken("There is a user with this e-mail.", ["email"]) from error
    return await sessions.start(user)


async def find_many(ids: Iterable[PydanticObjectId]) -> Mapping[PydanticObjectId, documents.User]:
    """Users by id."""
    return {user.id: user async for user in documents.User.find({"_id": {"$in": list(ids)}})}


async def everyone(viewer: Viewer) -> list[documents.User]:
    """All users, the oldest first."""
    return await documents.User.find().sort("+_id").to_list()


async def set_role(viewer: Viewer, sessions: Sessions, user_id: PydanticObjectId, role: Role) -> documents.User | None:
    """Give a user another role; None when there is no such user. Raises Forbidden for one's own, lest none be left."""
    if user_id == viewer.id:
        raise errors.Forbidden("Nobody may change their own role: ask another administrator.")
    stored = await documents.User.get_pymongo_collection().find_one_and_update(
        {"_id": user_id}, {"$set": {"role": role.value}}, return_document=ReturnDocument.AFTER
    )
    sessions.forget_viewers()
    return documents.User.model_validate(stored) if stored else None


async def api_keys(viewer: Viewer) -> list[documents.ApiKey]:
    """All API keys, revoked ones too, the oldest first."""
    return await documents.ApiKey.find().sort("+_id").to_list()


async def create_api_key(viewer: Viewer, name: str, role: Role) -> NewApiKey:
    """A new key with this role. Raises Required without a name."""
    if fault := _name_fault(name):
        raise fault
    secret = auth.new_api_key_secret()
    key = documents.ApiKey(name=name.strip(), role=role, secret_hash=auth.fingerprint(secret))
    await key.insert()
    return NewApiKey(key, secret)


async def revoke_api_key(viewer: Viewer, sessions: Sessions, key_id: PydanticObjectId) -> documents.ApiKey | None:
    """End a key for good; None when there is no such key. May be said twice: the first time stands."""
    keys = documents.ApiKey.get_pymongo_collection()
    await keys.update_one({"_id": key_id, "revoked_at": None}, {"$set": {"revoked_at": documents.now()}})
    sessions.forget_viewers()
    return await documents.ApiKey.get(key_id)


async def _insert(user: documents.User, takes_the_seat: bool) -> None:
    """Store the user; with the seat of the first, both or neither, so that a crash cannot leave the seat to nobody."""
    if not takes_the_seat:
        await user.insert()
        return

    async def both(session: AsyncClientSession) -> None:
        await documents.FirstAdmin(user_id=user.id).insert(session=session)
        await user.insert(session=session)

    async with documents.User.get_pymongo_collection().database.client.start_session() as session:
        await session.with_transaction(both)


def _checked(email: str, password: str, name: str) -> tuple[str, list[errors.Fault]]:
    faults: list[errors.Fault] = []
    address = documents.fold(email)
    if fault := _email_fault(address):
        faults.append(fault)
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        wanted = f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters."
        faults.append(errors.InvalidInput(wanted, ["password"]))
    if fault := _name_fault(name):
        faults.append(fault)
    return address, faults


def _email_fault(address: str) -> errors.Fault | None:
    if len(address) > MAX_EMAIL_LENGTH:
        return errors.InvalidInput(f"An e-mail address has at most {MAX_EMAIL_LENGTH} characters.", ["email"])
    try:
        email_validator.validate_email(address, check_deliverability=False)
    except email_validator.EmailNotValidError as error:
        return errors.InvalidInput(str(error), ["email"])
    return None


def _name_fault(name: str) -> errors.Fault | None:
    if not name.strip():
        return errors.Required("A name is needed.", ["name"])
    if len(name) > MAX_NAME_LENGTH:
        return errors.InvalidInput(f"A name has at most {MAX_NAME_LENGTH} characters.", ["name"])
    return next(iter(texts.faults(name, "name")), None)
