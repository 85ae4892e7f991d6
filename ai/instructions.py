"""Instructions: what a language model is told before it is given a sentence."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from string import Template

from ai.vocabulary import Attribute, Vocabulary
from segmentation import fields
from segmentation.dates import AsOf
from segmentation.fields import Field

MOST_VALUES = 40  # of one field; all of a large shop's would be longer than everything else

_TEMPLATE = Template(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))

# What an answer is to look like. Rules come as a query: a schema cannot nest without end, as a tree of rules does.
SCHEMA = {
    "type": "object",
    "properties": {
        "query": {"type": "string"},
        "explanation": {"type": "string"},
        "assumptions": {"type": "array", "items": {"type": "string"}},
        "unmatched": {"type": "array", "items": {"type": "string"}},
        "alternatives": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"query": {"type": "string"}, "explanation": {"type": "string"}},
                "required": ["query", "explanation"],
            },
        },
    },
    "required": ["query", "explanation", "assumptions", "unmatched", "alternatives"],
}


def about(vocabulary: Vocabulary, currency: str, big_spend: Decimal, as_of: AsOf) -> str:
    """The instructions for a shop with these values, whose big spenders spent so much at least, as of now."""
    return _TEMPLATE.substitute(
        today=f"{as_of.today:%A, %d %B %Y}",
        timezone=as_of.timezone.key,
        currency=currency,
        big_spend=big_spend,
        fields="\n".join(_catalogue(vocabulary)),
    )


def sentence(text: str) -> str:
    """The turn that gives the sentence: as data, so that where it ends is beyond doubt."""
    return json.dumps({"sentence": text}, ensure_ascii=False)


def refusal(fault: str) -> str:
    """The turn that gives an answer back to be mended."""
    return json.dumps({"refused": fault, "wanted": "the whole answer once more, mended"}, ensure_ascii=False)


def _catalogue(vocabulary: Vocabulary) -> Iterator[str]:
    for field in fields.CATALOGUE:
        yield _described(field, vocabulary)
        for part in field.fields:
            yield f"  {_described(part, vocabulary)}"
    for name, attribute in vocabulary.attributes.items():
        yield f"{fields.ATTRIBUTES}{json.dumps(name, ensure_ascii=False)} {_kind(attribute)}"


def _described(field: Field, vocabulary: Vocabulary) -> str:
    values = field.values or vocabulary.values.get(field.name, ())
    return f"{field.name} {field.type}{_listed(values)}"


def _kind(attribute: Attribute) -> str:
    return f"{'NUMBER' if attribute.is_numeric else 'STRING'}{_listed(attribute.values)}"


def _listed(values: Iterable[str | bool]) -> str:
    some = list(values)[:MOST_VALUES]
    return f" {json.dumps(some, ensure_ascii=False)}" if some else ""
