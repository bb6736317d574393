"""Numbers over time, decisions, tests and forecasts as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from zyenta_ads_pipeline.console.api.shapes import Day, Json, Moment, Money, Numeric, Ratio, Shape
from zyenta_ads_pipeline.console.api.writing import moment, number, optional_amount
from zyenta_ads_pipeline.console.numbers_shown import (
    DayNumbers,
    Decision,
    Difference,
    Forecast,
    NotKnown,
    Outlook,
    Series,
    TestedCreative,
    TestState,
)


class DayShape(Shape):
    """One day, the account's own. `expected`, `low` and `high` are how it will stand once all
    purchases are reported; 80 % lie between. `uncertain`: some are still coming in."""

    date: Day
    spend: Money
    impressions: int
    clicks: int
    purchases: Numeric
    revenue: Money
    roas: Ratio
    cpa: Ratio
    ctr: Ratio
    maturity: Numeric
    running: bool
    uncertain: bool
    purchases_expected: Numeric
    purchases_low: Numeric
    purchases_high: Numeric
    revenue_expected: Money
    revenue_low: Money
    revenue_high: Money
    roas_expected: Ratio
    roas_low: Ratio
    roas_high: Ratio


class SumShape(Shape):
    """All days together; ratios are of sums."""

    spend: Money
    impressions: int
    clicks: int
    purchases: Numeric
    revenue: Money
    roas: Ratio
    cpa: Ratio
    ctr: Ratio
    revenue_expected: Money
    roas_expected: Ratio
    uncertain: bool


class SeriesShape(Shape):
    """A series of days, the oldest first; a day without delivery is left out."""

    since: Day | None
    until: Day | None
    currency: str
    days: list[DayShape]
    total: SumShape | None


class DecisionShape(Shape):
    """What was decided for a campaign at one moment, and why."""

    id: str
    decided_at: Moment
    day: Day = Field(description="The last complete day that was looked at.")
    policy: str
    action: str
    reason: str
    confidence: Numeric | None
    currency: str
    budget_before: Money | None
    budget_after: Money | None
    outcome: str
    note: str
    hold: str
    expected: str
    needs_person: bool
    message: str
    spend: Money
    roas: Ratio
    change_ids: list[str]


class Decisions(Shape):
    """Decisions, the newest first."""

    decisions: list[DecisionShape]


class Tested(Shape):
    """How one creative stands in its test."""

    creative_id: str
    name: str
    standing: str
    reason: str
    impressions: int
    conversions: Numeric
    revenue: Money
    spend: Money
    rate: Numeric | None
    against: str | None
    lift: Numeric | None
    lift_low: Numeric | None
    lift_high: Numeric | None
    probability_better: Numeric | None
    days_needed: int | None


class Tests(Shape):
    """A campaign's creative test at its newest look; empty: nothing was tested yet."""

    __test__ = False

    day: Day | None
    started: Day | None
    last_day: Day | None
    metric: str
    currency: str
    running: bool
    creatives: list[Tested]


class OutlookShape(Shape):
    """What one daily budget sells in all of the days ahead."""

    daily_budget: Money | None
    spend: Money
    purchases: Numeric
    purchases_low: Numeric
    purchases_high: Numeric
    value: Money
    value_low: Money
    value_high: Money
    extrapolated: bool


class DifferenceShape(Shape):
    """What moving the budget changes in all of the days."""

    spend: Money
    purchases: Numeric
    purchases_low: Numeric
    purchases_high: Numeric
    value: Money
    value_low: Money
    value_high: Money


class ForecastShape(Shape):
    """A campaign at another daily budget, beside how it would go on. `known` False: `reason` says
    why there is no forecast yet, and all else is null."""

    known: bool
    reason: str
    currency: str | None
    days: int | None
    since: Day | None
    fitted_to: Day | None
    asked: OutlookShape | None
    stay: OutlookShape | None
    difference: DifferenceShape | None
    words: str


_DAY = ("purchases", "spend", "revenue", "roas", "cpa", "ctr")


def series(found: Series) -> Json:
    """A series of days."""
    total = found.total
    return {
        "since": found.days[0].date.isoformat() if found.days else None,
        "until": found.days[-1].date.isoformat() if found.days else None,
        "currency": found.currency,
        "days": [_day(each) for each in found.days],
        "total": None if total is None else _sums(total) | {
            "revenueExpected": number(total.revenue_expected),
            "roasExpected": number(total.roas_expected),
            "uncertain": total.uncertain,
        },
    }  # fmt: skip


def decisions(found: Sequence[Decision]) -> Json:
    """Decisions, the newest first."""
    return {"decisions": [_decision(each) for each in found]}


def tests(state: TestState) -> Json:
    """A campaign's test."""
    return {
        "day": state.day,
        "started": state.started,
        "lastDay": state.last_day,
        "metric": state.metric,
        "currency": state.currency,
        "running": state.running,
        "creatives": [_tested(each) for each in state.creatives],
    }


def forecast(found: Forecast | NotKnown) -> Json:
    """A forecast, or why there is none."""
    if isinstance(found, NotKnown):
        nothing = ("currency", "days", "since", "fittedTo", "asked", "stay", "difference")
        return {"known": False, "reason": found.reason, "words": ""} | dict.fromkeys(nothing)
    return {
        "known": True,
        "reason": "",
        "currency": found.currency,
        "days": found.days,
        "since": found.since,
        "fittedTo": found.fitted_to,
        "asked": _outlook(found.asked, found.currency),
        "stay": None if found.stay is None else _outlook(found.stay, found.currency),
        "difference": None if found.difference is None else _spread(found.difference),
        "words": found.words,
    }


def _sums(each: Any) -> Json:
    return {name: number(getattr(each, name)) for name in _DAY} | {
        "impressions": each.impressions,
        "clicks": each.clicks,
    }


def _day(each: DayNumbers) -> Json:
    return _sums(each) | {
        "date": each.date.isoformat(),
        "maturity": number(each.maturity),
        "running": each.running,
        "uncertain": each.uncertain,
        "purchasesExpected": number(each.purchases_expected),
        "purchasesLow": number(each.purchases_low),
        "purchasesHigh": number(each.purchases_high),
        "revenueExpected": number(each.revenue_expected),
        "revenueLow": number(each.revenue_low),
        "revenueHigh": number(each.revenue_high),
        "roasExpected": number(each.roas_expected),
        "roasLow": number(each.roas_low),
        "roasHigh": number(each.roas_high),
    }


def _decision(each: Decision) -> Json:
    return {
        "id": each.decision_id,
        "decidedAt": moment(each.decided_at),
        "day": each.day,
        "policy": each.policy,
        "action": each.action,
        "reason": each.reason,
        "confidence": number(each.confidence),
        "currency": each.currency,
        "budgetBefore": optional_amount(each.before_minor, each.currency),
        "budgetAfter": optional_amount(each.after_minor, each.currency),
        "outcome": each.outcome,
        "note": each.note,
        "hold": each.hold,
        "expected": each.expected,
        "needsPerson": each.needs_person,
        "message": each.message,
        "spend": number(each.spend),
        "roas": number(each.roas),
        "changeIds": list(each.change_ids),
    }


def _tested(each: TestedCreative) -> Json:
    return {
        "creativeId": each.creative_id,
        "name": each.name,
        "standing": each.standing,
        "reason": each.reason,
        "impressions": each.impressions,
        "conversions": number(each.conversions),
        "revenue": number(each.revenue),
        "spend": number(each.spend),
        "rate": each.rate,
        "against": each.against,
        "lift": number(each.lift),
        "liftLow": number(each.lift_low),
        "liftHigh": number(each.lift_high),
        "probabilityBetter": number(each.probability_better),
        "daysNeeded": each.days_needed,
    }


def _outlook(each: Outlook, currency: str) -> Json:
    return _spread(each) | {
        "dailyBudget": optional_amount(each.budget_minor, currency),
        "extrapolated": each.extrapolated,
    }


def _spread(each: Outlook | Difference) -> Json:
    return {
        "spend": number(each.spend),
        "purchases": number(each.purchases),
        "purchasesLow": number(each.purchases_low),
        "purchasesHigh": number(each.purchases_high),
        "value": number(each.value),
        "valueLow": number(each.value_low),
        "valueHigh": number(each.value_high),
    }
