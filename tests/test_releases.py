"""The schema against that of the last release: nothing that clients use goes away unannounced.

`schema.released.graphql` is the last release's schema, `schema.allowed-breaks` what may break with it all the same.
At a release the first is copied anew from schema.graphql, and the second is emptied.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
)

ROOT = Path(__file__).parent.parent
DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b")


def breaks(released: str, current: str) -> set[str]:
    """What a client of the released schema may miss in the current one."""
    return {change.description for change in find_breaking_changes(build_schema(released), build_schema(current))}


def allowed() -> set[str]:
    """The breaks that were decided on."""
    lines = (ROOT / "schema.allowed-breaks").read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def deprecations(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Where something is deprecated, and the reason given."""
    for type_ in schema.type_map.values():
        members: dict[str, str | None] = {}
        if isinstance(type_, GraphQLEnumType):
            members |= {name: value.deprecation_reason for name, value in type_.values.items()}
        if isinstance(type_, GraphQLInputObjectType):
            members |= {name: field.deprecation_reason for name, field in type_.fields.items()}
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, output in type_.fields.items():
                members[name] = output.deprecation_reason
                members |= {f"{name}({key}:)": argument.deprecation_reason for key, argument in output.args.items()}
        yield from ((f"{type_.name}.{name}", reason) for name, reason in members.items() if reason is not None)


def undated(schema: GraphQLSchema) -> list[str]:
    """What is deprecated without saying since when."""
    return [place for place, reason in deprecations(schema) if not DATE.search(reason)]


def test_nothing_of_the_last_release_breaks_but_what_was_decided() -> None:
    released, current = [(ROOT / name).read_text() for name in ("schema.released.graphql", "schema.graphql")]
    assert breaks(released, current) == allowed(), (
        "decided? then add the line to schema.allowed-breaks, with the reason"
    )


def test_what_is_deprecated_says_since_when() -> None:
    assert undated(build_schema((ROOT / "schema.graphql").read_text())) == []


RELEASED = "type Query { a(b: Int): Int c: E d(in: I): Int } enum E { F G } input I { j: Int }"


def test_what_goes_away_or_is_newly_required_breaks_and_what_is_added_does_not() -> None:
    added = (
        "type Query { a(b: Int, x: Int): Int! c: E d(in: I): Int y: Int } enum E { F G Z } input I { j: Int k: Int }"
    )
    assert breaks(RELEASED, added) == set()
    broken = "type Query { a(b: Int!): Int c: E d(in: I): Int } enum E { F } input I { j: Int k: Int! }"
    assert len(breaks(RELEASED, broken)) == 3


def test_a_deprecation_without_a_date_is_found_wherever_it_stands() -> None:
    old, dated = '@deprecated(reason: "Old.")', '@deprecated(reason: "Since 2026-11-24: ask for c.")'
    schema = build_schema(
        f"type Query {{ a(b: Int {old}): Int {old} c: Int {dated} d(in: I): E }} "
        f"enum E {{ F {old} G }} input I {{ j: Int {old} }}"
    )
    assert undated(schema) == ["Query.a", "Query.a(b:)", "E.F", "I.j"]
