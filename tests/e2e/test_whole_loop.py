"""From an ad account to a pushed budget change, by the commands of the README."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.e2e.command import TIMEOUT, Zyenta
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

_ID = re.compile(r"│ (\S+) +│ proposed")


def _proposed(zyenta: Zyenta) -> list[str]:
    return _ID.findall(zyenta.succeed("changes", "--state", "proposed"))


def _budgets(market: SandboxHandle) -> dict[str, str]:
    """Every daily budget and status, asked of the sandbox without the product's own client."""
    found = {}
    headers = {"Authorization": "Bearer sandbox-token"}
    with httpx.Client(base_url=f"{market.url}/v26.0/", headers=headers) as graph:
        for edge in ("campaigns", "adsets"):
            reply = graph.get(
                f"act_{market.account_ids[0]}/{edge}",
                params={"fields": "id,daily_budget,status", "limit": 100},
            )
            for row in reply.json()["data"]:
                found[row["id"]] = f"{row.get('daily_budget')} {row['status']}"
    return found


def _in_position(zyenta: Zyenta, autopilot: str, **more: str) -> Zyenta:
    settings = {**zyenta.settings, "ZYENTA_AUTOPILOT": autopilot, **more}
    return Zyenta(zyenta.home, zyenta.graph_url, settings)


def test_watch_approve_push_and_read_back(zyenta: Zyenta, market: SandboxHandle) -> None:
    before = _budgets(market)
    zyenta.succeed("run")
    assert _budgets(market) == before, "watching writes nothing"
    ids = _proposed(zyenta)
    assert ids
    assert "ZYENTA_AUTOPILOT=approve" in zyenta.refused("approve", ids[0])
    zyenta = _in_position(zyenta, "approve")
    zyenta.succeed("approve", ids[0], "--by", "ada")
    zyenta.succeed("reject", *ids[1:], "--reason", "not now", "--by", "ada")
    zyenta.succeed("push")
    after = _budgets(market)
    assert len({one for one in after if after[one] != before[one]}) == 1
    assert [write["accepted"] for write in market.writes()] == [True]
    told = zyenta.succeed("changes", "--state", "applied")
    assert ids[0] in told
    zyenta.succeed("push")
    assert len(market.writes()) == 1, "nothing is written twice"
    assert "ada" in zyenta.succeed("journal", ids[0])
    zyenta.succeed("run")
    assert "rejected this move today" in zyenta.succeed(
        "sql", "--format", "csv", "SELECT outcome FROM change_set"
    )
    others = set(_proposed(zyenta))
    zyenta.succeed("undo", ids[0], "--by", "ada")
    (undoing,) = set(_proposed(zyenta)) - others
    zyenta.succeed("approve", undoing)
    zyenta.succeed("push")
    assert _budgets(market) == before


@pytest.mark.slow
def test_the_kill_switch_stops_every_write(zyenta: Zyenta, market: SandboxHandle) -> None:
    auto = _in_position(zyenta, "auto", ZYENTA_KILL_SWITCH="true")
    auto.succeed("run")
    assert "approved" in auto.succeed("changes")
    told = auto.succeed("push")
    assert "kill switch" in told
    assert market.writes() == []


@pytest.mark.slow
def test_a_humans_edit_is_a_conflict_and_is_not_overwritten(
    zyenta: Zyenta, market: SandboxHandle
) -> None:
    auto = _in_position(zyenta, "auto")
    auto.succeed("run")
    (row,) = auto.sql(
        "SELECT object_id FROM change_set WHERE field = 'daily_budget' AND level = 'campaign' "
        "ORDER BY object_id LIMIT 1"
    )
    headers = {"Authorization": "Bearer sandbox-token"}
    edited = httpx.post(
        f"{market.url}/v26.0/{row['object_id']}", data={"daily_budget": "12345"}, headers=headers
    )
    assert edited.json() == {"success": True}
    assert "conflict" in auto.succeed("push")
    assert _budgets(market)[row["object_id"]].startswith("12345 ")


_KILLED_AFTER_THE_WRITE = """
import os, signal
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds

written = MetaAds.set_daily_budget

async def write_and_die(self, object_id, minor):
    await written(self, object_id, minor)
    os.kill(os.getpid(), signal.SIGKILL)

MetaAds.set_daily_budget = write_and_die
from zyenta_ads_pipeline.cli import app
app(["push"])
"""


@pytest.mark.slow
def test_a_push_killed_after_the_write_is_recognised_and_not_repeated(
    zyenta: Zyenta, market: SandboxHandle
) -> None:
    zyenta = _in_position(zyenta, "approve")
    zyenta.succeed("run")
    (change,) = zyenta.sql(
        "SELECT change_id, object_id, new_value FROM change_set WHERE field = 'daily_budget' "
        "ORDER BY object_id LIMIT 1"
    )
    zyenta.succeed("approve", change["change_id"])
    died = subprocess.run(
        [sys.executable, "-c", _KILLED_AFTER_THE_WRITE],
        env=zyenta.environment(),
        cwd=zyenta.home.parent,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert len(market.writes()) == 1
    assert "sending" in zyenta.succeed("changes", "--state", "sending")
    zyenta.succeed("push")
    assert len(market.writes()) == 1
    assert change["change_id"] in zyenta.succeed("changes", "--state", "applied")
    assert _budgets(market)[change["object_id"]].startswith(f"{change['new_value']} ")


@pytest.mark.slow
def test_a_restated_day_replaces_what_was_known(zyenta: Zyenta, market: SandboxHandle) -> None:
    account = f"act_{market.account_ids[0]}"
    day = market.now().date()
    week = (str(day - timedelta(days=7)), str(day))
    query = "SELECT count(*) AS rows, sum(purchases) AS sales FROM ad_metrics"
    zyenta.sync(account, *week)
    (early,) = zyenta.sql(query)
    zyenta.sync(account, *week)
    assert zyenta.sql(query) == [early], "the same moment gives the same rows"
    market.advance(days=3)
    zyenta.sync(account, *week)
    (late,) = zyenta.sql(query)
    assert late["sales"] > early["sales"], "late conversions have come in"


@pytest.mark.slow
def test_one_failing_account_leaves_the_other_alone(zyenta: Zyenta, market: SandboxHandle) -> None:
    good = market.account_ids[0]
    error = zyenta.refused("run", "--account", f"act_{good}", "--account", "act_999")
    assert "every_account_read" in error
    assert "act_999" in error
    assert zyenta.sql("SELECT count(*) > 0 AS decided FROM budget_decisions") == [{"decided": True}]
    views = duckdb.connect(str(zyenta.home / "lake.duckdb"), read_only=True)
    (days,) = views.sql("SELECT count(DISTINCT date) FROM account_metrics").fetchall()[0]
    assert days >= 20


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_syncs_and_a_reader_do_not_disturb_each_other(
    zyenta: Zyenta, market: SandboxHandle
) -> None:
    account = f"act_{market.account_ids[0]}"
    today = market.now().date()
    halves = [
        (str(today - timedelta(days=20)), str(today - timedelta(days=11))),
        (str(today - timedelta(days=10)), str(today)),
    ]
    writers = [
        zyenta.start("sync", "--account", account, "--from", since, "--to", until)
        for since, until in halves
    ]
    ads_of_a_day = "SELECT date, count(*) AS ads FROM ad_metrics GROUP BY date"
    seen: list[int] = []
    while any(writer.poll() is None for writer in writers):
        seen.append(len(zyenta.sql(ads_of_a_day)))
    for writer in writers:
        _, err = writer.communicate(timeout=TIMEOUT)
        assert writer.returncode == 0, err
    final = len(zyenta.sql(ads_of_a_day))
    assert final >= 20
    whole = {0, 10, 11, final - 10, final - 11, final}
    assert set(seen) <= whole, f"half a range was seen: {seen}"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_tells_its_story_twice_in_a_row(tmp_path: Path) -> None:
    zyenta = Zyenta(tmp_path / "demo", "http://127.0.0.1:1")
    for _ in range(2):
        told = zyenta.succeed("demo")
        assert "Verified on the sandbox" in told
        assert "with the pipeline" in told
        assert "95% interval" in told
    assert not _children_left(tmp_path)


def _children_left(folder: Path) -> list[str]:
    commands = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and str(os.getpid()) != process.parent.name:
            commands.append(command)
    return commands
