"""Creatives in the lake: taken from the store, and measured by their ads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from tests.faces.campaign_home import settled
from tests.sandboxes import run_sandbox
from tests.store.campaign_samples import campaign as sample
from tests.store.campaign_samples import draft, launched, opened
from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.assets.creatives import ad_creatives, creative_performance
from zyenta_ads_pipeline.connections import accounts_of, store_of
from zyenta_ads_pipeline.definitions import defs
from zyenta_ads_pipeline.domain.creative import CreativeOrigin
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.jobs import CREATED
from zyenta_ads_pipeline.lake.creative_tables import AD_CREATIVES
from zyenta_ads_pipeline.lake.decision_tables import BUDGET_DECISIONS
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.tables import AD_METRICS, CREATIVE_PERFORMANCE
from zyenta_ads_pipeline.lineage import ASSETS_OF
from zyenta_ads_pipeline.metrics.definitions import SUMS
from zyenta_ads_pipeline.resources import LakeResource, StoreResource
from zyenta_ads_pipeline.runs import run_days
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = date(2026, 11, 19)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path))
    return tmp_path


def made() -> dict[str, dict[str, Any]]:
    """Both assets materialized; the metadata of each."""
    resources = {"lake": LakeResource(), "store": StoreResource()}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [ad_creatives, creative_performance], instance=instance, resources=resources
        )
        return {
            event.asset_key.to_user_string(): {
                name: value.value for name, value in event.materialization.metadata.items()
            }
            for event in result.get_asset_materialization_events()
            if event.asset_key is not None
        }


def measured(*rows: dict[str, object]) -> None:
    """Rows of `ad_metrics` for the account of the samples."""
    empty = dict.fromkeys(AD_METRICS.schema.names()) | dict.fromkeys(SUMS, 0)
    common = {"account_id": "101", "campaign_id": "4711", "adset_id": "9", "currency": "EUR"}
    frame = pl.DataFrame([empty | common | row for row in rows], schema=AD_METRICS.schema)
    LakeResource().open().write(AD_METRICS, frame, Scope(["101"], frame["date"].unique()))


def test_without_creatives_there_is_nothing_to_write(home: Path) -> None:
    told = made()
    assert told["ad_creatives"]["dagster/row_count"] == 0
    assert told["creative_performance"]["dagster/row_count"] == 0


def test_a_creative_is_measured_by_its_ad_and_shown_with_its_origin(home: Path) -> None:
    with store_of(load_settings()) as store:
        opened(store)
        campaign = launched(store)
        first, second = campaign.creatives
        Campaigns(store).creative_placed(first.id, ad_id="11", now=NOW)
    measured(
        {
            "date": DAY,
            "ad_id": "11",
            "impressions": 1000,
            "clicks": 20,
            "spend": Decimal("10.50"),
            "purchases": Decimal(2),
            "purchase_value": Decimal(21),
        },
        {"date": DAY + timedelta(days=1), "ad_id": "11", "impressions": 10},
        {"date": DAY, "ad_id": "12", "impressions": 5},
    )
    told = made()
    creatives = LakeResource().open().snapshot().scan(AD_CREATIVES).collect()
    assert set(creatives["creative_id"]) == {first.id, second.id}
    assert creatives["campaign_id"].unique().to_list() == [campaign.id]
    assert creatives.sort("platform_ad_id")["platform_ad_id"].to_list() == [None, "11"]
    rows = LakeResource().open().snapshot().scan(CREATIVE_PERFORMANCE).collect()
    assert rows.sort("date")["impressions"].to_list() == [1000, 10]
    assert rows["creative_id"].unique().to_list() == [first.id]
    assert rows["campaign_id"].unique().to_list() == [campaign.id], "ours, not Meta's"
    (best,) = rows.filter(pl.col("date") == DAY).iter_rows(named=True)
    assert (best["ctr"], best["roas"], best["cpa"]) == (0.02, 2.0, 5.25)
    (idle,) = rows.filter(pl.col("date") != DAY).iter_rows(named=True)
    assert (idle["roas"], idle["cpc"], idle["cpa"]) == (None, None, None)
    shown = told["creative_performance"]["since_start"]
    assert "| Forty hours of calm | p1, p2 | 1 |" in shown
    assert "10.50" in shown
    assert made()["creative_performance"]["changed"] is False, "the same again is no commit"


def test_the_table_of_creatives_tells_who_wrote_them_at_what_cost(home: Path) -> None:
    origin = CreativeOrigin(
        writer="openai",
        model="gpt-x",
        prompt_version="7",
        product_ids=("p1",),
        tokens_in=900,
        tokens_out=120,
        cost_usd_micros=2_150,
    )
    with store_of(load_settings()) as store:
        opened(store)
        launched(store)
        launched(store, account_id="102")
        Campaigns(store).add(
            sample(account_id="102"), [draft(origin=origin)], actor="test", now=NOW
        )
    told = made()["ad_creatives"]
    assert told["dagster/row_count"] == 5
    assert "| p1 | openai | 7 | gpt-x | 0.002150 | active |" in told["creatives"]
    assert told["cost_usd"] == pytest.approx(0.00215)


def test_the_lineage_leads_from_products_to_campaigns_and_their_numbers() -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    deps = {
        name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in specs.items()
    }
    assert deps["campaign_requests"] == {"product_catalogue"}
    assert deps["ad_creatives"] == {"campaign_requests"}
    assert deps["creative_performance"] == {"ad_creatives", "ad_metrics"}
    assert deps["launched_campaigns"] == {"ad_creatives"}
    assert deps["creative_tests"] == deps["creative_fatigue"] == {"creative_performance"}
    assert "creative_tests" in deps["change_set"]
    group = {name for name, spec in specs.items() if spec.group_name == "creatives"}
    assert group == {
        "product_catalogue",
        "campaign_requests",
        "ad_creatives",
        "creative_performance",
        "creative_tests",
        "creative_fatigue",
        "launched_campaigns",
    }


@pytest.fixture
def adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A young market whose campaigns were adopted; their ids in the store."""
    config = SandboxConfig(state=tmp_path / "sandbox", port=0, days=2, frozen=True)
    with run_sandbox(config) as sandbox:
        settings = settled(sandbox, tmp_path, monkeypatch)
        found = asyncio.run(AdsAgent(settings, actor="ada").adopt("shop"))
        yield [campaign.id for campaign in found.campaigns]


def test_the_hourly_run_measures_creatives_and_logs_each_decision_once(adopted: list[str]) -> None:
    assert adopted
    settings = load_settings()
    accounts = accounts_of(settings)
    today = datetime.now(UTC).date()
    days = DateRange(today - timedelta(days=2), today)
    chosen = [*set(ASSETS_OF["hourly"]) - {"insights_by_hour"}, *CREATED]
    with dg.DagsterInstance.ephemeral() as instance:
        run = run_days("hourly", instance, accounts, days, only=chosen)
        assert run.metadata["creative_performance"]["dagster/row_count"] > 0
        assert run.metadata["creative_tests"]["dagster/row_count"] > 0, "their tests have begun"
        assert run.metadata["creative_fatigue"]["dagster/row_count"] > 0
        decided = LakeResource().open().snapshot().scan(BUDGET_DECISIONS).collect()
        assert run.metadata["change_set"]["decisions_logged"] == len(adopted) > 0
        again = run_days("hourly", instance, accounts, days, only=["change_set"])
        assert again.metadata["change_set"]["decisions_logged"] == 0
    with store_of(settings) as store:
        logs = [entry for each in adopted for entry in Campaigns(store).logs(each)]
    assert len(logs) == len(adopted)
    assert {(entry.metrics or {})["decision_id"] for entry in logs} == set(decided["decision_id"])
    assert {entry.reason for entry in logs} <= set(decided["reason"])
