"""After the launch: reviews and numbers come back, and pushes obey the store's kill switches."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import dagster as dg
import polars as pl
import pytest

from tests.faces.campaign_home import (
    carried_out,
    failure,
    materialized,
    ran,
    requested,
    skipped,
    wanted,
)
from tests.store.campaign_samples import campaign as made_by_hand
from tests.store.campaign_samples import connection, shop
from zyenta_ads_pipeline.connections import store_of, vault_of
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState, ProposedChange
from zyenta_ads_pipeline.lake.creative_tables import AD_CREATIVES
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, CAMPAIGN_METRICS
from zyenta_ads_pipeline.resources import LakeResource, StoreResource
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.schedules import reviews_every_hour
from zyenta_ads_pipeline.sensors import approved_changes
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.shops import Shops
from zyenta_ads_pipeline.store.switches import KillSwitches

_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def launched(settings: Settings, instance: dg.DagsterInstance) -> AdCampaign:
    """A campaign of ours on the sandbox, paused."""
    assert carried_out(instance, requested(settings).id).success
    with store_of(settings) as store:
        return Campaigns(store).find(creatives=True)[0]


def tick() -> dg.RunRequest | dg.SkipReason:
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=_NOW)
        result = reviews_every_hour(context, store=StoreResource())
    assert isinstance(result, dg.RunRequest | dg.SkipReason)
    return result


def test_without_a_launched_campaign_nothing_is_reviewed(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert isinstance(tick(), dg.SkipReason)
    assert ran(instance, "campaign_reviews").success


def test_reviews_and_numbers_come_back(
    settings: Settings,
    sandbox: SandboxHandle,
    instance: dg.DagsterInstance,
    launched: AdCampaign,
) -> None:
    assert isinstance(tick(), dg.RunRequest)
    first = launched.creatives[0]
    told = {"Misleading claims": "It promises too much."}
    for creative in launched.creatives:
        sandbox.review(ad_id=creative.platform_ad_id, verdict="disapproved", feedback=told)
    numbers = dict.fromkeys(CAMPAIGN_METRICS.schema.names()) | {
        "date": _NOW.date(),
        "account_id": launched.account_id,
        "campaign_id": launched.platform_campaign_id,
        "currency": launched.currency,
        "impressions": 1000,
        "clicks": 20,
        "spend": Decimal(10),
        "purchases": Decimal(1),
        "purchase_value": Decimal(30),
    }
    LakeResource().open().write(
        CAMPAIGN_METRICS,
        pl.DataFrame([numbers], schema=CAMPAIGN_METRICS.schema),
        Scope([launched.account_id], [_NOW.date()]),
    )
    result = ran(instance, "campaign_reviews")
    assert result.success
    with store_of(settings) as store:
        now = Campaigns(store).get(launched.id)
    assert now.status is CampaignStatus.REJECTED
    assert "It promises too much" in now.status_reason
    assert (now.spent_minor, now.roas) == (1000, Decimal(3))
    rows = LakeResource().open().snapshot().scan(AD_CREATIVES).collect()
    (feedback,) = rows.filter(pl.col("creative_id") == first.id)["review_feedback"]
    assert "It promises too much" in feedback
    assert materialized(result, "ad_creatives")[0]["dagster/row_count"] == 3


def test_one_stores_failure_leaves_the_others_green(
    settings: Settings,
    sandbox: SandboxHandle,
    instance: dg.DagsterInstance,
    launched: AdCampaign,
) -> None:
    with store_of(settings) as store:
        Shops(store).add(shop("a-broken one"))
        broken = connection("a-broken one", account_id="999")
        Connections(store, vault_of(settings)).save(broken, "EAAGnobody", _NOW)
        lost = made_by_hand(
            store_id="a-broken one",
            account_id="999",
            status=CampaignStatus.ACTIVE,
            platform_campaign_id="4711",
        )
        Campaigns(store).add(lost, [], actor="test", now=_NOW)
    for creative in launched.creatives:
        sandbox.review(ad_id=creative.platform_ad_id, verdict="approved")
    result = ran(instance, "campaign_reviews")
    assert not result.success
    steps = {
        event.step_key: event.is_step_success
        for event in result.all_events
        if event.is_step_success or event.is_step_failure
    }
    assert steps["review_store[shop_2]"]
    assert not steps["review_store[a_broken_one_1]"]
    assert "a-broken one" in failure(result, "review_store[a_broken_one_1]")
    with store_of(settings) as store:
        assert Campaigns(store).get(launched.id).status is CampaignStatus.PAUSED


def change(campaign: AdCampaign, policy: str, place: int) -> ProposedChange:
    """A change to one of the campaign's ad sets."""
    ad_set = campaign.creatives[place].platform_ad_set_id or ""
    return ProposedChange(
        platform="meta",
        account_id=campaign.account_id,
        campaign_id=campaign.platform_campaign_id or "",
        level=Level.ADSET,
        object_id=ad_set,
        object_name="An ad set",
        field=ChangeField.STATUS,
        old_value="ACTIVE",
        new_value="PAUSED",
        currency=campaign.currency,
        reason="because",
        confidence=Decimal(1),
        policy=policy,
        decision_id=f"{policy}-{place}",
        decided_at=datetime.now(UTC),
    )


def test_pushes_obey_the_store_and_a_person_may_act_while_the_autopilot_watches(
    settings: Settings, instance: dg.DagsterInstance, launched: AdCampaign
) -> None:
    account = dict.fromkeys(AD_ACCOUNTS.schema.names()) | {
        "account_id": launched.account_id,
        "currency": launched.currency,
        "timezone": "UTC",
        "min_daily_budget": 100,
        "observed_at": _NOW,
    }
    LakeResource().open().write(
        AD_ACCOUNTS,
        pl.DataFrame([account], schema=AD_ACCOUNTS.schema),
        Scope([launched.account_id]),
    )
    with store_of(settings) as store:
        outbox = Outbox(store)
        offered = [change(launched, "buyer", 0), change(launched, "roas_thresholds", 1)]
        proposed = outbox.propose(offered, actor="ada", now=datetime.now(UTC), approve=True)
        by_person, by_policy = (record.id for record in proposed.inserted)
        switches = KillSwitches(store)
        switches.throw(launched.account_id, by="ada", reason="stop", now=_NOW)
        assert "stopped by ada" in skipped(approved_changes, instance)

        def pushed(changes: list[str]) -> dict[str, ChangeState]:
            config = {"account": launched.account_id, "changes": changes}
            assert ran(instance, "push", {"push_changes": {"config": config}}).success
            return {each: outbox.get(each).state for each in (by_person, by_policy)}

        stands = {by_person: ChangeState.APPROVED, by_policy: ChangeState.APPROVED}
        assert pushed([by_person]) == stands, "the switch of the store holds"
        switches.lift(launched.account_id, by="ada", now=_NOW)
        instance.wipe()
        # That push put the change off until later.
        outbox.postpone(by_person, until=_NOW, now=datetime.now(UTC))
        (run,) = wanted(approved_changes, instance)
        assert run.run_config["ops"]["push_changes"]["config"]["changes"] == [by_person]
        assert pushed([by_policy]) == stands, "watching, no policy's change is sent"
        assert pushed([]) == stands | {by_person: ChangeState.APPLIED}
        assert "only watches" in skipped(approved_changes, instance)
