"""What a budget will bring: purchases and revenue over days to come, with intervals that hold.

A forecast is what a curve is believed to be, carried through the days: the curve's own uncertainty,
its drift from day to day, weekdays, sudden changes, what a big change of a budget costs while the
platform learns again, the chance of each sale and the value of each order. No draws: the curve's
shape is taken at three points of its distribution (Gauss and Hermite), which makes a mixture of 3 G
rates per object; each rate with its counts is close to a gamma distribution, whose cube root is
close to normal (Wilson and Hilferty 1931); and the quantiles of the mixture of cube roots follow
from its moments (Cornish and Fisher). The same inputs give the same forecast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.orders import ORDER_VARIATION
from zyenta_ads_pipeline.optimizer.curves import Curves
from zyenta_ads_pipeline.optimizer.forecast_moments import (
    Jump,
    Mixture,
    gamma_quantiles,
    lognormal_quantiles,
)
from zyenta_ads_pipeline.optimizer.shapes import growth

Floats: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.intp]
Budgets: TypeAlias = Mapping[str, float] | Floats

FAR = 2.0
"""Beyond so many times the largest daily spend ever seen a curve is guesswork."""
SMALL_STEP = 0.20
"""A budget changed by more than this share makes the platform learn again."""

_DAY_NOISE = 0.08
"""Standard deviation of what a single day's log rate is off the curve, the same for all."""
_LEARNING_DAYS = 3
_LEARNING_LOSS = 0.15
"""A day of learning sells between nothing and twice this less: uniform, this in the mean."""
_DAYS_PER_JUMP = 100.0
_JUMP = 0.4
_UNSEEN_DAYS = 5
"""A campaign changes suddenly once in so many days, by so much (sd of the log): a new creative, a
price, a competitor. The curves take some days to see it."""
_LONGEST = 366
_CHUNK = 8192
"""Objects that are worked on at a time, so that the arrays stay in the processor's cache."""
_QUANTILES = (0.025, 0.10, 0.90, 0.975)
_TENTH = (0.10, 0.90)
_NODES = ((-(3.0**0.5), 1 / 6), (0.0, 2 / 3), (3.0**0.5, 1 / 6))
"""Where a normal distribution is taken, in standard deviations, and with which weight."""


def forecast(
    curves: Curves, budgets: Budgets, *, days: int, since: date, current: Budgets | None = None
) -> pl.DataFrame:
    """What each object will sell at its daily budget, on `days` days from `since` on.

    `budgets`: daily spend in major units, by object or as an array in the order of `curves.ids`;
    objects left out of a mapping are left out of the answer. `current`: today's, where known: a
    change by more than a fifth costs sales in its first three days.

    One row per object in the order of the ids: object_id, spend (of all days), purchases with
    purchases_low and purchases_high (80 %) and purchases_low95 and purchases_high95, the same of
    `value` (revenue, major units), and `extrapolated`: the budget is beyond twice the largest daily
    spend seen. All are mature: as reported once the late conversions are in. Bounds of purchases
    are whole numbers. Raises `InputError` for an unknown object, a budget that is negative or not
    finite, a horizon outside 1 to 366 days, or one that begins on the curves' last day or before.
    """
    places, spend = _aligned(curves, budgets)
    now = None if current is None else _now(curves, current, places)
    return _forecast(curves, places, spend, now, _horizon(curves, days, since))


def forecast_points(
    curves: Curves,
    object_id: str,
    budgets: Sequence[float],
    *,
    days: int,
    since: date,
    current: float | None = None,
) -> pl.DataFrame:
    """One object's forecasts at several daily budgets, one row each: the columns of `forecast`,
    with `budget`, in the order given. Raises `InputError` as `forecast` does."""
    place = _places(curves, [object_id])[0]
    spend = _checked(np.asarray(budgets, dtype=np.float64))
    places = np.full(spend.size, place, dtype=np.intp)
    now = None if current is None else _checked(np.full(spend.size, float(current)))
    rows = _forecast(curves, places, spend, now, _horizon(curves, days, since))
    return rows.insert_column(1, pl.Series("budget", spend))


def gain(
    curves: Curves, current: Budgets, proposed: Budgets, *, days: int, since: date | None = None
) -> pl.DataFrame:
    """What moving each object's daily budget from `current` to `proposed` changes in `days` days.

    Of the expected sales, mature, once the platform has learned the new budget: 80 % of what the
    difference between both points of the curve may be; the sales themselves scatter more. `since`:
    the first day, the one after the curves' last unless given. Rows of the objects in `proposed`:
    object_id, spend_change (of all days), purchases_change with purchases_change_low and _high, and
    value_change with _low and _high (revenue, major units). Raises `InputError` as `forecast` does,
    and for an object of `proposed` without a current budget.
    """
    horizon = _horizon(curves, days, since or curves.day + timedelta(days=1))
    places, after = _aligned(curves, proposed)
    before = _now(curves, current, places)
    purchases, value = _empty(places.size), _empty(places.size)
    for part in _parts(places.size):
        change = _change(curves, places[part], before[part], after[part], horizon)
        purchases.fill(part, change.mean, lognormal_quantiles(change, _TENTH))
        worth = change.times(curves.log_order[places[part]], curves.var_log_order[places[part]])
        value.fill(part, worth.mean, lognormal_quantiles(worth, _TENTH))
    sign = np.sign(after - before)
    columns: dict[str, object] = {
        "object_id": [curves.ids[place] for place in places.tolist()],
        "spend_change": (after - before) * days,
    }
    for name, of in (("purchases_change", purchases), ("value_change", value)):
        first, last = sign * of.bounds[0], sign * of.bounds[-1]
        columns |= {
            name: sign * of.mean,
            f"{name}_low": np.minimum(first, last),
            f"{name}_high": np.maximum(first, last),
        }
    return pl.DataFrame(columns)


class _Horizon(NamedTuple):
    """The days ahead: the sum of their weekdays' factors, and how far they are."""

    days: int
    weekdays: float
    drift: float
    """Variance of the mean of a walk over the days, in units of its variance per day."""
    jump: Jump
    """A sudden change that the curves do not know of."""


class _Amounts(NamedTuple):
    """Means (N,) and quantiles (Q, N) of N objects."""

    mean: Floats
    bounds: Floats

    def fill(self, part: slice, mean: Floats, bounds: Floats) -> None:
        self.mean[part] = mean
        self.bounds[:, part] = bounds


def _empty(objects: int, quantiles: int = len(_TENTH)) -> _Amounts:
    return _Amounts(np.zeros(objects), np.zeros((quantiles, objects)))


def _forecast(
    curves: Curves, places: Places, spend: Floats, now: Floats | None, horizon: _Horizon
) -> pl.DataFrame:
    purchases = _empty(places.size, len(_QUANTILES))
    value = _empty(places.size, len(_QUANTILES))
    for part in _parts(places.size):
        at = places[part]
        rates = _rates(curves, at, spend[part], horizon)
        if now is not None:
            rates = rates.scaled(*_learning(spend[part], now[part], horizon.days))
        counted = gamma_quantiles(rates, 1.0, _QUANTILES, horizon.jump)
        purchases.fill(part, rates.mean, _whole(counted, rates.nothing))
        worth = rates.times(curves.log_order[at], curves.var_log_order[at])
        order = np.exp(curves.log_order[at])
        found = gamma_quantiles(worth, (1 + ORDER_VARIATION) * order, _QUANTILES, horizon.jump)
        value.fill(part, worth.mean, _none_sold(found, rates.nothing))
    columns: dict[str, object] = {
        "object_id": [curves.ids[place] for place in places.tolist()],
        "spend": spend * horizon.days,
    }
    for name, of in (("purchases", purchases), ("value", value)):
        low95, low, high, high95 = of.bounds
        columns |= {
            name: of.mean,
            f"{name}_low": low,
            f"{name}_high": high,
            f"{name}_low95": low95,
            f"{name}_high95": high95,
        }
    columns["extrapolated"] = spend > FAR * curves.largest_spend[places]
    return pl.DataFrame(columns)


def _rates(curves: Curves, places: Places, spend: Floats, horizon: _Horizon) -> Mixture:
    """Sales of all days at `spend`, as a mixture of 3 G lognormal rates per object."""
    logs, variance, weight = [], [], []
    log_x = _log_x(curves, places, spend)
    for level, shape, rest, share, family, drift in _points(curves, places, horizon):
        logs.append(level + growth(family, shape, log_x))
        variance.append(rest + drift)
        weight.append(share)
    return Mixture(np.stack(logs) + np.log(horizon.weekdays), np.stack(variance), np.stack(weight))


def _change(
    curves: Curves, places: Places, before: Floats, after: Floats, horizon: _Horizon
) -> Mixture:
    """The size of the difference of all days' expected sales between two budgets."""
    logs, variance, weight = [], [], []
    low = _log_x(curves, places, np.minimum(before, after))
    high = _log_x(curves, places, np.maximum(before, after))
    for level, shape, rest, share, family, drift in _points(curves, places, horizon):
        top = growth(family, shape, high)
        apart = top - growth(family, shape, low)
        logs.append(level + top + np.log(np.maximum(-np.expm1(-apart), _NOTHING)))
        variance.append(rest + drift)
        weight.append(share)
    return Mixture(np.stack(logs) + np.log(horizon.weekdays), np.stack(variance), np.stack(weight))


_NOTHING = 1e-300


def _points(
    curves: Curves, places: Places, horizon: _Horizon
) -> Iterator[tuple[Floats, Floats, Floats, Floats, str, float]]:
    """Per model and point of u: the level alpha has there, u, alpha's variance that is left,
    weight, family, and the variance that the days ahead add."""
    for number, model in enumerate(curves.models):
        spread = np.sqrt(curves.puu[number, places])
        tied = curves.pau[number, places] / np.where(spread > 0, spread, 1.0)
        rest = np.maximum(curves.paa[number, places] - tied**2, 0.0)
        ahead = model.drift**2 * horizon.drift + _DAY_NOISE**2 / horizon.days
        for node, share in _NODES:
            yield (
                curves.alpha[number, places] + tied * node,
                curves.u[number, places] + spread * node,
                rest,
                curves.weight[number, places] * share,
                model.family,
                ahead,
            )


def _log_x(curves: Curves, places: Places, spend: Floats) -> Floats:
    result: Floats = np.log(np.maximum(spend / curves.ref[places], _NOTHING))
    return result


def _learning(spend: Floats, now: Floats, days: int) -> tuple[Floats, Floats]:
    """What learning leaves of the sales, and the variance of its logarithm."""
    changed = (np.abs(spend - now) > SMALL_STEP * now * (1 + 1e-9)) & (now > 0)
    part = min(_LEARNING_DAYS, days) / days
    left = np.where(changed, 1 - _LEARNING_LOSS * part, 1.0)
    spread = np.where(changed, (part * _LEARNING_LOSS) ** 2 / 3, 0.0)
    return left, spread / left**2


def _whole(quantiles: Floats, nothing: Floats) -> Floats:
    """Bounds of a count: the whole number nearest, 0 where selling nothing is likely enough."""
    return _none_sold(np.rint(quantiles), nothing, least=1.0)


def _none_sold(quantiles: Floats, nothing: Floats, least: float = 0.0) -> Floats:
    """Lower bounds fall to 0 where nothing may well be sold; upper ones keep `least` else."""
    shares = np.asarray(_QUANTILES)[:, None]
    return np.where(nothing >= shares, 0.0, np.maximum(quantiles, least * (shares > 0.5)))


def _horizon(curves: Curves, days: int, since: date) -> _Horizon:
    if not 1 <= days <= _LONGEST:
        raise InputError(
            f"A forecast of {days} days cannot be made.", f"Give 1 to {_LONGEST} days."
        )
    gap = (since - curves.day).days - 1
    if gap < 0:
        raise InputError(
            f"A forecast from {since} on begins where the curves still learned (until "
            f"{curves.day}).",
            "Begin it on the day after, or later.",
        )
    weekdays = sum(float(np.exp(curves.weekday[(since.weekday() + n) % 7])) for n in range(days))
    drift = gap + (days + 1) * (2 * days + 1) / (6 * days)
    exposed = _UNSEEN_DAYS + gap + days
    return _Horizon(days, weekdays, drift, Jump(-math.expm1(-exposed / _DAYS_PER_JUMP), _JUMP))


def _aligned(curves: Curves, budgets: Budgets) -> tuple[Places, Floats]:
    """Places of the objects in the curves, in their order, and the objects' amounts."""
    if isinstance(budgets, Mapping):
        ids = sorted(budgets)
        amounts = np.asarray([float(budgets[each]) for each in ids], dtype=np.float64)
        return _places(curves, ids), _checked(amounts)
    amounts = np.asarray(budgets, dtype=np.float64)
    if amounts.shape != (len(curves.ids),):
        raise InputError(
            f"{amounts.size} budgets were given for {len(curves.ids)} curves.",
            "Give one for each, in the order of the ids, or a mapping.",
        )
    return np.arange(amounts.size), _checked(amounts)


def _now(curves: Curves, current: Budgets, places: Places) -> Floats:
    if not isinstance(current, Mapping):
        return _aligned(curves, current)[1][places]
    ids = [curves.ids[place] for place in places.tolist()]
    if missing := [each for each in ids if each not in current]:
        raise InputError(
            f"There is no current budget of {', '.join(missing[:5])}.",
            "Give today's budget of every object that is asked for.",
        )
    return _checked(np.asarray([float(current[each]) for each in ids], dtype=np.float64))


def _places(curves: Curves, ids: Sequence[str]) -> Places:
    known = {each: place for place, each in enumerate(curves.ids)}
    if unknown := [each for each in ids if each not in known]:
        raise InputError(
            f"There is no response curve of {', '.join(unknown[:5])}.",
            "Fit the curves to the days of these objects first.",
        )
    return np.asarray([known[each] for each in ids], dtype=np.intp)


def _checked(amounts: Floats) -> Floats:
    if not np.all(np.isfinite(amounts)) or np.any(amounts < 0):
        raise InputError(
            "A forecast was asked for at a budget that is negative or no number.",
            "Give amounts from 0 up.",
        )
    return amounts


def _parts(count: int) -> Iterator[slice]:
    for start in range(0, count, _CHUNK):
        yield slice(start, min(start + _CHUNK, count))
