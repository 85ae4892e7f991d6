"""Sentences: how many of the test set's the built-in reader reads rightly, of each kind, and the CPU time of one."""

import time

from bench.figures import Figure
from tests.ai import people, scoring


async def run(uri: str) -> list[Figure]:
    """Accuracy by kind, and milliseconds of CPU by sentence with its check. No database is asked."""
    population = people.people()
    await scoring.score(population)  # the lexicon is made once
    began = time.process_time()
    scores = await scoring.score(population)
    milliseconds = 1000 * (time.process_time() - began) / len(scores)
    shares = {"all kinds": sum(score.is_right for score in scores) / len(scores), **scoring.shares(scores)}
    accuracy = [Figure(f"sentences read rightly: {kind}", 100 * share, 0, "%") for kind, share in shares.items()]
    return [*accuracy, Figure("reading a sentence and finding whom it means", milliseconds, 0, "ms CPU")]
