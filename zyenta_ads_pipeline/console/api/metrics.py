"""Numbers over time, decisions, tests, forecasts: what the lake says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from zyenta_ads_pipeline.console.api import metric_shapes as shapes
from zyenta_ads_pipeline.console.api.campaigns import Budget, CampaignId
from zyenta_ads_pipeline.console.api.declared import problems, router
from zyenta_ads_pipeline.console.api.entry import Me, TheDesks, TheNumbers
from zyenta_ads_pipeline.console.api.problems import ProblemRaised
from zyenta_ads_pipeline.console.api.writing import Json
from zyenta_ads_pipeline.console.desks.ordering import require_budget
from zyenta_ads_pipeline.console.numbers import Numbers
from zyenta_ads_pipeline.console.numbers_shown import NotKnown, Series, TestState
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.money import to_minor

routes = router("metrics")
AccountId = Annotated[
    str, Path(min_length=1, max_length=40, description="Digits, with or without act_.")
]
Since = Annotated[date | None, Query(description="First day; left out: 28 days are shown.")]
Until = Annotated[date | None, Query(description="Last day; left out: the newest known.")]
USUAL_DAYS = 28
MOST_DAYS = 731


@routes.get(
    "/campaigns/{campaign_id}/metrics",
    response_model=shapes.SeriesShape,
    responses=problems(404),
    summary="Read a campaign's days",
)
def campaign_metrics(
    campaign_id: CampaignId,
    me: Me,
    desks: TheDesks,
    numbers: TheNumbers,
    since: Since = None,
    until: Until = None,
) -> Response:
    """A campaign's days with the interval in which each will settle; at most 731 days."""
    own = desks.campaigns.get(me, campaign_id).platform_campaign_id
    if own is None:
        return Json(shapes.series(Series()))
    return Json(shapes.series(_series(numbers, Level.CAMPAIGN, own, since, until)))


@routes.get(
    "/accounts/{account_id}/metrics",
    response_model=shapes.SeriesShape,
    responses=problems(404),
    summary="Read an account's days",
)
def account_metrics(
    account_id: AccountId,
    me: Me,
    desks: TheDesks,
    numbers: TheNumbers,
    since: Since = None,
    until: Until = None,
) -> Response:
    """An ad account's days; at most 731."""
    own = desks.accounts.get(me, account_id).account_id
    return Json(shapes.series(_series(numbers, Level.ACCOUNT, own, since, until)))


@routes.get(
    "/campaigns/{campaign_id}/decisions",
    response_model=shapes.Decisions,
    responses=problems(404),
    summary="Read a campaign's decisions",
)
def campaign_decisions(
    campaign_id: CampaignId,
    me: Me,
    desks: TheDesks,
    numbers: TheNumbers,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> Response:
    """What was decided for a campaign, the newest first, with the reasons."""
    own = desks.campaigns.get(me, campaign_id).platform_campaign_id
    found = () if own is None else numbers.decisions(own, limit=limit)
    return Json(shapes.decisions(found))


@routes.get(
    "/campaigns/{campaign_id}/tests",
    response_model=shapes.Tests,
    responses=problems(404),
    summary="Read a campaign's creative test",
)
def campaign_tests(
    campaign_id: CampaignId, me: Me, desks: TheDesks, numbers: TheNumbers
) -> Response:
    """How the creatives stand against each other."""
    own = desks.campaigns.get(me, campaign_id).platform_campaign_id
    return Json(shapes.tests(TestState() if own is None else numbers.tests(own)))


@routes.get(
    "/campaigns/{campaign_id}/forecast",
    response_model=shapes.ForecastShape,
    responses=problems(404),
    summary="Forecast another budget",
)
def campaign_forecast(
    campaign_id: CampaignId,
    me: Me,
    desks: TheDesks,
    numbers: TheNumbers,
    daily_budget: Annotated[Budget, Query()],
    days: Annotated[int, Query(ge=1, le=366)] = 7,
) -> Response:
    """What a campaign would sell at another daily budget in the days ahead."""
    campaign = desks.campaigns.get(me, campaign_id)
    own = campaign.platform_campaign_id
    if own is None:
        found = NotKnown("The campaign is not on the platform yet, so nothing was learned of it.")
        return Json(shapes.forecast(found))
    now, asked = campaign.daily_budget_minor, to_minor(daily_budget, campaign.currency)
    require_budget("daily_budget", asked, now, campaign.currency)
    return Json(shapes.forecast(numbers.forecast(own, asked, days=days, current_minor=now)))


def _series(
    numbers: Numbers, level: Level, own: str, since: date | None, until: date | None
) -> Series:
    known = numbers.span(level, own)
    if known is None:
        return Series()
    last = until or known[1]
    first = since or _before(last, USUAL_DAYS - 1)
    if first > last:
        raise ProblemRaised(
            422,
            f"since is {first}, which is after {last}.",
            "Give the earlier day as since.",
            field="since",
        )
    if (last - first).days >= MOST_DAYS:
        raise ProblemRaised(
            422,
            f"{first} to {last} is more than {MOST_DAYS} days.",
            "Ask for two years at a time.",
            field="since",
        )
    return numbers.series(level, own, first, last)


def _before(day: date, days: int) -> date:
    """So many days before; the first day that there is where that would be none."""
    return date.min if day.toordinal() <= days else day - timedelta(days=days)
