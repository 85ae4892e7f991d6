"""Gemini, asked over REST for JSON that keeps to a schema. Nothing else knows Google's SDK."""

import asyncio
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread

import errors

log = logging.getLogger(__name__)

Schema = Mapping[str, object]

AT_ONCE = 16  # requests; the next one fails at once, since those may all be hanging
MOST_TOKENS = 8_192  # of an answer, what the model thinks to itself included


class Gemini:
    """One model at one endpoint.

    The SDK's REST transport blocks, and its import takes a second, so both happen on a thread of each request's own. It
    is a daemon: an answer that trickles in for ever outlives its time, but does not keep the process from ending.
    """

    def __init__(self, key: str, model: str, endpoint: str | None = None) -> None:
        self._key = key
        self._model = model
        self._endpoint = endpoint
        self._free = BoundedSemaphore(AT_ONCE)

    async def answer(self, instructions: str, turns: Sequence[str], schema: Schema, seconds: float) -> str:
        """What the model says to these turns, ours and its own alternating, ours first and last.

        Raises Unavailable when it says nothing usable within the time.
        """
        if not self._free.acquire(blocking=False):
            raise errors.Unavailable("Gemini is being asked too much at once.")
        try:
            async with asyncio.timeout(seconds):
                return await self._on_a_thread(lambda: self._ask(instructions, turns, schema, seconds))
        except TimeoutError as error:
            raise errors.Unavailable(f"Gemini did not answer within {seconds:.0f} s.") from error
        except Exception as error:
            # Whatever the SDK's layers raise, as an AttributeError for an error that came as a list.
            log.warning("Gemini failed with %s", type(error).__name__)
            raise errors.Unavailable("Gemini could not be asked.") from error

    async def _on_a_thread(self, work: Callable[[], str]) -> str:
        outcome = Future[str]()
        outcome.set_running_or_notify_cancel()  # from here on nobody but the thread settles it

        def run() -> None:
            try:
                outcome.set_result(work())
            except Exception as error:
                outcome.set_exception(error)
            finally:
                self._free.release()

        Thread(target=run, name="gemini", daemon=True).start()
        return await asyncio.wrap_future(outcome)

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
