"""Holds: whose budget must stay as it is for now, though a policy decided to change it.

They come between decisions and allocation: a held campaign keeps today's budget, which counts in
the total, and the others share the rest. Each hold is told in words. The rest of the day's caution
is elsewhere: stops look at the whole account before, guardrails at each write after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.outages import outage_days
from zyenta_ads_pipeline.optimizer.pacing import MOST_IN_A_DAY_SHARED

HOLDS: Mapping[str, Any] = MappingProxyType({"campaign_id": pl.String, "hold": pl.String})
"""One row per campaign that is held, by its id: why, a sentence without its full stop."""

_RAISE = pl.col("action") == BudgetAction.INCREASE.value
_CUT = pl.col("action").is_in([BudgetAction.DECREASE.value, BudgetAction.PAUSE.value])
_PAUSE = pl.col("action") == BudgetAction.PAUSE.value
_OUTAGE_MEMORY_DAYS = 2
_USUAL_DAYS = 28
_BUDGET_TOLERANCE = 1.05


class _Ground(NamedTuple):
    """One ground to hold: which campaigns, and how it is told of one."""

    applies: pl.Expr
    told: Callable[[dict[str, Any]], str]


def holds(account: AccountHistory, decisions: pl.DataFrame) -> pl.DataFrame:
    """The active campaigns whose budget must stay as it is, with the columns of `HOLDS`.

    `decisions` are checked ones (`deciding.decided`). The first ground that applies is told.
    """
    facts = _facts(account, decisions)
    grounds = _grounds(account)
    which = pl.coalesce(
        *(pl.when(ground.applies).then(number) for number, ground in enumerate(grounds)),
        pl.lit(None, dtype=pl.Int32),
    )
    held = facts.with_columns(ground=which).filter(pl.col("ground").is_not_null())
    rows = [
        {"campaign_id": row["campaign_id"], "hold": grounds[row["ground"]].told(row)}
        for row in held.sort("campaign_id").iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=dict(HOLDS))


def _grounds(account: AccountHistory) -> list[_Ground]:
    limits, caution = account.limits, account.limits.caution
    today = account.day + timedelta(days=1)
    since_change = (pl.lit(today) - pl.col("last_change_day")).dt.total_days()
    last = pl.col("last_change")
    against_last = (_RAISE & (last <= -float(limits.dead_band))) | (
        _CUT & (last >= float(limits.dead_band))
    )
    unsure = pl.col("confidence") < caution.reversal_confidence
    return [
        _Ground(pl.lit(bool(limits.no_changes)), lambda _row: limits.no_changes),
        _Ground(pl.col("locked"), lambda _row: "A person locked its budget"),
        _Ground(
            since_change < caution.cooldown_days,
            lambda row: (
                f"Its budget was changed on {row['last_change_day']} and stays for "
                f"{_days(caution.cooldown_days)}"
            ),
        ),
        _Ground(
            pl.col("was_there") & ~pl.col("is_there"),
            lambda _row: f"It delivered the day before and has no numbers of {account.day}",
        ),
        _Ground(
            _CUT & (pl.col("silent_until") >= _learned_from(account)),
            lambda row: (
                f"Since {row['silent_since']} it had days with clicks but no conversion, where "
                f"about {row['expected']:.0f} were to be expected: the tracking may be broken, so "
                "nothing is taken from it"
            ),
        ),
        _Ground(
            (_RAISE | _CUT) & (pl.col("days_with_spend") == 0),
            lambda _row: "It has not spent anything yet, so nothing is known of it",
        ),
        _Ground(
            _PAUSE & (pl.col("days_with_spend") < caution.pause_days),
            lambda row: (
                f"It has spent on {_days(row['days_with_spend'])}, and a pause needs "
                f"{caution.pause_days}"
            ),
        ),
        _Ground(
            against_last & unsure & (since_change <= caution.reversal_days),
            lambda row: _reversal(row, caution.reversal_days, caution.reversal_confidence),
        ),
        _Ground(_RAISE & bool(limits.no_raises), lambda _row: limits.no_raises),
        _Ground(
            _RAISE & pl.col("overspent"),
            lambda row: (
                f"It spent {_show(account, row['last_minor'])} on {account.day}, more than "
                "Meta's pacing allows for the budget that is known, so it is not raised"
            ),
        ),
    ]


def _facts(account: AccountHistory, decisions: pl.DataFrame) -> pl.DataFrame:
    """The active campaigns with their decision and what the grounds ask about."""
    days, day = account.days, account.day
    before = day - timedelta(days=1)
    on_day = days.filter(pl.col("date") == day).select(
        "campaign_id",
        is_there=pl.lit(value=True),
        last_minor=(pl.col("spend") * account.offset).cast(pl.Float64).round().cast(pl.Int64),
    )
    recent = days.group_by("campaign_id").agg(
        was_there=((pl.col("date") == before) & (pl.col("spend") > 0)).any(),
        days_with_spend=(pl.col("spend") > 0).sum().cast(pl.Int64),
        in_force=pl.col("budget_minor").filter(pl.col("date") >= before).max(),
    )
    most = pl.max_horizontal("in_force", "current_minor")
    return (
        account.campaigns.filter("active")
        .join(
            decisions.select("campaign_id", "action", "confidence", "log_marginal"),
            on="campaign_id",
        )
        .join(recent, on="campaign_id", how="left")
        .join(on_day, on="campaign_id", how="left")
        .join(_silent(account), on="campaign_id", how="left")
        .with_columns(
            pl.col("was_there", "is_there").fill_null(value=False),
            pl.col("days_with_spend").fill_null(0),
            overspent=pl.col("last_minor")
            > most * (float(MOST_IN_A_DAY_SHARED) * _BUDGET_TOLERANCE),
        )
    )


def _silent(account: AccountHistory) -> pl.DataFrame:
    """The campaigns whose tracking was silent lately: since when, until when, what was missed."""
    lately = account.day - timedelta(days=max(account.window_days, _OUTAGE_MEMORY_DAYS) - 1)
    # What is usual of a day is told by those around it; the rest of the history is not needed.
    around = account.days.filter(pl.col("date") > lately - timedelta(days=_USUAL_DAYS))
    return (
        outage_days(around, account.day)
        .filter(pl.col("date") >= lately)
        .group_by("campaign_id")
        .agg(
            silent_since=pl.col("date").min(),
            silent_until=pl.col("date").max(),
            expected=pl.col("expected").sum(),
        )
    )


def _learned_from(account: AccountHistory) -> pl.Expr:
    """The first day whose silence may be behind a decision. Curves are not fitted to silent days,
    so a decision by them is right again soon after; a sum over a window has them in it."""
    by_curve = account.day - timedelta(days=_OUTAGE_MEMORY_DAYS - 1)
    by_window = account.day - timedelta(days=account.window_days - 1)
    return pl.when(pl.col("log_marginal").is_not_null()).then(by_curve).otherwise(by_window)


def _reversal(row: Mapping[str, Any], days: int, needed: float) -> str:
    raised = row["last_change"] > 0
    did, would = ("raised", "cutting") if raised else ("cut", "raising")
    return (
        f"It was {did} by {_percent(abs(row['last_change']))} on {row['last_change_day']}, and "
        f"{would} it within {_days(days)} of that takes a confidence of {_percent(needed)}; this "
        f"has {_percent(row['confidence'])}"
    )


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _show(account: AccountHistory, minor: int) -> str:
    return money.show(money.to_major(minor, account.currency), account.currency)
