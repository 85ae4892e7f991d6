"""Figures: what a Condition works out of somebody's orders or messages, in MongoDB, and for whom it holds.

A customer without any of those records has no figure, and is either held for by the condition (`COUNT(…) = 0`) or not.
Everyone else is in one group of the records. So a condition is found from the records alone, as its exceptions: those
for whom it is otherwise than for a customer who has nothing.
"""

from decimal import Decimal

from segmentation import comparisons, compiler, evaluator, predicates
from segmentation.dates import AsOf
from segmentation.fields import Field, FieldType
from segmentation.filters import Filter, Stage, all_of, any_of, none_of
from segmentation.tree import Comparison, Condition, Figure, Operator

_ONE_IS_ENOUGH = (Figure.COUNT, Operator.AT_LEAST, Decimal(1))


def holds_for_nothing(condition: Condition) -> bool:
    """Whether the condition holds for a customer who has none of the records it is about."""
    nothing = Decimal(0) if condition.figure in (Figure.COUNT, Figure.SUM) else None
    return comparisons.number_holds(condition.operator, nothing, condition.value)


def exceptions(condition: Condition, as_of: AsOf) -> list[Stage]:
    """Stages over the records that leave the `_id` of every customer for whom it is otherwise than for nothing."""
    test = _test(condition, "figure", as_of)
    return [
        {"$match": compiler.of_subject(condition, as_of)},
        # Records of people who were erased belong to nobody. A test of `_id` would move before the group, where it
        # makes MongoDB choose the index by customer and walk through all of it: hence the copy.
        {"$group": {"_id": "$customer_id", "owner": {"$first": "$customer_id"}} | _accumulated(condition)},
        {"$match": {"owner": {"$ne": None}} | (none_of(test) if holds_for_nothing(condition) else test)},
        {"$project": {"_id": 1}},
    ]


def lookup(condition: Condition, name: str, as_of: AsOf) -> Stage:
    """The stage over customers that puts each one's figure, if there are records, into a list of this name."""
    fewest = [{"$limit": 1}] if (condition.figure, condition.operator, condition.value) == _ONE_IS_ENOUGH else []
    return {
        "$lookup": {
            "from": condition.subject.value,
            "localField": "_id",
            "foreignField": "customer_id",
            "pipeline": [
                {"$match": compiler.of_subject(condition, as_of)},
                *fewest,
                {"$group": {"_id": None} | _accumulated(condition)},
            ],
            "as": name,
        }
    }


def looked_up(condition: Condition, name: str, as_of: AsOf) -> Filter:
    """The filter of the customers, after that stage, for whom the condition holds."""
    test = _test(condition, f"{name}.figure", as_of)
    has_nothing: Filter = {name: {"$size": 0}}
    return any_of([has_nothing, test]) if holds_for_nothing(condition) else all_of([none_of(has_nothing), test])


def _test(condition: Condition, path: str, as_of: AsOf) -> Filter:
    figure = Field(path, path, FieldType.MONEY, path)
    return predicates.of(Comparison(path, condition.operator, condition.value), figure, as_of)


def _accumulated(condition: Condition) -> Stage:
    if condition.figure is Figure.COUNT:
        return {"figure": {"$sum": 1}}
    # As a decimal, since the mean of whole numbers would be a double.
    path = evaluator.stored(condition.of or "", condition.subject).path
    return {"figure": {f"${condition.figure.value}": {"$toDecimal": f"${path}"}}}
