"""The assets of objects and rates: accounts fail alone, alerts follow, history comes with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.assets.objects import ad_objects, exchange_rates
from zyenta_ads_pipeline.connections import alerts_of
from zyenta_ads_pipeline.lake.tables import AD_OBJECT_HISTORY, AD_OBJECTS, EXCHANGE_RATES
from zyenta_ads_pipeline.resources import LakeResource, MetaResource, StoreResource
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.settings import Settings, load_settings

ONE, TWO = "EAAGassetONE0123456789", "EAAGassetTWO0123456789"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxHandle]:
    """Two accounts, each with a token of its own, and the settings that name them."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    first, second = "act_10158734012345601", "act_10158734012345602"
    config = SandboxConfig(
        state=tmp_path / "sandbox",
        port=0,
        days=3,
        accounts=2,
        frozen=True,
        tokens={ONE: (first,), TWO: (second,)},
    )
    with run_sandbox(config) as running:
        monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("META_GRAPH_URL", running.url)
        monkeypatch.setenv("META_AD_ACCOUNT_IDS", f"{first},{second}")
        monkeypatch.setenv("META_ACCOUNT_TOKENS", f"{first}={ONE},{second}={TWO}")
        yield running


def materialized(asset: dg.AssetsDefinition) -> tuple[dict[str, Any], bool]:
    """The metadata of one run of an asset, and whether its checks passed."""
    resources = {"meta": MetaResource(), "lake": LakeResource(), "store": StoreResource()}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, resources=resources)
        (event,) = result.asset_materializations_for_node(asset.op.name)[-1:]
        metadata = {name: value.value for name, value in event.metadata.items()}
        return metadata, all(one.passed for one in result.get_asset_check_evaluations())


def open_alerts() -> list[str]:
    with alerts_of(load_settings()) as alerts:
        return [alert.key for alert in alerts.open()]


def test_a_dead_token_raises_its_alert_once_and_the_other_account_is_stored(
    sandbox: SandboxHandle,
) -> None:
    first, second = sandbox.account_ids
    sandbox.set_token(token=TWO, state="expired")
    metadata, passed = materialized(ad_objects)
    assert not passed
    assert open_alerts() == [f"token:act_{second}"]
    snapshot = LakeResource().open().snapshot()
    for table in (AD_OBJECTS, AD_OBJECT_HISTORY):
        accounts = snapshot.scan(table).select(pl.col("account_id").unique()).collect()
        assert accounts["account_id"].to_list() == [first]
    sandbox.set_token(token=TWO, state="valid")
    metadata, passed = materialized(ad_objects)
    assert passed
    assert open_alerts() == []
    view = LakeResource().open().snapshot().scan(AD_OBJECTS).collect()
    assert view["account_id"].n_unique() == 2
    assert metadata["dagster/row_count"] == view.height
    assert metadata["vanished_to_ask"] == 0


def test_rates_are_stored_where_a_file_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))
    assert materialized(exchange_rates)[0]["read"] == "no file is set"
    rates = tmp_path / "rates.csv"
    rates.write_text("date,currency,rate\n2026-11-01,USD,0.9\n")
    monkeypatch.setenv("ZYENTA_RATES_FILE", str(rates))
    monkeypatch.setenv("ZYENTA_REPORTING_CURRENCY", "EUR")
    assert materialized(exchange_rates)[0]["dagster/row_count"] == 1
    assert LakeResource().open().snapshot().scan(EXCHANGE_RATES).collect().height == 1
    rates.write_text("date,currency,rate\n2026-11-01,USD,free\n")
    with pytest.raises(Exception, match="line 2"):
        materialized(exchange_rates)
