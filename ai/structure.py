"""Structure: conditions and the words between them, put together as the sentence means it.

"A and B, or C" is (A and B) or C; "A and either B or C" keeps B and C together; what "except" leaves out, it leaves out
of all that was said before.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lark

import errors
from ai import merging
from ai.conditions import negated
from ai.pieces import Joint
from segmentation.tree import Group, Rule, all_of

_LOOSE = ("_EXCEPT", "_BACK", "_LOOSE_OR", "_LOOSE_AND")
_OTHERWISE = {"_AND": "_LOOSE_AND", "_LOOSE_OR": "_OR"}


@dataclass(frozen=True, slots=True)
class Linked:
    """A rule with what stood before it; `opens` when that began anew: "and those who …"."""

    rule: Rule
    joints: tuple[Joint, ...] = ()
    opens: bool = False


def together(linked: Sequence[Linked], last: tuple[Joint, ...] = (), *, regrouped: bool = False) -> Group:
    """The group that these rules make; at least one. `regrouped` lets "or" tie tighter than "and"."""
    tokens = [lark.Token(kind, rule) for kind, rule in _balanced(list(_tokens(linked, last)))]
    if regrouped and not any(token.type.startswith("_EITHER") for token in tokens):
        tokens = [lark.Token(_OTHERWISE.get(token.type, token.type), token.value) for token in tokens]
    try:
        made: Rule = _PARSER.parse(tokens)  # type: ignore[assignment]  # the transformer makes it, of tokens
    except lark.UnexpectedInput as fault:
        raise errors.InvalidInput("It is not clear how the parts of this sentence go together.") from fault
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
        return "_LOOSE_OR" if one.opens else f"{loose}_OR"
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
    """ "Who" and "with" keep apart what stands before and after, where one of the two has alternatives of its own.

    "From Pune or Delhi who never ordered", "from Germany who are vip or spent over 5k".
    """
    if kinds[index] != "WHO":
        return kinds[index]
    before = list(itertools.takewhile(lambda kind: kind not in _LOOSE, reversed(kinds[1:index])))
    after = list(itertools.takewhile(lambda kind: kind not in _LOOSE, kinds[index + 1 :]))
    has_alternatives = any("_OR" in side and "WHO" not in side for side in (before, after))
    return "_LOOSE_AND" if has_alternatives else "_NEXT"


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
        return merging.conjunction(_rules(children))

    def left_out(self, children: list[lark.Token | Rule]) -> Rule:
        return negated(_rules(children)[0])

    def all_of(self, children: list[lark.Token | Rule]) -> Rule:
        return merging.conjunction(_rules(children))

    def any_of(self, children: list[lark.Token | Rule]) -> Rule:
        return merging.disjunction(_rules(children))

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
