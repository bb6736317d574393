"""Real ads of 2017 as a replay, from the sandbox to `zyenta sql`, to the last digit.

The data set is not part of the repository; where it is absent these tests are skipped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.e2e.command import Zyenta
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.sandbox.config import SandboxConfig

_KAG = Path(__file__).parents[3] / "shared/data/kag/KAG_conversion_data.csv"
_TYPES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_ACCOUNT = "act_20170001"
_FIRST = date.today() - timedelta(days=20)  # noqa: DTZ011 - any recent day will do
_REVENUE_PER_SALE = 100
_EXPECTED = {
    "916": ("54", "482925", "113", "149.71", "24", "0.023399", "6.237917", "16.030993"),
    "936": ("464", "8128187", "1984", "2893.37", "183", "0.024409", "15.810765", "6.324805"),
    "1178": ("625", "204823716", "36068", "55662.15", "872", "0.017609", "63.832741", "1.566594"),
}

pytestmark = pytest.mark.skipif(not _KAG.is_file(), reason=f"the KAG data set is not at {_KAG}")


def _replay(path: Path) -> Path:
    """Every ad on one day of fourteen, in the file's order."""
    with _KAG.open(newline="") as source, path.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(
            ["date", "account_id", "currency", "timezone", "campaign_id", "campaign_name"]
            + ["adset_id", "ad_id", "impressions", "clicks", "spend"]
            + [f"actions.{name}" for name in _TYPES]
            + [f"action_values.{name}" for name in _TYPES]
        )
        for number, row in enumerate(csv.DictReader(source)):
            sales = int(row["Approved_Conversion"])
            counts = [sales or ""] * len(_TYPES)
            values = [sales * _REVENUE_PER_SALE or ""] * len(_TYPES)
            campaign = row["xyz_campaign_id"]
            day = _FIRST + timedelta(days=number % 14)
            names = (campaign, f"Campaign {campaign}", row["fb_campaign_id"], row["ad_id"])
            numbers = (row["Impressions"], row["Clicks"], row["Spent"])
            place = (day, _ACCOUNT, "USD", "America/New_York")
            writer.writerow([*place, *names, *numbers, *counts, *values])
    return path


@pytest.fixture(scope="module")
def kag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zyenta]:
    folder = tmp_path_factory.mktemp("kag")
    config = SandboxConfig(state=folder / "state", port=0, replay=_replay(folder / "kag.csv"))
    with run_sandbox(config) as sandbox:
        zyenta = Zyenta(folder / "home", sandbox.url)
        zyenta.sync(_ACCOUNT, str(_FIRST), str(_FIRST + timedelta(days=13)))
        yield zyenta


def test_the_campaigns_come_out_as_published_to_the_last_digit(kag: Zyenta) -> None:
    rows = kag.sql(
        """
        SELECT campaign_id, count(DISTINCT ad_id) AS ads, sum(impressions) AS impressions,
               sum(clicks) AS clicks, round(sum(spend), 2) AS spend, sum(purchases) AS sales,
               printf('%.6f', 100 * ctr(sum(clicks), sum(impressions))) AS ctr_percent,
               printf('%.6f', cpa(sum(spend), sum(purchases))) AS cpa,
               printf('%.6f', roas(sum(purchase_value), sum(spend))) AS roas
        FROM ad_metrics GROUP BY campaign_id
        """
    )
    found = {str(row.pop("campaign_id")): tuple(str(v) for v in row.values()) for row in rows}
    assert found == _EXPECTED


def test_the_metrics_of_campaigns_are_those_of_their_ads(kag: Zyenta) -> None:
    (row,) = kag.sql(
        """
        SELECT sum(impressions) AS impressions, sum(purchases) AS purchases,
               round(sum(spend), 2) AS spend
        FROM campaign_metrics
        """
    )
    assert row == {"impressions": 213434828, "purchases": 1079, "spend": 58705.23}


def test_without_spend_roas_and_cpa_are_empty(kag: Zyenta) -> None:
    (row,) = kag.sql(
        """
        SELECT count(*) AS ads, count(roas) AS with_roas, count(cpa) AS with_cpa,
               count(*) FILTER (purchases > 0) AS with_sales
        FROM ad_metrics WHERE spend = 0
        """
    )
    assert row == {"ads": 207, "with_roas": 0, "with_cpa": 0, "with_sales": 71}


@pytest.mark.slow
def test_loading_it_twice_changes_nothing(kag: Zyenta) -> None:
    tables = ("raw_insights", "ad_metrics", "campaign_metrics", "account_metrics")
    before = {table: kag.log_entries(table) for table in tables}
    rows = kag.sql("SELECT * FROM ad_metrics ORDER BY ALL")
    kag.sync(_ACCOUNT, str(_FIRST), str(_FIRST + timedelta(days=13)))
    assert {table: kag.log_entries(table) for table in tables} == before
    assert kag.sql("SELECT * FROM ad_metrics ORDER BY ALL") == rows
