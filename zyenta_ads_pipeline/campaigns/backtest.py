"""Backtest: what policies would have set on an account's own past, day by day, as known then.

On each day the account is rebuilt as it was known when the day had first been read, each policy
decides on it under the same rules and holds as in operation, and its budgets of the next day are
compared with those that were in force. Three things come of it, from sure to less sure:

1. the forecasts of the curves fitted then, against what really came at the budgets really set;
2. the direction of each move and the confidence in it, against a curve that knows the days after;
3. the estimated difference in revenue, by the shape of that curve.

`CANNOT_KNOW` says what none of it can tell.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from zyenta_ads_pipeline.campaigns.account_objects import account_row, account_timezone
from zyenta_ads_pipeline.campaigns.backtest_moments import Moment, decision_moments
from zyenta_ads_pipeline.campaigns.history import account_history, campaign_days
from zyenta_ads_pipeline.campaigns.history_days import readings_for_lag
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.domain.errors import InputError, NotDecidable
from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.counterfactual import Difference, Differences
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.hindsight import (
    FORECASTS,
    MOVES,
    Day,
    forecasts,
    hindsight,
    moves,
    outcome,
)
from zyenta_ads_pipeline.optimizer.planning import plan
from zyenta_ads_pipeline.optimizer.stops import Stop, bounded, stops

log = logging.getLogger(__name__)

CANNOT_KNOW = (
    "Nobody saw the budgets that were not set: the difference in revenue is an estimate by the "
    "fitted curves, and as wrong as they are. Its interval holds the curves' uncertainty and the "
    "luck of days, not the error of the model.",
    "Each day starts from the budgets that were really in force, so that every estimate stays "
    "within one step of what was seen. What a policy would have earned by its own earlier moves is "
    "not in it.",
    "A direction counts as right if a curve that knows the following days says so. That curve is "
    "of the same family as those of response_curve, which favours this policy.",
    "Revenue is what Meta attributed. Auctions, halo between campaigns and sales that would have "
    "come anyway are not seen.",
)

COMPARED = pl.Schema(
    {
        "date": pl.Date,
        "policy": pl.String,
        "revenue_estimate": pl.Float64,
        "revenue_done": pl.Float64,
        "spend_estimate": pl.Float64,
        "spend_done": pl.Float64,
        "moves": pl.Int64,
        "stopped": pl.String,
    }
)
"""One row per day decided on and policy; `date` is the day whose budgets were decided, the one
after. Major units, late conversions allowed for. `stopped` says why nothing was moved; empty:
nothing stopped it."""


@dataclass(frozen=True)
class Backtest:
    """What came of it. Frames: `days` (`COMPARED`), `moves` (`MOVES` with `policy`), `forecasts`
    (`FORECASTS`, of the curves, whatever the policy)."""

    account_id: str
    currency: str
    asked: DateRange
    known_at: datetime
    """When the account was last read: what is known now."""
    decided: int
    """Days that were decided on."""
    skipped: dict[date, str]
    """Days on which nobody could have decided, and why."""
    days: pl.DataFrame
    moves: pl.DataFrame
    forecasts: pl.DataFrame
    differences: dict[str, Difference]
    """Revenue beyond what was done over all days, by policy, major units, 80 % interval."""


def backtest(
    snapshot: Snapshot,
    account_id: str,
    rules: AccountRules,
    policies: Sequence[Policy],
    asked: DateRange,
) -> Backtest:
    """The policies over the account's days in `asked` (its own days, those decided on).

    `snapshot` is of now. `rules` are the account's of now, for all of them. Raises `InputError`
    for a policy given twice or a range that is not over, and `NotDecidable` where on no day of it
    anything could have been decided, with the reason.
    """
    names = [policy.name for policy in policies]
    if not names or len(set(names)) < len(names):
        raise InputError("A backtest needs policies, each once.", "Name each policy once.")
    timezone = account_timezone(snapshot, account_id)
    account = account_row(snapshot, account_id) or {}
    last = last_testable(snapshot, account_id)
    if asked.until > last:
        raise InputError(
            f"{asked.until} cannot be tested yet: the day after it has to be over and read.",
            f"End the range on {last} or before.",
        )
    came = campaign_days(snapshot, account_id)
    lag = readings_for_lag(snapshot, account_id, asked.since)
    tally = _Tally(policies)
    skipped: dict[date, str] = {}
    for moment in decision_moments(snapshot, account_id, asked, timezone):
        try:
            then = _known(snapshot, account_id, rules, moment, lag)
        except NotDecidable as error:
            skipped[moment.day] = error.what
            continue
        assert moment.at is not None  # noqa: S101 - else it was not decidable
        found = stops(then, read_at=moment.at, now=moment.at.astimezone(ZoneInfo(timezone)))
        tally.add(hindsight(then, came), found)
        log.info("act_%s: %s decided by %s", account_id, moment.day, ", ".join(names))
    if not tally.decided:
        why = next(iter(skipped.values()))
        raise NotDecidable(
            f"On no day from {asked.since} to {asked.until} could anything have been decided on "
            f"act_{account_id}: {why}.",
            "A backtest needs days that were synced as they went; read back in one go they are "
            "only known as they ended.",
        )
    return Backtest(
        account_id=account_id,
        currency=str(account["currency"]),
        asked=asked,
        known_at=account["observed_at"],
        decided=tally.decided,
        skipped=skipped,
        days=pl.DataFrame(tally.days, schema=COMPARED),
        moves=pl.concat(tally.moves),
        forecasts=pl.concat(tally.forecasts),
        differences={name: each.total() for name, each in tally.differences.items()},
    )


def last_testable(snapshot: Snapshot, account_id: str) -> date:
    """The newest day that can be decided on in a backtest: the day after it is over, too. Raises
    `InputError` for an account that was not read yet."""
    timezone = account_timezone(snapshot, account_id)
    account = account_row(snapshot, account_id) or {}
    return account_day(account["observed_at"], timezone) - timedelta(days=2)


def _known(
    snapshot: Snapshot,
    account_id: str,
    rules: AccountRules,
    moment: Moment,
    lag: pl.DataFrame,
) -> AccountHistory:
    """The account as known at the moment, with its curves; `NotDecidable` where it was not."""
    if moment.at is None:
        raise NotDecidable(moment.why_not)
    then = account_history(
        snapshot.as_of(moment.at), account_id, rules, day=moment.day, lag_readings=lag
    )
    if then.days.is_empty():
        raise NotDecidable("no campaign had delivered yet")
    return replace(then, curves=fit_curves(then.days, then.day))


class _Tally:
    """Collects what comes of each day."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.decided = 0
        self.days: list[dict[str, object]] = []
        self.moves = [pl.DataFrame(schema={"policy": pl.String, **MOVES})]
        self.forecasts = [pl.DataFrame(schema=FORECASTS)]
        self.differences = {policy.name: Differences() for policy in policies}
        self._policies = policies

    def add(self, day: Day, found: Sequence[Stop]) -> None:
        """One day, decided by every policy under the same stops."""
        self.decided += 1
        self.forecasts.append(forecasts(day))
        account = bounded(day.then, found)
        for policy in self._policies:
            planned = plan(account, policy)
            moved = moves(day, planned)
            result = outcome(day, planned, self.differences[policy.name])
            self.moves.append(moved.select(pl.lit(policy.name).alias("policy"), *MOVES))
            self.days.append(
                {
                    "date": day.next,
                    "policy": policy.name,
                    "revenue_estimate": result.revenue_estimate,
                    "revenue_done": result.revenue_done,
                    "spend_estimate": result.spend_estimate,
                    "spend_done": result.spend_done,
                    "moves": moved.height,
                    "stopped": "; ".join(stop.reason for stop in found),
                }
            )
