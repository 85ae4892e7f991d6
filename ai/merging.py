"""Merging: several rules as one, values of one field as one list."""

from collections.abc import Iterable, Sequence

from segmentation.tree import Combinator, Comparison, Group, Operator, Rule, Scalar, all_of, any_of


def conjunction(rules: Sequence[Rule]) -> Rule:
    """All of these rules. Nobody lives in two cities: "Delhi and Mumbai" are those of either."""
    flat = _flattened(Combinator.AND, rules)
    merged = _merged(flat, (Operator.EQUAL, Operator.IN), Operator.IN, but=("tags",))
    merged = _merged(merged, (Operator.NOT_EQUAL, Operator.NOT_IN), Operator.NOT_IN)
    return merged[0] if len(merged) == 1 else all_of(*merged)


def disjunction(rules: Sequence[Rule]) -> Rule:
    """Any of these rules."""
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
