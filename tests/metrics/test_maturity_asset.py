"""The asset that learns how late conversions come in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from tests.lake.frames import frame
from zyenta_ads_pipeline.assets.maturity import conversion_lag
from zyenta_ads_pipeline.lake.lake import Scope
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    CONVERSION_LAG,
    INSIGHT_READS,
    RAW_INSIGHTS,
)
from zyenta_ads_pipeline.lake.versions import store_versions
from zyenta_ads_pipeline.resources import LakeResource

DAY = date(2025, 3, 1)  # the clock heard from Meta counts, not this machine's


def test_what_was_restated_becomes_a_curve_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path))
    monkeypatch.setenv("META_AD_ACCOUNT_IDS", "act_1")
    monkeypatch.setenv("META_ACCESS_TOKEN", "token")
    lake = LakeResource().open()
    for age, count in enumerate(["30", "60", "60"]):
        seen = datetime(2025, 3, 1 + age, 20, tzinfo=UTC)
        account = {
            "account_id": "1", "currency": "EUR", "timezone": "UTC", "observed_at": seen,
            "purchase_type": "purchase",
        }  # fmt: skip
        lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, [account]), Scope(["1"]))
        row = {
            "date": DAY, "account_id": "1", "level": "ad", "object_id": "31", "run_id": "r",
            "observed_at": seen, "actions": [{"action_type": "purchase", "value": count}],
        }  # fmt: skip
        rows = frame(RAW_INSIGHTS, [row]).drop("content_hash")
        store_versions(lake, rows, Scope(["1"], [DAY]), run_id="r", observed_at=seen)
        read = {
            "date": DAY, "account_id": "1", "stream": "insights", "read_at": seen, "age_days": age,
        }  # fmt: skip
        lake.write(INSIGHT_READS, frame(INSIGHT_READS, [read]), Scope(["1"], [DAY]))
    with dg.instance_for_test() as instance:
        result = dg.materialize(
            [conversion_lag], instance=instance, resources={"lake": LakeResource()}
        )
        (event,) = result.asset_materializations_for_node("conversion_lag")
    curve = lake.snapshot().scan(CONVERSION_LAG).sort("age_days").collect()
    first = curve.row(0, named=True)
    assert (first["account_id"], first["days_seen"], first["purchases_seen"]) == ("1", 1, 30)
    assert first["completeness"] == pytest.approx(0.66 * 45 / (60 + 15 * 0.66 / 0.5))
    assert curve["age_days"].to_list() == list(range(29))
    assert "| 1 | 0 |" in str(event.metadata["curve"].value)
