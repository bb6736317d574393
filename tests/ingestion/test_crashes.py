"""Killed at any moment, or beset by faults for long: no day is half there, none is there twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.ingestion.syncing import TOKEN, Home, days, home, shop, sync
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.ingestion import reads
from zyenta_ads_pipeline.ingestion.report_jobs import Deadline
from zyenta_ads_pipeline.lake.content import with_content_hash
from zyenta_ads_pipeline.lake.tables import INSIGHT_READS, RAW_INSIGHTS
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.fault_presets import PRESETS
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

SPAN = ("2026-11-02", "2026-11-22")
MOST_ROWS = 500
"""Small pieces, so that a run has many commits to be killed between."""
Content = dict[tuple[date, str, str], str]


@pytest.fixture(scope="module")
def three_weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """120 ads of 21 days, in pages of 100."""
    folder = tmp_path_factory.mktemp("shop")
    with shop(folder, ads=120, first=SPAN[0], number_of_days=21) as (sandbox, _):
        sandbox.plan_reports(limits={"page_rows": 100})
        yield sandbox


def content(place: Home) -> Content:
    """What is stored, by key, without when it was seen."""
    rows = place.place.lake.snapshot().scan(RAW_INSIGHTS).collect()
    key = pl.struct("date", "level", "object_id")
    assert not rows.select(key.is_duplicated()).to_series().any()
    hashed = with_content_hash(rows)
    return {
        (day, level, thing): told
        for day, level, thing, told in hashed.select(
            "date", "level", "object_id", "content_hash"
        ).iter_rows()
    }


def calls(sandbox: SandboxHandle) -> int:
    return int(sandbox.calls()["calls"])


def kill_and_go_on(
    sandbox: SandboxHandle, folder: Path, moment: float, truth: Content
) -> tuple[int, int]:
    """Kill a sync after `moment` seconds, look, and finish it; the calls of both."""
    sandbox.reset_calls()
    command = [sys.executable, "-m", "tests.ingestion.worker", str(folder), sandbox.url]
    worker = subprocess.Popen([*command, *SPAN, str(MOST_ROWS)])
    try:
        worker.wait(moment)
    except subprocess.TimeoutExpired:
        worker.kill()
    worker.wait()
    before = calls(sandbox)
    with home(folder, most_rows=MOST_ROWS) as place:
        stored = content(place)
        for day in {key[0] for key in stored}:
            whole = {key: told for key, told in truth.items() if key[0] == day}
            assert {key: told for key, told in stored.items() if key[0] == day} == whole
        known = place.place.lake.snapshot().scan(INSIGHT_READS).collect()
        assert set(known["date"]) <= {key[0] for key in stored}
    sandbox.reset_calls()
    with home(folder, most_rows=MOST_ROWS) as place:
        sync(sandbox, place, days(*SPAN), name="next")
        assert content(place) == truth
        proofs = place.place.lake.snapshot().scan(INSIGHT_READS).collect()["proof"]
        assert set(proofs) == {reads.EQUAL}
    return before, calls(sandbox)


def kills(sandbox: SandboxHandle, tmp_path: Path, number: int) -> None:
    with home(tmp_path / "truth", most_rows=MOST_ROWS) as place:
        sync(sandbox, place, days(*SPAN))
        truth = content(place)
    started = time.monotonic()
    from_scratch, none = kill_and_go_on(sandbox, tmp_path / "whole", 600, truth)
    length = time.monotonic() - started
    assert none == 3, "a finished sync has nothing left but to look at the totals"
    chance = random.Random(20261122)  # noqa: S311 - moments, not secrets
    in_all = 0
    for number_of_kill in range(number):
        moment = chance.uniform(0.3, 1.0) * length
        folder = tmp_path / f"kill{number_of_kill}"
        before, after = kill_and_go_on(sandbox, folder, moment, truth)
        # The account is looked up each time; four calls may have been under way when it was
        # killed, and how small pages have to be is written down at a report's end only.
        assert after <= max(from_scratch - before + 10, 3)
        assert after < from_scratch or before <= 3
        in_all += before + after
    print(f"{number} kills: {in_all} calls, {from_scratch} from scratch")  # noqa: T201


def test_a_killed_sync_leaves_whole_days_and_the_next_one_needs_fewer_calls(
    three_weeks: SandboxHandle, tmp_path: Path
) -> None:
    kills(three_weeks, tmp_path, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_kills(three_weeks: SandboxHandle, tmp_path: Path) -> None:
    kills(three_weeks, tmp_path, 50)


LEFT_OUT = {
    "bad_signature", "checkpointed_user", "expired_token", "no_access", "no_permission",
    "policy_block", "revoked_token", "slow_answer", "slow_body",
}  # fmt: skip
"""Faults that end every sync at once, or only take time."""


def soak(tmp_path: Path, faults: int, seed: int) -> None:
    """Sync a market that moves on, under random faults, until so many were met."""
    names = sorted(set(PRESETS) - LEFT_OUT)
    config = SandboxConfig(
        state=tmp_path / "market", port=0, days=12, seed=seed, frozen=True, token=TOKEN,
        start=datetime(2026, 11, 20, 17, 30, tzinfo=UTC),
    )  # fmt: skip
    span = days("2026-11-12", "2026-11-19")
    with run_sandbox(config) as sandbox, home(tmp_path / "home", deadline=Deadline()) as place:
        account = sandbox.account_ids[0]
        met = failed = syncs = 0
        while met < faults:
            sandbox.faults(
                [{"what": "random", "seed": seed + syncs, "probability": 0.4, "names": names}]
            )
            try:
                whole = syncs % 3 == 0
                sync(sandbox, place, span, account=account, name=f"soak{syncs}", whole=whole)
            except ZyentaError:
                failed += 1
            met += sum(sandbox.fault_uses())
            syncs += 1
            if syncs % 5 == 0:
                sandbox.advance(hours=1)
                sandbox.throttle(advance_seconds=3600)
        sandbox.clear_faults()
        used = calls(sandbox)
        sync(sandbox, place, span, account=account, name="last")
        with home(tmp_path / "fresh", deadline=Deadline()) as fresh:
            sync(sandbox, fresh, span, account=account)
            assert content(place) == content(fresh)
    print(f"{met} faults in {syncs} syncs, {failed} of them failed: {used} calls")  # noqa: T201


@pytest.mark.slow
def test_after_many_faults_the_table_is_the_truth(tmp_path: Path) -> None:
    soak(tmp_path, 25, seed=5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_after_a_thousand_faults_the_table_is_the_truth(tmp_path: Path) -> None:
    soak(tmp_path, 1000, seed=11)
