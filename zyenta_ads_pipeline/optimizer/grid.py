"""An account's days as arrays: one row per calendar day, one column per campaign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_AT_ONCE = 1024
"""Columns handled at a time: what they need stays near the processor."""


@dataclass(frozen=True)
class Grid:
    """T days that end with `day`, N objects in the order of `ids` (sorted); arrays are (T, N).

    `spend`, `conversions` and `revenue` are 0 where nothing was delivered, corrections below 0
    included as they are; `maturity` is 1 there. `seen` marks the days with a row, `clicked` those
    with clicks.
    """

    day: date
    ids: tuple[str, ...]
    spend: Floats
    conversions: Floats
    revenue: Floats
    maturity: Floats
    seen: Flags
    clicked: Flags

    @property
    def length(self) -> int:
        """T: days of the window."""
        return len(self.spend)

    @property
    def weekdays(self) -> npt.NDArray[np.int64]:
        """(T,) weekday of each day, 0 for Monday."""
        ages = np.arange(self.length - 1, -1, -1)
        result: npt.NDArray[np.int64] = (self.day.weekday() - ages) % 7
        return result

    def part(self, columns: slice) -> Grid:
        """The same of some of the objects."""
        return Grid(
            self.day,
            self.ids[columns],
            np.ascontiguousarray(self.spend[:, columns]),
            np.ascontiguousarray(self.conversions[:, columns]),
            np.ascontiguousarray(self.revenue[:, columns]),
            np.ascontiguousarray(self.maturity[:, columns]),
            np.ascontiguousarray(self.seen[:, columns]),
            np.ascontiguousarray(self.clicked[:, columns]),
        )

    def without(self, masked: Flags) -> Grid:
        """The same as if nothing were known of the `masked` days (T, N)."""
        return replace(
            self,
            spend=np.where(masked, 0.0, self.spend),
            conversions=np.where(masked, 0.0, self.conversions),
            revenue=np.where(masked, 0.0, self.revenue),
            maturity=np.where(masked, 1.0, self.maturity),
            seen=self.seen & ~masked,
            clicked=self.clicked & ~masked,
        )


def by_parts(
    grid: Grid, work: Callable[[Grid, slice], tuple[npt.NDArray[np.float64], ...]]
) -> tuple[Floats, ...]:
    """What `work` makes of the objects, some at a time, put together along the last axis."""
    done = []
    for first in range(0, max(len(grid.ids), 1), _AT_ONCE):
        columns = slice(first, first + _AT_ONCE)
        done.append(work(grid.part(columns), columns))
    if len(done) == 1:
        return done[0]
    return tuple(np.concatenate(each, axis=-1) for each in zip(*done, strict=True))


def grid_of(days: pl.DataFrame, day: date, window_days: int) -> Grid:
    """The rows of `days` (columns of `DAYS`) on the `window_days` days up to `day`.

    Every campaign of `days` has a column, even one without a day in the window. Raises
    `InputError` for a day given twice and for a number that is not finite.
    """
    if window_days < 1:
        raise InputError(f"A window of {window_days} days holds nothing.", "Give at least one day.")
    ids, column = _columns(days["campaign_id"])
    first = day - timedelta(days=window_days - 1)
    inside = (
        days.lazy()
        .select(
            column.alias("column"),
            (pl.col("date") - first).dt.total_days().alias("row"),
            *(pl.col(name).cast(pl.Float64) for name in _EMPTY),
            (pl.col("clicks").fill_null(0) > 0).alias("clicked"),
        )
        .filter(pl.col("row").is_between(0, window_days - 1))
        .collect()
    )
    # Laid out by campaign, as histories come: then writing and summing go along the memory.
    place = inside["column"].to_numpy().astype(np.int64) * window_days + inside["row"].to_numpy()
    shape = (len(ids), window_days)
    seen = np.zeros(shape, dtype=np.bool_)
    seen.ravel()[place] = True
    if int(np.count_nonzero(seen)) != inside.height:
        raise InputError(
            "A history gives a day of a campaign twice.",
            "Sync the account again; if it persists, `zyenta sql` shows the rows.",
        )
    clicked = np.zeros(shape, dtype=np.bool_)
    clicked.ravel()[place] = inside["clicked"].to_numpy()
    spend, conversions, revenue, maturity = (
        _scattered(inside[name], place, shape) for name in _EMPTY
    )
    return Grid(day, ids, spend, conversions, revenue, maturity, seen.T, clicked.T)


_EMPTY = {"spend": 0.0, "conversions": 0.0, "revenue": 0.0, "maturity": 1.0}
"""Amounts of a day, and what stands where there was none."""


def _columns(campaigns: pl.Series) -> tuple[tuple[str, ...], pl.Series]:
    """The distinct ids, sorted, and each row's place among them."""
    if campaigns.is_sorted():
        place = campaigns.rle_id()
        begins = place.diff().fill_null(1) > 0
        return tuple(campaigns.filter(begins)), place
    ids = campaigns.unique().sort()
    return tuple(ids), campaigns.cast(pl.Enum(ids)).to_physical()


def _scattered(column: pl.Series, place: npt.NDArray[np.int64], shape: tuple[int, int]) -> Floats:
    numbers = column.to_numpy()
    if not np.all(np.isfinite(numbers)):
        raise InputError(
            f"A history has a day whose {column.name} is no number.",
            "Sync the account again; if it persists, `zyenta sql` shows the rows.",
        )
    whole = np.full(shape, _EMPTY[column.name])
    whole.ravel()[place] = numbers
    return whole.T
