"""Why somebody is or is not in a segment, and what would change it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

import errors
from segmentation import evaluator, explanation, query
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from segmentation.explanation import Trace
from segmentation.tree import Group
from tests.segmentation import people, strategies
from tests.segmentation.people import an_order

NOW = datetime(2026, 3, 31, 18, 30, tzinfo=UTC)
AS_OF = AsOf(NOW, ZoneInfo("Asia/Kolkata"))
ASHA = Person(
    {
        "city": "Pune",
        "tags": ["vip", "new"],
        "total_spend": Decimal("9580.00"),
        "visit_count": 7,
        "average_order_value": Decimal("156.46") / 6,
        "last_purchase": NOW - timedelta(days=87),
        "birthday": datetime(1990, 4, 5, tzinfo=UTC),
        "attributes": {"vip": True, "score": 0.5},
        "alive_probability": 0.25,
        "sms_consent": "UNKNOWN",
    },
    orders=[an_order("80.00"), an_order("20.00", status="REFUNDED")],
)


@pytest.mark.parametrize(
    ("text", "holds", "actual", "to_flip"),
    [
        ("totalSpend >= 10000", False, "9580.00", "needs 420.00 more"),
        ("totalSpend > 9580", False, "9580.00", "needs more"),
        ("totalSpend > 9000", True, "9580.00", "needs 580.00 less"),
        ("totalSpend < 10000", True, "9580.00", "needs 420.00 more"),
        ("totalSpend <= 9000", False, "9580.00", "needs 580.00 less"),
        ("totalSpend BETWEEN 1 AND 9000", False, "9580.00", "needs 580.00 less"),
        ("totalSpend BETWEEN 10000 AND 20000", False, "9580.00", "needs 420.00 more"),
        ("totalSpend BETWEEN 9000 AND 20000", True, "9580.00", "needs to be outside 9000 and 20000"),
        ("visitCount = 10", False, "7", "needs 3 more"),
        ("visitCount = 7", True, "7", "needs to be other than 7"),
        ("visitCount IN (1, 2)", False, "7", "needs to be one of 1, 2"),
        ("aliveProbability >= 0.5", False, "0.25", "needs 0.25 more"),
        ("lastPurchase < 90 days ago", False, "2026-01-03T18:30:00Z", "needs 3 more days"),
        ("lastPurchase >= 90 days ago", True, "2026-01-03T18:30:00Z", "needs 3 more days"),
        ("lastPurchase >= 30 days ago", False, "2026-01-03T18:30:00Z", "needs to be 57 days later"),
        ("lastPurchase < 2026-01-01", False, "2026-01-03T18:30:00Z", "needs to be 3 days earlier"),
        ("firstPurchase >= 30 days ago", False, None, "needs a value"),
        ("birthday IN NEXT 3 DAYS", False, "1990-04-05", "needs 1 more day"),
        ("birthday IS TODAY", False, "1990-04-05", "needs 4 more days"),
        ("birthday IN NEXT 7 DAYS", True, "1990-04-05", None),
        ("visitCount > 7", False, "7", "needs 1 more"),
        ("visitCount >= 7", True, "7", "needs 1 less"),
        ("visitCount < 9.5", True, "7", "needs 2.5 more"),
        ("averageOrderValue >= 26", True, "26.0767", "needs more than 0.0767 less"),
        ("birthday < 1990-04-05", False, "1990-04-05", "needs to be 1 day earlier"),
        ('city = "Mumbai"', False, "Pune", 'needs to be "Mumbai"'),
        ('city != "Pune"', False, "Pune", 'needs to be other than "Pune"'),
        ('city CONTAINS "un"', True, "Pune", 'needs not to contain "un"'),
        ("city IS SET", True, "Pune", "needs to be cleared"),
        ("state IS SET", False, None, "needs a value"),
        ('tags CONTAINS "old"', False, "vip, new", 'needs to contain "old"'),
        ('smsConsent = "SUBSCRIBED"', False, "UNKNOWN", 'needs to be "SUBSCRIBED"'),
        ("attributes.vip = true", True, "true", "needs to be other than true"),
        ("COUNT(orders) >= 3", False, "1", "needs 2 more"),
        ("COUNT(orders) >= 1", True, "1", "needs 1 less"),
        ("COUNT(orders) = 1", True, "1", "needs to be other than 1"),
        ("SUM(orders.amount) > 500", False, "80.00", "needs more than 420.00 more"),
        ("MAX(orders.amount WHERE amount > 1000) > 5", False, None, "needs a value"),
    ],
)
def test_a_rule_tells_the_actual_value_and_what_would_turn_it(
    text: str, holds: bool, actual: str | None, to_flip: str | None
) -> None:
    told = explanation.trace(query.parse(text), ASHA, AS_OF).children[0]
    assert (told.query, told.holds, told.actual, told.to_flip) == (text, holds, actual, to_flip)


def test_a_tree_is_told_group_by_group() -> None:
    told = explanation.trace(query.parse('city = "Pune" AND NOT (visitCount > 1 OR totalSpend > 1)'), ASHA, AS_OF)
    assert [told.holds, [child.holds for child in told.children]] == [False, [True, False]]
    assert told.children[1].query == "NOT (visitCount > 1 OR totalSpend > 1)"
    assert [child.holds for child in told.children[1].children] == [True, True]


def test_a_long_value_is_cut() -> None:
    told = explanation.trace(query.parse("name IS SET"), Person({"name": "x" * 5_000}), AS_OF)
    assert len(told.children[0].actual or "") < 300


POPULATION = people.people(seed=2, count=20)


@settings(max_examples=300, deadline=None)
@given(rules=strategies.trees, as_of=strategies.as_ofs)
def test_every_rule_of_a_trace_has_the_truth_of_the_evaluator(rules: Group, as_of: AsOf) -> None:
    for person in POPULATION:
        told = explanation.trace(rules, person, as_of)
        assert told.holds is evaluator.holds(rules, person, as_of)
        for part in _parts(told):
            assert part.holds is evaluator.holds(query.parse(part.query), person, as_of)


def _parts(told: Trace) -> list[Trace]:
    return [told, *(part for child in told.children for part in _parts(child))]


def test_what_is_negated_is_asked_of_an_order_once_and_not_for_each_item() -> None:
    long = {**an_order("80.00"), "items": [{"sku": str(n), "quantity": 1} for n in range(1_000)]}
    text = 'COUNT(orders WHERE NOT (items.quantity > 1 OR NOT (items.quantity > 1 OR NOT items.sku = "x"))) >= 1'
    told = explanation.of(query.parse(text), Person({}, orders=[long]), AS_OF)  # else 1,000,000,000 comparisons
    assert told.holds is True


def test_too_long_a_history_is_refused_rather_than_explained() -> None:
    rules = query.parse("COUNT(orders WHERE amount > 1) >= 1 OR COUNT(orders) >= 3")
    with pytest.raises(errors.TooLarge):
        explanation.of(rules, Person({}, orders=[an_order("80.00")] * explanation.MOST_TESTS), AS_OF)
