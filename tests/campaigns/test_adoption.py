"""Campaigns made by hand become ours, once, as they are."""

from __future__ import annotations

from typing import Any

from tests.store.campaign_samples import NOW, connection, opened
from zyenta_ads_pipeline.campaigns.adoption import ADS_MANAGER, Adopted, adopt
from zyenta_ads_pipeline.domain.ads import AdCreative, AdObject, Level
from zyenta_ads_pipeline.domain.campaign import BudgetLevel, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import Store


def thing(level: Level, object_id: str, campaign_id: str, **more: Any) -> AdObject:
    given: dict[str, Any] = {
        "level": level,
        "id": object_id,
        "account_id": "101",
        "name": f"{level.value} {object_id}",
        "status": "ACTIVE",
        "effective_status": "ACTIVE",
        "campaign_id": campaign_id,
    }
    return AdObject(**(given | more))


def campaign_by_hand(number: str, *, cbo: bool = False, **more: Any) -> list[AdObject]:
    budget = {"daily_budget": 4000}
    return [
        thing(
            Level.CAMPAIGN,
            number,
            number,
            objective="OUTCOME_SALES",
            created_time=NOW,
            **(budget if cbo else {}),
            **more,
        ),
        thing(
            Level.ADSET,
            f"{number}1",
            number,
            adset_id=f"{number}1",
            details={"targeting": {"age_min": 21}},
            **({} if cbo else budget),
        ),
        thing(Level.AD, f"{number}2", number, adset_id=f"{number}1", creative_id="500"),
    ]


TEXTS = [
    AdCreative(
        id="500",
        account_id="101",
        name="by hand",
        status="ACTIVE",
        observed_at=NOW,
        details={
            "title": "Warm light",
            "body": "Candles for long evenings.",
            "call_to_action_type": "SHOP_NOW",
        },
    )
]


def taken(store: Store, objects: list[AdObject]) -> Adopted:
    return adopt(Campaigns(store), connection(), objects, TEXTS, actor="eva", now=NOW)


def test_fifty_campaigns_are_there_at_once_and_never_twice(store: Store) -> None:
    opened(store)
    objects = [each for number in range(100, 150) for each in campaign_by_hand(str(number))]
    assert len(taken(store, objects).campaigns) == 50
    again = taken(store, objects)
    assert (len(again.campaigns), again.known) == (0, 50)
    assert len(Campaigns(store).find(account_id="101")) == 50


def test_it_keeps_name_budget_state_aim_and_texts(store: Store) -> None:
    opened(store)
    (campaign,) = taken(store, campaign_by_hand("9")).campaigns
    assert campaign.adopted
    assert campaign.name == "campaign 9"
    assert campaign.objective is CampaignObjective.CONVERSIONS
    assert campaign.status is CampaignStatus.ACTIVE
    assert (campaign.budget_level, campaign.daily_budget_minor) == (BudgetLevel.ADSET, 4000)
    assert campaign.targeting == {"age_min": 21}
    (creative,) = campaign.creatives
    assert creative.draft.headline == "Warm light"
    assert creative.draft.origin.writer == ADS_MANAGER
    assert creative.draft.angle is None
    assert (creative.platform_ad_id, creative.platform_ad_set_id) == ("92", "91")


def test_a_campaign_with_the_budget_is_taken_as_such(store: Store) -> None:
    opened(store)
    (campaign,) = taken(store, campaign_by_hand("9", cbo=True)).campaigns
    assert (campaign.budget_level, campaign.daily_budget_minor) == (BudgetLevel.CAMPAIGN, 4000)


def test_what_cannot_be_worked_with_is_told_and_what_is_gone_is_left(store: Store) -> None:
    opened(store)
    app = campaign_by_hand("7")
    app[0] = thing(Level.CAMPAIGN, "7", "7", objective="OUTCOME_APP_PROMOTION")
    lifetime = [thing(Level.CAMPAIGN, "6", "6", objective="OUTCOME_SALES", lifetime_budget=9000)]
    gone = [thing(Level.CAMPAIGN, "5", "5", effective_status="ARCHIVED", status="ARCHIVED")]
    result = taken(store, [*app, *lifetime, *gone])
    assert not result.campaigns
    assert [words.split(":")[0] for words in result.skipped] == ["campaign 7", "campaign 6"]
