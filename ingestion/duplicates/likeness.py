"""Likeness: how likely it is that two customers are one person, and why.

Evidence adds up as in Fellegi and Sunter's model of record linkage: each field's agreement or disagreement is worth
some log-odds, on top of those of any two customers who have a key in common. The weights are judged, not estimated,
since nobody has labelled pairs of ours; tests/ingestion/test_duplicates.py holds what they must tell apart.

Digits are never a typo in a name or an address: asha1@ and asha2@ are two people who had to be told apart.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz.distance import OSA

from ingestion.duplicates.profiles import Profile

PRIOR = -4.5
SHORTEST_TYPO = 4  # letters: a shorter word with another letter is another word
SHORTEST_LOCAL = 5
DISTINCTIVE_LOCAL = 10

# Their names are a letter apart, and they are not one another's typos.
_PROVIDERS = frozenset(
    "gmail.com ymail.com mail.com email.com hotmail.com hotmail.co.uk hotmail.fr yahoo.com yahoo.co.in yahoo.in "
    "yahoo.co.uk yahoo.fr outlook.com live.com icloud.com aol.com gmx.de gmx.net gmx.com web.de me.com msn.com".split()
)

Evidence = tuple[float, str]  # log-odds, and what is said of it; nothing is said of what speaks against


@dataclass(frozen=True, slots=True)
class Likeness:
    """A probability of sorts, from 0 to 1, and what speaks for it, the strongest first."""

    score: float
    reasons: Sequence[str]


def of(one: Profile, two: Profile) -> Likeness:
    """Compare two customers."""
    evidence = sorted(_evidence(one, two), reverse=True)
    odds = PRIOR + sum(weight for weight, _ in evidence)
    return Likeness(1 / (1 + math.exp(-odds)), [said for _, said in evidence if said])


def _evidence(one: Profile, two: Profile) -> Iterator[Evidence]:
    if one.words and two.words:
        yield _names(one.words, two.words)
    if one.email and two.email:
        yield _emails(one, two)
    if one.phone and two.phone:
        yield _phones(one, two)
    if one.birthday and two.birthday:
        yield (3.0, "same birthday") if one.birthday == two.birthday else (-4.0, "")
    if one.city and two.city:
        yield (0.7, "same city") if one.city == two.city else (-0.7, "")
    if one.postal_code and one.postal_code == two.postal_code:
        yield 0.8, "same postal code"


def _names(one: Sequence[str], two: Sequence[str]) -> Evidence:
    if one == two:
        return 2.5, "same name"
    if len(one) != len(two) and sorted("".join(one)) == sorted("".join(two)):
        return 2.0, "same name, written apart or as one"
    fewer, more = sorted((one, two), key=len)
    rest = list(more)
    for word in fewer:
        match = next((other for other in (word, *rest) if other in rest and _is_word(word, other)), None)
        if match is None:
            return -5.0, ""
        rest.remove(match)
    if rest:
        return 0.8, "one name is part of the other"
    return 1.5, "similar names"


def _is_word(one: str, two: str) -> bool:
    """Whether two words may be one: the same, its initial, or a typo."""
    if one == two:
        return True
    if len(one) == 1 or len(two) == 1:
        return one[0] == two[0]
    long_enough = min(len(one), len(two)) >= SHORTEST_TYPO
    return long_enough and _digits(one) == _digits(two) and OSA.distance(one, two, score_cutoff=1) <= 1


def _emails(one: Profile, two: Profile) -> Evidence:
    if one.local == two.local:
        if one.domain == two.domain:
            return 6.0, "e-mail addresses differ only by dots or a tag"
        if not {one.domain, two.domain} <= _PROVIDERS and OSA.distance(one.domain, two.domain, score_cutoff=2) <= 2:
            return 4.5, "e-mail domains differ by a typo"
        distinctive = _digits(one.local) or len(one.local) >= DISTINCTIVE_LOCAL
        return (2.5 if distinctive else 1.0), "e-mail addresses are the same but for the provider"
    if one.domain == two.domain and _is_typo_of_local(one.local, two.local):
        return 4.0, "e-mail addresses differ by a typo"
    return -0.5, ""


def _is_typo_of_local(one: str, two: str) -> bool:
    if min(len(one), len(two)) < SHORTEST_LOCAL or _digits(one) != _digits(two):
        return False
    return OSA.distance(one, two, score_cutoff=1) <= 1


def _phones(one: Profile, two: Profile) -> Evidence:
    if one.number == two.number:
        return 5.0, "phone numbers differ only by the country code"
    if OSA.distance(one.phone, two.phone, score_cutoff=1) <= 1:
        return 3.0, f"phone numbers differ by {'two digits in turn' if _is_swap(one.phone, two.phone) else 'one digit'}"
    return -0.5, ""


def _is_swap(one: str, two: str) -> bool:
    differ = [at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b]
    return len(one) == len(two) and [b - a for a, b in pairwise(differ)] == [1]


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text)) if not text.isalpha() else ""
