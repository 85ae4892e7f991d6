"""The segment query language, read: text in, the same tree as from rules out.

The parser is LALR and calls back as it goes, so nothing here recurses with the length of the text. A rule inside
`COUNT(orders WHERE …)` is met before its subject is settled; every callback therefore returns a Draft, which builds and
validates its rule once it is told whether that is about customers, orders or messages.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import lark

import errors
from segmentation import dates, mistakes, validator
from segmentation.tree import (
    EVERYONE,
    LISTING,
    RANGING,
    Anchor,
    Combinator,
    Figure,
    Group,
    Operand,
    Operator,
    Relative,
    Rule,
    Scalar,
    Subject,
    Unit,
    canonical,
    named,
)

MAX_CHARACTERS = 20_000
_OPERATORS = {
    "IN": Operator.IN,
    "NOT IN": Operator.NOT_IN,
    "BETWEEN": Operator.BETWEEN,
    "NOT BETWEEN": Operator.NOT_BETWEEN,
    "CONTAINS": Operator.CONTAINS,
    "NOT CONTAINS": Operator.DOES_NOT_CONTAIN,
    "STARTS": Operator.BEGINS_WITH,
    "NOT STARTS": Operator.DOES_NOT_BEGIN_WITH,
    "ENDS": Operator.ENDS_WITH,
    "NOT ENDS": Operator.DOES_NOT_END_WITH,
    "IS SET": Operator.NOT_NULL,
    "IS NOT SET": Operator.NULL,
}
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)
# A quotation that does not end runs to the end of the text: otherwise each quote in it would be tried in its turn.
_MARKS = re.compile(r"\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|[(),]|\b(?:and|or|not)\b", re.DOTALL | re.IGNORECASE)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> Group:
    """The canonical tree of a query; raises InvalidInput that says line, column and what was expected, or TooLarge."""
    if len(text) > MAX_CHARACTERS:
        raise errors.TooLarge(f"A query has at most {MAX_CHARACTERS:,} characters.")
    if not text.strip():
        raise errors.Required("The query is empty; EVERYONE means everyone.")
    _refuse_outsized(text)
    try:
        draft = _read(text)
    except lark.UnexpectedInput as error:
        raise mistakes.misread(text, error) from error
    rule = draft.build(None)
    return validator.group(rule if isinstance(rule, Group) else Group(rules=(rule,)))


def _refuse_outsized(text: str) -> None:
    """Refuse what is far past the limits by its words alone: parsing 20,000 parentheses first takes 100 ms."""
    depth = words = values = 0
    for mark in _MARKS.finditer(text):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        words += mark[0].isalpha()
        values = values + 1 if mark[0] == "," else 0 if mark[0] == "(" else values
        if depth > 2 * validator.MAX_DEPTH + 2:  # those of IN (…) and COUNT(…) do not count as depth
            raise errors.TooLarge(f"Groups go at most {validator.MAX_DEPTH} deep.")
        if words > 3 * validator.MAX_RULES:  # a rule has one NOT or AND of its own, and one to join it
            raise errors.TooLarge(f"A segment has at most {validator.MAX_RULES} rules.")
        if values > validator.MAX_VALUES:
            raise errors.TooLarge(f"A list has at most {validator.MAX_VALUES:,} values.")


def _read(text: str) -> "_Draft":
    draft: object = _PARSER.parse(text)  # what the transformer made, which lark's own annotations do not know
    assert isinstance(draft, _Draft)
    return draft


@dataclass(frozen=True, slots=True)
class _Draft:
    """A rule that has been read, and is built when its subject is known.

    `nesting` counts the parentheses, idle ones too, and the NOTs without them: it bounds how deep `build` recurses.
    """

    nesting: int
    build: Callable[[Subject | None], Rule]
    is_parenthesised: bool = False

    def __post_init__(self) -> None:
        if self.nesting > validator.MAX_DEPTH:
            raise errors.TooLarge(f"Groups go at most {validator.MAX_DEPTH} deep.")


@dataclass(frozen=True, slots=True)
class _Given:
    """A value and where it stands."""

    token: lark.Token
    value: Scalar


@dataclass(frozen=True, slots=True)
class _Test:
    """What a field or a figure is held against, and where that stands."""

    token: lark.Token
    operator: Operator
    given: tuple[_Given, ...] = ()

    @property
    def value(self) -> Operand:
        values = tuple(one.value for one in self.given)
        return values if self.operator in LISTING | RANGING else next(iter(values), None)

    def place(self, fault: errors.Fault, otherwise: lark.Token) -> lark.Token:
        """Where in the text the validator found fault."""
        match fault.field:
            case ("value" | "threshold", index):
                return self.given[int(index)].token
            case ("value" | "threshold",) if self.given:
                return self.given[0].token
            case ("operator",):
                return self.token
            case _:
                return otherwise


class _Builder(lark.Transformer[lark.Token, _Draft]):
    """The callbacks of the grammar, each named for one of its rules."""

    def any_of(self, drafts: list[_Draft]) -> _Draft:
        return _joined(Combinator.OR, drafts)

    def all_of(self, drafts: list[_Draft]) -> _Draft:
        return _joined(Combinator.AND, drafts)

    def negated(self, children: tuple[lark.Token, _Draft]) -> _Draft:
        _, inner = children
        return _Draft(
            inner.nesting + (not inner.is_parenthesised),
            lambda subject: canonical(Group(rules=(inner.build(subject),), negated=True)),
        )

    def nested(self, children: list[_Draft]) -> _Draft:
        return _Draft(children[0].nesting + 1, children[0].build, is_parenthesised=True)

    def everyone(self, _: list[lark.Token]) -> _Draft:
        return _Draft(0, lambda subject: EVERYONE)

    def comparison(self, children: tuple[lark.Token, _Test]) -> _Draft:
        name, test = children
        return _Draft(0, lambda subject: _comparison(name, test, subject))

    def condition(self, children: tuple[lark.Token, lark.Token, _Draft | None, _Test]) -> _Draft:
        figure, name, where, test = children
        return _Draft(
            where.nesting + 1 if where else 0,
            lambda subject: _condition(Figure(figure.lower()), name, where, test, subject),
        )

    def test(self, children: list[lark.Token | _Given]) -> _Test:
        words = [child for child in children if isinstance(child, lark.Token)]
        given = tuple(child for child in children if isinstance(child, _Given))
        spelt = words[0].value if words[0].type == "COMPARE" else " ".join(word.type for word in words)
        return _Test(words[0], _OPERATORS.get(spelt) or Operator(spelt), given)

    def anniversary_today(self, children: list[lark.Token]) -> _Test:
        return _Test(children[0], Operator.ANNIVERSARY_IN, (_Given(children[1], Decimal(0)),))

    def anniversary_ahead(self, children: list[lark.Token]) -> _Test:
        word, number, unit = children
        if _unit(unit) is not Unit.DAYS:
            raise mistakes.at(unit, errors.InvalidInput("An anniversary is looked for some days ahead."))
        return _Test(word, Operator.ANNIVERSARY_IN, (_Given(number, _decimal(number)),))

    def text(self, tokens: list[lark.Token]) -> _Given:
        return _Given(tokens[0], _unquoted(tokens[0], tokens[0]))

    def number(self, tokens: list[lark.Token]) -> _Given:
        return _Given(tokens[0], _decimal(tokens[0]))

    def yes(self, tokens: list[lark.Token]) -> _Given:
        return _Given(tokens[0], True)

    def no(self, tokens: list[lark.Token]) -> _Given:
        return _Given(tokens[0], False)

    def absolute(self, tokens: list[lark.Token]) -> _Given:
        date = dates.read(tokens[0].upper())
        if date is None:
            raise mistakes.at(tokens[0], errors.InvalidInput("There is no such date, or it lacks Z or an offset."))
        return _Given(tokens[0], date)

    def anchor(self, tokens: list[lark.Token]) -> _Given:
        return _Given(tokens[0], _anchored(tokens, 0, Unit.DAYS))

    def rolling(self, tokens: list[lark.Token]) -> _Given:
        number, unit, way = tokens
        sign = -1 if way.type == "AGO" else 1
        return _Given(number, Relative(Anchor.NOW, sign * _whole(number), _unit(unit)))

    def offset(self, tokens: list[lark.Token]) -> _Given:
        number, unit, way, *anchor = tokens
        sign = -1 if way.type == "BEFORE" else 1
        return _Given(number, _anchored(anchor, sign * _whole(number), _unit(unit)))


def _joined(combinator: Combinator, drafts: list[_Draft]) -> _Draft:
    def build(subject: Subject | None) -> Rule:
        return canonical(Group(combinator, tuple(draft.build(subject) for draft in drafts)))

    return _Draft(max(draft.nesting for draft in drafts), build)


def _comparison(token: lark.Token, test: _Test, subject: Subject | None) -> Rule:
    name = _QUOTED.sub(lambda part: _unquoted(part[0], token), token)
    try:
        return validator.comparison(name, test.operator, test.value, subject)
    except errors.Fault as fault:
        raise mistakes.at(test.place(fault, token), fault) from fault


def _condition(figure: Figure, token: lark.Token, where: _Draft | None, test: _Test, outer: Subject | None) -> Rule:
    name, _, of = token.partition(".")
    subject = named(Subject, name)
    if outer is not None or subject is None:
        about = "orders or messages, and not inside one another"
        raise mistakes.at(token, errors.InvalidInput(f"{figure.upper()} is about {about}."))
    if figure is Figure.COUNT and of:
        raise mistakes.at(token, errors.InvalidInput(f"COUNT is of {subject}, not of one of their fields."))
    rule = where.build(subject) if where else EVERYONE
    group = rule if isinstance(rule, Group) else Group(rules=(rule,))
    try:
        return validator.condition(subject, figure, of or None, test.operator, test.value, group)
    except errors.Fault as fault:
        raise mistakes.at(test.place(fault, token), fault) from fault


def _anchored(tokens: list[lark.Token], amount: int, unit: Unit) -> Relative:
    match [token.lower() for token in tokens]:
        case ["yesterday"] if amount:
            raise mistakes.at(tokens[0], errors.InvalidInput("Count from today rather than from yesterday."))
        case ["yesterday"]:
            return Relative(Anchor.TODAY, -1)
        case [edge, period]:
            return Relative(Anchor(f"{edge} of {period}"), amount, unit)
        case words:
            return Relative(Anchor(words[0]), amount, unit)


def _unit(token: lark.Token) -> Unit:
    return Unit(f"{token.lower().removesuffix('s')}s")


def _decimal(token: lark.Token) -> Decimal:
    return Decimal(token.replace("_", ""))


def _whole(token: lark.Token) -> int:
    number = _decimal(token)
    if number != int(number) or number < 0:
        raise mistakes.at(token, errors.InvalidInput("A relative date counts in whole numbers."))
    return int(number)


def _unquoted(text: str, token: lark.Token) -> str:
    def unescape(escape: re.Match[str]) -> str:
        code = escape[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code.isalnum() and code not in _ESCAPED:
            raise mistakes.at(token, errors.InvalidInput(f"There is no escape \\{code}; a backslash is \\\\."))
        return _ESCAPED.get(code, code)

    return _ESCAPE.sub(unescape, text[1:-1])


_PARSER = lark.Lark(
    Path(__file__).with_suffix(".lark").read_text(encoding="utf-8"), parser="lalr", transformer=_Builder()
)
