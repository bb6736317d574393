"""Meta's review of an ad: three states in the sandbox's time, and the words that fail it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

IN_PROCESS, PENDING, DISAPPROVED = "IN_PROCESS", "PENDING_REVIEW", "DISAPPROVED"
PROCESS_MINUTES, REVIEW_MINUTES = 2.0, 15.0
"""How long an ad is in process, and after how many minutes in all its review ends."""

_RULES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (
        "Unrealistic Outcomes",
        "Ads must not promise results that cannot be expected.",
        re.compile(
            r"guaranteed (cure|income|results?|weight loss)|miracle|get rich quick"
            r"|risk[- ]free money|lose \d+ ?(kg|kilos?|pounds|lbs)|before and after",
            re.IGNORECASE,
        ),
    ),
    (
        "Personal Attributes",
        "Ads must not assert or imply what a person is, has or suffers from.",
        re.compile(
            r"\bare you (fat|overweight|obese|broke|depressed|diabetic|lonely|disabled|pregnant)\b"
            r"|\byour (depression|debts?|obesity|diabetes|disability|divorce|criminal record)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "Prohibited Products",
        "Ads must not sell tobacco, weapons or illegal drugs.",
        re.compile(r"\b(cigarettes?|vapes?|firearms?|ammunition|cocaine)\b", re.IGNORECASE),
    ),
    (
        "Grammar and Profanity",
        "Ads must not shout: too many words in a row are in capitals.",
        re.compile(r"(?:\b[A-Z]{3,}\b\W+){3,}\b[A-Z]{3,}\b"),
    ),
)
_TEXTS = frozenset(
    {"message", "name", "title", "description", "link_description", "caption", "text"}
)


@dataclass(frozen=True)
class Review:
    """One review: when the ad is looked at, when it ends, and what it will find.

    `feedback` maps policies to their texts; empty means approval. `state` is the effective status
    that the review imposes now, "" once the ad is approved.
    """

    looked_at: datetime
    ends: datetime
    feedback: Mapping[str, str] = field(default_factory=dict)
    state: str = IN_PROCESS

    @property
    def ended(self) -> bool:
        """Whether it came to its end."""
        return self.state in ("", DISAPPROVED)

    def at(self, now: datetime) -> Review:
        """The review as it stands at a moment."""
        if now >= self.ends:
            return replace(self, state=DISAPPROVED if self.feedback else "")
        return replace(self, state=PENDING if now >= self.looked_at else IN_PROCESS)

    @property
    def approved_at(self) -> datetime | None:
        """From when on the ad may run; None for never."""
        return None if self.feedback else self.ends

    def as_json(self) -> dict[str, Any]:
        """Itself as JSON."""
        times = {"looked_at": self.looked_at.isoformat(), "ends": self.ends.isoformat()}
        return asdict(self) | times


def review_from_json(values: Mapping[str, Any]) -> Review:
    """What `as_json` made."""
    times = {name: datetime.fromisoformat(values[name]) for name in ("looked_at", "ends")}
    return Review(**{**values, **times})


def submitted(story: Any, now: datetime, minutes: float = REVIEW_MINUTES) -> Review:
    """The review that an ad with these texts goes into; it ends after `minutes`."""
    process = min(PROCESS_MINUTES, minutes / 2)
    return Review(
        looked_at=now + timedelta(minutes=process),
        ends=now + timedelta(minutes=minutes),
        feedback=objections(story),
    ).at(now)


def objections(story: Any) -> dict[str, str]:
    """The policies that the texts of a creative offend, with Meta's reasons."""
    texts = list(_texts(story))
    return {
        title: reason
        for title, reason, pattern in _RULES
        if any(pattern.search(text) for text in texts)
    }


def _texts(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name)
    elif isinstance(value, str) and name in _TEXTS:
        yield value
