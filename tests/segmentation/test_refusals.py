"""What cannot be read is refused, with its place and the reason, fast, and never guessed at."""

from collections.abc import Sequence

import pytest

import errors
from segmentation import query, rules
from segmentation.validator import MAX_DEPTH, MAX_RULES, MAX_VALUES

A_RULE: dict[str, object] = {"field": "visitCount", "operator": ">", "value": 1}


def _group(*members: object) -> dict[str, object]:
    return {"combinator": "and", "rules": list(members)}


def _nested(levels: int) -> dict[str, object]:
    inner = _group(A_RULE, A_RULE)
    for _ in range(levels - 1):
        inner = _group(A_RULE, inner)
    return inner


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"field": "shoeSize", "operator": "=", "value": 1}, ["rules", "1", "field"]),
        ({"field": "$where", "operator": "=", "value": 1}, ["rules", "1", "field"]),
        ({"field": "visitCount", "operator": "contains", "value": "1"}, ["rules", "1", "operator"]),
        ({"field": "visitCount", "operator": "$gt", "value": 1}, ["rules", "1", "operator"]),
        ({"field": "visitCount", "value": 1}, ["rules", "1", "operator"]),
        ({"field": "visitCount", "operator": ">", "value": "many"}, ["rules", "1", "value"]),
        ({"field": "visitCount", "operator": ">", "value": None}, ["rules", "1", "value"]),
        ({"field": "visitCount", "operator": ">", "value": True}, ["rules", "1", "value"]),
        ({"field": "visitCount", "operator": ">", "value": {"$gt": 0}}, ["rules", "1", "value"]),
        ({"field": "visitCount", "operator": ">", "value": float("inf")}, ["rules", "1", "value"]),
        ({"field": "visitCount", "operator": "between", "value": [1]}, ["rules", "1", "value"]),
        ({"field": "visitCount", "operator": "in", "value": [1, "x"]}, ["rules", "1", "value", "1"]),
        ({"field": "city", "operator": "=", "value": 5}, ["rules", "1", "value"]),
        ({"field": "city", "operator": "=", "value": " "}, ["rules", "1", "value"]),
        ({"field": "city", "operator": "=", "value": "a\0"}, ["rules", "1", "value"]),
        ({"field": "city", "operator": "=", "value": "\ud800"}, ["rules", "1", "value"]),
        ({"field": "city", "operator": "=", "value": ["a"]}, ["rules", "1", "value"]),
        ({"field": "city", "operator": "=", "value": "name", "valueSource": "field"}, ["rules", "1", "valueSource"]),
        ({"field": "city", "operator": "=", "value": "x", "muted": True}, ["rules", "1", "muted"]),
        ({"field": "country", "operator": "=", "value": "India"}, ["rules", "1", "value"]),
        ({"field": "smsConsent", "operator": "=", "value": "perhaps"}, ["rules", "1", "value"]),
        ({"field": "lastPurchase", "operator": "=", "value": "2026-02-30"}, ["rules", "1", "value"]),
        ({"field": "lastPurchase", "operator": "=", "value": {"ago": {"days": 1.5}}}, ["rules", "1", "value"]),
        ({"field": "lastPurchase", "operator": "=", "value": {"ago": {"years": 5000}}}, ["rules", "1", "value"]),
        ({"field": "birthday", "operator": "anniversaryIn", "value": -1}, ["rules", "1", "value"]),
        ({"field": "attributes.a.b", "operator": "=", "value": 1}, ["rules", "1", "field"]),
        ({"field": "attributes.$a", "operator": "=", "value": 1}, ["rules", "1", "field"]),
        ({"field": "attributes.a", "operator": ">", "value": "tall"}, ["rules", "1", "value"]),
        ({"field": "orders", "operator": "=", "value": 1}, ["rules", "1", "operator"]),
        ({"field": "orders", "match": {"mode": "all"}}, ["rules", "1", "match"]),
        ({"field": "orders", "match": {"mode": "atLeast", "threshold": -1}}, ["rules", "1", "match", "threshold"]),
        ({"field": "orders", "match": {"mode": "atLeast", "threshold": 1.5}}, ["rules", "1", "match", "threshold"]),
        ({"field": "city", "match": {"mode": "some"}, "value": "x"}, ["rules", "1", "field"]),
        (
            {"field": "orders", "match": {"mode": "some"}, "value": _group({"field": "city", "operator": "null"})},
            ["rules", "1", "value", "rules", "0", "field"],
        ),
        (
            {"field": "orders", "aggregate": "sum", "of": "coupon", "operator": ">", "threshold": 1},
            ["rules", "1", "of"],
        ),
        (
            {"field": "messages", "aggregate": "sum", "of": "sentAt", "operator": ">", "threshold": 1},
            ["rules", "1", "of"],
        ),
        ({"combinator": "xor", "rules": []}, ["rules", "1", "combinator"]),
        ({"combinator": "and", "rules": [], "not": "yes"}, ["rules", "1", "not"]),
        ("and", ["rules", "1"]),
        ({}, ["rules", "1"]),
    ],
)
def test_a_fault_in_rules_names_its_place(rule: object, field: Sequence[str]) -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        rules.read(_group(A_RULE, rule))
    assert list(refusal.value.field) == field


def test_several_faults_are_told_at_once() -> None:
    with pytest.raises(errors.Rejected) as refusal:
        rules.read(_group({"field": "x"}, A_RULE, {"field": "city", "operator": "=", "value": 1}))
    assert [fault.field for fault in refusal.value.faults] == [("rules", "0", "operator"), ("rules", "2", "value")]


@pytest.mark.parametrize("value", [None, [], "everyone", 5, {"combinator": "and"}, {"rules": {}}])
def test_what_is_no_group_at_all_is_refused(value: object) -> None:
    with pytest.raises(errors.InvalidInput):
        rules.read(value)


@pytest.mark.parametrize(
    "value",
    [
        _nested(MAX_DEPTH + 1),
        _group(*[A_RULE] * (MAX_RULES + 1)),
        _group({"field": "city", "operator": "in", "value": ["x"] * (MAX_VALUES + 1)}),
        _group({"field": "city", "operator": "contains", "value": "x" * 1001}),
        _group({"field": "orders", "match": {"mode": "some"}, "value": _nested(MAX_DEPTH)}),
    ],
)
def test_more_than_the_limits_is_too_large(value: object) -> None:
    with pytest.raises(errors.TooLarge):
        rules.read(value)


def test_the_limits_themselves_are_within() -> None:
    assert rules.read(_nested(MAX_DEPTH))
    assert rules.read(_group(*[A_RULE] * MAX_RULES))
    assert rules.read(_group({"field": "city", "operator": "in", "value": ["x"] * MAX_VALUES}))
    assert query.parse("(" * MAX_DEPTH + "visitCount > 1" + ")" * MAX_DEPTH)


def test_too_many_ors_over_orders_and_items_are_refused_rather_than_multiplied_out() -> None:
    mixed = "(amount > 1 OR items.quantity > 1)"
    assert query.parse(f"COUNT(orders WHERE {' AND '.join([mixed] * 6)}) >= 1")
    with pytest.raises(errors.TooLarge):
        query.parse(f"COUNT(orders WHERE {' AND '.join([mixed] * 7)}) >= 1")
    with pytest.raises(errors.TooLarge):
        query.parse(f"COUNT(orders WHERE NOT ({' AND '.join([mixed] * 7)})) >= 1")


def test_nots_within_one_another_are_refused_before_they_multiply() -> None:
    mixed = " AND ".join(["(amount > 1 OR items.quantity > 1)"] * 4)
    assert query.parse(f"COUNT(orders WHERE NOT ({mixed} AND NOT ({mixed}))) >= 1")
    with pytest.raises(errors.TooLarge):
        query.parse(f"COUNT(orders WHERE NOT ({mixed} AND NOT ({mixed} AND NOT ({mixed} AND NOT ({mixed}))))) >= 1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("city = Pune", "Line 1, column 8: expected a text in quotes"),
        ("city =", "Line 1, column 7: expected a text in quotes"),
        ('city = "Pune', "does not end"),
        ('visitCount > 1\nAND citty = "x"', "Line 2, column 5: Customers have no field 'citty'. Did you mean city?"),
        ('(city = "Pune"', "Line 1, column 15: expected ), found the end"),
        ('city = "Pune")', "Line 1, column 14: expected the end, found ‘)’"),
        ("visitCount > 1 OR", "column 18: expected a field"),
        ("AND = 1", "no field 'AND'"),
        ("SELECT * FROM customers", "column 8: expected = !="),
        ("visitCount > 1; DROP", "found ‘;’"),
        ("totalSpend > 10,000", "found ‘,’"),
        ("totalSpend > 10k", "found ‘k’"),
        ("totalSpend > 'lots'", "column 14: totalSpend is compared with a number"),
        ('city IN ("a", 5)', "column 15: city is compared with a text"),
        ('city STARTS "x"', "expected WITH"),
        ("lastPurchase > 2026-02-30", "no such date"),
        ("lastPurchase > 2026-02-03T10:00", "lacks Z or an offset"),
        ("lastPurchase > 90", "compared with a date"),
        ("lastPurchase > 1.5 days ago", "whole numbers"),
        ("lastPurchase > 5000 years ago", "at most 1000 years"),
        ("birthday IN NEXT 2 WEEKS", "some days ahead"),
        ("city IS TODAY", "no operator 'anniversaryIn'"),
        ("COUNT(city) > 1", "COUNT is about orders or messages"),
        ("COUNT(orders.amount) > 1", "COUNT is of orders"),
        ("SUM(orders) > 1", "SUM is of amount or itemCount"),
        ("SUM(messages.sentAt) > 1", "messages have no SUM"),
        ("COUNT(orders WHERE COUNT(orders) > 1) > 1", "not inside one another"),
        ('COUNT(orders WHERE city = "x") > 1', "Orders have no field 'city'"),
        ("COUNT(orders) < 0", "No count is below 0"),
        ("COUNT(orders) IS SET", "always set"),
        ('city = "\\d"', "no escape"),
        ("😀", "column 1: expected a field"),
        ("", "empty"),
    ],
)
def test_a_fault_in_a_query_says_line_column_and_what_was_expected(text: str, told: str) -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        query.parse(text)
    assert told in refusal.value.message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "visitCount > 1" + ")" * 10_000,
        "(" * 9_000 + "visitCount > 1" + ")" * 9_000,
        "(" * 11 + "visitCount > 1" + ")" * 11,
        "NOT " * 4_900 + "visitCount > 1",
        "(" * 19_999,
        '"' * 19_999,
        "x" * 19_999,
        "1" * 19_999,
        "visitCount > " + "9" * 19_000,
        'city = "' + "\\" * 19_000,
        'city = "' + '\\"' * 9_900,
        "\n" * 19_000 + "?",
        " OR ".join(["visitCount = 1"] * 1_000),
        "x" * 100_000,
        "COUNT(orders WHERE " * 1_000,
        "city IN (" + "'x'," * 4_900 + "'x')",
    ],
)
def test_hostile_queries_are_refused(text: str) -> None:
    with pytest.raises(errors.Fault) as refusal:
        query.parse(text)
    assert len(refusal.value.message) < 500


def test_hostile_rules_are_refused() -> None:
    deep: dict[str, object] = {"days": 1}
    for _ in range(10_000):
        deep = {"ago": {"days": deep}}
    huge: list[dict[str, object]] = [
        {"field": "city", "operator": "in", "value": ["x"] * 1_000_000},
        {"field": "city", "operator": "notIn", "value": "x," * 1_000_000},
        {"field": "lastPurchase", "operator": "<", "value": deep},
    ]
    for value in (_nested(10_000), _group(*[A_RULE] * 100_000), *map(_group, huge)):
        with pytest.raises(errors.Fault):
            rules.read(value)
