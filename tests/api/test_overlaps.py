"""Overlapping fields: the same verdict as graphql-core's, by another way."""

from graphql import OverlappingFieldsCanBeMergedRule, build_schema, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import overlaps

SCHEMA = build_schema("""
  type Query { being: Being beings: [Being!] cat: Cat dog: Dog }
  interface Being { name(loud: Boolean, order: Order): String friend: Being friends: [Being!] }
  type Cat implements Being {
    name(loud: Boolean, order: Order): String friend: Being friends: [Being!] lives: Int other: Cat
  }
  type Dog implements Being {
    name(loud: Boolean, order: Order): String friend: Being friends: [Being!] lives: Int! other: Dog
  }
  input Order { by: String down: Boolean }
""")
FIELDS = {
    "Query": ["being", "beings", "cat", "dog"],
    "Being": ["name", "friend", "friends"],
    "Cat": ["name", "friend", "friends", "lives", "other"],
    "Dog": ["name", "friend", "friends", "lives", "other"],
}
GIVES = {"being": "Being", "beings": "Being", "cat": "Cat", "dog": "Dog", "friend": "Being", "friends": "Being"}
NARROWER = {"Query": ["Query"], "Being": ["Being", "Cat", "Dog"], "Cat": ["Being", "Cat"], "Dog": ["Being", "Dog"]}
ARGUMENTS = ["", "(loud: true)", "(loud: false)", "(order: {by: 1, down: true})", "(order: {down: true, by: 1})"]


@st.composite
def selections(draw: st.DrawFn, parent: str, depth: int, fragments: tuple[str, ...] = ()) -> str:
    """What may be selected of a type, with response names that are few, so that they meet."""
    return " ".join(draw(_selection(parent, depth, fragments)) for _ in range(draw(st.integers(1, 3))))


@st.composite
def _selection(draw: st.DrawFn, parent: str, depth: int, fragments: tuple[str, ...]) -> str:
    kind = draw(st.sampled_from(["field", "field", "inline", "spread"]))
    if kind == "inline" and depth:
        narrower = draw(st.sampled_from(NARROWER[parent]))
        return f"... on {narrower} {{ {draw(selections(narrower, depth - 1, fragments))} }}"
    if kind == "spread" and fragments and parent != "Query":
        return f"...{draw(st.sampled_from(fragments))}"
    name = draw(st.sampled_from(FIELDS[parent]))
    of = parent if name == "other" else GIVES.get(name)
    if of and not depth:
        return "__typename"
    alias = draw(st.sampled_from(["", "", "a: ", "b: "]))
    inner = f"{{ {draw(selections(of, depth - 1, fragments))} }}" if of else ""
    return f"{alias}{name}{draw(st.sampled_from(ARGUMENTS)) if name == 'name' else ''} {inner}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents that are valid but for their overlaps."""
    bodies = {"F": draw(selections("Being", 2, ("G",))), "G": draw(selections("Being", 1))}
    text = f"{{ {draw(selections('Query', 3, ('F', 'G')))} }}"
    for name, body in bodies.items():
        if f"...{name}" in text:
            text += f" fragment {name} on Being {{ {body} }}"
    return text


@settings(max_examples=60)
@given(documents())
def test_the_verdict_is_that_of_graphql_core(text: str) -> None:
    document = parse(text)
    expected = validate(SCHEMA, document, [OverlappingFieldsCanBeMergedRule])
    assert bool(overlaps.conflicts(SCHEMA, document)) == bool(expected), expected


def test_a_conflict_names_the_fields_and_what_to_do() -> None:
    for query, reason in (
        ("{ being { a: name a: friend { name } } }", "'name' and 'friend' are different fields"),
        (
            "{ being { ... on Cat { lives } ... on Dog { lives } } }",
            "they return conflicting types 'Int' and 'Int!'",
        ),
    ):
        [conflict] = overlaps.conflicts(SCHEMA, parse(query))
        assert f"conflict because {reason}." in conflict.message
    [conflict] = overlaps.conflicts(SCHEMA, parse("{ cat { name } cat { name(loud: true) } }"))
    assert conflict.message == (
        "Fields 'name' conflict because they have differing arguments. "
        "Use different aliases on the fields to fetch both if this was intentional."
    )
    assert [(place.line, place.column) for place in conflict.locations or ()] == [(1, 9), (1, 22)]
