"""Several processes on one lake: whole commits, never an error, never half a day."""

from __future__ import annotations

import time
from pathlib import Path

from deltalake import DeltaTable

from tests.forked import Forked
from tests.lake.frames import ads, day
from tests.lake.worker import ROWS
from zyenta_ads_pipeline.lake.lake import Lake, Scope
from zyenta_ads_pipeline.lake.tables import AD_METRICS

PARTS = (
    "SELECT date, account_id, count(*) AS rows, min(clicks) AS first, max(clicks) AS last "
    "FROM ad_metrics GROUP BY ALL"
)


def writer(root: Path, accounts: str, days: str, rounds: int) -> Forked:
    return Forked("tests.lake.worker", str(root), accounts, days, str(rounds))


def assert_whole(lake: Lake) -> int:
    """Every account and day is of one single write; gives how many there are."""
    parts = lake.snapshot().query(PARTS)
    broken = [
        r for r in parts.iter_rows(named=True) if (r["rows"], r["first"]) != (ROWS, r["last"])
    ]
    assert not broken
    return parts.height


def test_four_writers_and_a_reader_never_meet_half_a_day(tmp_path: Path) -> None:
    """The table does not exist at first, so its creation is raced for as well."""
    lake = Lake(str(tmp_path))
    started = time.monotonic()
    plans = [("1", "0,1"), ("1", "2,3"), ("2", "0,1"), ("3", "0,3")]
    writers = [writer(tmp_path, accounts, days, 6) for accounts, days in plans]
    reads, seen = 0, 0
    while any(each.poll() is None for each in writers):
        found = assert_whole(lake)
        assert found >= seen  # what was there is never gone, not even for a moment
        seen = found
        reads += 1
    for each in writers:
        _, stderr = each.communicate()
        assert (each.returncode, stderr) == (0, "")
    assert reads > 5
    assert assert_whole(lake) == 8
    last = lake.snapshot().query(PARTS)["last"].to_list()
    assert last == [6] * 8
    commits = DeltaTable(lake.uri("ad_metrics")).history()
    assert sum("run_id" in commit for commit in commits) == 6 * 8  # the others made the table
    assert time.monotonic() - started < 60


def test_writers_of_the_same_day_take_turns_and_one_of_them_stands(tmp_path: Path) -> None:
    writers = [writer(tmp_path, "1", "0", 8) for _ in range(3)]
    for each in writers:
        _, stderr = each.communicate(timeout=60)
        assert (each.returncode, stderr) == (0, "")
    assert assert_whole(Lake(str(tmp_path))) == 1
    assert Lake(str(tmp_path)).snapshot().query(PARTS)["last"].to_list() == [8]


def test_a_writer_killed_at_any_moment_leaves_whole_commits_only(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    told = 0
    for pause in (0.0, 0.03, 0.07):
        child = writer(tmp_path, "1,2", "0,1,2", 0)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(pause)
        child.kill()
        rest, _ = child.communicate()
        told = max([1, *(int(line) for line in rest.split("\n")[:-1] if line)])
        assert assert_whole(lake) == 6
        stored = lake.snapshot().query(PARTS)["first"].to_list()
        assert min(stored) >= told  # what was told as stored is stored
    result = lake.write(AD_METRICS, ads([day(0)], ["1"], count=ROWS), Scope(["1"], [day(0)]))
    assert result.changed
    assert assert_whole(lake) == 6
