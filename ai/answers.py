"""Answers: what a language model said, taken as a stranger's word: validated, bounded, and never everyone."""

import json
from collections.abc import Collection, Iterable, Iterator

import errors
from ai.drafts import Alternative, Draft, Source
from segmentation import fields, query, rules
from segmentation.tree import Comparison, Group, Rule, walk

MOST_ALTERNATIVES = 3
MOST_REMARKS = 20
LONGEST_REMARK = 500
LONGEST_EXPLANATION = 2_000


def read(text: str, attributes: Collection[str]) -> Draft:
    """The draft that an answer gives, about these attributes at most. Raises a Fault that says what is wrong."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.InvalidInput("This is not JSON.") from error
    if not isinstance(answer, dict):
        raise errors.InvalidInput("This is not a JSON object.")
    chosen = _rules(answer, attributes)
    return Draft(
        chosen,
        _text(answer.get("explanation"), LONGEST_EXPLANATION),
        Source.GEMINI,
        tuple(_remarks(answer.get("assumptions"))),
        tuple(_remarks(answer.get("unmatched"))),
        tuple(_alternatives(answer.get("alternatives"), chosen, attributes)),
    )


def _rules(answer: dict[str, object], attributes: Collection[str]) -> Group:
    match answer:
        case {"query": str(text)}:
            found = query.parse(text)
        case {"rules": dict(tree)}:  # as rule builders write them: not asked for, and no worse
            found = rules.read(tree)
        case {"rules": list()}:
            found = rules.read(answer)
        case _:
            raise errors.InvalidInput("The query is missing.")
    if _mentions_everyone(found):
        raise errors.InvalidInput("EVERYONE is never meant, not even as a part.")
    for rule in walk(found):
        name = fields.attribute_name(rule.field) if isinstance(rule, Comparison) else None
        if name is not None and name not in attributes:
            raise errors.InvalidInput(f"No customer has an attribute {name!r}.")
    return found


def _mentions_everyone(rule: Rule) -> bool:
    """Whether a group without rules is in here; within a condition it means any order, which is fine."""
    return isinstance(rule, Group) and (not rule.rules or any(map(_mentions_everyone, rule.rules)))


def _alternatives(said: object, chosen: Group, attributes: Collection[str]) -> Iterator[Alternative]:
    """The other readings, without those that are no good: the first one stands without them."""
    seen = [chosen]
    for each in said if isinstance(said, list) else []:
        try:
            found = _rules(each, attributes) if isinstance(each, dict) else chosen
        except errors.Fault:
            continue
        if found not in seen and len(seen) <= MOST_ALTERNATIVES:
            seen.append(found)
            yield Alternative(found, _text(each.get("explanation"), LONGEST_EXPLANATION))


def _remarks(said: object) -> Iterable[str]:
    remarks = (_text(each, LONGEST_REMARK) for each in (said if isinstance(said, list) else [])[:MOST_REMARKS])
    return filter(None, remarks)


def _text(said: object, longest: int) -> str:
    return said.strip()[:longest] if isinstance(said, str) else ""
