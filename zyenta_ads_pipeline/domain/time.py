"""Days are the ad account's days; a range includes both of its ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zyenta_ads_pipeline.domain.errors import InputError

HISTORY_MONTHS = 37
"""How far back Meta's insights reach (error 3018 beyond)."""


def zone(name: str) -> ZoneInfo:
    """The time zone `name`; `InputError` when no such zone exists."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"Time zone {name!r} is unknown.", "Use an IANA name such as Europe/Berlin."
        ) from None


def account_day(moment: datetime, timezone: str) -> date:
    """The day that `moment` (aware) falls on in the account's time zone."""
    if moment.tzinfo is None:
        raise ValueError("moment must carry a time zone")
    return moment.astimezone(zone(timezone)).date()


def day_start(day: date, timezone: str) -> datetime:
    """The moment at which `day` begins in the account's time zone; aware."""
    return datetime.combine(day, time.min, zone(timezone))


def months_before(day: date, months: int) -> date:
    """`day` moved back by whole calendar months, clamped to the month's last day."""
    year, month0 = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month0 + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@dataclass(frozen=True)
class DateRange:
    """Whole account days from `since` to `until`, both included."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.since > self.until:
            raise InputError(
                f"The date range {self.since} to {self.until} is in the wrong order.",
                "Put the earlier day first.",
            )

    def __str__(self) -> str:
        return f"{self.since}..{self.until}"

    def __contains__(self, day: date) -> bool:
        return self.since <= day <= self.until

    def __len__(self) -> int:
        return (self.until - self.since).days + 1

    def days(self) -> Iterator[date]:
        """Every day of the range, in order."""
        for n in range(len(self)):
            yield self.since + timedelta(days=n)

    def split(self, size: int) -> Iterator[DateRange]:
        """The range in consecutive pieces of at most `size` days; each day once."""
        start = self.since
        while start <= self.until:
            end = min(start + timedelta(days=size - 1), self.until)
            yield DateRange(start, end)
            start = end + timedelta(days=1)

    @classmethod
    def parse(cls, since: str, until: str) -> DateRange:
        """A range from two `YYYY-MM-DD` texts; `InputError` names the one that is not a date."""
        return cls(parse_day(since), parse_day(until))


@dataclass(frozen=True)
class Tier:
    """The newest `days` days are read again every `every_hours` hours; today counts as the first.

    Written `7d/24h`.
    """

    days: int
    every_hours: int

    def __str__(self) -> str:
        return f"{self.days}d/{self.every_hours}h"


def parse_tiers(text: str) -> tuple[Tier, ...]:
    """Tiers from a text such as `2d/1h,7d/24h`, each wider and rarer than the one before it.

    Raises `InputError` for anything else.
    """
    tiers = []
    for part in text.split(","):
        found = re.fullmatch(r"([1-9]\d{0,2})d/([1-9]\d{0,3})h", part.strip(), re.ASCII)
        if found is None:
            raise InputError(
                f"{part.strip()!r} is no tier of days.", "Write it as 7d/24h: days, then hours."
            )
        tiers.append(Tier(int(found[1]), int(found[2])))
    for inner, outer in pairwise(tiers):
        if outer.days <= inner.days or outer.every_hours <= inner.every_hours:
            raise InputError(
                f"The tier {outer} does not lie around {inner}.",
                "Name the newest days first; each next tier has more days, and more hours.",
            )
    return tuple(tiers)


def parse_day(text: str) -> date:
    """A `YYYY-MM-DD` text as a date; `InputError` otherwise."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # Python also reads 20261101 and 2026-W45-1
        raise InputError(f"{text!r} is not a date.", "Write dates as YYYY-MM-DD.")
    return day
