"""Late conversions: how much of a day is reported at each age, learned from restatements.

Meta goes on reporting a day's purchases for up to 28 days. The share reported by the end of age a
(account days after the day itself) is F(a). Neighbouring ages give development factors, a claims
reserving method (chain ladder) with a prior that counts like 15 conversions:

    f(a) = (sum of C(a+1) + w f0(a)) / (sum of C(a) + w),  F(28) = 1,  F(a) = F(a+1) / max(f(a), 1)

where C(a) are the purchases of the days seen at both ages, as they were known then. Between two
readings of a day that are further apart, at ages a and b, what came in is spread as F grows:

    C(k) = C(a) + (C(b) - C(a)) (F(k) - F(a)) / (F(b) - F(a)), evenly where F does not grow

first by the assumed F, then by the one learned from that, and so on until it settles (the EM
algorithm, with increments that are Poisson).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

OLDEST = 28
"""Age in days from which Meta's numbers no longer move."""

ASSUMED: tuple[float, ...] = (0.50, 0.66, 0.76, 0.84, 0.90, 0.95, 0.98, 1.0)
"""F(0) to F(7) before anything was learned: a click window of seven days; 1 from then on."""

_ROUNDS = 40
"""More than it takes to settle to three digits where old ages are read weekly."""
_AMOUNTS = ("purchases", "purchase_value")
_CURVE = {
    "account_id": pl.String, "age_days": pl.Int64, "completeness": pl.Float64,
    "completeness_value": pl.Float64, "days_seen": pl.Int64, "purchases_seen": pl.Float64,
}  # fmt: skip

_Floats: TypeAlias = npt.NDArray[np.float64]
_Ages: TypeAlias = npt.NDArray[np.int64]

PRIOR_CONVERSIONS = 15.0
"""Weight of the prior: it counts like so many conversions at each age."""


def assumed(age: int) -> float:
    """The share of a day's purchases reported by the end of `age`, before anything was learned."""
    return ASSUMED[min(age, len(ASSUMED) - 1)]


def assumed_macro() -> str:
    """The same as a DuckDB macro."""
    cases = " ".join(f"WHEN age = {age} THEN {share}" for age, share in enumerate(ASSUMED))
    return f"CREATE OR REPLACE MACRO assumed_completeness(age) AS CASE {cases} ELSE 1.0 END"


def lag_curve(readings: pl.DataFrame) -> pl.DataFrame:
    """F by account and age 0 to 28, from the days as they were known at each age.

    `readings`: account_id, date, age_days, purchases, purchase_value; one row per day and age at
    which it was read. Gives account_id, age_days, completeness, completeness_value, days_seen,
    purchases_seen; completeness is between 0 and 1 and never falls with age. The value has the
    same prior, weighted by the account's mean order value.
    """
    amounts = readings.select(
        "account_id", "date", "age_days", pl.col(_AMOUNTS).cast(pl.Float64)
    ).sort("account_id", "date", "age_days")
    spans = (
        amounts.with_columns(
            pl.col("age_days", *_AMOUNTS).shift(-1).over("account_id", "date").name.suffix("_next")
        )
        .drop_nulls("age_days_next")
        .group_by("account_id", "age_days", "age_days_next", maintain_order=True)
        .agg(
            *(pl.col(name, f"{name}_next").sum() for name in _AMOUNTS),
            pl.len().alias("days_seen"),
        )
    )
    accounts = amounts["account_id"].unique().sort()
    return pl.concat(
        [
            pl.DataFrame(schema=_CURVE),
            *(_account_curve(one, spans.filter(account_id=one)) for one in accounts),
        ]
    )


def _account_curve(account: str, spans: pl.DataFrame) -> pl.DataFrame:
    """One account's curve from its sums at two ages: at a reading and at the day's next one."""
    steps = _Steps.between(spans["age_days"].to_list(), spans["age_days_next"].to_list())
    purchases, bought = (spans[name].to_numpy() for name in ("purchases", "purchases_next"))
    value, earned = (spans[name].to_numpy() for name in ("purchase_value", "purchase_value_next"))
    order = value.sum() / purchases.sum() if purchases.sum() > 0 else 0.0
    shares, seen = _learned(steps, purchases, bought, PRIOR_CONVERSIONS)
    of_value, _ = _learned(steps, value, earned, PRIOR_CONVERSIONS * order)
    days = steps.by_age(spans["days_seen"].to_numpy()[steps.span])
    columns = [
        [account] * (OLDEST + 1),
        range(OLDEST + 1),
        shares,
        of_value,
        [*days, 0],
        [*seen, 0],
    ]
    return pl.DataFrame(dict(zip(_CURVE, columns, strict=True)), schema=_CURVE, strict=False)


@dataclass(frozen=True)
class _Steps:
    """Spans from one reading to the next, cut into steps from one age to the next."""

    since: _Ages
    until: _Ages
    span: _Ages
    age: _Ages
    """Of each step: the ages of its span, the span's number, and the age it begins at."""

    @classmethod
    def between(cls, since: list[int], until: list[int]) -> _Steps:
        cut = [
            (first, last, number, age)
            for number, (first, last) in enumerate(zip(since, until, strict=True))
            for age in range(first, last)
        ]
        return cls(*np.array(cut, dtype=np.int64).reshape(-1, 4).T)

    def by_age(self, amounts: _Floats) -> _Floats:
        """Sums of the steps' amounts by the age 0 to 27 at which they begin."""
        return np.bincount(self.age, weights=amounts, minlength=OLDEST).astype(np.float64)

    def grown(self, age: _Ages, before: _Floats, after: _Floats, shares: _Floats) -> _Floats:
        """What each step's span had come to by `age`, if it grew as `shares` do."""
        whole = shares[self.until] - shares[self.since]
        even = (age - self.since) / (self.until - self.since)
        part = np.divide(shares[age] - shares[self.since], whole, out=even, where=whole > 0)
        spread: _Floats = before[self.span] + (after - before)[self.span] * part
        return spread


def _learned(
    steps: _Steps, before: _Floats, after: _Floats, weight: float
) -> tuple[_Floats, _Floats]:
    """F(0) to F(28), and the sums C(0) to C(27) it was learned from."""
    prior = np.array([assumed(age) for age in range(OLDEST + 1)])
    grows = prior[1:] / prior[:-1]
    shares = prior
    for _ in range(_ROUNDS):
        at = steps.by_age(steps.grown(steps.age, before, after, shares))
        later = steps.by_age(steps.grown(steps.age + 1, before, after, shares))
        known = at + weight > 0
        factors = np.divide(later + weight * grows, at + weight, out=grows.copy(), where=known)
        to_come = np.cumprod(np.maximum(factors, 1.0)[::-1])[::-1]
        shares = np.append(1 / to_come, 1.0)
    return shares, at
