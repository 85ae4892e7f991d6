"""Signing up and in, staying in, roles and API keys, as clients meet them."""

import asyncio

from documents import Role
from schema import callers
from tests.api.conftest import Api

REGISTER = """mutation ($email: String!, $password: String! = "correct horse", $name: String! = "Asha") {
  register(input: {email: $email, password: $password, name: $name}) {
    accessToken refreshToken expiresAt user { id email role } userErrors { field code message }
  }
}"""
LOGIN = """mutation ($email: String!, $password: String! = "correct horse") {
  login(input: {email: $email, password: $password}) {
    accessToken refreshToken user { role } userErrors { field code message }
  }
}"""
REFRESH = """mutation ($token: String!) {
  refreshSession(refreshToken: $token) { accessToken refreshToken userErrors { field code } }
}"""
CREATE_KEY = """mutation ($role: Role!) {
  createApiKey(name: "shop", role: $role) { secret apiKey { id } userErrors { code } }
}"""


async def test_the_first_to_register_is_the_administrator(api: Api) -> None:
    payload = await api.ask(REGISTER, email="Asha@Example.com")
    assert payload["user"]["role"] == "ADMIN"
    assert payload["user"]["email"] == "asha@example.com"
    assert await api.signed_in_as(payload["accessToken"]).ask("{ me { email role } }") == {
        "email": "asha@example.com",
        "role": "ADMIN",
    }


async def test_a_name_has_nothing_in_it_that_nobody_can_look_for(api: Api) -> None:
    refused = await api.ask(REGISTER, email="a@example.com", name="a\0b")
    assert [error["field"] for error in refused["userErrors"]] == [["input", "name"]]


async def test_a_very_long_email_is_not_even_looked_at(api: Api) -> None:
    refused = await api.ask(REGISTER, email="a." * 1_000 + "@example.com")
    assert [error["message"] for error in refused["userErrors"]] == ["An e-mail address has at most 254 characters."]


async def test_a_later_one_is_registered_by_an_administrator_only(api: Api) -> None:
    admin = api.signed_in_as((await api.ask(REGISTER, email="a@example.com"))["accessToken"])
    assert await api.refusal(REGISTER, email="b@example.com") == "FORBIDDEN"
    assert (await admin.ask(REGISTER, email="b@example.com"))["user"]["role"] == "ANALYST"


async def test_every_fault_of_a_registration_is_told_at_once(api: Api) -> None:
    payload = await api.ask(REGISTER, email="nobody", password="short", name=" ")
    assert [(error["field"], error["code"]) for error in payload["userErrors"]] == [
        (["input", "email"], "INVALID"),
        (["input", "password"], "INVALID"),
        (["input", "name"], "REQUIRED"),
    ]
    assert payload["accessToken"] is None


async def test_an_email_registers_once_whatever_its_case(api: Api) -> None:
    admin = api.signed_in_as((await api.ask(REGISTER, email="a@example.com"))["accessToken"])
    payload = await admin.ask(REGISTER, email="A@EXAMPLE.com")
    assert [(error["field"], error["code"]) for error in payload["userErrors"]] == [(["input", "email"], "TAKEN")]


async def test_a_wrong_password_and_an_unknown_email_answer_alike(api: Api) -> None:
    await api.ask(REGISTER, email="a@example.com")
    wrong = await api.ask(LOGIN, email="a@example.com", password="wrong horse")
    unknown = await api.ask(LOGIN, email="b@example.com")
    assert wrong == unknown
    assert wrong["userErrors"][0]["code"] == "INVALID"
    assert wrong["userErrors"][0]["field"] is None


async def test_ten_wrong_passwords_lock_the_email_even_for_the_right_one(api: Api) -> None:
    await api.ask(REGISTER, email="a@example.com")
    for _ in range(10):
        await api.ask(LOGIN, email="a@example.com", password="wrong horse")
    payload = await api.ask(LOGIN, email="a@example.com")
    assert payload["accessToken"] is None
    assert "Too many" in payload["userErrors"][0]["message"]


async def test_a_right_password_forgives_the_wrong_ones_before_it(api: Api) -> None:
    await api.ask(REGISTER, email="a@example.com")
    for _ in range(2):
        for _ in range(9):
            await api.ask(LOGIN, email="a@example.com", password="wrong horse")
        assert (await api.ask(LOGIN, email="a@example.com"))["user"]["role"] == "ADMIN"


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(api: Api) -> None:
    first = await api.ask(REGISTER, email="a@example.com")
    second = await api.ask(REFRESH, token=first["refreshToken"])
    assert await api.signed_in_as(second["accessToken"]).ask("{ me { email } }") == {"email": "a@example.com"}
    stolen = await api.ask(REFRESH, token=first["refreshToken"])
    assert [error["code"] for error in stolen["userErrors"]] == ["INVALID"]
    rightful = await api.ask(REFRESH, token=second["refreshToken"])
    assert rightful["accessToken"] is None
    assert await api.signed_in_as(second["accessToken"]).refusal("{ me { email } }") == "UNAUTHENTICATED"


async def test_an_access_token_does_not_refresh_and_a_refresh_token_gives_no_access(api: Api) -> None:
    pair = await api.ask(REGISTER, email="a@example.com")
    assert (await api.ask(REFRESH, token=pair["accessToken"]))["accessToken"] is None
    assert await api.signed_in_as(pair["refreshToken"]).refusal("{ me { email } }") == "UNAUTHENTICATED"


async def test_signing_out_ends_the_access_token(api: Api) -> None:
    viewer = api.signed_in_as((await api.ask(REGISTER, email="a@example.com"))["accessToken"])
    assert await viewer.ask("mutation { logout }") is True
    assert await viewer.refusal("{ me { email } }") == "UNAUTHENTICATED"


async def test_nobody_signed_in_is_nobody_and_no_error(api: Api) -> None:
    assert await api.ask("{ me { email } }") is None


async def test_a_changed_role_is_felt_by_the_session_that_is_open(api: Api) -> None:
    admin = api.signed_in_as((await api.ask(REGISTER, email="a@example.com"))["accessToken"])
    other = await admin.ask(REGISTER, email="b@example.com")
    analyst = api.signed_in_as(other["accessToken"])
    assert await analyst.refusal("{ users { id } }") == "FORBIDDEN"
    promote = "mutation ($id: ID!) { setUserRole(userId: $id, role: ADMIN) { role } }"
    assert await admin.ask(promote, id=other["user"]["id"]) == {"role": "ADMIN"}
    assert len(await analyst.ask("{ users { id } }")) == 2


async def test_an_api_key_opens_what_its_role_may_until_it_is_revoked(api: Api) -> None:
    admin = api.signed_in_as((await api.ask(REGISTER, email="a@example.com"))["accessToken"])
    made = await admin.ask(CREATE_KEY, role="SERVICE")
    program = api.signed_in_as(made["secret"])
    assert await program.ask("{ me { email } }") is None
    assert await program.refusal("{ users { id } }") == "FORBIDDEN"
    assert (await admin.ask("{ apiKeys { name role lastUsedAt revokedAt } }"))[0]["lastUsedAt"] is not None
    revoke = "mutation ($id: ID!) { revokeApiKey(id: $id) { revokedAt } }"
    assert (await admin.ask(revoke, id=made["apiKey"]["id"]))["revokedAt"] is not None
    assert await program.refusal("{ me { email } }") == "UNAUTHENTICATED"


async def test_who_keeps_a_connection_is_refused_once_signed_out_or_in_another_role(api: Api) -> None:
    admin = api.signed_in_as((await api.ask(REGISTER, email="a@example.com"))["accessToken"])
    user = await admin.ask(REGISTER, email="b@example.com")
    refused, demoted = (
        callers.until_refused(api.contexts, f"Bearer {user['accessToken']}", role, recheck_seconds=0)
        for role in (Role.ANALYST, Role.MARKETER)
    )
    assert await asyncio.wait_for(demoted, 10) == "The role has changed."
    await api.signed_in_as(user["accessToken"]).ask("mutation { logout }")
    assert await asyncio.wait_for(refused, 10) == "The session has ended: sign in again."


async def test_an_id_that_is_none_is_nobodys(api: Api) -> None:
    admin = api.signed_in_as((await api.ask(REGISTER, email="a@example.com"))["accessToken"])
    assert await admin.ask('mutation { setUserRole(userId: "nonsense", role: ADMIN) { id } }') is None
    assert await admin.ask('mutation { revokeApiKey(id: "nonsense") { id } }') is None
