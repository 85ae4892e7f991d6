"""The texts of messages: Liquid templates, checked when a campaign is made and rendered for one customer at a time.

A variable that is not set for a customer fails the text, unless the template gives a default or only tests for it.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

import liquid
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.static_analysis import TemplateAnalysis, Variable

import errors
from delivery import blanks, variables

Record = Mapping[str, object]

LONGEST_TEMPLATE = 20_000
LONGEST_TEXT = 100_000
MOST_LOOPS = 10_000
MOST_LOCAL_BYTES = 1_000_000

# What may be named, and the names within; None where they are the customer's own.
NAMES: Mapping[str, frozenset[str] | None] = {
    "customer": frozenset(variables.CUSTOMER),
    "campaign": frozenset({"name"}),
    "now": frozenset(),
}


class RenderError(Exception):
    """A template that gives no text for this customer."""


class _Environment(liquid.Environment):
    loop_iteration_limit = MOST_LOOPS
    output_stream_limit = LONGEST_TEXT
    local_namespace_limit = MOST_LOCAL_BYTES


def _environment() -> liquid.Environment:
    environment = _Environment(undefined=liquid.FalsyStrictUndefined, tolerance=liquid.Mode.STRICT)
    for tag in ("include", "render"):
        del environment.tags[tag]
    date = environment.filters["date"]

    def strict_date(value: object, *arguments: object, **options: object) -> object:
        if liquid.is_undefined(value):
            str(value)  # raises: the filter itself makes it an empty text
        return date(value, *arguments, **options)

    strict_date.with_environment = True  # type: ignore[attr-defined]  # how the library marks such a filter
    environment.filters["date"] = strict_date
    return environment


_ENVIRONMENT = _environment()


@dataclass(frozen=True, slots=True)
class Template:
    """A text with blanks; `names` are the customer's fields that it uses."""

    _compiled: liquid.BoundTemplate
    _has_tags: bool
    _form: blanks.Form | None
    names: frozenset[str]

    def render(self, customer: Record, campaign_name: str, as_of: datetime) -> str:
        """The text for a customer as stored. Raises RenderError."""
        values = variables.customer(customer, self.names)
        text = self._form.filled(values) if self._form else None
        if text is None:
            names = {"customer": values, "campaign": {"name": campaign_name}, "now": variables.instant(as_of)}
            text = self._rendered(names)
        if len(text) > LONGEST_TEXT:
            raise RenderError(f"longer than {LONGEST_TEXT} characters")
        return text

    def _rendered(self, values: Mapping[str, object]) -> str:
        try:
            return self._compiled.render(values) if self._has_tags else self._rendered_without_limits(values)
        except LiquidError as error:
            raise RenderError(str(error.message)) from error
        except (ArithmeticError, LookupError, ValueError, TypeError, RecursionError) as error:
            # Filters on values that they were not made for.
            raise RenderError(str(error)) from error

    def _rendered_without_limits(self, values: Mapping[str, object]) -> str:
        # Without loops and assignments nothing is to be limited, and half of the time (13 µs) goes into the limits.
        context = liquid.RenderContext(self._compiled, globals=values)
        buffer = StringIO(newline=None)  # as the limited one has it: every end of a line is written as \n
        for node in self._compiled.nodes:
            node.render(context, buffer)
        return buffer.getvalue()


def parse(source: str) -> Template:
    """The template of this text. Raises InvalidInput with the place: a syntax error, or a name that there is not."""
    if len(source) > LONGEST_TEMPLATE:
        raise errors.InvalidInput(f"A template has at most {LONGEST_TEMPLATE} characters.")
    try:
        compiled = _ENVIRONMENT.from_string(source)
        analysis = compiled.analyze()
    except LiquidError as error:
        index = error.token.start_index if error.token else -1
        raise errors.InvalidInput(_at(source, index, str(error.message))) from error
    except RecursionError as error:
        raise errors.InvalidInput("The template is nested too deeply.") from error
    if fault := min([*_faults(analysis), *_faults_of_ranges(compiled)], default=None):
        raise errors.InvalidInput(_at(source, *fault))
    used = {str(found.segments[1]) for found in analysis.globals.get("customer", ())}
    return Template(compiled, bool(analysis.tags), blanks.form(compiled), frozenset(used))


def _faults(analysis: TemplateAnalysis) -> Iterator[tuple[int, str]]:
    """Every name that there is not, with its place in the source."""
    for found in analysis.globals.values():
        for variable in found:
            if text := _fault(variable):
                yield variable.span.index, text
    for name, spans in analysis.filters.items():
        if name not in _ENVIRONMENT.filters:
            yield spans[0].index, f"there is no filter {name}"


def _faults_of_ranges(template: liquid.BoundTemplate) -> Iterator[tuple[int, str]]:
    """Every range that no loop goes through: a filter or a test would, to whatever end and without a limit."""
    context = liquid.RenderContext(template)
    nodes = list(template.nodes)
    while nodes:
        node = nodes.pop()
        nodes += node.children(context)
        for expression in node.expressions():
            for index in _ranges(expression):
                yield index, "a range such as (1..3) is for loops alone"


def _ranges(expression: Expression) -> Iterator[int]:
    """The places of the ranges in an expression, but for the one that a loop is over."""
    if isinstance(expression, RangeLiteral):
        yield expression.token.start_index
    looped = expression.iterable if isinstance(expression, LoopExpression) else None
    for part in expression.children():
        if part is not looped:
            yield from _ranges(part)


def _fault(variable: Variable) -> str | None:
    root, *path = variable.segments
    known = NAMES.get(str(root))
    if known is None:
        return f"there is no variable {variable}; there are customer.*, campaign.name and now"
    if not path:
        return f"{root} needs a field, such as {root}.name" if known else None
    if not isinstance(path[0], str) or path[0] not in known:
        return f"there is no {variable}{_hint(root, path[0], known)}"
    if path == ["attributes"]:
        return "customer.attributes needs a name, such as customer.attributes.plan"
    return None


def _hint(root: object, name: object, known: frozenset[str]) -> str:
    nearest = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {root}.{nearest[0]}?" if nearest else ""


def _at(source: str, index: int, text: str) -> str:
    if index < 0:
        return text
    line = source.count("\n", 0, index) + 1
    column = index - (source.rfind("\n", 0, index) + 1) + 1
    return f"line {line}, column {column}: {text}"
