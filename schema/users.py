"""Access: signing up and in, users and their roles, API keys."""

from datetime import datetime
from typing import Annotated

import strawberry

import documents
import errors
import resolvers.users
from resolvers.sessions import SignedIn
from schema.context import EngineInfo
from schema.enums import publish
from schema.ids import object_id
from schema.payloads import Payload

publish(
    documents.Role,
    "What somebody may do.",
    ADMIN="Does all, and alone manages users and API keys and erases customers.",
    MARKETER="Reads, writes segments and campaigns, ingests, imports and merges.",
    ANALYST="Reads everything but users and API keys.",
    SERVICE="For programs: ingests, imports, reports receipts; reads customers, orders, messages and imports.",
)


@strawberry.type(description="Somebody who can sign in.")
class User:
    """A user, without the password."""

    id: strawberry.ID = strawberry.field(description="The user's id.")
    email: str = strawberry.field(description="The address that the user signs in with.")
    name: str = strawberry.field(description="The user's name.")
    role: documents.Role = strawberry.field(description="What the user may do.")
    created_at: datetime = strawberry.field(description="When the user registered.")

    @classmethod
    def of(cls, user: documents.User) -> "User":
        """The user as clients see them."""
        return cls(
            id=strawberry.ID(str(user.id)), email=user.email, name=user.name, role=user.role, created_at=user.created_at
        )


@strawberry.type(description="A program's way in. Its secret is shown once, when it is made.")
class ApiKey:
    """An API key, without the secret."""

    id: strawberry.ID = strawberry.field(description="The key's id, with which it is revoked.")
    name: str = strawberry.field(description="What the key is for.")
    role: documents.Role = strawberry.field(description="What the key's holder may do.")
    created_at: datetime = strawberry.field(description="When the key was made.")
    last_used_at: datetime | None = strawberry.field(description="When the key was last used, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="Since when the key is no longer accepted.")

    @classmethod
    def of(cls, key: documents.ApiKey) -> "ApiKey":
        """The key as administrators see it."""
        return cls(
            id=strawberry.ID(str(key.id)),
            name=key.name,
            role=key.role,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


@strawberry.input(description="A new user.")
class RegisterInput:
    """What registering needs."""

    email: str = strawberry.field(description="The address to sign in with; upper and lower case are the same.")
    password: str = strawberry.field(description="8 to 200 characters.")
    name: str = strawberry.field(description="The user's name.")


@strawberry.input(description="Who signs in.")
class LoginInput:
    """What signing in needs."""

    email: str = strawberry.field(description="The address that the user registered with.")
    password: str = strawberry.field(description="The user's password.")


@strawberry.type(description="A session: give the access token as 'Authorization: Bearer …'.")
class AuthPayload(Payload):
    """The tokens of a session."""

    access_token: str | None = strawberry.field(default=None, description="Accepted until expiresAt.")
    refresh_token: str | None = strawberry.field(
        default=None, description="Trades once for a new pair, by refreshSession. Used twice, it ends the session."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the access token ends.")
    user: User | None = strawberry.field(default=None, description="Who has signed in.")

    @classmethod
    def of(cls, signed_in: SignedIn) -> "AuthPayload":
        """The payload of a sign-in."""
        return cls(
            access_token=signed_in.access_token,
            refresh_token=signed_in.refresh_token,
            expires_at=signed_in.expires_at,
            user=User.of(signed_in.user),
        )


@strawberry.type(description="A new API key.")
class CreateApiKeyPayload(Payload):
    """A key and its secret."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key.")
    secret: str | None = strawberry.field(default=None, description="Shown once.")


@strawberry.type
class UserQuery:
    """Who is there."""

    @strawberry.field(description="The signed-in user; null, and no error, when nobody is signed in.")
    async def me(self, info: EngineInfo) -> User | None:
        viewer = info.context.viewer
        user = await info.context.loaders.user.load(viewer.id) if viewer else None
        return User.of(user) if user else None

    @strawberry.field(description="All users, the oldest first.")
    async def users(self, info: EngineInfo) -> list[User]:
        viewer = info.context.require(info.field_name)
        return [User.of(user) for user in await resolvers.users.everyone(viewer)]

    @strawberry.field(description="All API keys, revoked ones too, the oldest first.")
    async def api_keys(self, info: EngineInfo) -> list[ApiKey]:
        viewer = info.context.require(info.field_name)
        return [ApiKey.of(key) for key in await resolvers.users.api_keys(viewer)]


@strawberry.type
class UserMutation:
    """Coming in, going out, and deciding who may what."""

    @strawberry.mutation(
        description="A new user, signed in. By default the first to register becomes ADMIN, and later ones are "
        "registered by an ADMIN, as ANALYST."
    )
    async def register(
        self, info: EngineInfo, input: Annotated[RegisterInput, strawberry.argument(description="The user.")]
    ) -> AuthPayload:
        services = info.context.services
        try:
            signed_in = await resolvers.users.register(
                info.context.viewer,
                services.registration,
                services.sessions,
                email=input.email,
                password=input.password,
                name=input.name,
            )
        except errors.Fault as fault:
            return AuthPayload.refused(fault, "input")
        return AuthPayload.of(signed_in)

    @strawberry.mutation(
        description="Sign in. A wrong password and an unknown e-mail answer alike; ten wrong ones in a row for one "
        "e-mail lock it for five minutes."
    )
    async def login(
        self, info: EngineInfo, input: Annotated[LoginInput, strawberry.argument(description="Who signs in.")]
    ) -> AuthPayload:
        try:
            return AuthPayload.of(await info.context.services.sessions.sign_in(input.email, input.password))
        except errors.Fault as fault:
            return AuthPayload.refused(fault)

    @strawberry.mutation(description="Trade a refresh token, once, for a new pair of tokens.")
    async def refresh_session(
        self,
        info: EngineInfo,
        refresh_token: Annotated[str, strawberry.argument(description="The last refresh token of the session.")],
    ) -> AuthPayload:
        try:
            return AuthPayload.of(await info.context.services.sessions.refresh(refresh_token))
        except errors.Fault as fault:
            return AuthPayload.refused(fault)

    @strawberry.mutation(
        description="End the session; its access tokens are refused within a minute. False when there was none, as "
        "with an API key."
    )
    async def logout(self, info: EngineInfo) -> bool:
        viewer = info.context.require(info.field_name)
        return await info.context.services.sessions.sign_out(viewer)

    @strawberry.mutation(description="Give a user another role; null when there is no such user.")
    async def set_user_role(
        self,
        info: EngineInfo,
        user_id: Annotated[strawberry.ID, strawberry.argument(description="Whose role.")],
        role: Annotated[documents.Role, strawberry.argument(description="The new role.")],
    ) -> User | None:
        viewer = info.context.require(info.field_name)
        id_ = object_id(user_id)
        user = await resolvers.users.set_role(viewer, info.context.services.sessions, id_, role) if id_ else None
        return User.of(user) if user else None

    @strawberry.mutation(description="A new API key. Its secret is shown now and never again.")
    async def create_api_key(
        self,
        info: EngineInfo,
        name: Annotated[str, strawberry.argument(description="What the key is for.")],
        role: Annotated[
            documents.Role, strawberry.argument(description="What its holder may do.")
        ] = documents.Role.SERVICE,
    ) -> CreateApiKeyPayload:
        viewer = info.context.require(info.field_name)
        try:
            made = await resolvers.users.create_api_key(viewer, name, role)
        except errors.Fault as fault:
            return CreateApiKeyPayload.refused(fault)
        return CreateApiKeyPayload(api_key=ApiKey.of(made.key), secret=made.secret)

    @strawberry.mutation(description="End an API key for good, within a minute; null when there is no such key.")
    async def revoke_api_key(
        self, info: EngineInfo, id: Annotated[strawberry.ID, strawberry.argument(description="Which key.")]
    ) -> ApiKey | None:
        viewer = info.context.require(info.field_name)
        id_ = object_id(id)
        key = await resolvers.users.revoke_api_key(viewer, info.context.services.sessions, id_) if id_ else None
        return ApiKey.of(key) if key else None
