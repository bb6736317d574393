"""What the platform has to show for creative tests that ended: losers paused, winners scaled.

The money that frees goes to the winner; the campaign's budget never grows by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.campaigns.creative_tests import CONFIDENCE, STATUS, TESTER
from zyenta_ads_pipeline.campaigns.live import own_object
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeField, ProposedChange
from zyenta_ads_pipeline.domain.creative import CreativeStatus
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_OBJECTS
from zyenta_ads_pipeline.store.campaigns import Campaigns


def changes_of_tests(
    snapshot: Snapshot,
    campaigns: Campaigns,
    account_id: str,
    *,
    max_step: Decimal | None,
    now: datetime,
) -> list[ProposedChange]:
    """What the platform has to show for the tests that ended: losers paused, winners scaled.

    A loser is paused by its own ad set, or its ad where it shares one, as long as the lake shows it
    switched on. Its budget, where its ad set held one, goes to the winner's ad set, at most
    `max_step` of what that has. Every change belongs to its test, so it is offered once.
    """
    ended = [
        campaign
        for campaign in campaigns.find(account_id=account_id, creatives=True)
        if campaign.status is CampaignStatus.ACTIVE
        and any(each.status is CreativeStatus.LOSER for each in campaign.creatives)
    ]
    if not ended:
        return []
    mine = (pl.col("account_id") == account_id) & ~pl.col("is_deleted").fill_null(value=False)
    rows = snapshot.scan(AD_OBJECTS).filter(mine).collect().iter_rows(named=True)
    live = {row["object_id"]: row for row in rows}
    changes: list[ProposedChange] = []
    for campaign in ended:
        changes += _of_campaign(campaigns, campaign, live, max_step, now)
    return changes


def _of_campaign(
    campaigns: Campaigns,
    campaign: AdCampaign,
    live: Mapping[str, Mapping[str, Any]],
    max_step: Decimal | None,
    now: datetime,
) -> list[ProposedChange]:
    told = _last_words(campaigns, campaign)
    changes = []
    freed = 0
    for creative in campaign.creatives:
        if creative.status is not CreativeStatus.LOSER:
            continue
        shown = live.get(own_object(campaign, creative)[1])
        if shown is None or shown["status"] != "ACTIVE":
            continue
        test, why = told[creative.id]
        freed += shown["daily_budget"] or 0
        changes.append(
            _change(campaign, shown, ChangeField.STATUS, "ACTIVE", "PAUSED", test, why, now)
        )
    winners = [each for each in campaign.creatives if each.status is CreativeStatus.WINNER]
    for creative in winners:
        shown = live.get(creative.platform_ad_set_id or "")
        if shown is None or not shown["daily_budget"] or not freed:
            continue
        budget = int(shown["daily_budget"])
        most = freed if max_step is None else min(freed, int(budget * max_step))
        test, why = told[creative.id]
        amount = show(to_major(most, campaign.currency), campaign.currency)
        why = f"{why} It takes {amount} a day of what the losers had."
        changes.append(
            _change(
                campaign,
                shown,
                ChangeField.DAILY_BUDGET,
                str(budget),
                str(budget + most),
                test,
                why,
                now,
            )
        )
    return changes


def _change(
    campaign: AdCampaign,
    shown: Mapping[str, Any],
    field: ChangeField,
    old: str,
    new: str,
    test: str,
    why: str,
    now: datetime,
) -> ProposedChange:
    return ProposedChange(
        platform=campaign.platform,
        account_id=campaign.account_id,
        campaign_id=campaign.platform_campaign_id or "",
        level=Level(shown["level"]),
        object_id=shown["object_id"],
        object_name=shown["name"],
        field=field,
        old_value=old,
        new_value=new,
        currency=campaign.currency,
        reason=why,
        confidence=CONFIDENCE,
        policy=TESTER,
        decision_id=test,
        decided_at=now,
    )


def _last_words(campaigns: Campaigns, campaign: AdCampaign) -> dict[str, tuple[str, str]]:
    """Of each creative: the id of the test it was last judged in, and what was said."""
    begun, told = "", {}
    for event in campaigns.journal(campaign.id):
        if event.what != STATUS or event.creative_id is None:
            continue
        if event.to_value == CreativeStatus.TESTING:
            begun = f"test-{campaign.id}-{event.at:%Y%m%dT%H%M%S}"
        elif event.actor == TESTER:
            told[event.creative_id] = (begun, event.reason)
    for creative in campaign.creatives:
        told.setdefault(creative.id, (begun or f"test-{campaign.id}", "Set by hand."))
    return told
