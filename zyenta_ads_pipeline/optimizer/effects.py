"""What all campaigns of an account share on a day: its weekday, and the day itself.

Each campaign's rate is smoothed over neighbouring days, m = sum of K y / F over sum of K s^0.6,
times s^0.6, with K = exp(-|days between| / 5). What the whole account sold against the sum of
those is a factor per weekday, (sold + 40) / (expected + 40), and then one per day that counts
150 conversions of doubt: a small account moves little.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from zyenta_ads_pipeline.optimizer.grid import Grid, by_parts

Floats: TypeAlias = npt.NDArray[np.float64]

USUAL_ELASTICITY = 0.6
"""How sales answer to spend before anything was learned of a campaign."""

_SMOOTHING_DAYS = 5.0
_WEEKDAY_DOUBT = 40.0
_DAY_DOUBT = 150.0
_ODD, _ODD_SIGMAS = 2.0, 6.0
"""A campaign's day that sold more than twice what its neighbours let expect, and six standard
deviations, is cut to that: it is odd by itself, and tells nothing of the account."""


class Effects(NamedTuple):
    """Logarithms of factors: `day` (T,) of each day, its weekday included; `weekday` (7,) Monday
    first, 0 in the mean."""

    day: Floats
    weekday: Floats


def exposed(spend: Floats) -> Floats:
    """spend ^ 0.6: what sales are about proportional to before a campaign's curve is known."""
    some = spend > 0
    return np.where(some, np.exp(USUAL_ELASTICITY * np.log(np.where(some, spend, 1.0))), 0.0)


def effects(grid: Grid, learned: npt.NDArray[np.bool_]) -> Effects:
    """The common effects of the days of `grid`, from the days (T, N) that are `learned` from."""

    def sums(part: Grid, columns: slice) -> tuple[Floats, ...]:
        counted = learned[:, columns]
        sold = np.where(counted, np.maximum(part.conversions, 0.0), 0.0)
        exposure = exposed(np.where(counted, part.spend, 0.0))
        told = _smoothed(exposure)
        sold = _without_odd_days(sold, exposure, told, part.maturity)
        rate = _smoothed(sold / part.maturity) / np.maximum(told, 1e-300)
        expected = np.sum(rate * exposure * part.maturity, axis=1, keepdims=True)
        return np.sum(sold, axis=1, keepdims=True), expected

    seen, expected = (np.sum(each, axis=1) for each in by_parts(grid, sums))
    weekdays = grid.weekdays
    by_weekday = np.array(
        [
            (np.sum(seen[weekdays == each]) + _WEEKDAY_DOUBT)
            / (np.sum(expected[weekdays == each]) + _WEEKDAY_DOUBT)
            for each in range(7)
        ]
    )
    weekday = np.log(by_weekday)
    weekday -= np.mean(weekday)
    foreseen = expected * np.exp(weekday[weekdays])
    day = weekday[weekdays] + np.log((seen + _DAY_DOUBT) / (foreseen + _DAY_DOUBT))
    return Effects(day, weekday)


def _without_odd_days(sold: Floats, exposure: Floats, told: Floats, maturity: Floats) -> Floats:
    """Conversions with each day cut to what the days around it, without itself, let expect;
    `told` is the exposure of both, smoothed."""
    mature = sold / maturity
    around = np.maximum(told - exposure, 0.0)
    rate = np.maximum(_smoothed(mature) - mature, 0.0) / np.where(around > 0, around, 1.0)
    usual = rate * exposure * maturity
    most = _ODD * usual + _ODD_SIGMAS * np.sqrt(usual) + 1.0
    return np.where(around > 0, np.minimum(sold, most), sold)


def _smoothed(amounts: Floats) -> Floats:
    """Sums over all days with weights that fall by e every `_SMOOTHING_DAYS`, either way (T, N)."""
    keep = np.exp(-1.0 / _SMOOTHING_DAYS)
    result = amounts.copy()
    carried = np.zeros(amounts.shape[1])
    for day in range(1, amounts.shape[0]):
        carried = keep * (carried + amounts[day - 1])
        result[day] += carried
    carried = np.zeros(amounts.shape[1])
    for day in range(amounts.shape[0] - 2, -1, -1):
        carried = keep * (carried + amounts[day + 1])
        result[day] += carried
    return result
