"""The SQL models on a lake small enough to be checked by hand."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.lake.frames import frame
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.rows import aligned
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    ACCOUNT_METRICS,
    AD_ACCOUNTS,
    AD_METRICS,
    ADSET_METRICS,
    CAMPAIGN_METRICS,
    CAMPAIGN_TRAILING,
    RAW_INSIGHTS,
)
from zyenta_ads_pipeline.metrics.definitions import SUMS
from zyenta_ads_pipeline.metrics.expected import with_expected
from zyenta_ads_pipeline.metrics.lag import assumed

SEEN = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)  # the third in New York, the fourth in Tokyo
FIRST = date(2026, 9, 20)
LAST = date(2026, 11, 6)
D1, D2, D3 = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)
ENDS = ("_expected", "_low", "_high")
Row = dict[str, Any]


def counts(**by_type: str) -> list[Row]:
    return [{"action_type": name, "value": n} for name, n in by_type.items()]


def raw(day: date, level: str, object_id: str, **values: Any) -> Row:
    return {
        "date": day,
        "account_id": "1",
        "level": level,
        "object_id": object_id,
        "observed_at": SEEN,
        "run_id": "r",
        **values,
    }


def ad(day: date, ad_id: str, adset: str, campaign: str, **values: Any) -> Row:
    ids = {"ad_id": ad_id, "adset_id": adset, "campaign_id": campaign}
    return raw(day, "ad", ad_id, **ids, **values)


def account(account_id: str, timezone: str, currency: str, purchases: str | None) -> Row:
    return {
        "account_id": account_id,
        "timezone": timezone,
        "currency": currency,
        "purchase_type": purchases,
        "lead_type": "lead",
        "observed_at": SEEN,
    }


ACCOUNTS = [
    account("1", "America/New_York", "USD", "purchase"),
    account("2", "Asia/Tokyo", "JPY", "omni_purchase"),
    account("3", "UTC", "EUR", None),
]
SALE = counts(omni_purchase="9", purchase="2", link_click="7", lead="1")
VALUE = counts(omni_purchase="900.5", purchase="199.80")
RAW = [
    ad(D1, "101", "11", "1001", impressions="100", clicks="10", spend="12.34", reach="80",
       inline_link_clicks="6", actions=SALE, action_values=VALUE, currency="USD"),
    ad(D1, "102", "11", "1001", impressions="50", clicks="5", spend="0.10", reach="40"),
    ad(D1, "103", "12", "1001", impressions="25", spend="0.20"),
    ad(D2, "101", "11", "1001", impressions="7", spend="3"),
    ad(D1, "201", "21", "2001", account_id="2", impressions="9", spend="500",
       actions=SALE, action_values=VALUE),
    ad(D1, "301", "31", "3001", account_id="3", impressions="9", spend="5", actions=SALE,
       action_values=VALUE),
    raw(D1, "adset", "11", reach="110"),
    raw(D1, "campaign", "1001", reach="115"),
    raw(D1, "account", "1", reach="116", impressions="175", clicks="15", spend="12.64"),
    raw(D2, "account", "1", impressions="7", spend="3"),
    raw(D1, "account", "2", account_id="2", impressions="9", spend="500"),
    raw(D1, "account", "3", account_id="3", impressions="9", spend="5"),
]  # fmt: skip


def built(root: Path, rows: list[Row], accounts: list[Row]) -> Lake:
    """A lake of raw rows, with every model run over all of it, as the pipeline does."""
    lake = Lake(str(root))
    ids = [row["account_id"] for row in accounts]
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, accounts), Scope(ids))
    lake.write(RAW_INSIGHTS, frame(RAW_INSIGHTS, rows), Scope(ids, days))
    for table in (AD_METRICS, ADSET_METRICS, CAMPAIGN_METRICS, ACCOUNT_METRICS, CAMPAIGN_TRAILING):
        lake.write(table, run(lake, table), Scope(ids, days))
    return lake


def run(lake: Lake, table: Table, since: date = FIRST, until: date = LAST) -> pl.DataFrame:
    snapshot = lake.snapshot()
    frame = snapshot.query(model(table.name), {"since": since, "until": until})
    if "purchases_expected" not in table.schema:
        return frame
    return with_expected(frame, snapshot.query(model("pooled_rates"), {"until": until}))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return built(tmp_path_factory.mktemp("models") / "lake", RAW, ACCOUNTS)


def row(lake: Lake, table: Table, **key: Any) -> Row:
    found = lake.snapshot().scan(table).filter(**key).collect()
    assert found.height == 1, found
    return found.row(0, named=True)


@pytest.mark.parametrize(
    "table", [AD_METRICS, ADSET_METRICS, CAMPAIGN_METRICS, ACCOUNT_METRICS, CAMPAIGN_TRAILING]
)
def test_a_model_gives_its_tables_columns_and_every_key_once(lake: Lake, table: Table) -> None:
    found = run(lake, table)
    assert set(found.columns) >= set(table.schema.names())
    keys = aligned(found, table).select(table.key)
    assert keys.height == keys.unique().height > 0
    assert not keys.null_count().transpose().to_series().sum()


@pytest.mark.parametrize("table", [AD_METRICS, ADSET_METRICS, CAMPAIGN_METRICS, ACCOUNT_METRICS])
def test_a_model_gives_the_days_asked_for_only(lake: Lake, table: Table) -> None:
    assert set(run(lake, table, D2, D3)["date"]) == {D2}
    assert run(lake, table, D3, D3).is_empty()


def test_an_ads_texts_become_exact_numbers(lake: Lake) -> None:
    found = row(lake, AD_METRICS, ad_id="101", date=D1)
    expected = {name: value for name, value in found.items() if name.endswith(ENDS)}
    assert found == {
        "date": D1, "account_id": "1", "campaign_id": "1001", "adset_id": "11", "ad_id": "101",
        "currency": "USD", "impressions": 100, "clicks": 10, "link_clicks": 6, "reach": 80,
        "spend": Decimal("12.34"), "purchases": Decimal(2), "purchase_value": Decimal("199.80"),
        "leads": Decimal(1), "ctr": 0.1, "cpc": 1.234,
        "cpm": pytest.approx(123.4), "cpa": 6.17,
        "roas": pytest.approx(199.8 / 12.34), "maturity": 0.76, "observed_at": SEEN,
        **expected,
    }  # fmt: skip
    assert expected["purchases_low"] <= 2 < expected["purchases_expected"]
    assert expected["purchases_expected"] < expected["purchases_high"]


def test_what_meta_left_out_of_an_ads_row_is_none_counted(lake: Lake) -> None:
    found = row(lake, AD_METRICS, ad_id="103")
    assert (found["clicks"], found["link_clicks"], found["purchases"]) == (0, 0, 0)
    assert found["reach"] is None
    assert (found["ctr"], found["cpc"], found["cpa"], found["roas"]) == (0.0, None, None, 0.0)
    assert found["currency"] == "USD"  # the account's, where the row names none


def test_purchases_are_of_the_accounts_one_type_and_never_a_sum(lake: Lake) -> None:
    bought = {
        each["ad_id"]: (each["purchases"], each["purchase_value"])
        for each in lake.snapshot().scan(AD_METRICS).collect().iter_rows(named=True)
        if each["date"] == D1
    }
    assert bought["101"] == (2, Decimal("199.80"))
    assert bought["201"] == (9, Decimal("900.5"))
    assert bought["301"] == (0, 0)  # no type chosen yet


def test_coarser_levels_are_sums_of_their_ads_and_ratios_of_those_sums(lake: Lake) -> None:
    for table, key in (
        (ADSET_METRICS, {"adset_id": "11"}),
        (CAMPAIGN_METRICS, {"campaign_id": "1001"}),
        (ACCOUNT_METRICS, {"account_id": "1"}),
    ):
        ads = lake.snapshot().scan(AD_METRICS).filter(date=D1, **key).collect()
        found = row(lake, table, date=D1, **key)
        for name in SUMS:
            assert found[name] == sum(ads[name].to_list()), (table.name, name)
        assert found["ctr"] == found["clicks"] / found["impressions"]
        assert found["roas"] == pytest.approx(float(found["purchase_value"] / found["spend"]))
        assert (found["maturity"], found["observed_at"]) == (0.76, SEEN)


def test_reach_is_metas_own_of_the_level_or_nothing_and_never_a_sum(lake: Lake) -> None:
    assert row(lake, ADSET_METRICS, adset_id="11", date=D1)["reach"] == 110
    assert row(lake, CAMPAIGN_METRICS, campaign_id="1001", date=D1)["reach"] == 115
    assert row(lake, ACCOUNT_METRICS, account_id="1", date=D1)["reach"] == 116
    assert row(lake, ADSET_METRICS, adset_id="12", date=D1)["reach"] is None
    assert row(lake, ACCOUNT_METRICS, account_id="1", date=D2)["reach"] is None


CHECK = "checks/ad_sums_equal_account_totals"


def failing(lake: Lake, since: date | None = None) -> list[tuple[Any, ...]]:
    found = lake.snapshot().query(
        model(CHECK), {"since": since, "until": LAST, "accounts": ["1", "2"]}
    )
    return found.select("date", "account_id").rows()


def test_ads_that_add_up_to_metas_totals_pass_the_check(lake: Lake) -> None:
    assert failing(lake) == failing(lake, FIRST) == []


@pytest.mark.parametrize(
    ("change", "currency", "told"),
    [
        ({"impressions": "174"}, "USD", True),
        ({"clicks": "16"}, "USD", True),
        ({"spend": "12.65"}, "USD", False),  # three ads, half a cent each
        ({"spend": "12.66"}, "USD", True),
        ({"spend": "13.64"}, "JPY", False),  # the same in whole yen
        ({"spend": "14.64"}, "JPY", True),
    ],
)
def test_a_difference_beyond_rounding_fails_the_check(
    tmp_path: Path, change: Row, currency: str, told: bool
) -> None:
    def changed(each: Row) -> Row:
        mine = (each["level"], each["account_id"], each["date"]) == ("account", "1", D1)
        return {**each, **change} if mine else each

    accounts = [{**ACCOUNTS[0], "currency": currency}, *ACCOUNTS[1:]]
    lake = built(tmp_path / "lake", [changed(each) for each in RAW], accounts)
    assert failing(lake) == ([(D1, "1")] if told else [])
    assert failing(lake, D2) == []


def test_a_total_without_its_ads_fails_the_check(tmp_path: Path) -> None:
    rows = [each for each in RAW if each["object_id"] != "201"]
    assert failing(built(tmp_path / "lake", rows, ACCOUNTS)) == [(D1, "2")]


def test_trailing_windows_are_sums_over_calendar_days_with_gaps(tmp_path: Path) -> None:
    """Days without delivery count as days; days that have not begun have no row."""
    chance = random.Random(7)  # noqa: S311 - a fixed draw
    accounts = ACCOUNTS[:2]
    today = {"1": date(2026, 11, 3), "2": date(2026, 11, 4)}
    daily: dict[tuple[str, str], dict[date, Row]] = defaultdict(dict)
    rows = []
    for account_id, campaign in (("1", "1001"), ("1", "1002"), ("2", "2001")):
        day = FIRST
        while day <= today[account_id]:
            numbers = {
                "impressions": str(chance.randint(1, 999)),
                "clicks": str(chance.randint(0, 9)),
                "spend": f"{chance.randint(0, 99999) / 100:.2f}",
            }
            rows.append(ad(day, f"{campaign}9", f"{campaign}1", campaign,
                           account_id=account_id, **numbers))  # fmt: skip
            daily[account_id, campaign][day] = rows[-1]
            day += timedelta(days=chance.choice([1, 1, 1, 2, 9]))
    lake = built(tmp_path / "lake", rows, accounts)
    found = {
        (each["account_id"], each["campaign_id"], each["date"], each["window_days"]): each
        for each in lake.snapshot().scan(CAMPAIGN_TRAILING).collect().iter_rows(named=True)
    }
    expected: dict[tuple[str, str, date, int], list[Row]] = {}
    for (account_id, campaign), days in daily.items():
        for n in range((today[account_id] - FIRST).days + 1):
            end = FIRST + timedelta(days=n)
            for window in (1, 3, 7, 14, 28):
                start = end - timedelta(days=window - 1)
                if within := [each for day, each in days.items() if start <= day <= end]:
                    expected[account_id, campaign, end, window] = within
    assert set(found) == set(expected)
    for key, within in expected.items():
        each = found[key]
        assert each["days_with_delivery"] == len(within)
        for name in ("impressions", "clicks"):
            assert each[name] == sum(int(one[name]) for one in within)
        spend = sum((Decimal(one["spend"]) for one in within), Decimal(0))
        assert each["spend"] == spend
        assert each["cpm"] == pytest.approx(1000 * float(spend) / each["impressions"])
        shares = [assumed((today[key[0]] - one["date"]).days) for one in within]
        assert each["maturity"] == pytest.approx(sum(shares) / len(shares))


def test_a_day_computed_alone_sees_the_days_before_it(lake: Lake) -> None:
    alone = run(lake, CAMPAIGN_TRAILING, D3, D3).filter(campaign_id="1001", window_days=3)
    assert alone["days_with_delivery"].to_list() == [2]
    assert alone["spend"].to_list() == [Decimal("15.64")]
    assert set(run(lake, CAMPAIGN_TRAILING, D3, D3)["date"]) == {D3}
