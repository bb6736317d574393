"""Days on which the tracking was silent: clicks and spend as ever, and no conversion at all.

Nothing can be learned of a campaign from such days, and nothing may be taken from it for them. A
run of days with clicks and without a single conversion is an outage where more than seven were to
be expected; chance does that once in a thousand. Expected is what the campaign sold per
spend ^ 0.6 in the three weeks on either side of the run, times how much of each day is reported
yet. One campaign's run counts up to five days long: a longer one may be a campaign that no longer
sells. Where the whole account is silent, the days count however many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.optimizer.effects import exposed
from zyenta_ads_pipeline.optimizer.grid import Flags, Grid, by_parts, grid_of

Floats: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]

WINDOW_DAYS = 90
OUTAGE_DAYS = {"campaign_id": pl.String, "date": pl.Date, "expected": pl.Float64}

_TELLING = 7.0
_LONGEST_RUN = 5
_AROUND_DAYS = 21


@dataclass(frozen=True)
class Outage:
    """The whole account has reported no conversion from `since` to `until` (both included), while
    `expected` were to be expected by now, from `clicked_days` campaign days with clicks."""

    since: date
    until: date
    expected: float
    clicked_days: int


def outage_days(days: pl.DataFrame, day: date, *, since: date | None = None) -> pl.DataFrame:
    """The days of `days` (columns of `DAYS`) that are not to be learned from.

    One row per campaign and day: campaign_id, date, expected (reported conversions that were to
    be expected by now), in that order. Looks at the 90 days up to `day`; with `since` only for
    outages that reach that day or a later one, which costs much less.
    """
    window = WINDOW_DAYS
    if since is not None and not _account_was_silent(days, day, since):
        # Then each campaign stands for itself, and few are in question.
        window = (day - since).days + 1 + _LONGEST_RUN + _AROUND_DAYS
        asked = days.filter(_suspects() & (pl.col("date") >= since))["campaign_id"].unique()
        days = days.filter(
            (pl.col("date") > day - timedelta(days=window))
            & pl.col("campaign_id").is_in(asked.implode())
        )
    grid = grid_of(days, day, window)
    expected = silence(grid) if window == WINDOW_DAYS else _of_campaigns(grid)
    if since is not None:
        expected = _reaching(expected, window - 1 - (day - since).days)
    rows, columns = np.nonzero(expected)
    first = day - timedelta(days=grid.length - 1)
    return pl.DataFrame(
        {
            "campaign_id": [grid.ids[column] for column in columns],
            "date": [first + timedelta(days=int(row)) for row in rows],
            "expected": expected[rows, columns],
        },
        schema=OUTAGE_DAYS,
    ).sort("campaign_id", "date")


def account_outage(days: pl.DataFrame, day: date) -> Outage | None:
    """The silence of the whole account that still lasts on `day`; None where there is none."""
    grid = grid_of(days, day, WINDOW_DAYS)
    every = np.arange(len(grid.ids))
    for since, until in _account_runs(grid):
        told = _Told.of(grid)
        account = _Runs(every, np.full_like(every, since), np.full_like(every, until))
        expected = float(np.sum(told.expected(account)))
        if until == grid.length and expected > _TELLING:
            return Outage(
                since=day - timedelta(days=until - since - 1),
                until=day,
                expected=expected,
                clicked_days=int(np.count_nonzero(grid.clicked[since:until])),
            )
    return None


def _suspects() -> pl.Expr:
    """Days with spend and clicks and without any conversion, of a frame."""
    return (pl.col("clicks") > 0) & (pl.col("spend") > 0) & (pl.col("conversions") <= 0)


def _account_was_silent(days: pl.DataFrame, day: date, since: date) -> bool:
    """Whether the account had clicks and no conversion at all on a day from `since` on."""
    recent = days.filter(pl.col("date").is_between(since, day))
    sold = recent.filter(pl.col("conversions") > 0)["date"].unique()
    clicked = recent.filter(pl.col("clicks") > 0)["date"].unique()
    return not set(clicked) <= set(sold)


def _reaching(lacking: Floats, row: int) -> Floats:
    """(T, N) only the runs of days that reach `row` or a later one."""
    runs = _runs(lacking > 0)
    kept = np.zeros_like(lacking)
    for place in np.flatnonzero(runs.until > row):
        days = slice(runs.since[place], runs.until[place])
        column = runs.column[place]
        kept[days, column] = lacking[days, column]
    return kept


def silence(grid: Grid) -> Floats:
    """(T, N) conversions that each day of an outage lacks; 0 on all other days."""
    (lacking,) = by_parts(grid, lambda part, _: (_of_campaigns(part),))
    every = np.arange(len(grid.ids))
    for since, until in _account_runs(grid):
        told = _Told.of(grid)
        run = _Runs(every, np.full_like(every, since), np.full_like(every, until))
        if float(np.sum(told.expected(run))) > _TELLING:
            here = slice(since, until)
            missing = told.rate(run) * told.exposure[here]
            lacking[here] = np.where(_suspect(grid)[here], missing, lacking[here])
    return lacking


def _of_campaigns(grid: Grid) -> Floats:
    """The same, of each campaign by itself."""
    runs = _runs(_suspect(grid))
    short = runs.until - runs.since <= _LONGEST_RUN
    runs = _Runs(*(each[short] for each in runs))
    told = _Told.of(grid)
    rate, expected = told.rate(runs), told.expected(runs)
    lacking = np.zeros(grid.spend.shape)
    for place in np.flatnonzero(expected > _TELLING):
        days = slice(runs.since[place], runs.until[place])
        column = runs.column[place]
        lacking[days, column] = rate[place] * told.exposure[days, column]
    return lacking


class _Runs(NamedTuple):
    """Runs of days: the object's column, the first day, and the one after the last; (R,) each."""

    column: Counts
    since: Counts
    until: Counts


def _runs(flags: Flags) -> _Runs:
    """The runs of days (T, N) that are flagged, without a gap."""
    nothing = np.zeros((1, flags.shape[1]), dtype=np.int8)
    steps = np.diff(np.concatenate([nothing, flags.astype(np.int8), nothing]), axis=0).T
    column, since = np.nonzero(steps > 0)
    _, until = np.nonzero(steps < 0)
    return _Runs(column, since, until)


class _Told(NamedTuple):
    """Running sums over the days, so that any run's surroundings are two subtractions."""

    exposure: Floats
    """(T, N) spend ^ 0.6 times maturity: what conversions are proportional to."""
    exposed: Floats
    sold: Floats
    """(T + 1, N) sums over the days before."""

    @classmethod
    def of(cls, grid: Grid) -> _Told:
        exposure = exposed(grid.spend) * grid.maturity
        return cls(exposure, _summed(exposure), _summed(np.maximum(grid.conversions, 0.0)))

    def expected(self, runs: _Runs) -> Floats:
        """(R,) conversions to expect as reported by now from the days of each run."""
        return self.rate(runs) * _between(self.exposed, runs.column, runs.since, runs.until)

    def rate(self, runs: _Runs) -> Floats:
        """(R,) conversions per exposure in the days around each run."""
        first = np.maximum(runs.since - _AROUND_DAYS, 0)
        last = np.minimum(runs.until + _AROUND_DAYS, self.exposure.shape[0])
        sold, exposed = (
            _between(sums, runs.column, first, runs.since)
            + _between(sums, runs.column, runs.until, last)
            for sums in (self.sold, self.exposed)
        )
        return np.where(exposed > 0, sold / np.maximum(exposed, 1e-300), 0.0)


def _summed(amounts: Floats) -> Floats:
    return np.concatenate([np.zeros((1, amounts.shape[1])), np.cumsum(amounts, axis=0)])


def _between(sums: Floats, column: Counts, since: Counts, until: Counts) -> Floats:
    result: Floats = sums[until, column] - sums[since, column]
    return np.maximum(result, 0.0)


def _suspect(grid: Grid) -> Flags:
    """Days with spend and clicks and without any conversion."""
    result: Flags = grid.clicked & (grid.spend > 0) & (grid.conversions <= 0)
    return result


def _account_runs(grid: Grid) -> list[tuple[int, int]]:
    """Runs of days, as (first, after the last), with clicks but no conversion in the account.

    Days without delivery neither end a run nor begin or close one.
    """
    clicked = np.any(grid.clicked, axis=1)
    sold = np.any(grid.conversions > 0, axis=1)
    runs: list[tuple[int, int]] = []
    since: int | None = None
    until = 0
    for day in range(grid.length):
        if sold[day]:
            if since is not None:
                runs.append((since, until))
            since = None
        elif clicked[day]:
            since = day if since is None else since
            until = day + 1
    return runs if since is None else [*runs, (since, until)]
