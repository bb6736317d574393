"""A write replaces exactly the accounts and days it names, once, or nothing at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.lake.frames import DAY, SEEN, ads, day, frame
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.decision_tables import BUDGET_DECISIONS
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.schema import STAT_FIELDS, STAT_ITEMS, Table
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_METRICS, TABLES


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def stored(lake: Lake, table: Table = AD_METRICS) -> pl.DataFrame:
    return lake.snapshot().scan(table).sort(table.key).collect()


def decision(**values: Any) -> pl.DataFrame:
    row = {
        "date": DAY,
        "account_id": "1",
        "campaign_id": "10",
        "decision_id": "d1",
        "decided_at": SEEN,
    }
    return frame(BUDGET_DECISIONS, [row | values])


def test_only_the_named_accounts_and_days_are_replaced(lake: Lake) -> None:
    days, accounts = [day(0), day(1), day(2)], ["1", "2", "3"]
    lake.write(AD_METRICS, ads(days, accounts, clicks=1), Scope(accounts, days))
    result = lake.write(
        AD_METRICS, ads([day(1)], ["2"], count=3, clicks=9), Scope(["2"], [day(0), day(1)])
    )
    assert (result.rows, result.changed) == (3, True)
    found = {
        (row["date"], row["account_id"]): (row["len"], row["clicks"])
        for row in stored(lake)
        .group_by("date", "account_id")
        .agg(pl.len(), pl.col("clicks").max())
        .iter_rows(named=True)
    }
    expected = {(d, a): (2, 1) for d in days for a in accounts}
    del expected[(day(0), "2")]  # named, and not in the frame: emptied
    expected[(day(1), "2")] = (3, 9)
    assert found == expected


def test_an_empty_frame_empties_its_scope_and_no_more(lake: Lake) -> None:
    lake.write(AD_METRICS, ads([day(0), day(1)], ["1", "2"]), Scope(["1", "2"], [day(0), day(1)]))
    result = lake.write(AD_METRICS, ads([], []), Scope(["1"], [day(0)]))
    assert (result.rows, result.changed) == (0, True)
    assert stored(lake).select("date", "account_id").unique().sort("date", "account_id").rows() == [
        (day(0), "2"),
        (day(1), "1"),
        (day(1), "2"),
    ]


def test_an_empty_frame_on_an_empty_table_changes_nothing(lake: Lake) -> None:
    assert not lake.write(AD_METRICS, ads([], []), Scope(["1"], [DAY])).changed
    assert stored(lake).schema == AD_METRICS.schema


def test_what_is_stored_already_makes_no_commit_though_it_was_seen_later(lake: Lake) -> None:
    first = lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]), run_id="a")
    later = ads([DAY], ["1"], observed_at=SEEN + timedelta(hours=1)).reverse()
    second = lake.write(AD_METRICS, later, Scope(["1"], [DAY]), run_id="b")
    assert (second.changed, second.version, second.rows) == (False, first.version, 2)
    assert DeltaTable(lake.uri("ad_metrics")).version() == first.version
    assert stored(lake)["observed_at"].to_list() == [SEEN, SEEN]


def test_of_what_is_true_now_a_later_look_is_news(lake: Lake) -> None:
    row = {"account_id": "1", "name": "Shop", "currency": "EUR", "observed_at": SEEN}
    lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, [row]), Scope(["1"]))
    assert not lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, [row]), Scope(["1"])).changed
    row["observed_at"] = SEEN + timedelta(hours=1)
    assert lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, [row]), Scope(["1"])).changed
    assert stored(lake, AD_ACCOUNTS)["observed_at"].to_list() == [SEEN + timedelta(hours=1)]


@pytest.mark.parametrize("column", ["clicks", "spend", "currency", "roas"])
def test_a_value_that_went_away_is_a_change(lake: Lake, column: str) -> None:
    full = ads([DAY], ["1"], clicks=1, spend=Decimal(2), currency="EUR", roas=1.5)
    lake.write(AD_METRICS, full, Scope(["1"], [DAY]))
    without = full.with_columns(pl.lit(None).cast(full.schema[column]).alias(column))
    assert lake.write(AD_METRICS, without, Scope(["1"], [DAY])).changed
    assert stored(lake)[column].to_list() == [None, None]


def test_a_decision_is_replaced_by_its_id_and_others_of_the_day_stay(lake: Lake) -> None:
    for name in ("d1", "d2"):
        scope = Scope(["1"], [DAY], key=("decision_id", name))
        lake.write(BUDGET_DECISIONS, decision(decision_id=name, reason="first"), scope)
    scope = Scope(["1"], [DAY], key=("decision_id", "d1"))
    lake.write(BUDGET_DECISIONS, decision(reason="second"), scope)
    kept = stored(lake, BUDGET_DECISIONS).select("decision_id", "reason").rows()
    assert sorted(kept) == [("d1", "second"), ("d2", "first")]
    with pytest.raises(StorageError, match="outside"):
        lake.write(BUDGET_DECISIONS, decision(decision_id="d3"), scope)


def test_the_run_is_named_in_the_commit(lake: Lake) -> None:
    lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]), run_id="run-7")
    assert DeltaTable(lake.uri("ad_metrics")).history(1)[0]["run_id"] == "run-7"


Spoil = Callable[[pl.DataFrame], pl.DataFrame]
REFUSED: dict[str, tuple[Spoil, str]] = {
    "another day": (lambda f: f.with_columns(pl.lit(day(5)).alias("date")), "outside"),
    "another account": (lambda f: f.with_columns(pl.lit("2").alias("account_id")), "outside"),
    "no ad": (lambda f: f.with_columns(pl.lit(None, pl.String).alias("ad_id")), "lack a part"),
    "no day": (lambda f: f.with_columns(pl.lit(None, pl.Date).alias("date")), "lack a part"),
    "one ad twice": (lambda f: pl.concat([f, f.head(1)]), "share their key"),
    "a column gone": (lambda f: f.drop("spend", "reach"), "lacks reach, spend"),
    "a text for a number": (lambda f: f.with_columns(pl.lit("many").alias("clicks")), "clicks"),
    "too great a number": (lambda f: f.with_columns(pl.lit(2**63).alias("clicks")), "not fit"),
    "too much money": (lambda f: f.with_columns(pl.lit("1" * 27).alias("spend")), "spend"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_row_is_refused_and_nothing_is_written(lake: Lake, name: str) -> None:
    spoil, words = REFUSED[name]
    good = ads([DAY], ["1"])
    with pytest.raises(StorageError, match=words) as refused:
        lake.write(AD_METRICS, spoil(good), Scope(["1"], [DAY]))
    assert "ad_metrics" in refused.value.what
    assert not Path(lake.uri("ad_metrics")).exists()
    lake.write(AD_METRICS, good, Scope(["1"], [DAY]))
    with pytest.raises(StorageError):
        lake.write(AD_METRICS, spoil(good), Scope(["1"], [DAY]))
    assert stored(lake).height == 2


@pytest.mark.parametrize("column", ["account_id", "date"])
def test_a_row_without_account_or_day_is_refused_also_where_they_are_no_key(
    lake: Lake, column: str
) -> None:
    scope = Scope(["1"], [DAY])
    with pytest.raises(StorageError, match="outside"):
        lake.write(BUDGET_DECISIONS, decision(**{column: None}), scope)
    assert not Path(lake.uri("budget_decisions")).exists()


@pytest.mark.parametrize(
    "text", ["", "1'", "1' OR '1'='1", "1\n", "a b", "1;--", "1\\", "%", "ä", '1"', "1)"]
)
def test_keys_that_could_leave_their_quotes_are_refused(lake: Lake, text: str) -> None:
    lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]))
    scopes = [Scope([text], [DAY]), Scope(["1"], [DAY], key=("ad_id", text))]
    for scope in scopes:
        with pytest.raises(StorageError, match="cannot be a key"):
            lake.write(AD_METRICS, ads([], []), scope)
    assert stored(lake).height == 2


@pytest.mark.parametrize("scope", [Scope([], [DAY]), Scope(["1"], []), Scope([]), Scope(None)])
def test_a_write_that_names_nothing_is_refused(lake: Lake, scope: Scope) -> None:
    with pytest.raises(StorageError, match="at least one account and one day"):
        lake.write(AD_METRICS, ads([], []), scope)


def test_columns_come_in_any_order_with_others_beside_them(lake: Lake) -> None:
    given_ = ads([DAY], ["1"]).with_columns(pl.lit(1).alias("more"))
    turned = given_.select(reversed(given_.columns))
    lake.write(AD_METRICS, turned, Scope(["1"], [DAY]))
    assert stored(lake).schema == AD_METRICS.schema


MONEY = st.decimals(-(10**20), 10**20, places=12)


@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(MONEY, min_size=1, max_size=30))
def test_money_keeps_every_one_of_its_twelve_decimals(
    tmp_path_factory: pytest.TempPathFactory, amounts: list[Decimal]
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("money")))
    rows = ads([DAY], ["1"], count=len(amounts)).with_columns(
        pl.Series("spend", amounts, dtype=pl.Decimal(38, 12))
    )
    lake.write(AD_METRICS, rows, Scope(["1"], [DAY]))
    snapshot = lake.snapshot()
    by_sql = snapshot.query("SELECT spend FROM ad_metrics ORDER BY ad_id")["spend"].to_list()
    by_scan = snapshot.scan(AD_METRICS).sort("ad_id").collect()["spend"].to_list()
    assert by_sql == by_scan == rows.sort("ad_id")["spend"].to_list()
    assert sorted(by_sql) == sorted(amounts)
    total = snapshot.query("SELECT sum(spend) AS total FROM ad_metrics").item()
    with localcontext(prec=60):
        assert total == sum(amounts, Decimal(0))


def test_every_table_keeps_its_declared_types_empty_and_filled(lake: Lake) -> None:
    sample: dict[type[pl.DataType], Any] = {
        pl.Date: DAY,
        pl.String: "1",
        pl.Int64: 2**62,
        pl.Float64: 0.1,
        pl.Boolean: True,
        pl.Decimal: Decimal("12345678901234567890.123456789012"),
        pl.Datetime: datetime(2026, 11, 1, 2, 3, 4, 567891, tzinfo=UTC),
    }
    item = dict.fromkeys(STAT_FIELDS, "1") | {"1d_view": None}
    lists = {
        STAT_ITEMS: [item, dict.fromkeys(STAT_FIELDS)],
        pl.List(pl.Float64): [0.1, -2.5],
        pl.List(pl.String): ["a", None],
    }
    before = lake.snapshot()
    for name, table in TABLES.items():
        assert before.scan(table).collect().schema == table.schema
        assert before.query(f"SELECT * FROM {name}").schema == table.schema
        row = {
            column: lists[kind] if isinstance(kind, pl.List) else sample[kind.base_type()]
            for column, kind in table.schema.items()
        }
        dates = [DAY] if table.daily or "account_id" not in row else None
        accounts = ["1"] if "account_id" in row else None
        lake.write(table, frame(table, [row]), Scope(accounts, dates))
        after = lake.snapshot()
        for found in (after.scan(table).collect(), after.query(f"SELECT * FROM {name}")):
            assert found.schema == table.schema
            assert found.rows(named=True) == [row]
    assert before.versions == {}
    assert set(lake.snapshot().versions) == set(TABLES)


@pytest.mark.parametrize("name", ["with space", "it's", "läke", "100%", "a#b", "a?b", "a*b", "k=v"])
def test_a_lake_lives_in_a_folder_of_any_usual_name(tmp_path: Path, name: str) -> None:
    lake = Lake(str(tmp_path / name / "lake"))
    lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]))
    assert not lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY])).changed
    assert lake.write(AD_METRICS, ads([DAY], ["1"], clicks=6), Scope(["1"], [DAY])).changed
    assert stored(lake)["clicks"].to_list() == [6, 6]
    assert lake.snapshot().query("SELECT sum(clicks) FROM ad_metrics").item() == 12
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a[1]", "a|b", "a^b", "a\\b", "a%20b", "a\tb"])
def test_a_folder_that_delta_lake_cannot_address_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="ZYENTA_HOME or ZYENTA_LAKE_ROOT"):
        Lake(str(tmp_path / name))


def test_a_root_relative_to_the_working_folder_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Lake("here/lake/")
    lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]))
    assert stored(lake).height == 2
    assert (tmp_path / "here" / "lake" / "ad_metrics" / "_delta_log").is_dir()


def test_an_object_stores_address_makes_no_folder_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Lake("s3://bucket/a[1]/lake/")
    assert not lake.is_local
    assert lake.uri("ad_metrics") == "s3://bucket/a[1]/lake/ad_metrics"
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_a_place_that_cannot_be_written_is_told_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("taken")
    lake = Lake(str(tmp_path / "file" / "lake"))
    with pytest.raises(StorageError, match="ad_metrics") as refused:
        lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]))
    assert "ZYENTA_LAKE_ROOT" in refused.value.remedy


def test_a_damaged_log_is_told_with_its_remedy(lake: Lake) -> None:
    lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]))
    for log in Path(lake.uri("ad_metrics"), "_delta_log").glob("*.json"):
        log.write_text("{half a li")
    for use in (lake.snapshot, lambda: lake.write(AD_METRICS, ads([], []), Scope(["1"], [DAY]))):
        with pytest.raises(StorageError, match="ad_metrics") as refused:
            use()
        assert "ZYENTA_LAKE_ROOT" in refused.value.remedy


@settings(max_examples=examples(6), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from("123"), min_size=1),
            st.sets(st.integers(0, 3), min_size=1),
            st.integers(0, 2),
            st.integers(1, 4),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_any_series_of_writes_equals_a_dictionary_by_account_and_day(
    tmp_path_factory: pytest.TempPathFactory,
    writes: list[tuple[set[str], set[int], int, int]],
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("series")))
    model: dict[tuple[date, str], list[int]] = {}
    for accounts, offsets, count, clicks in writes:
        days = [day(n) for n in sorted(offsets)]
        before = dict(model)
        model |= {(d, a): [clicks] * count for d in days for a in accounts}
        model = {key: value for key, value in model.items() if value}
        rows = ads(days, sorted(accounts), count=count, clicks=clicks)
        result = lake.write(AD_METRICS, rows, Scope(accounts, days))
        assert result.changed == (model != before)
    found: dict[tuple[date, str], list[int]] = {}
    for row in stored(lake).iter_rows(named=True):
        found.setdefault((row["date"], row["account_id"]), []).append(row["clicks"])
    assert found == model
