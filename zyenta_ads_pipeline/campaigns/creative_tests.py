"""The A/B tester: creatives of one campaign against each other, from TESTING to WINNER or LOSER.

A test begins when two or more creatives of a running campaign deliver and one of them was never
tested. Its arms, its first day and its length are declared then, in the campaign's journal; it may
be looked at every hour. What follows from it on the platform is in `creative_changes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.rules import CreativeTestRules
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    CampaignStatus,
    OptimizationAction,
    OptimizationLog,
)
from zyenta_ads_pipeline.domain.creative import AdCreative, CreativeStatus
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.lake.creative_tables import CREATIVE_TESTS
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_METRICS
from zyenta_ads_pipeline.optimizer.ab_plan import CreativeTest
from zyenta_ads_pipeline.optimizer.ab_test import ARM_DAYS, Standing, Verdict, verdicts
from zyenta_ads_pipeline.store.campaign_records import CampaignEvent
from zyenta_ads_pipeline.store.campaigns import Campaigns

TESTER = "ab_tester"
"""Who acts, in journals and on changes."""
_RUNNING = (CreativeStatus.ACTIVE, CreativeStatus.WINNER)
_ENDED = {
    Standing.WINNER: CreativeStatus.WINNER,
    Standing.LOSER: CreativeStatus.LOSER,
    Standing.NO_DIFFERENCE: CreativeStatus.ACTIVE,
}
_LOGGED = {
    Standing.WINNER: OptimizationAction.CREATIVE_SCALED,
    Standing.LOSER: OptimizationAction.CREATIVE_PAUSED,
}
STATUS = "status"
CONFIDENCE = 1 - Decimal(str(CreativeTest.alpha))
"""A test is wrong about any of its arms with probability alpha at most, over all its looks."""


@dataclass(frozen=True)
class JudgedTest:
    """One campaign's test as it stands: its plan, its arms' days (columns of `ARM_DAYS`), and a
    verdict per creative, by the creative's id."""

    campaign: AdCampaign
    plan: CreativeTest
    days: pl.DataFrame
    verdicts: Mapping[str, Verdict]


def look_at_tests(
    snapshot: Snapshot,
    campaigns: Campaigns,
    account_id: str,
    *,
    day: date,
    timezone: str,
    rules: CreativeTestRules,
    now: datetime,
) -> list[JudgedTest]:
    """Begin the tests that can begin, judge those under way, and move the creatives accordingly.

    `day` is the account's last complete day; `now` is Meta's clock, aware. What was decided is in
    the campaign's journal with its reason; a creative takes its step once, however often one looks.
    """
    running = [
        campaign
        for campaign in campaigns.find(
            account_id=account_id, statuses=[CampaignStatus.ACTIVE], creatives=True
        )
        if campaign.platform_campaign_id is not None
    ]
    days = _days(snapshot, account_id, running)
    found = []
    for campaign in running:
        arms = _to_test(campaigns, campaign, days, day)
        begun = _begun(campaigns, campaign, arms, rules, now) if arms else campaign
        declared = _open_test(campaigns, begun, timezone, rules)
        if declared is not None:
            found.append(_judge(campaigns, begun, declared, days, day, now))
    return found


def rows_of_tests(
    tested: Sequence[JudgedTest],
    *,
    account_id: str,
    currency: str,
    day: date,
    now: datetime,
    run_id: str,
) -> pl.DataFrame:
    """The tests as rows of `creative_tests`."""
    rows: list[dict[str, Any]] = [
        {
            "date": day,
            "account_id": account_id,
            "creative_id": creative_id,
            "campaign_id": each.campaign.id,
            "platform_campaign_id": each.campaign.platform_campaign_id,
            "name": verdict.arm,
            "started": each.plan.started,
            "metric": each.plan.metric.value,
            "horizon_days": each.plan.horizon_days,
            "standing": verdict.standing.value,
            "reason": verdict.reason,
            "impressions": verdict.impressions,
            "conversions": verdict.conversions,
            "revenue": verdict.revenue,
            "spend": verdict.spend,
            "currency": currency,
            "rate": verdict.rate,
            "against": verdict.against,
            "lift": verdict.lift,
            "lift_low": verdict.lift_low,
            "lift_high": verdict.lift_high,
            "probability_better": verdict.probability_better,
            "days_needed": verdict.days_needed,
            "observed_at": now,
            "run_id": run_id,
        }
        for each in tested
        for creative_id, verdict in each.verdicts.items()
    ]
    return pl.DataFrame(rows, schema=CREATIVE_TESTS.schema)


def _open_test(
    campaigns: Campaigns, campaign: AdCampaign, timezone: str, rules: CreativeTestRules
) -> tuple[CreativeTest, dict[str, str]] | None:
    """The test under way with its arms' creatives (arm to id), as its journal declares it."""
    if not any(each.status is CreativeStatus.TESTING for each in campaign.creatives):
        return None
    moves = beginnings(campaigns, campaign)
    begun = moves[-1].at
    arms = [event for event in moves if event.at == begun]
    ids = [event.creative_id or "" for event in arms]
    champions = [
        event.creative_id or "" for event in arms if event.from_value == CreativeStatus.WINNER
    ]
    names = _names(campaign)
    plan = CreativeTest(
        arms=tuple(names[each] for each in ids),
        started=account_day(begun, timezone),
        metric=rules.metric,
        horizon_days=rules.days,
        incumbent=names[champions[0]] if champions else None,
    )
    return plan, {names[each]: each for each in ids}


def _to_test(
    campaigns: Campaigns, campaign: AdCampaign, days: pl.DataFrame, day: date
) -> list[AdCreative]:
    """The arms of a test that can begin now: two or more creatives that deliver, one of which was
    never tested. Nothing while a test is under way."""
    delivering = set(days.filter(pl.col("date") >= day)["arm"])
    running = [
        each for each in campaign.creatives if each.status in _RUNNING and each.id in delivering
    ]
    under_way = any(each.status is CreativeStatus.TESTING for each in campaign.creatives)
    if under_way or len(running) < 2:
        return []
    tested = {event.creative_id for event in beginnings(campaigns, campaign)}
    return running if any(each.id not in tested for each in running) else []


def _begun(
    campaigns: Campaigns,
    campaign: AdCampaign,
    arms: Sequence[AdCreative],
    rules: CreativeTestRules,
    now: datetime,
) -> AdCampaign:
    names = _names(campaign)
    what = rules.metric.value.replace("_", " ")
    reason = f"Tested by {what} for {rules.days} days at most: "
    reason += ", ".join(names[each.id] for each in arms) + "."
    campaigns.move_creatives(
        [each.id for each in arms], CreativeStatus.TESTING, reason=reason, actor=TESTER, now=now
    )
    return campaigns.get(campaign.id)


def beginnings(campaigns: Campaigns, campaign: AdCampaign) -> list[CampaignEvent]:
    """The moments at which creatives of the campaign went into a test, oldest first."""
    return [
        event
        for event in campaigns.journal(campaign.id)
        if event.what == STATUS
        and event.creative_id is not None
        and event.to_value == CreativeStatus.TESTING
        and event.from_value != CreativeStatus.TESTING
    ]


def _judge(
    campaigns: Campaigns,
    campaign: AdCampaign,
    declared: tuple[CreativeTest, Mapping[str, str]],
    days: pl.DataFrame,
    day: date,
    now: datetime,
) -> JudgedTest:
    plan, ids = declared
    of_arm = {creative_id: arm for arm, creative_id in ids.items()}
    mine = days.filter(pl.col("arm").is_in(list(of_arm))).with_columns(
        pl.col("arm").replace_strict(of_arm, return_dtype=pl.String)
    )
    found = {ids[each.arm]: each for each in verdicts(plan, mine, day)}
    status = {each.id: each.status for each in campaign.creatives}
    for creative_id, verdict in found.items():
        to = _ENDED.get(verdict.standing)
        if to is not None and status[creative_id] is CreativeStatus.TESTING:
            campaigns.move_creative(creative_id, to, reason=verdict.reason, actor=TESTER, now=now)
            if verdict.standing in _LOGGED:
                campaigns.log(_log_entry(campaign, verdict, now))
    return JudgedTest(campaigns.get(campaign.id), plan, mine, found)


def _log_entry(campaign: AdCampaign, verdict: Verdict, now: datetime) -> OptimizationLog:
    return OptimizationLog(
        campaign_id=campaign.id,
        action=_LOGGED[verdict.standing],
        previous_value={"creative": verdict.arm, "status": CreativeStatus.TESTING.value},
        new_value={"creative": verdict.arm, "status": _ENDED[verdict.standing].value},
        reason=verdict.reason,
        confidence=CONFIDENCE,
        metrics={
            "impressions": str(verdict.impressions),
            "conversions": f"{verdict.conversions:g}",
            "lift": None if verdict.lift is None else f"{verdict.lift:.4f}",
        },
        created_at=now,
    )


def _days(snapshot: Snapshot, account_id: str, running: Sequence[AdCampaign]) -> pl.DataFrame:
    """The days of all creatives on the platform, with the creative's id as the arm."""
    of_ad = {
        creative.platform_ad_id: creative.id
        for campaign in running
        for creative in campaign.creatives
        if creative.platform_ad_id is not None
    }
    rows = (
        snapshot.scan(AD_METRICS)
        .filter((pl.col("account_id") == account_id) & pl.col("ad_id").is_in(list(of_ad)))
        .filter(pl.col("impressions") > 0)
        .select(
            "date",
            "impressions",
            "spend",
            arm=pl.col("ad_id").replace_strict(of_ad, return_dtype=pl.String),
            conversions="purchases",
            revenue="purchase_value",
            maturity=pl.col("maturity").fill_null(1.0),
        )
    )
    return rows.select(pl.col(name).cast(kind) for name, kind in ARM_DAYS.items()).collect()


def _names(campaign: AdCampaign) -> dict[str, str]:
    """A name for each creative that tells it apart, by its id."""
    seen: dict[str, int] = {}
    names = {}
    for creative in campaign.creatives:
        name = creative.draft.name
        seen[name] = seen.get(name, 0) + 1
        names[creative.id] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names
