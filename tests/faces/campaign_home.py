"""A home with a connected shop, on a sandbox: shared by the tests of Dagster's campaigns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.campaigns.launching import connected, picture
from tests.store.campaign_samples import product, shop
from tests.store.campaign_samples import request as asked
from zyenta_ads_pipeline.connections import store_of, vault_of
from zyenta_ads_pipeline.definitions import defs
from zyenta_ads_pipeline.domain.campaign import CampaignObjective, CampaignRequest
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind
from zyenta_ads_pipeline.resources import StoreResource
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.shops import Shops

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def settled(sandbox: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a new home on the sandbox, with one connected shop of two products."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("META_GRAPH_URL", sandbox.url)
    settings = load_settings()
    settings.home.mkdir()
    to = connected(sandbox)
    with store_of(settings) as store:
        shops = Shops(store)
        shops.add(shop(countries=("US",), currency=to.currency))
        goods = [product(each, currency=to.currency) for each in ("p1", "p2")]
        shops.put_products(goods, NOW)
        media = [
            MediaAsset(
                id=f"m{each.id}",
                store_id="shop",
                kind=MediaKind.IMAGE,
                source=str(picture(tmp_path / f"{each.id}.jpg")),
                product_id=each.id,
            )
            for each in goods
        ]
        shops.put_media(media, NOW)
        vault = vault_of(settings)
        Connections(store, vault).save(
            replace(to, store_id="shop"), sandbox.config.token, datetime.now(UTC)
        )
    return settings


def requested(settings: Settings, **more: Any) -> CampaignRequest:
    """One more request for a campaign of the shop."""
    with store_of(settings) as store:
        currency = Shops(store).get("shop").currency
        given = {"objective": CampaignObjective.CONVERSIONS, "currency": currency} | more
        made = asked(requested_at=datetime.now(UTC), **given)
        return CampaignRequests(store).add(made, key=None)[0]


def ran(
    instance: dg.DagsterInstance, job: str, ops: dict[str, Any] | None = None, **more: Any
) -> dg.ExecuteInProcessResult:
    """A job of ours run to its end, whatever that is."""
    return defs.resolve_job_def(job).execute_in_process(
        run_config={"ops": ops or {}}, instance=instance, raise_on_error=False, **more
    )


def carried_out(instance: dg.DagsterInstance, request_id: str) -> dg.ExecuteInProcessResult:
    """One run for a request, as the sensor would start it."""
    config = {"config": {"request_id": request_id}}
    ops = {"write_creatives": config, "launch_campaign": config}
    return ran(instance, "create_campaign", ops)


def failure(result: dg.ExecuteInProcessResult, step: str) -> str:
    """Why a step of a run failed, in words."""
    (event,) = [e for e in result.all_events if e.is_step_failure and e.step_key == step]
    data = event.step_failure_data
    told = data.user_failure_data.description if data.user_failure_data else None
    cause = data.error.cause if data.error else None
    return str(told or (cause or data.error or ""))


def materialized(result: dg.ExecuteInProcessResult, asset: str) -> list[dict[str, Any]]:
    """The metadata of each time an asset was reported by a run."""
    return [
        {
            name: value.value
            for name, value in event.step_materialization_data.materialization.metadata.items()
        }
        for event in result.all_events
        if event.is_step_materialization
        and event.asset_key is not None
        and event.asset_key.to_user_string() == asset
    ]


def sensed(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance
) -> dg.SensorResult | dg.SkipReason:
    """One tick of a sensor."""
    with dg.build_sensor_context(
        instance=instance, resources={"store": StoreResource()}
    ) as context:
        result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def wanted(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """The runs that a sensor asks for."""
    result = sensed(sensor, instance)
    return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []


def skipped(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> str:
    """Why a sensor asks for no run."""
    result = sensed(sensor, instance)
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""
