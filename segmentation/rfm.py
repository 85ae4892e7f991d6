"""RFM: the eleven customary groups of those who ever bought, by recency, frequency and money, each as rules.

Everybody has three scores from 1 to 5: how lately (lastPurchase), how often (visitCount) and how much (totalSpend), by
quintiles of those who ever bought. A score is at least k when the value reaches the cut of k, so ties are never torn
apart; cuts of recency are whole days ago, so that a segment that is saved goes on meaning what it says.

    recency   often (4, 5)                       now and then             seldom
    5         Champions (much: 4, 5) or Loyal    Potential Loyalists      New (once)
    4         Loyal                              Potential Loyalists      Promising (once)
    3         Loyal                              Need Attention           About to Sleep
    1, 2      Can't Lose (5, or most) or At Risk, down to 3               Hibernating (2), Lost (1)

Everyone who ever bought is in exactly one of them.
"""

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import documents
from segmentation import evaluator
from segmentation.dates import AsOf
from segmentation.evaluator import Person
from segmentation.filters import Stage
from segmentation.tree import EVERYONE, Anchor, Comparison, Group, Operator, Relative, Rule, all_of, any_of, none_of

QUINTILES = 5
DAY = timedelta(days=1)
NOBODY = none_of(EVERYONE)
BOUGHT = Comparison("lastPurchase", Operator.NOT_NULL)
BUCKETS = 100  # to make the quintiles of: with only five, one large tie would leave too few


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A group: the rules that select it, and what it comes to."""

    name: str
    description: str
    rules: Group
    audience_size: int
    total_spend: Decimal


async def groups(as_of: AsOf) -> Mapping[str, Group]:
    """The rules of each group by its name, as the customers are now; none when nobody ever bought."""
    scores = await _scores(as_of)
    return _rules(scores) if scores else {}


async def suggestions(as_of: AsOf) -> list[Suggestion]:
    """The groups with their sizes, the best customers first."""
    scores = await _scores(as_of)
    if scores is None:
        return []
    rules = _rules(scores)
    sizes, spends = Counter[str](), defaultdict[str, Decimal](Decimal)
    async for one, size, spend in _cells(scores, as_of):
        name = next(name for name, group in rules.items() if evaluator.holds(group, one, as_of))
        sizes[name] += size
        spends[name] += spend
    return [Suggestion(name, DESCRIPTIONS[name], rules[name], sizes[name], spends[name]) for name in rules]


@dataclass(frozen=True, slots=True)
class _Scores:
    """The tests of the scores; each list holds the cuts at which the scores 2 to 5 begin, None for one nobody has."""

    days_ago: Sequence[int | None]
    visits: Sequence[Decimal | None]
    spend: Sequence[Decimal | None]

    def recency(self, least: int, most: int = QUINTILES) -> Sequence[Rule]:
        """Bought, and with a score of recency between these."""
        rules: list[Rule] = []
        if least > 1:
            days = self.days_ago[least - 2]
            rules.append(NOBODY if days is None else Comparison("lastPurchase", Operator.AT_LEAST, _ago(days)))
        if most < QUINTILES:
            days = self.days_ago[most - 1]
            rules.append(BOUGHT if days is None else Comparison("lastPurchase", Operator.LESS, _ago(days)))
        return rules

    def frequency(self, least: int) -> Rule:
        """A score of frequency of at least this."""
        visits = self.visits[least - 2]
        return NOBODY if visits is None else Comparison("visitCount", Operator.AT_LEAST, visits)

    def money(self, least: int) -> Rule:
        """A score of money of at least this."""
        spend = self.spend[least - 2]
        return NOBODY if spend is None else Comparison("totalSpend", Operator.AT_LEAST, spend)


DESCRIPTIONS = {
    "Champions": "Bought lately, buy often and spend much. Reward them; they speak for you.",
    "Loyal": "Buy often, and not long ago. Offer them what is better, ask what they think.",
    "Potential Loyalists": "Bought lately, and more than once. Invite them to a programme.",
    "New": "Bought for the first time lately. Help them to make a good start.",
    "Promising": "Bought once, not long ago. Make yourself known.",
    "Need Attention": "Middling in everything, and slipping. Make them an offer with an end to it.",
    "About to Sleep": "Bought little, and it is a while ago. Bring yourself to mind before they are gone.",
    "At Risk": "Bought often, but long ago. Write to them in person, to bring them back.",
    "Can't Lose": "Bought most often or spent most, but long ago. Talk to them before others do.",
    "Hibernating": "Bought little, and long ago. Show them something new.",
    "Lost": "Bought little, and longest ago. Try once more, or let them go.",
}


def _rules(scores: _Scores) -> Mapping[str, Group]:
    often, regular, more_than_once = scores.frequency(4), scores.frequency(3), scores.frequency(2)
    champion = all_of(*scores.recency(5), scores.money(4))
    gone = scores.recency(1, 2)
    most = any_of(scores.frequency(5), scores.money(5))
    return {
        "Champions": all_of(*scores.recency(5), often, scores.money(4)),
        "Loyal": all_of(*scores.recency(3), often, none_of(champion)),
        "Potential Loyalists": all_of(*scores.recency(4), more_than_once, none_of(often)),
        "New": all_of(*scores.recency(5), none_of(more_than_once)),
        "Promising": all_of(*scores.recency(4, 4), none_of(more_than_once)),
        "Need Attention": all_of(*scores.recency(3, 3), regular, none_of(often)),
        "About to Sleep": all_of(*scores.recency(3, 3), none_of(regular)),
        "At Risk": all_of(*gone, regular, none_of(most)),
        "Can't Lose": all_of(*gone, regular, most),
        "Hibernating": all_of(*scores.recency(2, 2), none_of(regular)),
        "Lost": all_of(*scores.recency(1, 1), none_of(regular)),
    }


async def _scores(as_of: AsOf) -> _Scores | None:
    """The scores as the customers are now; None when nobody ever bought."""
    lately, often, much = await asyncio.gather(*map(_cuts, ("last_purchase", "visit_count", "total_spend")))
    return _Scores(_days_ago(lately, as_of), _numbers(often), _numbers(much)) if lately else None


async def _cuts(path: str) -> list[object]:
    """The values at which the scores 2 to 5 begin, by nearest rank; None for a score that nobody has.

    Empty when nobody ever bought.
    """
    pipeline: list[Stage] = [
        {"$match": {"last_purchase": {"$ne": None}}},
        {"$bucketAuto": {"groupBy": f"${path}", "buckets": BUCKETS}},
    ]
    async with await documents.Customer.get_pymongo_collection().aggregate(pipeline, allowDiskUse=True) as found:
        buckets = await found.to_list()
    total = sum(bucket["count"] for bucket in buckets)
    cuts: list[object] = []
    below = 0
    for bucket in buckets:
        while len(cuts) < QUINTILES - 1 and below * QUINTILES >= total * (len(cuts) + 1):
            cuts.append(bucket["_id"]["min"])
        below += bucket["count"]
    return cuts + [None] * (QUINTILES - 1 - len(cuts)) if buckets else []


async def _cells(scores: _Scores, as_of: AsOf) -> AsyncIterator[tuple[Person, int, Decimal]]:
    """For each three scores that anybody has: one of those customers, how many they are, and what they spent.

    They are all in the same group, so that one pass over the customers is enough for the figures of all groups.
    """
    since = [None if days is None else as_of.now - days * DAY for days in scores.days_ago]
    of_one = {path: f"${path}" for path in ("last_purchase", "visit_count", "total_spend")}
    cuts = zip(of_one.values(), (since, scores.visits, scores.spend), strict=True)
    pipeline: list[Stage] = [
        {"$match": {"last_purchase": {"$ne": None}}},
        {
            "$group": {
                "_id": [_reached(path, each) for path, each in cuts],
                "one": {"$first": of_one},
                "size": {"$sum": 1},
                "spend": {"$sum": "$total_spend"},
            }
        },
    ]
    async with await documents.Customer.get_pymongo_collection().aggregate(pipeline) as found:
        async for cell in found:
            yield Person(cell["one"]), int(cell["size"]), Decimal(cell["spend"])


def _reached(path: str, cuts: Sequence[object]) -> Stage:
    """The expression that counts the cuts which a value reaches."""
    return {"$sum": [{"$cond": [{"$gte": [path, cut]}, 1, 0]} for cut in cuts if cut is not None]}


def _days_ago(cuts: Sequence[object], as_of: AsOf) -> list[int | None]:
    return [max(0, math.ceil((as_of.now - cut) / DAY)) if isinstance(cut, datetime) else None for cut in cuts]


def _numbers(cuts: Sequence[object]) -> list[Decimal | None]:
    return [Decimal(cut) if isinstance(cut, int | Decimal) else None for cut in cuts]


def _ago(days: int) -> Relative:
    return Relative(Anchor.NOW, -days)
