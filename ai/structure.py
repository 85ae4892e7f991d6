"""Structure: conditions and the words between them, put together as the sentence means it.

"A and B, or C" is (A and B) or C; "A and either B or C" keeps B and C together; what "except" leaves out, it leaves out
of all that was said before.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lark

from ai.conditions import negated
from ai.pieces import Joint
from segmentation.tree import Combinator, Comparison, Group, Operator, Rule, Scalar, all_of, any_of


@dataclass(frozen=True, slots=True)
class Linked:
    """A rule with what stood before it; `opens` when that began anew: "and those who …"."""

    rule: Rule
    joints: tuple[Joint, ...] = ()
    opens: bool = False


def together(linked: Sequence[Linked], last: tuple[Joint, ...] = ()) -> Group:
    """The group that these rules make; at least one."""
    tokens = [lark.Token(kind, rule) for kind, rule in _balanced(list(_tokens(linked, last)))]
    made: Rule = _PARSER.parse(tokens)  # type: ignore[assignment]  # the transformer makes it, of tokens
    return made if isinstance(made, Group) else all_of(made)


def _tokens(linked: Sequence[Linked], last: tuple[Joint, ...]) -> Iterator[tuple[str, Rule | None]]:
    kinds = _returned([_kind(one) for one in linked])
    for index, one in enumerate(linked):
        closes = one.joints.count(Joint.CLOSE)
        yield from [("_CLOSE", None)] * closes
        if index or kinds[0] == "_EXCEPT":
            yield (_listed(kinds, index) if kinds[index] == "COMMA" else _scoped(kinds, index)), None
        yield from [("_OPEN", None)] * one.joints.count(Joint.OPEN)
        if Joint.EITHER in one.joints:
            yield ("_EITHER_SEVERAL" if _branches(kinds[index + 1 :]) else "_EITHER"), None
        yield "CLAUSE", one.rule
    yield from [("_CLOSE", None)] * last.count(Joint.CLOSE)


def _kind(one: Linked) -> str:
    """The connective that a run of joints comes to."""
    said = set(one.joints)
    if Joint.EXCEPT in said:
        return "_EXCEPT"
    loose = "_LOOSE" if Joint.COMMA in said else ""
    if Joint.OR in said:
        return f"{loose}_OR"
    if said & {Joint.AND, Joint.PLUS} and one.opens:
        return "_LOOSE_OR"  # "and those who …" adds people
    if Joint.BUT in said:
        return "_LOOSE_AND"
    if said & {Joint.AND, Joint.PLUS}:
        return f"{loose}_AND"
    if Joint.COMMA in said:
        return "_LOOSE_AND" if Joint.WHO in said else "COMMA"
    return "WHO" if Joint.WHO in said else "_NEXT"


def _returned(kinds: Sequence[str]) -> list[str]:
    """A comma and "who" or "and" after an exception go back to those of whom it was made: "…, except X, who Y"."""
    first = next((index for index, kind in enumerate(kinds) if kind == "_EXCEPT"), len(kinds))
    return ["_BACK" if kind == "_LOOSE_AND" and index > first else kind for index, kind in enumerate(kinds)]


def _branches(following: Sequence[str]) -> bool:
    """Whether the first alternative of an "either" has several conditions, and so the others may have too."""
    return "_AND" in itertools.takewhile(lambda kind: kind not in ("_OR", "_LOOSE_OR"), following)


def _listed(kinds: Sequence[str], index: int) -> str:
    """A comma in a list means what the list ends with: "A, B or C", "A, B, and C"."""
    for kind in kinds[index + 1 :]:
        if kind in ("_OR", "_LOOSE_OR", "_LOOSE_AND", "_AND"):
            return kind
        if kind == "_EXCEPT":
            break
    return "_LOOSE_AND"


def _scoped(kinds: Sequence[str], index: int) -> str:
    """ "Who" is about all the alternatives before it, unless each of them has its own."""
    if kinds[index] != "WHO":
        return kinds[index]
    before = list(
        itertools.takewhile(lambda kind: kind not in ("_EXCEPT", "_LOOSE_OR", "_LOOSE_AND"), reversed(kinds[1:index]))
    )
    return "_LOOSE_AND" if "_OR" in before and "WHO" not in before else "_NEXT"


def _balanced(tokens: list[tuple[str, Rule | None]]) -> list[tuple[str, Rule | None]]:
    """Without an "either" that no "or" follows, and without parentheses that do not match."""
    kinds = [kind for kind, _ in tokens]
    is_odd = kinds.count("_OPEN") != kinds.count("_CLOSE") or any(
        kinds[:end].count("_CLOSE") > kinds[:end].count("_OPEN") for end in range(len(kinds))
    )
    kept = []
    for index, token in enumerate(tokens):
        if is_odd and token[0] in ("_OPEN", "_CLOSE"):
            continue
        if token[0].startswith("_EITHER") and not _is_paired(kinds[index + 1 :]):
            continue
        kept.append(token)
    return kept


def _is_paired(following: Sequence[str]) -> bool:
    """Whether an "or" comes before anything that ends the first branch of an "either"."""
    first = next((kind for kind in following if kind in ("_OR", "_LOOSE_OR", "_LOOSE_AND", "_EXCEPT", "_EITHER")), "")
    return first in ("_OR", "_LOOSE_OR")


class _Builder(lark.Transformer[lark.Token, Rule]):
    """The callbacks of the grammar, each named for one of its rules."""

    def start(self, children: list[lark.Token | Rule | None]) -> Rule:
        return _conjunction(_rules(children))

    def left_out(self, children: list[lark.Token | Rule]) -> Rule:
        return negated(_rules(children)[0])

    def all_of(self, children: list[lark.Token | Rule]) -> Rule:
        return _conjunction(_rules(children))

    def any_of(self, children: list[lark.Token | Rule]) -> Rule:
        return _disjunction(_rules(children))

    loose_and = all_of
    loose_or = either = any_of


def _rules(children: Iterable[lark.Token | Rule | None]) -> list[Rule]:
    """The rules among the children of a node; a clause is still the token that carries its rule."""
    found: list[Rule] = []
    for child in children:
        if isinstance(child, lark.Token):
            found.append(child.value)
        elif child is not None:
            found.append(child)
    return found


def _conjunction(rules: Sequence[Rule]) -> Rule:
    """All of these rules. Nobody lives in two cities: "Delhi and Mumbai" are those of either."""
    flat = _flattened(Combinator.AND, rules)
    merged = _merged(flat, (Operator.EQUAL, Operator.IN), Operator.IN, but=("tags",))
    merged = _merged(merged, (Operator.NOT_EQUAL, Operator.NOT_IN), Operator.NOT_IN)
    return merged[0] if len(merged) == 1 else all_of(*merged)


def _disjunction(rules: Sequence[Rule]) -> Rule:
    flat = _flattened(Combinator.OR, rules)
    merged = _merged(flat, (Operator.EQUAL, Operator.CONTAINS, Operator.IN), Operator.IN)
    return merged[0] if len(merged) == 1 else any_of(*merged)


def _flattened(combinator: Combinator, rules: Iterable[Rule]) -> list[Rule]:
    flat: list[Rule] = []
    for rule in rules:
        inner = (
            rule.rules if isinstance(rule, Group) and rule.combinator is combinator and not rule.negated else (rule,)
        )
        flat += [one for one in inner if one not in flat]
    return flat


def _merged(rules: Sequence[Rule], joined: tuple[Operator, ...], to: Operator, but: tuple[str, ...] = ()) -> list[Rule]:
    """Tests of one text field for several values as one test, where the first of them stood."""
    found: list[Rule] = []
    for rule in rules:
        at = next((index for index, kept in enumerate(found) if _is_twin(kept, rule, joined, but)), None)
        if at is None:
            found.append(rule)
            continue
        kept = found[at]
        assert isinstance(kept, Comparison)
        assert isinstance(rule, Comparison)
        found[at] = Comparison(kept.field, to, tuple(dict.fromkeys((*_values(kept), *_values(rule)))))
    return found


def _is_twin(kept: Rule, rule: Rule, joined: tuple[Operator, ...], but: tuple[str, ...]) -> bool:
    if not isinstance(kept, Comparison) or not isinstance(rule, Comparison):
        return False
    mergeable = all(one.operator in joined and all(isinstance(v, str) for v in _values(one)) for one in (kept, rule))
    plain = not any(one.operator is Operator.CONTAINS and one.field != "tags" for one in (kept, rule))
    return mergeable and plain and kept.field == rule.field and kept.field not in but


def _values(rule: Comparison) -> tuple[Scalar, ...]:
    if rule.value is None:
        return ()
    return rule.value if isinstance(rule.value, tuple) else (rule.value,)


class _Tokens(lark.lexer.Lexer):
    """Passes tokens that are made already."""

    def __init__(self, configuration: object) -> None:
        pass

    def lex(self, tokens: Iterable[lark.Token]) -> Iterator[lark.Token]:  # type: ignore[override]
        yield from tokens


_PARSER = lark.Lark(
    Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer=_Tokens,
    transformer=_Builder(),
    maybe_placeholders=True,
)
