"""A language model as a writer: any server that speaks OpenAI's chat completions.

Importing this loads the `openai` package; do it where a model is really asked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import openai
from openai import AsyncOpenAI

from zyenta_ads_pipeline.creatives import prompts
from zyenta_ads_pipeline.creatives.model_prices import ModelPrice, price_of
from zyenta_ads_pipeline.creatives.prompt_data import answer_schema, earlier_texts, shop_data
from zyenta_ads_pipeline.creatives.writers import (
    AnswerUnusable,
    Brief,
    Concept,
    Usage,
    WriterRefused,
    Written,
)
from zyenta_ads_pipeline.domain.creative import Angle, Rejection
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    ErrorOrigin,
    InputError,
    PermissionDenied,
    PlatformError,
    RateLimited,
    Transient,
    Unreachable,
    ValidationRefused,
    ZyentaError,
)

log = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-5.4-mini"
_ANSWER_TOKENS = 8000
"""A ceiling for the cost of one answer; three concepts take some hundreds."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 20.0


class OpenAiWriter:
    """Asks a model for concepts, as JSON of a given schema.

    Without `model` and `base_url` it is OpenAI's own server and a small model there. `base_url` is
    the server's address up to `/v1`; a local server needs no `api_key`. `timeout` is
    in seconds for one call, `attempts` how often a call is made before it counts as failed; each
    repetition is told in the notes. `price` replaces the table's. What the server does not take
    (a schema, a temperature, a token limit) is left out and told.

    Raises `InputError` for settings that cannot be used. The key stands in no text of this class.
    """

    name = "openai"

    def __init__(
        self,
        *,
        api_key: str | None,
        model: str | None = None,
        base_url: str | None = None,
        timeout: float = 60.0,
        attempts: int = 3,
        temperature: float | None = 0.8,
        price: ModelPrice | None = None,
        prompt_version: str = prompts.VERSION,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        address = urlsplit(base_url or OPENAI_URL)
        host = address.hostname
        if not host or address.scheme not in {"http", "https"}:
            raise InputError(
                "The language model's address is not a web address.",
                "Give it with its scheme and path, like https://api.openai.com/v1.",
            )
        if attempts < 1:
            raise InputError("A model has to be asked at least once.", "Set attempts to 1 or more.")
        if not api_key and host == urlsplit(OPENAI_URL).hostname:
            raise InputError(
                "No API key for the language model is set.",
                "Set one, use a local server's address, or write with templates.",
            )
        self.model = model or DEFAULT_MODEL
        self.prompt_version = prompt_version
        self._host = host
        self._base_url = base_url or OPENAI_URL
        self._key = api_key or "none"
        self._timeout = timeout
        self._attempts = attempts
        self._price = price or price_of(host, self.model)
        self._pause = pause
        self._plain_answers = False
        # What to send instead of an option, once the server has refused it.
        self._options: dict[str, list[Mapping[str, Any]]] = {
            "response_format": [{"response_format": {"type": "json_object"}}, {}],
            "max_completion_tokens": [{"max_tokens": _ANSWER_TOKENS}, {}],
            "max_tokens": [{}],
            "temperature": [{}],
        }
        self._chosen: dict[str, Mapping[str, Any]] = {
            "max_completion_tokens": {"max_completion_tokens": _ANSWER_TOKENS},
            "temperature": {} if temperature is None else {"temperature": temperature},
        }

    def __repr__(self) -> str:
        return f"OpenAiWriter(model={self.model!r}, host={self._host!r})"

    async def write(
        self, brief: Brief, *, wanted: Sequence[Angle], rejected: Sequence[Rejection]
    ) -> Written:
        """See `Writer`.

        Raises `AnswerUnusable` where the answer cannot be read, `WriterRefused` where the model
        declines, `RateLimited`, `Transient`, `Unreachable` after the last attempt, and at once
        `AuthenticationFailed`, `PermissionDenied` or `ValidationRefused`.
        """
        messages = [
            {"role": "system", "content": prompts.system(self.prompt_version)},
            {"role": "user", "content": self._task(brief, wanted, rejected)},
        ]
        notes: list[str] = []
        reply = await self._asked(messages, answer_schema(brief, wanted), notes)
        usage = self._usage(reply)
        content = self._content(reply, usage, notes)
        concepts = self._concepts(content, brief, usage, notes)
        return Written(
            concepts, usage.tokens_in, usage.tokens_out, usage.cost_usd_micros, tuple(notes)
        )

    def _task(self, brief: Brief, wanted: Sequence[Angle], rejected: Sequence[Rejection]) -> str:
        return prompts.user(
            self.prompt_version,
            count=str(len(wanted)),
            objective=brief.objective.value,
            angles=", ".join(wanted),
            calls_to_action=", ".join(brief.calls_to_action),
            shop_data=shop_data(brief),
            earlier_texts=earlier_texts(brief, rejected),
        )

    async def _asked(self, messages: list[Any], schema: Mapping[str, Any], notes: list[str]) -> Any:
        """The server's reply, after as many attempts as are allowed."""
        shape = {"type": "json_schema", "json_schema": schema}
        if not self._plain_answers:
            self._chosen["response_format"] = {"response_format": shape}
        attempt = 1
        while True:
            try:
                return await self._sent(messages)
            except openai.OpenAIError as error:
                if left_out := self._left_out(error):
                    notes.append(f"{self._named} does not take {left_out}: asked without it.")
                    continue
                told, again = self._told(error)
            if not again or attempt >= self._attempts:
                if attempt > 1:
                    what = f"{told.what} It was asked {attempt} times."
                    ZyentaError.__init__(told, what, told.remedy)
                raise told from None
            wait = self._wait(told, attempt)
            attempt += 1
            note = (
                f"{told.what} Asked again after {wait:g} s, attempt {attempt} of {self._attempts}."
            )
            log.warning("%s", note)
            notes.append(note)
            await self._pause(wait)

    async def _sent(self, messages: list[Any]) -> Any:
        # A client of its own for each call: it belongs to the event loop that made it.
        async with AsyncOpenAI(
            api_key=self._key, base_url=self._base_url, timeout=self._timeout, max_retries=0
        ) as client:
            options = {
                name: value for each in self._chosen.values() for name, value in each.items()
            }
            return await client.chat.completions.create(
                model=self.model, messages=messages, **options
            )

    @property
    def _named(self) -> str:
        return f"The language model {self.model} at {self._host}"

    def _left_out(self, error: openai.OpenAIError) -> str | None:
        """The option that a refusal names, now replaced by its next best; None for any other."""
        if not isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            return None
        said = f"{error.param or ''} {error.message}".lower()
        for option, ways in self._options.items():
            sent = any(option in each for each in self._chosen.values())
            named = option in said or (option == "response_format" and "json_schema" in said)
            if sent and named and ways:
                key = next(key for key, each in self._chosen.items() if option in each)
                self._chosen[key] = ways.pop(0)
                self._plain_answers |= option == "response_format"
                return option
        return None

    def _told(self, error: openai.OpenAIError) -> tuple[PlatformError, bool]:
        """The error in our words, and whether asking again may help."""
        who = self._named
        if isinstance(error, openai.APIStatusError):
            return self._status_told(error)
        if isinstance(error, openai.APITimeoutError):
            what = f"{who} did not answer within {self._timeout:g} s."
            return Transient(what, "Try again later, or allow it more time."), True
        if isinstance(error, openai.APIConnectionError):
            what = f"{who} cannot be reached."
            return Unreachable(what, "Check the address and the network."), True
        return Transient(f"{who} gave an answer that cannot be read.", "Try again later."), True

    def _status_told(self, error: openai.APIStatusError) -> tuple[PlatformError, bool]:
        who, status = self._named, error.status_code
        origin = ErrorOrigin(http_status=status, trace_id=error.request_id or "")
        if status == 429:
            used_up = error.code == "insufficient_quota"
            why = "says that the account's quota is used up" if used_up else "got too many requests"
            remedy = "Add credit at the provider." if used_up else "Try again later."
            wait = _seconds(error.response.headers.get("retry-after"))
            limited = RateLimited(f"{who} {why} (429).", remedy, origin=origin, wait_seconds=wait)
            return limited, not used_up
        if status >= 500 or status in {408, 409}:
            return Transient(f"{who} failed ({status}).", "Try again later.", origin=origin), True
        # A server's words on keys may quote the key: they are not repeated.
        refusals: dict[int, tuple[type[PlatformError], str, str]] = {
            401: (AuthenticationFailed, "refused the API key (401).", "Set a valid key."),
            403: (
                PermissionDenied,
                "is not open to this key (403).",
                "Use a key or a model that is allowed.",
            ),
        }
        kind, why, remedy = refusals.get(
            status,
            (
                ValidationRefused,
                f"refused the request ({status}): {self._safe(error.message)}",
                "Check the model's name and the server's address.",
            ),
        )
        return kind(f"{who} {why}", remedy, origin=origin), False

    def _wait(self, error: PlatformError, attempt: int) -> float:
        wanted = error.wait_seconds if isinstance(error, RateLimited) else None
        return min(wanted or _FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE)

    def _safe(self, text: str) -> str:
        """A server's words, short, and without anything that looks like a key."""
        hidden = text.replace(self._key, "***") if len(self._key) > 4 else text
        return re.sub(r"\b(?:sk|key|pk)-[\w*.-]+|Bearer\s+\S+", "***", hidden)[:200]

    def _usage(self, reply: Any) -> Usage:
        counted = getattr(reply, "usage", None)
        tokens_in = getattr(counted, "prompt_tokens", None) or 0
        tokens_out = getattr(counted, "completion_tokens", None) or 0
        known = self._price is not None and counted is not None
        cost = self._price.micros(tokens_in, tokens_out) if self._price and known else None
        return Usage(tokens_in, tokens_out, cost)

    def _content(self, reply: Any, usage: Usage, notes: Sequence[str]) -> str:
        """The text of the answer."""
        choices = getattr(reply, "choices", None) or []
        message = getattr(choices[0], "message", None) if choices else None
        finish = getattr(choices[0], "finish_reason", None) if choices else None
        refusal = getattr(message, "refusal", None)
        if refusal or finish == "content_filter":
            said = f": {self._safe(str(refusal))}" if refusal else " (its content filter)."
            raise WriterRefused(
                f"{self._named} declined to write{said}",
                "Look at the products' texts, or use another model.",
                usage=usage,
            )
        content = getattr(message, "content", None)
        if finish == "length" or not isinstance(content, str) or not content.strip():
            why = "was cut short" if finish == "length" else "is empty"
            raise AnswerUnusable(
                f"The answer of {self.model} at {self._host} {why}.",
                "Try again, or use another model.",
                usage=usage,
                notes=notes,
            )
        return content

    def _concepts(
        self, content: str, brief: Brief, usage: Usage, notes: Sequence[str]
    ) -> list[Concept]:
        """What the answer holds; a concept that lacks something is kept, to be refused by name."""
        fenced = re.fullmatch(r"\s*```(?:json)?\s*(.*?)\s*```\s*", content, re.DOTALL)
        try:
            found = json.loads(fenced[1] if fenced else content)
        except (ValueError, RecursionError):
            found = None
        listed = found.get("concepts") if isinstance(found, dict) else found
        if not isinstance(listed, list) or not listed:
            raise AnswerUnusable(
                f"The answer of {self.model} at {self._host} is not the JSON that was asked for.",
                "Try again, or use another model.",
                usage=usage,
                notes=notes,
            )
        return [_concept(each, brief) for each in listed]


def _concept(found: object, brief: Brief) -> Concept:
    given = found if isinstance(found, dict) else {}

    def text(name: str) -> str:
        value = given.get(name, "")
        return value if isinstance(value, str) else ""

    number = given.get("product", 0)
    product_id = ""
    if number in range(1, len(brief.products) + 1) and not isinstance(number, bool):
        product_id = brief.products[int(number) - 1].id
    elif number != 0:
        product_id = f"number {number}"
    return Concept(
        angle=text("angle"),
        headline=text("headline"),
        primary_text=text("primary_text"),
        visual=text("visual"),
        cta=text("cta"),
        emotion=text("emotion"),
        product_id=product_id,
    )


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
