"""Three ways in, one tree: what is printed reads back the same, in both languages."""

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation import printer, query, rules, validator
from segmentation.tree import Combinator, Comparison, Group, Operator
from tests.segmentation import strategies


@settings(max_examples=500, deadline=None)
@given(strategies.trees)
def test_a_printed_query_parses_back_to_the_same_tree(tree: Group) -> None:
    assert repr(query.parse(printer.query(tree))) == repr(tree)


@settings(max_examples=500, deadline=None)
@given(strategies.trees)
def test_written_rules_read_back_as_the_same_tree(tree: Group) -> None:
    assert repr(rules.read(orjson.loads(orjson.dumps(rules.write(tree))))) == repr(tree)


@given(strategies.trees)
def test_a_valid_tree_is_left_as_it_is(tree: Group) -> None:
    assert validator.validate(tree) == tree


@given(st.text(min_size=1, max_size=50).filter(lambda text: text.strip() and "\0" not in text))
def test_any_text_survives_its_quotes(text: str) -> None:
    tree = Group(rules=(Comparison("name", Operator.EQUAL, text),))
    assert query.parse(printer.query(tree)) == tree


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("visitCount>10", "visitCount > 10"),
        ("totalSpend > 10_000.50", "totalSpend > 10000.5"),
        (
            "city = 'Pune' or city='Delhi' and not tags contains \"vip\"",
            'city = "Pune" OR (city = "Delhi" AND NOT tags CONTAINS "vip")',
        ),
        ('(((city = "Pune")))', 'city = "Pune"'),
        ('NOT (NOT city = "Pune")', 'NOT NOT city = "Pune"'),
        ("NOT (visitCount = 1 OR visitCount = 2)", "NOT (visitCount = 1 OR visitCount = 2)"),
        ("lastPurchase >= 1 year ago", "lastPurchase >= 1 year ago"),
        ("lastPurchase >= 1 days before today", "lastPurchase >= yesterday"),
        ("lastPurchase < 0 days ago", "lastPurchase < now"),
        ("lastPurchase >= 3 days after start of quarter", "lastPurchase >= 3 days after start of quarter"),
        ("lastPurchase = 2026-01-31t10:00:00+05:30", "lastPurchase = 2026-01-31T04:30:00Z"),
        ("birthday IS TODAY", "birthday IS TODAY"),
        ("birthday in next 7 days", "birthday IN NEXT 7 DAYS"),
        ("smsConsent = 'subscribed'", 'smsConsent = "SUBSCRIBED"'),
        ("country = 'in'", 'country = "IN"'),
        ('attributes."Loyalty tier" != "gold"', 'attributes."Loyalty tier" != "gold"'),
        ("attributes.'plan' = 1", "attributes.plan = 1"),
        ('attributes.renewal = "2026-03-01"', "attributes.renewal = 2026-03-01"),
        ('attributes.renewal IN ("2026-03-01", "never")', 'attributes.renewal IN ("2026-03-01", "never")'),
        ("COUNT(orders) > 2", "COUNT(orders) >= 3"),
        ("COUNT(orders) < 2", "COUNT(orders) <= 1"),
        ("orders IS SET", "COUNT(orders) >= 1"),
        ("count(messages where channel = 'sms') != 2", 'COUNT(messages WHERE channel = "SMS") != 2'),
        ("AVG(orders.amount) IS NOT SET", "AVG(orders.amount) IS NOT SET"),
        (
            "SUM(orders.amount WHERE items.sku = 'A') BETWEEN 1 AND 2",
            'SUM(orders.amount WHERE items.sku = "A") BETWEEN 1 AND 2',
        ),
        ("NOT EVERYONE", "NOT EVERYONE"),
        ("EVERYONE OR visitCount = 1", "EVERYONE OR visitCount = 1"),
    ],
)
def test_the_language_is_printed_in_one_way(text: str, printed: str) -> None:
    tree = query.parse(text)
    assert printer.query(tree) == printed
    assert query.parse(printer.query(tree)) == tree


def test_and_binds_tighter_than_or() -> None:
    a, b, c = (Comparison("visitCount", Operator.EQUAL, Decimal(number)) for number in (1, 2, 3))
    assert query.parse("visitCount = 1 OR visitCount = 2 AND visitCount = 3") == Group(
        Combinator.OR, (a, Group(Combinator.AND, (b, c)))
    )


def _rule(**rule: object) -> dict[str, object]:
    return {"combinator": "and", "rules": [rule]}


A_RELATIVE_DATE = {"mode": "relative", "anchor": "now", "offset": -2, "unit": "day"}
FOR_THE_BUILDER_ITSELF: dict[str, object] = {"id": "r", "path": [0], "valueSource": "value", "disabled": False}
AN_ORDER_OVER_500 = {"combinator": "and", "rules": [{"field": "amount", "operator": ">", "value": "500"}]}


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        (_rule(field="city", operator="in", value="Pune, Mumbai,a\\,b"), 'city IN ("Pune", "Mumbai", "a,b")'),
        (_rule(field="totalSpend", operator="between", value="1,2"), "totalSpend BETWEEN 1 AND 2"),
        (_rule(field="totalSpend", operator=">", value=0.1), "totalSpend > 0.1"),
        (_rule(field="totalSpend", operator="notNull", value=""), "totalSpend IS SET"),
        (_rule(field="lastPurchase", operator="<", value={"ago": {"days": 90}}), "lastPurchase < 90 days ago"),
        (_rule(field="lastPurchase", operator="<", value={"fromNow": {"week": 1}}), "lastPurchase < 1 week from now"),
        (_rule(field="lastPurchase", operator=">=", value={"startOf": "month"}), "lastPurchase >= start of month"),
        (_rule(field="lastPurchase", operator="=", value="today"), "lastPurchase = today"),
        (
            _rule(
                field="lastPurchase",
                operator="<",
                value={"mode": "relative", "anchor": "startOfMonth", "offset": -1, "unit": "month"},
            ),
            "lastPurchase < 1 month before start of month",
        ),
        (
            _rule(
                field="lastPurchase",
                operator="<",
                value=A_RELATIVE_DATE,
            ),
            "lastPurchase < 2 days ago",
        ),
        (_rule(field="birthday", operator="anniversaryIn", value=0), "birthday IS TODAY"),
        (
            _rule(field="orders", operator="=", match={"mode": "atLeast", "threshold": 2}, value=AN_ORDER_OVER_500),
            "COUNT(orders WHERE amount > 500) >= 2",
        ),
        (_rule(field="orders", match={"mode": "some"}, value=""), "COUNT(orders) >= 1"),
        (_rule(field="messages", match={"mode": "none"}, value=None), "COUNT(messages) = 0"),
        (
            _rule(field="orders", aggregate="sum", of="amount", operator=">", threshold=500, value=AN_ORDER_OVER_500),
            "SUM(orders.amount WHERE amount > 500) > 500",
        ),
        (
            _rule(**FOR_THE_BUILDER_ITSELF, field="city", operator="=", value="x"),
            'city = "x"',
        ),
        ({"combinator": "OR", "not": True, "rules": [], "id": "g"}, "NOT EVERYONE"),
    ],
)
def test_what_a_rule_builder_emits_is_understood(written: dict[str, object], printed: str) -> None:
    assert printer.query(rules.read(json.loads(json.dumps(written)))) == printed


@pytest.mark.parametrize("date", ["now", "today", "yesterday"])
@pytest.mark.parametrize("field", ["lastPurchase", "attributes.renewal"])
def test_a_named_day_stays_a_date_in_json(field: str, date: str) -> None:
    tree = query.parse(f"{field} = {date}")
    assert rules.read(rules.write(tree)) == tree
