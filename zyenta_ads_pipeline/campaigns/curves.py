"""Response curves of an account's campaigns and ad sets: fitted from the lake, kept there, and
found again for the history that they were fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from zyenta_ads_pipeline.campaigns.account_objects import (
    account_objects,
    account_row,
    campaigns_among,
)
from zyenta_ads_pipeline.campaigns.history import account_history, ad_set_days
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.money import offset
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.lake.decision_tables import RESPONSE_CURVES
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.optimizer.account import DAYS, AccountHistory
from zyenta_ads_pipeline.optimizer.curve_rows import CURVE_ROWS, from_rows, to_rows
from zyenta_ads_pipeline.optimizer.curves import Curves
from zyenta_ads_pipeline.optimizer.fitting import fit_curves

_Z80 = 1.2815515655446004
"""80 % of a normal distribution lie within so many standard deviations of its mean."""


def fit_account(
    snapshot: Snapshot, account_id: str, rules: AccountRules, *, run_id: str
) -> pl.DataFrame:
    """The curves of one account's campaigns and ad sets up to its last complete day, as rows of
    `response_curves`; none without any delivery, or for an account that was not read yet."""
    account = account_row(snapshot, account_id)
    objects = account_objects(snapshot, account_id)
    if account is None or not campaigns_among(objects):
        return pl.DataFrame(schema=RESPONSE_CURVES.schema)
    observed_at: datetime = account["observed_at"]
    day = account_day(observed_at, account["timezone"]) - timedelta(days=1)
    history = account_history(snapshot, account_id, rules, day=day)
    ad_sets = ad_set_days(snapshot, account_id, day)
    minor = dict(history.campaigns.select("campaign_id", "current_minor").iter_rows())
    of_ad_sets = {
        each["object_id"]: each["daily_budget"] for each in objects if each["level"] == Level.ADSET
    }
    parents = dict(ad_sets.select("campaign_id", "parent_id").unique().iter_rows())
    frames = [pl.DataFrame(schema=RESPONSE_CURVES.schema)]
    for level, days, budgets in (
        (Level.CAMPAIGN, history.days, minor),
        (Level.ADSET, ad_sets.select(list(DAYS)), of_ad_sets),
    ):
        curves = fit_curves(days, day)
        if not curves.ids:
            continue
        rows = to_rows(curves).with_columns(
            *_at_budget(curves, budgets, history.currency),
            account_id=pl.lit(account_id),
            level=pl.lit(level.value),
            campaign_id=pl.col("object_id").replace(parents if level is Level.ADSET else {}),
            currency=pl.lit(history.currency),
            fitted_to=pl.lit(fingerprint(days, day)),
            observed_at=pl.lit(observed_at),
            run_id=pl.lit(run_id),
        )
        schema = RESPONSE_CURVES.schema
        frames.append(rows.select(pl.col(name).cast(kind) for name, kind in schema.items()))
    return pl.concat(frames)


def with_curves(history: AccountHistory, snapshot: Snapshot) -> AccountHistory:
    """The history with the stored curves of its campaigns, if they were fitted to these very days:
    fitting again would give the same. Otherwise the history as it is."""
    stored = _stored(snapshot, history.account_id, Level.CAMPAIGN, history.day)
    if stored.is_empty() or stored["fitted_to"][0] != fingerprint(history.days, history.day):
        return history
    return replace(history, curves=_curves(stored))


def stored_curves(snapshot: Snapshot, account_id: str, level: Level, day: date) -> Curves | None:
    """The curves of an account's objects of one level as fitted up to `day`; None without any."""
    stored = _stored(snapshot, account_id, level, day)
    return None if stored.is_empty() else _curves(stored)


def fingerprint(days: pl.DataFrame, day: date) -> str:
    """A text that differs where curves fitted to `days` (columns of `DAYS`) up to `day` may."""
    ordered = days.select(pl.col(name).cast(kind) for name, kind in DAYS.items())
    rows = ordered.sort("campaign_id", "date").hash_rows(seed=0)
    return hashlib.sha256(f"{day} {rows.len()} ".encode() + rows.to_numpy().tobytes()).hexdigest()


def _stored(snapshot: Snapshot, account_id: str, level: Level, day: date) -> pl.DataFrame:
    return (
        snapshot.scan(RESPONSE_CURVES)
        .filter(
            (pl.col("account_id") == account_id)
            & (pl.col("level") == level.value)
            & (pl.col("day") == day)
        )
        .collect()
    )


def _curves(stored: pl.DataFrame) -> Curves:
    return from_rows(stored.select(list(CURVE_ROWS)))


def _at_budget(
    curves: Curves, minor: Mapping[str, int | None], currency: str
) -> tuple[pl.Series, ...]:
    """What the next unit of budget returns at today's, for people; empty without a budget."""
    unit = offset(currency)
    budget = np.array([(minor.get(own) or 0) / unit for own in curves.ids], dtype=np.float64)
    known = budget > 0
    spend = np.where(known, budget, curves.ref)
    log_marginal, variance, _ = curves.marginal(spend)
    half = _Z80 * np.sqrt(variance)
    numbers = {
        "budget": spend,
        "purchases": curves.expected(spend),
        "marginal": np.exp(log_marginal),
        "marginal_low": np.exp(log_marginal - half),
        "marginal_high": np.exp(log_marginal + half),
    }
    return tuple(
        pl.Series(name, np.where(known, values, np.nan)).fill_nan(None)
        for name, values in numbers.items()
    )
