"""Sentences to rules, by execution accuracy: a thousand and more in many words, on people that tell readings apart."""

from tests.ai import people, scoring

FLOOR = 0.98  # all are right when this is written; a new word may cost an old reading, but not many
FLOOR_OF_A_KIND = 0.95


async def test_sentences_select_whom_they_mean() -> None:
    scores = await scoring.score(people.people())
    wrong = [f"{score.sentence.text!r}: {score.made}" for score in scores if not score.is_right]
    assert 1 - len(wrong) / len(scores) >= FLOOR, "\n".join(wrong)
    poor = {kind: share for kind, share in scoring.shares(scores).items() if share < FLOOR_OF_A_KIND}
    assert not poor, "\n".join(wrong)
