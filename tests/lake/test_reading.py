"""A snapshot is one moment; the views for analysts are a file any DuckDB opens."""

from __future__ import annotations

import shutil
import threading
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.lake.frames import DAY, SEEN, ads, day, frame
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.models import model, view_names
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_METRICS, TABLES
from zyenta_ads_pipeline.lake.views import named_in

TOTAL = "SELECT sum(clicks) FROM ad_metrics"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    lake.write(AD_METRICS, ads([day(0), day(1)], ["1"], clicks=1), Scope(["1"], [day(0), day(1)]))
    return lake


def test_a_snapshot_stays_what_it_was_while_others_write(lake: Lake) -> None:
    before = lake.snapshot()
    scope = Scope(["1"], [day(0), day(1)])
    lake.write(AD_METRICS, ads([day(0)], ["1"], clicks=50), scope)
    assert before.query(TOTAL).item() == 4
    assert before.scan(AD_METRICS).collect()["clicks"].sum() == 4
    after = lake.snapshot()
    assert after.query(TOTAL).item() == 100
    assert after.versions["ad_metrics"] == before.versions["ad_metrics"] + 1


def test_a_table_made_later_is_empty_in_an_earlier_snapshot(lake: Lake) -> None:
    before = lake.snapshot()
    row = {"account_id": "1", "observed_at": SEEN}
    lake.write(AD_ACCOUNTS, frame(AD_ACCOUNTS, [row]), Scope(["1"]))
    assert "ad_accounts" not in before.versions
    assert before.query("SELECT * FROM ad_accounts").is_empty()
    assert before.scan(AD_ACCOUNTS).collect().is_empty()
    assert lake.snapshot().query("SELECT count(*) FROM ad_accounts").item() == 1


def test_a_lake_that_was_removed_and_made_anew_is_read_anew(lake: Lake) -> None:
    assert lake.snapshot().query(TOTAL).item() == 4
    shutil.rmtree(lake.root)
    assert lake.snapshot().versions == {}
    scope = Scope(["1"], [day(0), day(1)])
    lake.write(AD_METRICS, ads([day(0), day(1)], ["1"], clicks=9), scope)
    assert lake.snapshot().query(TOTAL).item() == 36


def test_a_query_gets_the_tables_that_its_views_read_and_no_others(lake: Lake) -> None:
    read = {"account_metrics_reporting", "account_metrics", "exchange_rates"}
    assert named_in("SELECT * FROM Account_Metrics_Reporting") == frozenset(read)
    assert "raw_insights" in (named_in("SELECT * FROM insights_as_of(now())") or ())
    snapshot = lake.snapshot()
    for name in view_names():
        assert snapshot.query(f"SELECT count(*) FROM {name}").item() == 0
    for listing in ("SHOW TABLES", "SELECT table_name FROM information_schema.tables"):
        assert {*TABLES, *view_names()} <= set(snapshot.query(listing).to_series())


def test_a_query_takes_named_parameters_and_moments_are_utc(lake: Lake) -> None:
    found = lake.snapshot().query(
        "SELECT date, max(observed_at) AS seen, strftime(max(observed_at), '%H') AS hour "
        "FROM ad_metrics WHERE date = $day GROUP BY ALL",
        {"day": day(1)},
    )
    assert found.rows() == [(day(1), SEEN, "12")]


def test_a_statement_without_a_result_gives_an_empty_frame(lake: Lake) -> None:
    assert lake.snapshot().query("CREATE TEMP TABLE x (a INTEGER)").is_empty()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("SELEC 1", "syntax error"),
        ("SELECT CAST('x' AS BIGINT)", "Could not convert"),
        ("SELECT $day", "parameter"),
    ],
)
def test_a_query_that_fails_is_told_in_duckdbs_own_words(lake: Lake, sql: str, words: str) -> None:
    with pytest.raises(StorageError, match=words) as refused:
        lake.snapshot().query(sql)
    assert "zyenta sql --tables" in refused.value.remedy


def test_a_file_gone_from_the_lake_is_an_error_and_not_fewer_rows(lake: Lake) -> None:
    snapshot = lake.snapshot()
    next(Path(lake.root).rglob(f"date={DAY}/*.parquet")).unlink()
    with pytest.raises(StorageError, match="The query failed"):
        snapshot.query(TOTAL)
    with pytest.raises(StorageError, match="cannot be read"):
        lake.write(AD_METRICS, ads([DAY], ["1"]), Scope(["1"], [DAY]))


def test_the_smallest_unit_of_each_currency_is_known_in_sql(lake: Lake) -> None:
    for currency, offset in CURRENCY_OFFSETS.items():
        unit = lake.snapshot().query("SELECT minor_unit($c)", {"c": currency}).item()
        assert Decimal(str(unit)) * offset == 1
        if currency == "ARS":  # one of each kind is enough
            break


def test_published_views_open_in_plain_duckdb_with_metrics_as_macros(
    lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "views for you" / "lake.duckdb"
    lake.publish_views(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        views = {row[0] for row in connection.sql("SHOW TABLES").fetchall()}
        assert views == {*TABLES, *view_names()}
        rows = connection.sql("SELECT date, clicks FROM ad_metrics ORDER BY date, ad_id").fetchall()
        assert rows == [(day(0), 1), (day(0), 1), (day(1), 1), (day(1), 1)]
        ratio = connection.sql("SELECT ctr(sum(clicks), sum(impressions)) FROM ad_metrics")
        assert ratio.fetchall() == [(0.01,)]
        assert connection.sql("SELECT count(*) FROM raw_insights").fetchall() == [(0,)]
    assert [each.name for each in path.parent.iterdir()] == ["lake.duckdb"]


def test_views_show_the_moment_they_were_published_until_the_next_time(
    lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "lake.duckdb"
    lake.publish_views(path)
    lake.write(AD_METRICS, ads([day(0)], ["1"], clicks=9), Scope(["1"], [day(0)]))
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.sql(TOTAL).fetchall() == [(4,)]
    lake.publish_views(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.sql(TOTAL).fetchall() == [(20,)]


def test_whoever_opens_the_views_while_they_are_published_finds_them_whole(
    lake: Lake, tmp_path: Path
) -> None:
    path = tmp_path / "lake.duckdb"
    lake.publish_views(path)
    done = threading.Event()

    def publish() -> None:
        for _ in range(10):
            lake.publish_views(path)
        done.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    reads = 0
    copy = tmp_path / "copy.duckdb"
    while not done.is_set() or reads == 0:
        copy.write_bytes(path.read_bytes())  # DuckDB would share one open file in one process
        with duckdb.connect(str(copy), read_only=True) as connection:
            assert len(connection.sql("SHOW TABLES").fetchall()) == len(TABLES) + len(view_names())
        reads += 1
    publisher.join()
    assert reads > 0


def test_views_that_cannot_be_written_leave_the_old_ones_and_say_why(
    lake: Lake, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("taken")
    with pytest.raises(StorageError, match=r"lake\.duckdb") as refused:
        lake.publish_views(tmp_path / "file" / "lake.duckdb")
    assert refused.value.remedy
    assert (tmp_path / "file").read_text() == "taken"


def test_models_are_found_by_name_and_a_missing_one_is_named() -> None:
    assert "GROUP BY ALL" in model("campaign_metrics")
    with pytest.raises(StorageError, match="no_such_model"):
        model("no_such_model")
