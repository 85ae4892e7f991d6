"""What the README asks of GraphiQL is answered, in an empty product too."""

from pathlib import Path

from tests.api.conftest import Api

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
OPERATIONS = README.partition("```graphql\n")[2].partition("```")[0]


async def test_the_sentence_of_the_readme_is_understood(marketer: Api) -> None:
    answer = await marketer.ask(operation("mutation Ask"))
    assert answer["query"]
    assert answer["userErrors"] == []
    assert answer["unmatched"] == []


async def test_the_preview_of_the_readme_is_answered(marketer: Api) -> None:
    answer = await marketer.ask(operation("query Preview"))
    assert answer["audienceSize"] == 0
    assert answer["userErrors"] == []


def operation(beginning: str) -> str:
    start = OPERATIONS.index(beginning)
    return OPERATIONS[start : OPERATIONS.index("\n}", start) + 2]
