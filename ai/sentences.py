"""Sentences: read by Gemini where there is a key, and by the built-in reader otherwise or when that fails."""

import asyncio
import logging
from dataclasses import replace
from decimal import Decimal

import errors
from ai import answers, instructions, lexicon, reader, refusals
from ai.conditions import Ranking
from ai.drafts import Draft
from ai.gemini import Gemini
from ai.vocabulary import Library
from segmentation.dates import AsOf

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0  # with Gemini in all, a second try included
ANSWERS = 2  # the first, and one that mends it
BIG_SPENDERS = Ranking("totalSpend", top=True, percent=Decimal(10))
FELL_BACK = "Gemini gave no usable rules, so the built-in reader read the sentence."


class Sentences:
    """What sentences are read by: one for the process, with what it knows of the data's values."""

    def __init__(
        self, currency: str = "USD", gemini: Gemini | None = None, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._currency = currency
        self._gemini = gemini
        self._patience_seconds = patience_seconds
        self._library = Library()
        lexicon.english()  # read now: the first sentence should not wait for it

    async def read(self, sentence: str, as_of: AsOf) -> Draft:
        """The rules that a sentence means; raises InvalidInput or TooLarge for one that means none."""
        refusals.refuse_unreadable(sentence)
        if self._gemini is None:
            return await self._built_in(sentence, as_of)
        try:
            return await self._asked(self._gemini, sentence, as_of)
        except errors.Fault as fault:
            log.warning("the built-in reader steps in for Gemini: %s", type(fault).__name__)
        draft = await self._built_in(sentence, as_of)
        return replace(draft, assumptions=(*draft.assumptions, FELL_BACK))

    async def _built_in(self, sentence: str, as_of: AsOf) -> Draft:
        """What the built-in reader makes of it; what it does not understand may be about data that has just come."""
        known = await self._library.vocabulary()
        try:
            draft = await reader.read(sentence, self._library, as_of)
        except errors.InvalidInput:
            if not await self._library.has_news(known):
                raise
        else:
            is_sure = not draft.unmatched and not draft.assumptions
            if is_sure or not await self._library.has_news(known):
                return draft
        return await reader.read(sentence, self._library, as_of)

    async def _asked(self, gemini: Gemini, sentence: str, as_of: AsOf) -> Draft:
        """What Gemini makes of it. Raises a Fault when that is nothing, or comes too late."""
        until = asyncio.get_running_loop().time() + self._patience_seconds
        vocabulary = await self._library.vocabulary()
        big_spend = await self._library.threshold(BIG_SPENDERS)
        told = instructions.about(vocabulary, self._currency, big_spend, as_of)
        turns = [instructions.sentence(sentence)]
        for attempt in range(1, ANSWERS + 1):
            left = until - asyncio.get_running_loop().time()
            answer = await gemini.answer(told, turns, instructions.SCHEMA, left)
            try:
                return answers.read(answer, vocabulary.attributes)
            except errors.Fault as fault:
                if attempt == ANSWERS:
                    raise
                turns += [answer, instructions.refusal(fault.message)]
        raise AssertionError("the last attempt returns or raises")
