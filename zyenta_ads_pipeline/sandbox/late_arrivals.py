"""Letting recorded conversions arrive late, so that given numbers are restated as Meta's are.

On the evening of its day 55 % of a day's conversions are known, the rest comes along an
exponential with a mean of 60 hours; after 28 days all are there. Delivery is never touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from zyenta_ads_pipeline.domain.time import account_day, day_start
from zyenta_ads_pipeline.sandbox.amounts import decimal_text, scaled, texts_of, whole
from zyenta_ads_pipeline.sandbox.breakdowns import ON_META
from zyenta_ads_pipeline.sandbox.facts import STATS
from zyenta_ads_pipeline.sandbox.shares import Floats

_FIRST_EVENING = 0.55
_MEAN_HOURS = 60.0
_SETTLED_DAYS = 28


def arrived(frame: pl.DataFrame, timezones: Mapping[str, str], now: datetime) -> pl.DataFrame:
    """`frame` of facts as it was known at `now` (aware); `timezones` by account id."""
    numbered = frame.with_row_index("row")
    recent = numbered.filter(pl.col("date") > now.date() - timedelta(days=_SETTLED_DAYS + 2))
    if recent.is_empty():
        return frame
    known = _known(recent, timezones, now)
    luck = _luck(recent)
    columns = {name: recent[name] for name in recent.columns if name.partition(".")[0] in STATS}
    shown: dict[str, pl.Series] = {}
    for name, texts in columns.items():
        kind, _, action = name.partition(".")
        if action in ON_META:
            continue
        counts = columns.get(f"{STATS[0]}.{action}") if kind == STATS[1] else None
        shown[name] = _part(texts, known, luck, counts)
    late = recent.with_columns(**shown)
    settled = numbered.join(late.select("row"), on="row", how="anti")
    return pl.concat([settled, late]).sort("row").drop("row")


def known_share(hours: float) -> float:
    """How much of a day's conversions is known so many hours after its end (before: negative)."""
    if hours >= _SETTLED_DAYS * 24:
        return 1.0
    if hours < 0:
        return max(0.0, _FIRST_EVENING * (1 + hours / 24))
    return 1.0 - (1.0 - _FIRST_EVENING) * float(np.exp(-hours / _MEAN_HOURS))


def _known(rows: pl.DataFrame, timezones: Mapping[str, str], now: datetime) -> Floats:
    pairs = rows.select("account_id", "date").unique()
    shares: dict[tuple[str, date], float] = {}
    for account_id, day in pairs.iter_rows():
        timezone = timezones[account_id]
        if day > account_day(now, timezone):
            shares[(account_id, day)] = 0.0
            continue
        over = day_start(day + timedelta(days=1), timezone)
        shares[(account_id, day)] = known_share((now - over).total_seconds() / 3600)
    found = zip(rows["account_id"], rows["date"], strict=True)
    return np.array([shares[pair] for pair in found])


def _luck(rows: pl.DataFrame) -> Floats:
    """A number from 0 up to 1 for each row, the same at any time: what is there stays there."""
    ids = rows["ad_id"]
    drawn = {
        each: int.from_bytes(hashlib.blake2b(each.encode(), digest_size=4).digest())
        for each in ids.unique()
    }
    days = rows["date"].to_physical().to_numpy().astype(np.int64)
    mixed = np.array([drawn[each] for each in ids], dtype=np.int64) + days * 2_654_435_761
    return (mixed % 2**32).astype(np.float64) / float(2**32)


def _part(texts: pl.Series, known: Floats, luck: Floats, counts: pl.Series | None) -> pl.Series:
    """What is there of each text; a value goes with the count of the same actions."""
    if counts is not None:
        there, all_of_them = _whole_parts(counts, known, luck)
        with np.errstate(divide="ignore", invalid="ignore"):
            known = np.where(all_of_them > 0, there / all_of_them, known)
        luck = np.zeros_like(luck)
    way = scaled(texts)
    if way is None:
        return pl.Series(
            texts.name,
            [_long_part(text, float(k)) for text, k in zip(texts, known, strict=True)],
            pl.String,
        )
    values, decimals = way.own()
    parts = _floor(values, known, luck * 10.0**decimals)
    scale = int(decimals.max(initial=0))
    own = pl.Series(decimals)
    flat = pl.Series(parts * 10 ** (scale - decimals))
    shown = texts_of(flat, own if own.n_unique() > 1 else scale, scale)
    nothing = pl.Series((parts == 0) & (values > 0)) | texts.is_null()
    return pl.select(pl.when(~nothing).then(shown).alias(texts.name)).to_series()


def _whole_parts(counts: pl.Series, known: Floats, luck: Floats) -> tuple[Floats, Floats]:
    way = scaled(counts)
    if way is None:
        numbers = np.array([float(text or 0) for text in counts])
        return np.minimum(np.floor(numbers * known + luck), numbers), numbers
    values, decimals = way.own()
    units = 10.0**decimals
    return _floor(values, known, luck * units) / units, values / units


def _floor(values: np.ndarray, known: Floats, luck: Floats) -> np.ndarray:
    parts = np.minimum(np.floor(values * known + luck), values).astype(np.int64)
    return np.where(known >= 1.0, values, parts)


def _long_part(text: str | None, known: float) -> str | None:
    if text is None or known >= 1.0:
        return text
    value, decimals = whole(text)
    part = value * int(known * 2**40) // 2**40
    if not part:
        return None if value else text
    return decimal_text(part, decimals)
