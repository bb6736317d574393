"""Lakes of older versions: new columns are added, another type is told with its remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tests.lake.frames import DAY, SEEN, day, frame
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.schema import Column, Table
from zyenta_ads_pipeline.lake.tables import RAW_INSIGHTS


def without(table: Table, *names: str) -> Table:
    return replace(table, columns=tuple(c for c in table.columns if c.name not in names))


ROW = {
    "date": DAY, "account_id": "1", "level": "ad", "object_id": "31", "clicks": "5",
    "actions": [{"action_type": "purchase", "value": "2"}], "missing": "reach",
    "observed_at": SEEN,
}  # fmt: skip
OLD = without(RAW_INSIGHTS, "actions", "missing")
SELECT = "SELECT date, object_id, clicks, actions[1].value, missing FROM raw_insights ORDER BY 1"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    old = {name: value for name, value in ROW.items() if name in OLD.schema}
    lake.write(OLD, frame(OLD, [old]), Scope(["1"], [DAY]))
    return lake


def test_columns_the_stored_table_lacks_are_read_as_empty(lake: Lake) -> None:
    snapshot = lake.snapshot()
    assert snapshot.query(SELECT).rows() == [(DAY, "31", "5", None, None)]
    scanned = snapshot.scan(RAW_INSIGHTS).collect()
    assert scanned.schema == RAW_INSIGHTS.schema
    assert scanned.select("clicks", "actions", "missing").rows() == [("5", None, None)]


def test_the_first_write_adds_them_and_older_files_stay_as_they_are(lake: Lake) -> None:
    row = {**ROW, "date": day(1)}
    lake.write(RAW_INSIGHTS, frame(RAW_INSIGHTS, [row]), Scope(["1"], [day(1)]))
    snapshot = lake.snapshot()
    assert snapshot.query(SELECT).rows() == [
        (DAY, "31", "5", None, None),
        (day(1), "31", "5", "2", "reach"),
    ]
    scanned = snapshot.scan(RAW_INSIGHTS).sort("date").collect()
    assert scanned.schema == RAW_INSIGHTS.schema
    assert scanned["missing"].to_list() == [None, "reach"]
    again = lake.write(RAW_INSIGHTS, frame(RAW_INSIGHTS, [row]), Scope(["1"], [day(1)]))
    assert not again.changed


@pytest.mark.parametrize("text", [True, False])
def test_another_type_is_told_with_the_folder_to_remove(tmp_path: Path, text: bool) -> None:
    """As the lakes of version 0.1 are: actions were texts, and age_days stood in the row."""
    lake = Lake(str(tmp_path / "my lake"))
    columns = (
        *without(RAW_INSIGHTS, "actions").columns,
        Column("actions", pl.String, "JSON.") if text else Column("age_days", pl.Int64, "Age."),
    )
    old = replace(RAW_INSIGHTS, columns=columns)
    row = {**ROW, "actions": "[]" if text else None, "age_days": 3}
    kept = {name: value for name, value in row.items() if name in old.schema}
    lake.write(old, frame(old, [kept]), Scope(["1"], [DAY]))
    named = "actions" if text else "age_days"
    with pytest.raises(StorageError, match=f"raw_insights.*{named}") as refused:
        lake.write(RAW_INSIGHTS, frame(RAW_INSIGHTS, [ROW]), Scope(["1"], [DAY]))
    remedy = f"Remove the folder {tmp_path}/my lake/raw_insights"
    assert remedy in refused.value.remedy
    snapshot = lake.snapshot()
    with pytest.raises(StorageError, match="raw_insights") as refused:
        snapshot.scan(RAW_INSIGHTS)
    assert remedy in refused.value.remedy
    with pytest.raises(StorageError, match="Remove the folder"):
        snapshot.query("SELECT * FROM raw_insights")
    assert snapshot.query("SELECT * FROM ad_accounts").is_empty()  # the others can be read
    with pytest.raises(StorageError, match="Remove the folder"):
        snapshot.query("SELECT * FROM insights_as_of(now())")
