"""Gemini, asked over REST for JSON that keeps to a schema. Nothing else knows Google's SDK."""

import asyncio
import logging
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import errors

log = logging.getLogger(__name__)

Schema = Mapping[str, object]

AT_ONCE = 4  # requests; the next one waits, within its own time
MOST_TOKENS = 8_192  # of an answer, what the model thinks to itself included


class Gemini:
    """One model at one endpoint.

    The SDK's REST transport blocks, and its import takes a second, so both happen on threads of their own: requests
    that hang, of which there can be AT_ONCE, hold up neither the loop nor anybody else's threads.
    """

    def __init__(self, key: str, model: str, endpoint: str | None = None) -> None:
        self._key = key
        self._model = model
        self._endpoint = endpoint
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="gemini")

    async def answer(self, instructions: str, turns: Sequence[str], schema: Schema, seconds: float) -> str:
        """What the model says to these turns, ours and its own alternating, ours first and last.

        Raises Unavailable when it says nothing usable within the time.
        """
        loop = asyncio.get_running_loop()
        asked = loop.run_in_executor(self._threads, self._ask, instructions, turns, schema, seconds)
        try:
            async with asyncio.timeout(seconds):
                return await asked
        except TimeoutError as error:
            raise errors.Unavailable(f"Gemini did not answer within {seconds:.0f} s.") from error
        except Exception as error:
            # Whatever the SDK's layers raise, as an AttributeError for an error that came as a list.
            log.warning("Gemini failed with %s", type(error).__name__)
            raise errors.Unavailable("Gemini could not be asked.") from error

    def _ask(self, instructions: str, turns: Sequence[str], schema: Schema, seconds: float) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the SDK is past its support: see decision 8
            from google.generativeai.client import configure
            from google.generativeai.generative_models import GenerativeModel
            from google.generativeai.types import RequestOptions
        options = {"api_endpoint": self._endpoint.rstrip("/")} if self._endpoint else None
        configure(api_key=self._key, transport="rest", client_options=options)
        answer = GenerativeModel(self._model, system_instruction=instructions).generate_content(
            [{"role": ("user", "model")[number % 2], "parts": [turn]} for number, turn in enumerate(turns)],
            generation_config={
                "response_mime_type": "application/json",
                "response_schema": schema,
                "temperature": 0,
                "max_output_tokens": MOST_TOKENS,
            },
            request_options=RequestOptions(timeout=seconds, retry=None),  # a second try would come too late
        )
        return str(answer.text)
