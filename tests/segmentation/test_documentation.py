"""What docs/segments.md shows is what the language is."""

import json
import re
from pathlib import Path

import pytest

from segmentation import fields, printer, query, rules
from segmentation.tree import Subject

TEXT = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
QUERIES = [line for language, block in BLOCKS if not language for line in block.splitlines()]
TREES = [json.loads(block) for language, block in BLOCKS if language == "json"]


@pytest.mark.parametrize("text", QUERIES)
def test_an_example_is_read_and_printed_as_it_stands(text: str) -> None:
    assert printer.query(query.parse(text)) == text


@pytest.mark.parametrize("tree", TREES)
def test_an_example_of_json_is_read_back_from_its_query(tree: object) -> None:
    read = rules.read(tree)
    assert query.parse(printer.query(read)) == rules.read(rules.write(read)) == read


def test_there_are_examples() -> None:
    assert len(QUERIES) > 10
    assert TREES


@pytest.mark.parametrize(
    "name", [field.name for field in (*fields.CATALOGUE, *(part for one in Subject for part in fields.sub_fields(one)))]
)
def test_every_field_is_named(name: str) -> None:
    assert re.search(rf"\b{re.escape(name)}\b", TEXT)
