"""The shipped views and models over what was known when, on a lake checked by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.lake.frames import frame
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake import views
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.models import model, view_names
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    AD_ACCOUNTS,
    BREAKDOWN_TABLES,
    CAMPAIGN_METRICS,
    CONVERSION_LAG,
    EXCHANGE_RATES,
    INSIGHT_READINGS,
    INSIGHT_READS,
    INSIGHT_RESTATEMENTS,
    RAW_INSIGHTS,
)
from zyenta_ads_pipeline.lake.versions import store_versions

D1, D2 = date(2026, 11, 1), date(2026, 11, 2)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY_LONG = timedelta(days=1)
Row = dict[str, Any]


def item(name: str, value: str, **windows: str) -> Row:
    return {"action_type": name, "value": value, **windows}


def ad(day: date, ad_id: str, seen: datetime = NOON, account: str = "1", **values: Any) -> Row:
    return {
        "date": day, "account_id": account, "level": "ad", "object_id": ad_id, "ad_id": ad_id,
        "campaign_id": "1001", "adset_id": "11", "observed_at": seen, "run_id": "r", **values,
    }  # fmt: skip


def total(level: str, object_id: str, **values: Any) -> Row:
    return ad(D1, object_id, **values) | {"level": level}


def write(lake: Lake, table: Table, rows: Iterable[Row], days: Iterable[date] = (D1,)) -> None:
    told = list(rows)
    accounts = ["1", "2"] if "account_id" in table.schema else None
    dates = list(days) if table.daily or accounts is None else None
    lake.write(table, frame(table, told), Scope(accounts, dates))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    accounts: list[Row] = [
        {"account_id": "1", "currency": "USD", "timezone": "America/New_York",
         "purchase_type": "purchase", "observed_at": NOON},
        {"account_id": "2", "currency": "EUR", "timezone": "UTC", "purchase_type": None,
         "observed_at": NOON},
    ]  # fmt: skip
    write(lake, AD_ACCOUNTS, accounts)
    return lake


NUMBER = st.from_regex(r"-?[0-9]{1,14}(\.[0-9]{1,12})?", fullmatch=True) | st.sampled_from(
    ["0", "1e2", "12E-4", "1.5e3", "-0.00001", "999999999", "0.1234567", "1.429999948"]
)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(NUMBER, min_size=1, max_size=30))
def test_amounts_are_read_to_the_last_digit(texts: list[str]) -> None:
    connection = duckdb.connect()
    views.create_macros(connection)
    connection.execute("CREATE TABLE texts AS SELECT unnest($texts) AS text", {"texts": texts})
    found = connection.sql("SELECT amount(text) FROM texts").fetchall()
    assert [row[0] for row in found] == [Decimal(text) for text in texts]
    assert connection.sql("SELECT amount(CAST(NULL AS VARCHAR))").fetchall() == [(None,)]


def bought(count: str) -> list[Row]:
    return [item("purchase", count), item("omni_purchase", count)]


def test_every_view_can_be_read_on_an_empty_lake(tmp_path: Path) -> None:
    snapshot = Lake(str(tmp_path / "empty")).snapshot()
    assert len(view_names()) >= 6
    for name in view_names():
        assert snapshot.query(f"SELECT * FROM {name}").is_empty()


def test_windows_stand_side_by_side_and_default_is_metas_own(lake: Lake) -> None:
    actions = [item("link_click", "9"), item("purchase", "5", **{"1d_click": "2", "7d_click": "4"})]
    values = [item("purchase", "50.5", **{"7d_click": "40"})]
    write(lake, RAW_INSIGHTS, [ad(D1, "1", actions=actions, action_values=values)])
    found = lake.snapshot().query(
        "SELECT attribution_window, purchases, purchase_value FROM attributed_purchases"
    )
    assert found.rows() == [
        ("default", 5, Decimal("50.5")),
        ("1d_click", 2, 0),
        ("7d_click", 4, 40),
        ("28d_click", 0, 0),
        ("1d_view", 0, 0),
    ]


def test_overlaps_show_each_name_beside_the_one_that_counts(lake: Lake) -> None:
    rows = [
        ad(D1, "1", actions=[item("purchase", "4"), item("omni_purchase", "6"), item("like", "1")],
           action_values=[item("purchase", "40")]),
        ad(D1, "2", actions=[item("purchase", "4")]),
        ad(D1, "3", account="2", actions=[item("omni_purchase", "1")]),
    ]  # fmt: skip
    write(lake, RAW_INSIGHTS, rows)
    found = lake.snapshot().query(
        "SELECT account_id, action_type, counted, purchases, purchase_value, share_of_counted "
        "FROM purchase_overlaps ORDER BY ALL"
    )
    assert found.rows() == [
        ("1", "omni_purchase", False, 6, 0, 0.75),
        ("1", "purchase", True, 8, 40, 1.0),
        ("2", "omni_purchase", False, 1, 0, None),
    ]


def test_hours_are_numbers(lake: Lake) -> None:
    table = BREAKDOWN_TABLES["by_hour"]
    row = ad(D1, "1", hour=5, fold=0, windows="default", hours=1, impressions="7", spend="1.5")
    write(lake, table, [row])
    found = lake.snapshot().query("SELECT hour, impressions, clicks, spend FROM insights_hourly")
    assert found.rows() == [(5, 7, 0, Decimal("1.5"))]


def test_amounts_in_the_reporting_currency_take_the_latest_rate_before(lake: Lake) -> None:
    def day(n: int) -> date:
        return D1 + timedelta(days=n)

    rows = [
        {"date": day(n), "account_id": account, "campaign_id": "1001", "currency": currency,
         "spend": Decimal("10.25"), "purchase_value": Decimal(20), "roas": 1.95,
         "purchase_value_expected": 30.0}
        for n in range(3)
        for account, currency in (("1", "USD"), ("2", "EUR"))
    ]  # fmt: skip
    write(lake, CAMPAIGN_METRICS, rows, [day(n) for n in range(3)])
    asked = (
        "SELECT date, account_id, spend_reporting, purchase_value_expected_reporting, roas "
        "FROM campaign_metrics_reporting ORDER BY account_id, date"
    )
    without = lake.snapshot().query(asked)
    assert without["spend_reporting"].null_count() == without.height == 6
    rate = {"currency": "USD", "reporting_currency": "EUR"}
    rates = [rate | {"date": day(1), "rate": Decimal("0.8")},
             rate | {"date": day(9), "rate": Decimal(3)}]  # fmt: skip
    lake.write(EXCHANGE_RATES, frame(EXCHANGE_RATES, rates), Scope(None, [day(1), day(9)]))
    assert lake.snapshot().query(asked).rows() == [
        (day(0), "1", None, None, 1.95),
        (day(1), "1", Decimal("8.2"), 24.0, 1.95),
        (day(2), "1", Decimal("8.2"), 24.0, 1.95),
        *((day(n), "2", Decimal("10.25"), 30.0, 1.95) for n in range(3)),
    ]


def test_a_broken_view_fails_alone_and_says_why(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(name: str) -> str:
        return "SELECT it's gone" if name == "views/insights_hourly" else model(name)

    monkeypatch.setattr(views, "model", spoiled)
    path = tmp_path / "lake.duckdb"
    assert set(lake.publish_views(path)) == {"insights_hourly"}
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.sql("SELECT count(*) FROM purchase_overlaps").fetchall() == [(0,)]
        with pytest.raises(duckdb.Error, match="insights_hourly is broken: Parser Error"):
            connection.sql("SELECT * FROM insights_hourly").fetchall()
    with pytest.raises(StorageError, match="insights_hourly is broken"):
        lake.snapshot().query("SELECT * FROM insights_hourly")


def read(day: date, age: int, at: datetime) -> Row:
    return {"date": day, "account_id": "1", "stream": "insights", "age_days": age, "read_at": at}


def test_maturity_is_what_was_learned_for_the_age_at_the_last_reading(lake: Lake) -> None:
    write(lake, RAW_INSIGHTS, [ad(D1, "1"), ad(D2, "1")], (D1, D2))
    days = {"since": D1, "until": D2}

    def found() -> list[float]:
        rows = lake.snapshot().query(model("ad_metrics"), days)
        return list(rows.sort("date")["maturity"])

    assert found() == [0.5, 0.5]  # by the moment of the row, as long as no reading is known
    write(lake, INSIGHT_READS, [read(D1, 3, NOON), read(D2, 2, NOON)], (D1, D2))
    assert found() == [0.84, 0.76]
    learned = [{"account_id": "1", "age_days": 3, "completeness": 0.9, "observed_at": NOON}]
    write(lake, CONVERSION_LAG, learned)
    assert found() == [0.9, 0.76]


def history(lake: Lake) -> list[tuple[Any, ...]]:
    found = lake.snapshot().query(model("conversion_lag"), {"since": D1})
    return found.select("date", "age_days", "purchases").rows()


def test_the_history_tells_what_was_known_at_the_end_of_each_age(lake: Lake) -> None:
    """New York's days: 03:00 UTC is still the day before."""
    for hours, rows in {
        0: {"1": "1"},
        4: {"1": "2"},  # the same day: the later reading counts
        15: {"1": "3", "2": "10"},  # 03:00 UTC on the 2nd: still age 0
        36: {"1": "4", "2": "10"},  # age 1
        36 + 48: {"1": "4"},  # age 3: one ad is gone
        36 + 24 * 30: {"1": "9"},  # age 31 counts as 28
    }.items():
        seen = NOON + timedelta(hours=hours)
        told = frame(
            RAW_INSIGHTS, [ad(D1, key, seen, actions=bought(n)) for key, n in rows.items()]
        )
        store_versions(
            lake, told.drop("content_hash"), Scope(["1"], [D1]), run_id="r", observed_at=seen
        )
        write(lake, INSIGHT_READS, [read(D1, min((seen.date() - D1).days, 28), seen)])
    found = {age: int(n) for _, age, n in history(lake)}
    assert found == {0: 13, 1: 14, 3: 4, 28: 9}


def test_only_ages_at_which_the_day_was_read_are_known(lake: Lake) -> None:
    """After an outage the state before it says nothing of the days between."""
    for age, count in ((0, "40"), (6, "100")):
        seen = NOON + timedelta(days=age)
        told = frame(RAW_INSIGHTS, [ad(D1, "1", seen, actions=bought(count))])
        store_versions(
            lake, told.drop("content_hash"), Scope(["1"], [D1]), run_id="r", observed_at=seen
        )
    write(lake, INSIGHT_READS, [read(D1, 8, NOON + timedelta(days=9))])
    assert history(lake) == [(D1, 0, 40), (D1, 6, 100), (D1, 8, 100)]
    at = [{"date": D1, "account_id": "1", "age_days": age, "read_at": NOON} for age in (2, 7)]
    write(lake, INSIGHT_READINGS, at)
    assert history(lake) == [(D1, 0, 40), (D1, 2, 40), (D1, 6, 100), (D1, 7, 100), (D1, 8, 100)]


def test_an_age_that_still_runs_is_not_known_yet(lake: Lake) -> None:
    seen = datetime(2026, 11, 4, 12, tzinfo=UTC)  # age 3
    write(lake, RAW_INSIGHTS, [ad(D1, "1", seen, actions=bought("5"))])
    write(lake, INSIGHT_READS, [read(D1, 3, seen)])
    assert history(lake) == []
    write(lake, INSIGHT_READS, [read(D1, 3, seen), read(D2, 3, seen + DAY_LONG)], (D1, D2))
    assert history(lake) == [(D1, 3, 5)]


def test_a_version_that_a_dead_run_left_in_both_tables_counts_once(lake: Lake) -> None:
    row = ad(D1, "1", actions=bought("5"))
    write(lake, RAW_INSIGHTS, [row])
    later = NOON + timedelta(days=2)
    write(lake, INSIGHT_RESTATEMENTS, [row | {"replaced_at": later, "removed": False}])
    write(lake, INSIGHT_READS, [read(D1, 4, NOON + timedelta(days=5))])
    assert history(lake) == [(D1, 0, 5), (D1, 4, 5)]


CHECK = "checks/ad_sums_equal_account_totals"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"actions": bought("8")}, (None, None)),
        ({"actions": bought("6")}, None),  # Meta leaves some out of totals: the ads are believed
        ({"impressions": "11"}, (None, None)),
    ],
)
def test_purchases_and_counts_add_up(lake: Lake, change: Row, told: Any) -> None:
    numbers: Row = {"impressions": "10", "actions": bought("7")}
    rows = [ad(D1, "1", **numbers), total("account", "1", **(numbers | change))]
    write(lake, RAW_INSIGHTS, rows)
    write(lake, INSIGHT_READS, [read(D1, 1, NOON)])
    asked = {"since": None, "until": None, "accounts": ["1"]}
    found = lake.snapshot().query(model(CHECK), asked).select("campaigns", "adsets").rows()
    assert found == ([] if told is None else [told])
    write(lake, INSIGHT_READS, [read(D1, 0, NOON)])
    assert lake.snapshot().query(model(CHECK), asked).is_empty()  # still running when read


def test_a_gap_is_traced_to_its_campaign_and_ad_set(lake: Lake) -> None:
    more = {"impressions": "15", "clicks": "1", "spend": "2.00"}
    rows = [
        ad(D1, "1", impressions="10", spend="1"),
        total("adset", "11", **more), total("adset", "12", impressions="0"),
        total("campaign", "1001", **more), total("account", "1", **more),
    ]  # fmt: skip
    write(lake, RAW_INSIGHTS, rows)
    write(lake, INSIGHT_READS, [read(D1, 5, NOON)])
    found = lake.snapshot().query(model(CHECK), {"since": D1, "until": D1, "accounts": ["1"]})
    kept = found.select("ad_impressions", "account_impressions", "campaigns", "adsets")
    assert kept.rows() == [(10, 15, "1001", "11")]


def test_the_last_days_rate_and_order_value_are_pooled(lake: Lake) -> None:
    rows = [
        ad(D1, "1", spend="100", actions=bought("6"), action_values=[item("purchase", "300")]),
        ad(D2, "1", spend="100", actions=bought("4"), action_values=[item("purchase", "200")]),
    ]
    write(lake, RAW_INSIGHTS, rows, (D1, D2))
    write(lake, INSIGHT_READS, [read(D1, 28, NOON), read(D2, 0, NOON)], (D1, D2))
    found = lake.snapshot().query(model("pooled_rates"), {"until": D2})
    assert found.rows() == [("1", pytest.approx(10 / 150), 50.0)]
