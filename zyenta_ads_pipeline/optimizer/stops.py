"""Stops: what of a whole account's numbers forbids that anything is changed on them for now.

Looked at before deciding. A decision is taken all the same, so that one sees what it would be; the
holds keep the budgets as they are, each with the stop's reason.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.optimizer.account import AccountHistory
from zyenta_ads_pipeline.optimizer.outages import account_outage
from zyenta_ads_pipeline.optimizer.pacing import (
    MOST_IN_A_DAY_SHARED,
    days_left,
    week_budget_left,
    week_start,
)

FRESH_FOR = timedelta(hours=3)
"""How old what was read of an account may be."""

MISSING_SHARE = 0.30
"""Share of the campaigns, or of their usual spend, that may be missing on the last day."""

_USUAL_DAYS = 3
_NORMAL_DAYS = 7
_COLLAPSED = 0.25
_DELIVERING = 0.50
_WEEK_TOLERANCE = 1.15
_BUDGET_TOLERANCE = 1.05


class StopKind(StrEnum):
    """What was found."""

    STALE = "stale"
    """The numbers are too old."""
    NO_DATA = "no_data"
    """The account has not delivered yet, as far as known."""
    INCOMPLETE = "incomplete"
    """Campaigns that usually deliver have no numbers of the last day."""
    NO_CONVERSIONS = "no_conversions"
    """Not one conversion is known, so it is not known either that they are counted."""
    TRACKING = "tracking"
    """Clicks as ever, and no conversion at all since a moment."""
    SPEND_COLLAPSED = "spend_collapsed"
    """The account spends a fraction of what it did."""
    SPEND_ABOVE = "spend_above"
    """More was spent than the known budgets allow under Meta's pacing."""
    WEEK_SPENT = "week_spent"
    """The week's cap does not leave enough for the budgets as they are."""


class Forbids(StrEnum):
    """What may not be done until it is over."""

    EVERYTHING = "everything"
    RAISES = "raises"


@dataclass(frozen=True)
class Stop:
    """One finding. `since` is the first day it concerns, None where it has none."""

    kind: StopKind
    reason: str
    forbids: Forbids
    since: date | None = None


def stops(account: AccountHistory, *, read_at: datetime, now: datetime) -> list[Stop]:
    """What forbids changes of the account now, the gravest first; empty where nothing does.

    `read_at` is when its oldest part was read, `now` the moment of the decision, in the account's
    time zone; both aware. Raises `ValueError` for moments that are not.
    """
    if read_at.tzinfo is None or now.tzinfo is None:
        raise ValueError("read_at and now must carry a time zone")
    found: list[Stop] = []
    if stale := _stale(account, read_at, now):
        found.append(stale)
    if account.days.is_empty():
        found.append(
            Stop(
                StopKind.NO_DATA,
                f"act_{account.account_id} has not delivered yet, as far as is known",
                Forbids.EVERYTHING,
            )
        )
        return found
    looks: tuple[Callable[[AccountHistory], Stop | None], ...] = (
        _incomplete, _no_conversions, _tracking, _collapsed, _spend_above, _week_spent,
    )  # fmt: skip
    found += [stop for look in looks if (stop := look(account)) is not None]
    return sorted(found, key=lambda stop: stop.forbids is not Forbids.EVERYTHING)


def bounded(account: AccountHistory, found: Iterable[Stop]) -> AccountHistory:
    """The same account with what the stops forbid as its limits, for the holds and the allocation.

    Where raises are forbidden each campaign's cap is today's budget, and where a week's cap forbids
    them the total is lowered too. Where everything is forbidden, there is no total to be met
    either: it would have to be met by changes.
    """
    reasons: dict[Forbids, list[str]] = {Forbids.EVERYTHING: [], Forbids.RAISES: []}
    totals = [] if account.limits.total_minor is None else [account.limits.total_minor]
    for stop in found:
        reasons[stop.forbids].append(stop.reason)
        if stop.kind is StopKind.WEEK_SPENT:
            totals += _lowered(account)
    nothing, no_raises = (". ".join(reasons[what]) for what in Forbids)
    if nothing:
        limits = dataclasses.replace(
            account.limits, no_changes=nothing, total_minor=None, group_totals={}
        )
        return dataclasses.replace(account, limits=limits)
    if not no_raises:
        return account
    limits = dataclasses.replace(
        account.limits, no_raises=no_raises, total_minor=min(totals, default=None)
    )
    now = pl.col("current_minor")
    campaigns = account.campaigns.with_columns(
        cap_minor=pl.when(now > 0)
        .then(pl.min_horizontal(now, _own("cap_minor", limits.cap_minor)))
        .otherwise("cap_minor"),
        floor_minor=pl.when(now > 0)
        .then(pl.min_horizontal(now, _own("floor_minor", limits.floor_minor)))
        .otherwise("floor_minor"),
    )
    return dataclasses.replace(account, limits=limits, campaigns=campaigns)


def _own(name: str, common: int | None) -> pl.Expr:
    return pl.coalesce(name, pl.lit(common, dtype=pl.Int64))


def _stale(account: AccountHistory, read_at: datetime, now: datetime) -> Stop | None:
    yesterday = now.date() - timedelta(days=1)
    if account.day < yesterday:
        reason = f"The newest complete day is {account.day}, and {yesterday} is over"
    elif now - read_at > FRESH_FOR:
        hours = (now - read_at).total_seconds() / 3600
        reason = f"The account was last read {hours:.0f} hours ago"
    elif account.day > yesterday or read_at - now > FRESH_FOR:
        reason = f"The numbers are of {account.day}, which is not over: the clocks disagree"
    else:
        return None
    return Stop(StopKind.STALE, reason, Forbids.EVERYTHING, account.day)


def _incomplete(account: AccountHistory) -> Stop | None:
    usual = (
        _delivery(account)
        .filter(pl.col("date").is_between(_back(account, _USUAL_DAYS), _back(account, 1)))
        .group_by("campaign_id")
        .agg(pl.col("spend").sum())
    )
    today = account.days.filter(pl.col("date") == account.day)["campaign_id"]
    missing = usual.filter(~pl.col("campaign_id").is_in(today.implode()))
    if missing.is_empty():
        return None
    whole, lacking = float(usual["spend"].sum()), float(missing["spend"].sum())
    few = missing.height <= max(1, MISSING_SHARE * usual.height)
    if few and lacking <= MISSING_SHARE * whole:
        return None
    reason = (
        f"{missing.height} of {usual.height} campaigns that delivered before have no numbers of "
        f"{account.day}; they spent {_percent(lacking / whole)} of the account's money"
    )
    return Stop(StopKind.INCOMPLETE, reason, Forbids.EVERYTHING, account.day)


def _no_conversions(account: AccountHistory) -> Stop | None:
    if account.days.select((pl.col("conversions") != 0).any()).item():
        return None
    reason = (
        "No conversion has been reported yet, so it is not known whether they are counted at all"
    )
    return Stop(StopKind.NO_CONVERSIONS, reason, Forbids.EVERYTHING)


def _tracking(account: AccountHistory) -> Stop | None:
    outage = account_outage(account.days, account.day)
    if outage is None:
        return None
    reason = (
        f"Since {outage.since} no conversion has been reported at all, while people clicked as "
        f"before and about {outage.expected:.0f} were to be expected: the tracking may be broken"
    )
    return Stop(StopKind.TRACKING, reason, Forbids.EVERYTHING, outage.since)


def _collapsed(account: AccountHistory) -> Stop | None:
    """Delivery is spend over budget where budgets are known, else spend alone."""
    days = _delivery(account)
    known = days.filter(pl.col("budget_minor") > 0)
    budgets = known.height == days.height
    share = pl.col("spend").cast(pl.Float64).sum()
    if budgets:
        share = share * account.offset / pl.col("budget_minor").sum()
    by_day = days.group_by("date").agg(share.alias("share"))
    before = by_day.filter(
        pl.col("date").is_between(_back(account, _NORMAL_DAYS), _back(account, 1))
    )
    usual: Any = before["share"].median()
    if before.height < _USUAL_DAYS or not usual or (budgets and usual < _DELIVERING):
        return None
    last = by_day.filter(pl.col("date") == account.day)["share"].sum()
    if last >= _COLLAPSED * usual:
        return None
    reason = (
        f"On {account.day} the account spent {_percent(last / usual)} of what is usual for its "
        "budgets: a payment, a review or Meta itself may have stopped it"
    )
    return Stop(StopKind.SPEND_COLLAPSED, reason, Forbids.EVERYTHING, account.day)


def _spend_above(account: AccountHistory) -> Stop | None:
    """A day beyond what even ad sets that lend each other budget may spend. Of a budget that was
    changed about that day the larger value counts."""
    last = (
        account.days.filter(pl.col("date").is_between(_back(account, 1), account.day))
        .group_by("campaign_id")
        .agg(
            pl.col("spend").filter(pl.col("date") == account.day).sum(),
            pl.col("budget_minor").max(),
        )
        .join(account.campaigns.select("campaign_id", "current_minor"), on="campaign_id")
        .with_columns(budget=pl.max_horizontal("budget_minor", "current_minor"))
        .filter(pl.col("budget") > 0)
    )
    spent, budget = last["spend"].sum() * account.offset, int(last["budget"].sum())
    if spent <= budget * float(MOST_IN_A_DAY_SHARED) * _BUDGET_TOLERANCE:
        return None
    reason = (
        f"On {account.day} {_show(account, int(spent))} was spent on daily budgets of "
        f"{_show(account, budget)}, more than Meta's pacing allows: the budgets at Meta may not be "
        "those that are known"
    )
    return Stop(StopKind.SPEND_ABOVE, reason, Forbids.RAISES, account.day)


def _week_spent(account: AccountHistory) -> Stop | None:
    """Changing budgets within the week starts Meta's own weekly bound anew, so it is kept here: a
    cap that was set, or 7 times the total with room for what is only a good day."""
    limits, today = account.limits, account.day + timedelta(days=1)
    budgets = int(_running(account)["current_minor"].sum())
    if limits.total_minor is not None:
        budgets = min(budgets, limits.total_minor)
    if limits.week_cap_minor is not None:
        cap, told = limits.week_cap_minor, "the week's cap"
    elif limits.total_minor is not None:
        cap, told = int(7 * limits.total_minor * _WEEK_TOLERANCE), "7 times the daily total"
    else:
        return None
    spent = _spent_this_week(account)
    if budgets <= week_budget_left(spent, cap, today):
        return None
    reason = (
        f"{_show(account, spent)} is spent since Sunday, and {_days(days_left(today))} at "
        f"{_show(account, budgets)} would go beyond {told}, {_show(account, cap)}"
    )
    return Stop(StopKind.WEEK_SPENT, reason, Forbids.RAISES, week_start(today))


def _lowered(account: AccountHistory) -> list[int]:
    """The total with which the rest of the week stays within its cap, by a step a day at most and
    locked budgets left as they are; none without a cap. Groups with totals of their own are not
    lowered."""
    limits, today = account.limits, account.day + timedelta(days=1)
    if limits.week_cap_minor is None or limits.group_totals:
        return []
    step = Fraction(1) if limits.max_step is None else min(Fraction(limits.max_step), Fraction(1))
    a_step_below = sum(
        row["current_minor"] - (0 if row["locked"] else int(row["current_minor"] * step))
        for row in _running(account).iter_rows(named=True)
    )
    left = week_budget_left(_spent_this_week(account), limits.week_cap_minor, today)
    return [max(left, a_step_below)]


def _running(account: AccountHistory) -> pl.DataFrame:
    return account.campaigns.filter(pl.col("active") & (pl.col("current_minor") > 0))


def _spent_this_week(account: AccountHistory) -> int:
    """Minor units since the Sunday of the week that today is in; on a Sunday nothing yet."""
    sunday = week_start(account.day + timedelta(days=1))
    spend = account.days.filter(pl.col("date") >= sunday)["spend"].sum()
    return int(spend * account.offset)


def _delivery(account: AccountHistory) -> pl.DataFrame:
    """The days with spend of the campaigns that are active now."""
    active = account.campaigns.filter("active")["campaign_id"]
    return account.days.filter(
        pl.col("campaign_id").is_in(active.implode()) & (pl.col("spend") > 0)
    )


def _back(account: AccountHistory, days: int) -> date:
    return account.day - timedelta(days=days)


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _show(account: AccountHistory, minor: int) -> str:
    return money.show(money.to_major(minor, account.currency), account.currency)
