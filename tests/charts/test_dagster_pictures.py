"""The same charts as metadata of runs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from tests.campaigns.budget_lake import LAST_DAY, delivered, rows, small_lake
from zyenta_ads_pipeline.assets.pictures import series_pictures
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import ACCOUNT_METRICS


def test_an_accounts_days_are_a_picture_of_the_run(tmp_path: Path) -> None:
    lake = small_lake(tmp_path)
    assert series_pictures(lake.snapshot(), ["1"]) == {}, "no day, no picture"
    days = [LAST_DAY - timedelta(days=n) for n in range(5)]
    told = [delivered(day, spend=Decimal(20), purchase_value=Decimal(50)) for day in days]
    lake.write(ACCOUNT_METRICS, rows(ACCOUNT_METRICS, *told), Scope(["1"], days))
    found = series_pictures(lake.snapshot(), ["1", "2"])
    assert found.keys() == {"days of act_1"}
    assert "data:image/svg+xml;base64," in str(found["days of act_1"].value)


def test_an_account_that_was_never_read_has_none(tmp_path: Path) -> None:
    assert series_pictures(Lake(str(tmp_path / "lake")).snapshot(), ["1"]) == {}
