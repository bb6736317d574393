"""How long asynchronous reports take and how they end: what a test may plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

COMPLETE, FAILED, SKIPPED, STALLED = "complete", "failed", "skipped", "stalled"
TOO_LARGE = (-3, 1504045)
_WORDS = {
    (-2, 2490547): ("Report failed", "The report could not be generated. Please try again."),
    TOO_LARGE: (
        "Report too large",
        "The report has too much data. Try a smaller date range or fewer metrics.",
    ),
    (2, 1504038): (
        "The request timed out",
        "There was a problem processing your request: the query took too long.",
    ),
    (2, 1504044): ("Unknown error", "There was a problem processing your request."),
}
_DEFAULT_FAILURE = (-2, 2490547)


def failure(code: int, subcode: int, message: str | None = None) -> dict[str, Any]:
    """The error fields of a failed report, by Meta's names."""
    title, words = _WORDS.get((code, subcode), ("Report failed", "The report failed."))
    return {
        "error_code": code,
        "error_subcode": subcode,
        "error_message": message or words,
        "error_user_title": title,
        "error_user_msg": words,
    }


@dataclass
class ReportPlan:
    """What happens to new reports: each takes `seconds`, and the next ones end as `coming` says.

    After those, reports complete.
    """

    seconds: float = 0.2
    coming: list[dict[str, Any]] = field(default_factory=list)

    def draw(self) -> dict[str, Any]:
        """The outcome of the next report."""
        return read_outcome(self.coming.pop(0)) if self.coming else {"outcome": COMPLETE}

    def change(self, asked: dict[str, Any]) -> None:
        """Take over `seconds` and `next`; `ValueError` says what is wrong with them."""
        seconds = asked.get("seconds", self.seconds)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise ValueError("seconds must be a number from 0 on")
        following = asked.get("next", self.coming)
        _need(isinstance(following, list), "next must be a list of outcomes")
        for item in following:
            read_outcome(item)
        self.coming = list(following)
        self.seconds = float(seconds)


def read_outcome(item: Any) -> dict[str, Any]:
    """How a report ends, from its JSON; `ValueError` says what is wrong with it."""
    _need(isinstance(item, dict), "each outcome must be an object")
    kind = {"completed": COMPLETE, "fail": FAILED, "skip": SKIPPED, "stall": STALLED}.get(
        str(item.get("outcome")), item.get("outcome")
    )
    if kind in (COMPLETE, SKIPPED):
        return {"outcome": kind}
    if kind == STALLED:
        percent = item.get("percent", 50)
        if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
            raise ValueError("percent must be a whole number from 0 to 100")
        return {"outcome": kind, "percent": percent}
    if kind == FAILED:
        code = item.get("code", _DEFAULT_FAILURE[0])
        subcode = item.get("subcode", _DEFAULT_FAILURE[1])
        if not isinstance(code, int) or not isinstance(subcode, int):
            raise ValueError("code and subcode must be whole numbers")
        return {"outcome": kind, "error": failure(code, subcode, item.get("message"))}
    raise ValueError(f"outcome must be {COMPLETE}, {FAILED}, {SKIPPED} or {STALLED}, not {kind!r}")


def _need(good: bool, what: str) -> None:
    if not good:
        raise ValueError(what)
