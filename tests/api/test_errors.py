"""How faults reach a client: as data with a code, or as errors of which nothing internal ever leaves."""

import logging

import pytest
import strawberry
from graphql import GraphQLError

import errors
import schema.errors
from schema.errors import UserError, UserErrorCode


@strawberry.type
class Query:
    @strawberry.field
    def boxes(self) -> list["Box"]:
        return [Box(), Box()]

    @strawberry.field
    def fails(self, how: str) -> str | None:
        raise {
            "forbidden": errors.Forbidden("Not for you."),
            "invalid": errors.InvalidInput("Too short.", ["filter", "search"]),
            "rejected": errors.Rejected([errors.Taken("One."), errors.Required("Two.", ["name"])]),
            "limit": schema.errors.coded("LIMIT_EXCEEDED", "Too much.", maximum=5),
        }[how]


@strawberry.type
class Box:
    @strawberry.field
    def secret(self) -> str | None:
        raise RuntimeError("password=hunter2")


SCHEMA = strawberry.Schema(query=Query)


def failed(query: str) -> list[dict[str, object]]:
    found = SCHEMA.execute_sync(query).errors
    assert found
    return [dict(error.formatted) for error in schema.errors.told(found, "request-1")]


def test_every_fault_of_a_rejection_is_told_as_data() -> None:
    fault = errors.Rejected([errors.Taken("One."), errors.Required("Two.", ["input", "name"])])
    assert UserError.of_all(fault) == [
        UserError(field=None, code=UserErrorCode.TAKEN, message="One."),
        UserError(field=["input", "name"], code=UserErrorCode.REQUIRED, message="Two."),
    ]


def test_every_fault_has_a_code_that_the_api_publishes() -> None:
    faults: list[type[errors.Fault]] = [errors.Fault, *_descendants(errors.Fault)]
    assert {fault.code for fault in faults} == set(UserErrorCode.__members__)


def _descendants(kind: type[errors.Fault]) -> list[type[errors.Fault]]:
    return [each for child in kind.__subclasses__() for each in (child, *_descendants(child))]


@pytest.mark.parametrize(
    ("how", "message", "extensions"),
    [
        ("forbidden", "Not for you.", {"code": "FORBIDDEN"}),
        ("invalid", "Too short.", {"code": "INVALID", "field": ["filter", "search"]}),
        ("limit", "Too much.", {"code": "LIMIT_EXCEEDED", "maximum": 5}),
        (
            "rejected",
            "One.; Two.",
            {
                "code": "INVALID",
                "faults": [
                    {"field": None, "code": "TAKEN", "message": "One."},
                    {"field": ["name"], "code": "REQUIRED", "message": "Two."},
                ],
            },
        ),
    ],
)
def test_what_a_caller_can_act_on_is_shown(
    how: str, message: str, extensions: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    [error] = failed(f'{{ fails(how: "{how}") }}')
    assert error["message"] == message
    assert error["extensions"] == {**extensions, "requestId": "request-1"}
    assert error["path"] == ["fails"]
    assert [record for record in caplog.records if record.name == "schema.errors"] == []


def test_our_bugs_are_masked_and_logged_once_under_the_id_that_the_client_gets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = failed("{ boxes { secret } }")
    assert "hunter2" not in repr(found)
    assert {error["message"] for error in found} == {"Something went wrong on our side."}
    [record] = [record for record in caplog.records if record.name == "schema.errors"]
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert "hunter2" in str(record.exc_info[1])
    for error in found:
        extensions = error["extensions"]
        assert isinstance(extensions, dict)
        assert extensions["code"] == "INTERNAL"
        assert extensions["id"] in record.getMessage()


def test_an_error_of_graphql_itself_takes_the_code_of_its_step() -> None:
    [error] = schema.errors.told([GraphQLError("Unknown field.")], "request-1", schema.errors.VALIDATION_FAILED)
    assert error.extensions == {"code": "GRAPHQL_VALIDATION_FAILED", "requestId": "request-1"}
