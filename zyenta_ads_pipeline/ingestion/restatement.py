"""Which days to read again, and how deeply: numbers move for 28 days, most of them in the first.

Pure. A tier says that the newest so many days are read again every so many hours. Within a sync
the totals of account and campaigns are read first, and only days on which those moved are read
down to the ads; the deepest tier reads every day whole, so that what moves between two ads of one
campaign without moving its total is found as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange, Tier

_SLACK = timedelta(minutes=10)
"""A run an hour after another is due although it starts some minutes less than an hour later."""


@dataclass(frozen=True)
class DayRead:
    """When a day of an account was last read (UTC): `whole_at` down to its ads."""

    read_at: datetime
    whole_at: datetime | None


_AHEAD = timedelta(hours=14)
"""No account's day is further ahead of UTC."""

Reads = Mapping[date, DayRead]


def due_depth(today: date, reads: Reads, tiers: Sequence[Tier], now: datetime) -> int:
    """How many of the newest days of an account, today included, are due now; 0: none."""
    depth = inner = 0
    for tier in tiers:
        ring = [today - timedelta(days=n) for n in range(inner, tier.days)]
        # The ring's other days were read with its oldest, or later, as newer days of an inner
        # tier. (By any of them, the day that comes out of the inner tier would make it due daily.)
        oldest = reads.get(ring[-1])
        unread = any(day not in reads for day in ring)
        if unread or oldest is None or oldest.read_at < _due_since(tier, now):
            depth = tier.days
        inner = tier.days
    leaving = today - timedelta(days=inner)
    last = reads.get(leaving)
    if last is not None and (last.read_at + _AHEAD).date() < leaving + timedelta(days=inner):
        depth = inner + 1  # it is not restated any more: its last state has to be seen once
    return depth


def whole_days(days: DateRange, reads: Reads, tiers: Sequence[Tier], now: datetime) -> set[date]:
    """The days to read down to the ads whatever their totals say: those that never were, and
    those whose last whole reading is longer ago than the deepest tier allows."""
    oldest = _due_since(tiers[-1], now)
    return {
        day
        for day in days.days()
        if (read := reads.get(day)) is None or read.whole_at is None or read.whole_at < oldest
    }


def moved_days(totals: pl.DataFrame, stored: pl.DataFrame) -> set[date]:
    """The days on which the account's row differs from the stored one, or a campaign's row is new
    or changed. Both have `date`, `level`, `object_id`, `content_hash`.

    A campaign's row that is gone tells nothing by itself: lists leave out deleted campaigns. Had
    it lost its numbers, the account's row would have moved.
    """
    told = ["date", "level", "object_id", "content_hash"]
    new, old = totals.select(told), stored.select(told)
    gone = old.filter(pl.col("level") == Level.ACCOUNT.value).join(new, on=told, how="anti")
    return set(new.join(old, on=told, how="anti")["date"]) | set(gone["date"])


def stretches(days: Iterable[date], bridge: int) -> list[DateRange]:
    """The days as ranges; holes of up to `bridge` days are filled, since one report with some
    days too many costs less than two."""
    found: list[DateRange] = []
    for day in sorted(set(days)):
        if found and (day - found[-1].until).days <= bridge + 1:
            found[-1] = DateRange(found[-1].since, day)
        else:
            found.append(DateRange(day, day))
    return found


def _due_since(tier: Tier, now: datetime) -> datetime:
    return now - timedelta(hours=tier.every_hours) + _SLACK
