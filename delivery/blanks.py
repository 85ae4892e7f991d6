"""Blanks: most templates are words with a customer's fields between them, which are filled in without Liquid.

Liquid takes some fifty times as long to render such a text, and it was half of what planning a message took.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import liquid
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Blank:
    """The place of a field of the customer."""

    name: str


@dataclass(frozen=True, slots=True)
class Form:
    """A text with nothing but blanks."""

    parts: Sequence[str | Blank]

    def filled(self, customer: Values) -> str | None:
        """The text for these values; None where Liquid has its own ways: a value that is no text, or empty, or a
        carriage return anywhere."""
        texts = []
        for part in self.parts:
            text = part if isinstance(part, str) else customer.get(part.name)
            if not isinstance(text, str) or not text:
                return None
            texts.append(text)
        filled = "".join(texts)
        return None if "\r" in filled else filled


def form(template: liquid.BoundTemplate) -> Form | None:
    """The form of a template; None when it is more than that."""
    parts = [_part(node) for node in template.nodes]
    known = [part for part in parts if part is not None]
    return Form(known) if len(known) == len(parts) else None


def _part(node: liquid.Node) -> str | Blank | None:
    if isinstance(node, ContentNode):
        return node.text
    if not isinstance(node, OutputNode) or not isinstance(node.expression, FilteredExpression):
        return None
    name, filters = node.expression.left, node.expression.filters or ()
    # A default is for what is not set or empty, which no blank is filled with.
    if not isinstance(name, Path) or any(each.name != "default" for each in filters):
        return None
    match name.path:
        case ["customer", str(field)]:
            return Blank(field)
    return None
