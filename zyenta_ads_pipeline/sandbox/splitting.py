"""Rows of facts cut by a breakdown into rows that add up to them, exactly.

Counts, money and actions are cut by largest remainder; what is drawn follows from seed, object
and day alone. Impressions follow the cells' shares, everything else follows the impressions, so
that no cell has clicks without impressions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.time import zone
from zyenta_ads_pipeline.sandbox.amounts import decimal_text, scaled, texts_of, whole
from zyenta_ads_pipeline.sandbox.breakdowns import HOURLY, ON_META, Grid, lacks_off_meta
from zyenta_ads_pipeline.sandbox.facts import COUNTS, STATS, Facts
from zyenta_ads_pipeline.sandbox.shares import Floats, Ints, parts_of, table_of_parts

_ROWS_AT_ONCE = 20_000
_FINEST_ID = ("ad_id", "adset_id", "campaign_id", "account_id")
_CURVE = (3, 2, 1.5, 1, 1, 1.5, 3, 4, 4.5, 4.5, 4.5, 5, 5, 5, 4.5, 4.5, 5, 5.5, 6, 7, 7.5, 7, 6,
          4.5)  # fmt: skip
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
HOURS = tuple(f"{hour:02}:00:00 - {hour:02}:59:59" for hour in range(24))
"""The labels of the hours of a day, in the account's own zone."""

Weigh = Callable[[pl.DataFrame], Mapping[str, Floats]]
"""The weights (rows by cells) of some rows by column; `""` holds those of all other columns."""


def by_grid(
    rows: pl.DataFrame, grid: Grid, names: Sequence[str], amounts: Sequence[str], facts: Facts
) -> pl.DataFrame:
    """`rows` of facts cut by a grid and gathered to the breakdowns `names`, some of the grid's."""
    amounts = _known_here(amounts, names)
    wanted = [grid.names.index(name) for name in names]
    keys = [tuple(cell[n] for n in wanted) for cell in grid.cells]
    shares = np.array(grid.shares)

    def weigh(part: pl.DataFrame) -> Mapping[str, Floats]:
        ids = part[next(name for name in _FINEST_ID if name in part.columns)]
        objects = _keys_of(ids, facts.seed)
        days = part["date"].to_physical().to_numpy().astype(np.uint64)
        cells = np.arange(len(shares), dtype=np.uint64)[None, :]
        taste = _uniform(objects[:, None], cells)
        mood = _uniform(objects[:, None] + days[:, None] * _GOLDEN, cells + np.uint64(1000))
        return {"": shares * (0.5 + taste) * (0.7 + 0.6 * mood)}

    return _cut(rows, names, keys, amounts, weigh)


def by_hour(
    rows: pl.DataFrame, amounts: Sequence[str], facts: Facts, timezone: str
) -> pl.DataFrame:
    """`rows` of facts cut by the hours of the account's own days."""
    amounts = _known_here(amounts, (HOURLY,))
    cells = [(label,) for label in HOURS]
    if (hours := facts.hours) is not None:
        return _cut(rows, (HOURLY,), cells, amounts, lambda part: _delivered_hours(part, hours))
    curves = {day: _curve(day, timezone) for day in rows["date"].unique()}

    def weigh(part: pl.DataFrame) -> Mapping[str, Floats]:
        return {"": np.array([curves[day] for day in part["date"]]).reshape(-1, len(HOURS))}

    return _cut(rows, (HOURLY,), cells, amounts, weigh)


def _known_here(amounts: Sequence[str], names: Sequence[str]) -> list[str]:
    """The columns that these breakdowns have: off-Meta actions are absent from some."""
    if not lacks_off_meta(names):
        return list(amounts)
    return [
        name
        for name in amounts
        if name == "spend" or name.partition(".")[2].partition("|")[0] in ON_META
    ]


def _delivered_hours(part: pl.DataFrame, hours: Callable[[], pl.DataFrame]) -> Mapping[str, Floats]:
    """What each ad really did in each hour, as weights."""
    numbered = part.select("date", "ad_id").with_row_index("row")
    found = numbered.join(hours(), on=["date", "ad_id"])
    row, hour = found["row"].to_numpy(), found["hour"].to_numpy()
    weights: dict[str, Floats] = {}
    for name in (*COUNTS, "spend"):
        weights[name] = np.zeros((part.height, len(HOURS)))
        np.add.at(weights[name], (row, hour), found[name].to_numpy())
    clicks = weights["inline_link_clicks"]
    idle = clicks.sum(axis=1) == 0
    weights[""] = np.where(idle[:, None], weights["impressions"], clicks)
    return weights


def _curve(day: date, timezone: str) -> list[float]:
    """The usual hours of a day: a skipped label has none, a repeated one twice as much."""
    place = zone(timezone)
    start = datetime.combine(day, time(), place).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), place).astimezone(UTC)
    weights = [0.0] * len(HOURS)
    for number in range(int((end - start).total_seconds()) // 3600):
        hour = (start + timedelta(hours=number)).astimezone(place).hour
        weights[hour] += _CURVE[hour]
    return weights


def _cut(
    rows: pl.DataFrame,
    names: Sequence[str],
    cells: Sequence[tuple[str, ...]],
    amounts: Sequence[str],
    weigh: Weigh,
) -> pl.DataFrame:
    """`rows` cut into `cells`, those of equal `names` gathered; rows without anything left out."""
    counts = [name for name in COUNTS if name in rows.columns]
    ids = [name for name in ("date", *reversed(_FINEST_ID)) if name in rows.columns]
    shown = list(dict.fromkeys(cells))
    gather = np.array([[cell == key for key in shown] for cell in cells], dtype=np.int64)
    columns = [*ids, *counts, *amounts]
    cut: list[pl.DataFrame] = []
    for part in rows.select(columns).iter_slices(_ROWS_AT_ONCE):
        found, something = _parts(part, counts, amounts, weigh(part), gather)
        labels = {
            name: pl.concat([pl.Series([key[n] for key in shown], dtype=pl.String)] * part.height)
            for n, name in enumerate(names)
        }
        repeated = part.select(ids).select(pl.all().repeat_by(len(shown)).explode())
        filled = repeated.with_columns(
            *(values.alias(name) for name, values in (found | labels).items())
        )
        cut.append(filled.filter(pl.Series(something.ravel())))
    if not cut:
        empty = rows.clear().select(columns)
        return empty.with_columns(pl.lit("", pl.String).alias(name) for name in names)
    return pl.concat(cut)


def _parts(
    part: pl.DataFrame,
    counts: Sequence[str],
    amounts: Sequence[str],
    weights: Mapping[str, Floats],
    gather: Ints,
) -> tuple[dict[str, pl.Series], npt.NDArray[np.bool_]]:
    """Every count and amount cut and gathered, row by row, and where there is anything."""
    shown = _of_counts(part, "impressions", weights.get("impressions", weights[""]))
    # Nothing was shown: what was done all the same follows the weights themselves.
    base = np.where(shown.sum(axis=1, keepdims=True) > 0, shown, weights[""]).astype(np.float64)
    columns: dict[str, pl.Series] = {}
    something = (shown @ gather) > 0
    for name in counts:
        table = shown
        if name != "impressions":
            table = _of_counts(part, name, weights.get(name, base))
        gathered = table @ gather
        something |= gathered > 0
        columns[name] = pl.Series(gathered.ravel())
    follow = weights[""] if "impressions" in weights else base
    tables: dict[str, Floats] = {}
    for name in amounts:
        by = weights.get(name, follow)
        plain, bar, _ = name.partition("|")
        kind, _, action = plain.partition(".")
        # A window's part lies within that of all windows, a value with the actions it is of.
        if bar and plain in tables:
            by = _where_any(tables[plain], by)
        elif kind == STATS[1] and f"{STATS[0]}.{action}" in tables:
            by = _where_any(tables[f"{STATS[0]}.{action}"], by)
        done, decimals = _of_texts(part[name], by)
        if not bar:
            tables[name] = done.astype(np.float64)
        gathered = done @ gather
        something |= gathered > 0
        texts = _texts(gathered, decimals)
        if name != "spend":
            anything = pl.Series((gathered > 0).ravel().astype(bool))
            texts = pl.select(pl.when(anything).then(texts)).to_series()
        columns[name] = texts
    return columns, something


def _where_any(table: Floats, otherwise: Floats) -> Floats:
    found: Floats = np.where(table.sum(axis=1, keepdims=True) > 0, table, otherwise)
    return found


def _of_counts(part: pl.DataFrame, name: str, weights: Floats) -> Ints:
    if name not in part.columns:
        return np.zeros(weights.shape, dtype=np.int64)
    return table_of_parts(part[name].fill_null(0).to_numpy(), weights)


def _of_texts(texts: pl.Series, weights: Floats) -> tuple[npt.NDArray[Any], Ints]:
    """An amount's parts as whole numbers (Python's own where 64 bits are too few), and each row's
    decimals."""
    way = scaled(texts)
    if way is not None:
        values, decimals = way.own()
        return table_of_parts(values, weights), decimals
    wholes = [whole(text or "0") for text in texts]
    table = np.empty(weights.shape, dtype=object)
    for row, (value, _) in enumerate(wholes):
        table[row] = parts_of(value, weights[row].tolist())
    return table, np.array([decimals for _, decimals in wholes], dtype=np.int64)


def _texts(parts: npt.NDArray[Any], decimals: Ints) -> pl.Series:
    """A table of whole numbers as texts, row by row, with each row's decimals."""
    if parts.dtype == object:
        shown = [
            decimal_text(value, int(places))
            for row, places in zip(parts, decimals, strict=True)
            for value in row
        ]
        return pl.Series(shown, dtype=pl.String)
    own = pl.Series(np.repeat(decimals, parts.shape[1]))
    scale = int(decimals.max(initial=0))
    flat = pl.Series((parts * 10 ** (scale - decimals)[:, None]).ravel())
    return texts_of(flat, own if own.n_unique() > 1 else scale, scale)


def _keys_of(ids: pl.Series, seed: str) -> npt.NDArray[np.uint64]:
    """A number for each id that is the same in every process."""
    drawn = {
        each: int.from_bytes(hashlib.blake2b(f"{seed}:{each}".encode(), digest_size=8).digest())
        for each in ids.unique()
    }
    return np.array([drawn[each] for each in ids], dtype=np.uint64)


def _uniform(
    left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]
) -> npt.NDArray[np.float64]:
    """Numbers from 0 up to 1 that follow from two numbers (splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        mixed = left + (right + np.uint64(1)) * _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    drawn: Floats = (mixed >> np.uint64(11)).astype(np.float64) / float(2**53)
    return drawn
