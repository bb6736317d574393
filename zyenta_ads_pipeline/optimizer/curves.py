"""Response curves: what each campaign or ad set would sell at another budget, with uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.shapes import Shape, shape

Floats: TypeAlias = npt.NDArray[np.float64]

LEAST_SPEND = 1e-6
"""Spend, as a share of an object's reference, at which a curve is evaluated for spend 0."""

_Z80 = 1.2815515655446004
"""80 % of a normal distribution lie within so many standard deviations."""


class Model(NamedTuple):
    """One member of the bank: its family ("mm" or "pow"), drift per day, prior elasticity."""

    family: str
    drift: float
    elasticity: float


class Marginal(NamedTuple):
    """What the next unit of money returns, per object: arrays of shape (N,).

    `mean` and `variance` are of its logarithm; `curvature` is -dlog(marginal)/dlog(spend), > 0.
    """

    mean: Floats
    variance: Floats
    curvature: Floats


class Estimate(NamedTuple):
    """A positive amount, roughly lognormal: mean and variance of its logarithm, shape (N,)."""

    mean: Floats
    variance: Floats


@dataclass(frozen=True)
class Curves:
    """The posterior of every object's curve at the end of `day`. N objects in the order of `ids`
    (sorted), G models of the bank; arrays are (G, N) unless said otherwise.

    The expected mature conversions of object i at a daily spend s (major units) under model g are
    exp(alpha + h(u, s / ref)) on a day without effects; h is 0 at s = ref. `weight` sums to 1 over
    the models; (alpha, u) is normal with mean `alpha`, `u` and covariance `paa`, `pau`, `puu`.
    """

    day: date
    ids: tuple[str, ...]
    models: tuple[Model, ...]
    ref: Floats
    """(N,) spend at which alpha is stated, major units."""
    weight: Floats
    alpha: Floats
    u: Floats
    paa: Floats
    pau: Floats
    puu: Floats
    log_order: Floats
    """(N,) log of the mean value of one conversion, major units."""
    var_log_order: Floats
    """(N,) its posterior variance."""
    weekday: Floats
    """(7,) log factor of each weekday, Monday first, 0 in the mean."""
    largest_spend: Floats
    """(N,) the largest daily spend ever seen, major units; 0 without any."""
    days_seen: npt.NDArray[np.int64]
    """(N,) days with spend that were learned from."""
    conversions: Floats
    """(N,) reported conversions that were learned from."""

    def marginal(self, spend: Floats) -> Marginal:
        """The logarithm of the revenue that the next unit of money brings, at each object's
        `spend` (N,), major units a day. A mixture over the models, each to first order in u.
        """
        log_spend = self._log_spend(spend)
        at = self._shapes(log_spend)
        levels = self.alpha + at.growth + at.elasticity
        slope = at.growth_slope + at.elasticity_slope
        mean, variance = self._mixed(levels, slope)
        return Marginal(
            mean + self.log_order - log_spend,
            variance + self.var_log_order,
            np.sum(self.weight * at.curvature, axis=0),
        )

    def level(self, spend: Floats) -> Estimate:
        """The mature conversions of a day at each object's `spend` (N,), without effects."""
        at = self._shapes(self._log_spend(spend))
        return Estimate(*self._mixed(self.alpha + at.growth, at.growth_slope))

    def elasticity(self, spend: Floats) -> Estimate:
        """dlog(conversions)/dlog(spend) at each object's `spend` (N,): itself, no logarithm."""
        at = self._shapes(self._log_spend(spend))
        value = np.exp(at.elasticity)
        mean = np.sum(self.weight * value, axis=0)
        spread = self.puu * (at.elasticity_slope * value) ** 2 + (value - mean) ** 2
        return Estimate(mean, np.sum(self.weight * spread, axis=0))

    def expected(self, spend: Floats) -> Floats:
        """Mature conversions of a day without effects at each object's `spend` (N,), the mean of
        the posterior; 0 at spend 0."""
        at = self._shapes(self._log_spend(spend))
        variance = self._variance(at.growth_slope)
        sales = np.exp(self.alpha + at.growth + np.minimum(variance, 2.0) / 2)
        mean: Floats = np.where(spend > 0, np.sum(self.weight * sales, axis=0), 0.0)
        return mean

    def taken(self, ids: Sequence[str]) -> Curves:
        """The curves of those objects, in the order of their ids.

        Raises `InputError` where one of them has no curve.
        """
        known = {each: place for place, each in enumerate(self.ids)}
        wanted = sorted(set(ids))
        if unknown := [each for each in wanted if each not in known]:
            raise InputError(
                f"There is no response curve of {', '.join(unknown[:5])}"
                + (f" and {len(unknown) - 5} more." if len(unknown) > 5 else "."),
                "Fit the curves to the days of these objects first.",
            )
        places = np.array([known[each] for each in wanted], dtype=np.int64)
        return _with(self, tuple(wanted), lambda name: getattr(self, name)[..., places])

    def _log_spend(self, spend: Floats) -> Floats:
        least = LEAST_SPEND * self.ref
        result: Floats = np.log(np.maximum(spend, least))
        return result

    def _shapes(self, log_spend: Floats) -> Shape:
        """Every model's curve at the objects' spend; fields (G, N)."""
        log_x = log_spend - np.log(self.ref)
        each = [shape(m.family, self.u[g], log_x) for g, m in enumerate(self.models)]
        return Shape(*(np.stack(field) for field in zip(*each, strict=True)))

    def _variance(self, slope: Floats) -> Floats:
        """Of alpha + f(u) under each model (G, N), where `slope` is df/du."""
        result: Floats = self.paa + 2 * slope * self.pau + slope**2 * self.puu
        return np.maximum(result, 0.0)

    def _mixed(self, levels: Floats, slope: Floats) -> tuple[Floats, Floats]:
        """Mean and variance over the models of logarithms `levels` (G, N)."""
        mean = np.sum(self.weight * levels, axis=0)
        spread = self._variance(slope) + (levels - mean) ** 2
        return mean, np.sum(self.weight * spread, axis=0)


def _with(curves: Curves, ids: tuple[str, ...], made: Callable[[str], Any]) -> Curves:
    """Curves of other objects of the same fit: `made` gives each array by its name."""
    return replace(
        curves,
        ids=ids,
        ref=made("ref"),
        weight=made("weight"),
        alpha=made("alpha"),
        u=made("u"),
        paa=made("paa"),
        pau=made("pau"),
        puu=made("puu"),
        log_order=made("log_order"),
        var_log_order=made("var_log_order"),
        largest_spend=made("largest_spend"),
        days_seen=made("days_seen"),
        conversions=made("conversions"),
    )


def curve_points(curves: Curves, object_id: str, spends: Sequence[float]) -> pl.DataFrame:
    """One object's curve at `spends` (major units a day), for a plot.

    Columns: spend, conversions, conversions_low, conversions_high, revenue, revenue_low,
    revenue_high, elasticity. All are mature and of a day without effects. 80 % of what the curve
    may be lie between low and high; a single day scatters more. Raises `InputError` for an unknown
    object, or a spend that is negative or not finite.
    """
    spend = np.asarray(spends, dtype=np.float64)
    if not np.all(np.isfinite(spend)) or np.any(spend < 0):
        raise InputError(
            "A curve was asked for at a spend that is negative or no number.",
            "Give amounts from 0 up.",
        )
    one = curves.taken([object_id])
    many = _with(
        one,
        (object_id,) * spend.size,
        lambda name: np.repeat(getattr(one, name), spend.size, axis=-1),
    )
    mean = many.expected(spend)
    order = np.exp(many.log_order + many.var_log_order / 2)
    level = many.level(spend)
    width = _Z80 * np.sqrt(level.variance)
    width_of_value = _Z80 * np.sqrt(level.variance + many.var_log_order)
    centre = np.where(spend > 0, np.exp(level.mean), 0.0)
    value = centre * np.exp(many.log_order)
    return pl.DataFrame(
        {
            "spend": spend,
            "conversions": mean,
            "conversions_low": np.minimum(centre * np.exp(-width), mean),
            "conversions_high": np.maximum(centre * np.exp(width), mean),
            "revenue": mean * order,
            "revenue_low": np.minimum(value * np.exp(-width_of_value), mean * order),
            "revenue_high": np.maximum(value * np.exp(width_of_value), mean * order),
            "elasticity": many.elasticity(spend).mean,
        }
    )


def completed(curves: Curves, ids: Sequence[str]) -> Curves:
    """The curves of exactly `ids`. One without a curve gets what the account's others suggest:
    their mean, with as much more doubt as they differ. Raises `InputError` without any curve.
    """
    known = frozenset(curves.ids)
    missing = sorted(set(ids) - known)
    some = curves.taken([each for each in ids if each in known])
    if not missing:
        return some
    if not curves.ids:
        raise InputError("There are no response curves at all.", "Sync days with delivery first.")
    usual = _usual(curves)
    both = (*some.ids, *missing)
    order = np.argsort(np.array(both))

    def joined(name: str) -> Any:
        new = np.repeat(getattr(usual, name), len(missing), axis=-1)
        return np.concatenate([getattr(some, name), new], axis=-1)[..., order]

    return _with(some, tuple(both[place] for place in order), joined)


def _usual(curves: Curves) -> Curves:
    """The mean of all curves, as one object that was never seen."""
    total = np.maximum(np.sum(curves.weight, axis=1, keepdims=True), 1e-300)
    share = curves.weight / total

    def mean(array: Floats) -> Floats:
        result: Floats = np.sum(share * array, axis=1, keepdims=True)
        return result

    alpha, u = mean(curves.alpha), mean(curves.u)
    return replace(
        curves,
        ids=("",),
        ref=np.exp(np.mean(np.log(curves.ref), keepdims=True)),
        weight=np.mean(curves.weight, axis=1, keepdims=True),
        alpha=alpha,
        u=u,
        paa=mean(curves.paa + (curves.alpha - alpha) ** 2),
        pau=mean(curves.pau + (curves.alpha - alpha) * (curves.u - u)),
        puu=mean(curves.puu + (curves.u - u) ** 2),
        log_order=np.mean(curves.log_order, keepdims=True),
        var_log_order=np.mean(curves.var_log_order, keepdims=True)
        + np.var(curves.log_order, keepdims=True),
        largest_spend=np.zeros(1),
        days_seen=np.zeros(1, dtype=np.int64),
        conversions=np.zeros(1),
    )
