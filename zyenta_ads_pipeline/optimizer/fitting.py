"""Fitting response curves: what an account's last 90 days say of each of its objects.

Outages are left out, what all objects share on a day is taken out (`effects.py`), and a bank of
filters says how probable each curve is (`filtering.py`), with what is usual in the account as the
prior of each object (`pooling.py`). No state is kept: the days are read anew each time, so that
late conversions and backfills count.

At the end the grid is summed up as a normal distribution of (alpha, u) for each family and drift,
at a reference spend that lies where the object spends now.
"""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.optimizer.curves import Curves, Model
from zyenta_ads_pipeline.optimizer.effects import USUAL_ELASTICITY, Effects, effects
from zyenta_ads_pipeline.optimizer.filtering import DRIFTS, Bank, Filtered, filtered
from zyenta_ads_pipeline.optimizer.grid import Flags, Grid, grid_of
from zyenta_ads_pipeline.optimizer.order_value import OrderValue, order_value
from zyenta_ads_pipeline.optimizer.outages import silence
from zyenta_ads_pipeline.optimizer.pooling import probabilities
from zyenta_ads_pipeline.optimizer.shapes import FAMILIES, growth

Floats: TypeAlias = npt.NDArray[np.float64]

ELASTICITIES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
FEWER_ELASTICITIES = (0.25, 0.4, 0.55, 0.7, 0.85)
"""For accounts of more than `EXACT_UP_TO` objects; a normal distribution is made of either."""
EXACT_UP_TO = 20_000

_LEAST_SHARE = 0.02
"""Spend below this share of the reference is not a day to learn from."""
_RECENT_DAYS = 7.0


def fit_curves(days: pl.DataFrame, day: date, *, window_days: int = 90) -> Curves:
    """The response curves of every object in `days` (columns of `DAYS`), as known on `day`.

    Looks at the `window_days` days up to `day`; an object without a day in them gets what the
    account's others suggest. The same rows give the same curves, in any order.
    Raises `InputError` for a day given twice or a number that is not finite.
    """
    return fit_grid(grid_of(days, day, window_days))


def fit_grid(grid: Grid) -> Curves:
    """The same, of a history that is a grid already."""
    lacking = silence(grid)
    if np.any(lacking):
        grid = grid.without(lacking > 0)
    spent = grid.seen & (grid.spend > 0)
    ref = _reference(grid.spend, spent, np.ones(grid.length))
    learned = spent & (grid.spend >= _LEAST_SHARE * ref)
    ref = _reference(grid.spend, learned, np.ones(grid.length))
    orders = order_value(grid)
    common = effects(grid, learned)
    level = _prior_level(grid, learned, ref, orders)
    exact = len(grid.ids) <= EXACT_UP_TO
    bank = Bank.of(ELASTICITIES if exact else FEWER_ELASTICITIES)
    fit = filtered(grid, learned, ref, common.day, level, bank, exact=exact)
    weight = probabilities(fit.likelihood, bank)
    ages = np.arange(grid.length - 1, -1, -1)
    now = _reference(grid.spend, learned, np.exp(-ages / _RECENT_DAYS))
    return _summed_up(grid, learned, ref, now, orders, common, bank, fit, weight)


def _reference(spend: Floats, counted: Flags, weight: Floats) -> Floats:
    """(N,) geometric mean of the spend on the `counted` days; the account's where there is none."""
    weights = weight[:, np.newaxis] * counted
    total = np.sum(weights, axis=0)
    logs = np.sum(weights * np.log(np.where(counted, spend, 1.0)), axis=0)
    own = logs / np.where(total > 0, total, 1.0)
    fleet = float(np.mean(own[total > 0])) if np.any(total > 0) else 0.0
    return np.exp(np.where(total > 0, own, fleet))


def _prior_level(grid: Grid, learned: Flags, ref: Floats, orders: OrderValue) -> Floats:
    """(N,) conversions a day at ref, as the account's mean return suggests."""
    sold = float(np.sum(np.maximum(grid.conversions, 0.0), where=learned))
    exposure = float(np.sum(grid.spend * grid.maturity, where=learned))
    # Half a conversion, so that an account without any still has a level.
    rate = (sold + 0.5) / exposure if exposure > 0 else 0.5 / float(np.sum(ref) or 1.0)
    result: Floats = rate * ref * orders.account / np.exp(orders.log)
    return result


def _summed_up(
    grid: Grid,
    learned: Flags,
    ref: Floats,
    now: Floats,
    orders: OrderValue,
    common: Effects,
    bank: Bank,
    fit: Filtered,
    weight: Floats,
) -> Curves:
    q, n = len(DRIFTS), len(grid.ids)
    log_now = np.log(now / ref)
    models, columns = [], []
    for f, family in enumerate(FAMILIES):
        of = bank.family == f
        u = bank.u[of][:, np.newaxis] - (log_now if family == "mm" else 0.0)
        moved = growth(family, bank.u[of][:, np.newaxis], log_now[np.newaxis, :])
        step = np.gradient(bank.u[of])[:, np.newaxis] ** 2 / 12
        for d in range(q):
            models.append(Model(family, DRIFTS[d], USUAL_ELASTICITY))
            a = fit.shape[d]
            alpha = np.log(a) - 1 / (2 * a) - 1 / (12 * a**2) - fit.log_rate[d, of] + moved
            spread = 1 / a + 1 / (2 * a**2) + 1 / (6 * a**3)
            w = weight[d, of]
            total = np.sum(w, axis=0)
            share = w / np.maximum(total, 1e-300)
            mean_a = np.sum(share * alpha, axis=0)
            mean_u = np.sum(share * u, axis=0) * np.ones(n)
            da, du = alpha - mean_a, u - mean_u
            columns.append(
                (
                    total,
                    mean_a,
                    mean_u,
                    spread + np.sum(share * da**2, axis=0),
                    np.sum(share * da * du, axis=0),
                    # Between two points of the grid a posterior may be as narrow as it likes.
                    np.maximum(np.sum(share * du**2, axis=0), np.sum(share * step, axis=0)),
                )
            )
    total, alpha, u, paa, pau, puu = (np.stack(each) for each in zip(*columns, strict=True))
    return Curves(
        day=grid.day,
        ids=grid.ids,
        models=tuple(models),
        ref=now,
        weight=total / np.sum(total, axis=0),
        alpha=alpha,
        u=u,
        paa=paa,
        pau=pau,
        puu=puu,
        log_order=orders.log,
        var_log_order=orders.variance,
        weekday=common.weekday,
        largest_spend=np.max(grid.spend, axis=0, initial=0.0),
        days_seen=np.count_nonzero(learned, axis=0).astype(np.int64),
        conversions=np.sum(np.maximum(grid.conversions, 0.0), axis=0, where=learned),
    )
