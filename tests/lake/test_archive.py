"""Raw replies on disk: whole, compressed, as they were; unfinished ones can be taken up."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.lake.archive import OpenReport, RawArchive, Reply

DAY = date(2026, 11, 1)
REPORT = Report("42", Level.AD, DateRange(DAY, DAY))
SEEN = datetime(2026, 11, 2, 3, tzinfo=UTC)
BODIES = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=50)


def reply(text: str = "{}", page: int = 1) -> Reply:
    return Reply(f"GET /insights page {page}", SEEN, text.encode())


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(BODIES, max_size=6))
def test_replies_come_back_as_they_were_stored(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[str]
) -> None:
    archive = RawArchive(tmp_path_factory.mktemp("raw"))
    replies = [reply(body, number) for number, body in enumerate(bodies)]
    file = archive.open(REPORT)
    for each in replies:
        file.add(each)
    path = file.archive("run")
    assert list(archive.replies(path)) == replies


def test_a_settled_file_stands_under_its_account_and_run(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    file = archive.open(REPORT)
    file.add(reply())
    path = file.archive("run-1")
    assert path.parent == tmp_path / "42" / "run-1"
    assert path.name.startswith("ad_insights_2026-11-01_2026-11-01_")
    assert archive.files("42", "run-1") == [path]
    assert not list((tmp_path / "open").rglob("*.zst"))


def test_two_requests_of_the_same_days_are_two_files(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    for ids in (None, ("1",), ("2",)):
        file = archive.open(Report("42", Level.AD, REPORT.days, ids=ids))
        file.add(reply())
        file.archive("run")
    assert len(archive.files("42", "run")) == 3


def test_the_pages_of_a_killed_process_are_there_for_the_next(tmp_path: Path) -> None:
    first = RawArchive(tmp_path).open(REPORT)
    first.add(reply("1"))
    first.add(reply("2", 2))
    first.close()
    again = RawArchive(tmp_path).open(REPORT)
    assert [each.body for each in again.replies()] == [b"1", b"2"]
    again.add(reply("3", 3))
    archive = RawArchive(tmp_path)
    assert [each.body for each in archive.replies(again.archive("run"))] == [b"1", b"2", b"3"]


@given(cut=st.integers(1, 400))
@settings(max_examples=examples(30), deadline=None)
def test_a_page_cut_off_by_a_crash_is_read_again_and_the_others_stay(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    root = tmp_path_factory.mktemp("raw")
    file = RawArchive(root).open(REPORT)
    bodies = [os.urandom(40).hex() for _ in range(3)]
    sizes = []
    (path,) = root.rglob("*.zst")
    for body in bodies:
        file.add(reply(body))
        sizes.append(path.stat().st_size)
    file.close()
    kept = max(sizes[-1] - cut, 0)
    os.truncate(path, kept)
    again = RawArchive(root).open(REPORT)
    whole = sum(size <= kept for size in sizes)
    assert [each.body.decode() for each in again.replies()] == bodies[:whole]
    again.add(reply("next"))
    assert [each.body.decode() for each in again.replies()] == [*bodies[:whole], "next"]


def test_a_file_in_use_is_left_to_its_process(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    first = archive.open(REPORT)
    first.add(reply("mine"))
    second = archive.open(REPORT)
    assert second.replies() == []
    second.add(reply("other"))
    assert [each.body for each in first.replies()] == [b"mine"]
    assert first.archive("run") != second.archive("run")
    assert len(archive.files("42", "run")) == 2


def before_the_lock(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let another process do something once, right between opening a file and locking it."""
    todo, flock = [act], fcntl.flock

    def late(file: BinaryIO, operation: int) -> None:
        if todo:
            todo.pop()()
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)


def test_a_file_archived_while_it_is_opened_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = RawArchive(tmp_path)
    first = archive.open(REPORT)
    first.add(reply("mine"))
    before_the_lock(monkeypatch, lambda: first.archive("run-1"))
    second = archive.open(REPORT)
    assert second.replies() == []
    second.add(reply("other"))
    second.archive("run-2")
    bodies = {
        run: [each.body for path in archive.files("42", run) for each in archive.replies(path)]
        for run in ("run-1", "run-2")
    }
    assert bodies == {"run-1": [b"mine"], "run-2": [b"other"]}


def test_a_file_removed_while_it_is_opened_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = RawArchive(tmp_path)
    before_the_lock(monkeypatch, archive.open(REPORT).remove)
    second = archive.open(REPORT)
    second.add(reply("kept"))
    second.close()
    assert [each.body for each in archive.open(REPORT).replies()] == [b"kept"]


def test_cleaning_up_leaves_a_report_alone_that_was_begun_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = RawArchive(tmp_path)
    first = archive.open(REPORT)

    def settle_and_begin() -> None:
        first.archive("run")
        begun.append(archive.open(REPORT))

    begun: list[OpenReport] = []
    before_the_lock(monkeypatch, settle_and_begin)
    assert archive.discard_older("42", datetime.now(UTC) + timedelta(hours=1)) == 0
    begun[0].add(reply("new"))
    begun[0].close()
    assert [each.body for each in archive.open(REPORT).replies()] == [b"new"]


def test_cleaning_up_leaves_the_second_file_of_a_report_in_use_alone(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    open_files = [archive.open(REPORT) for _ in range(3)]
    assert archive.discard_older("42", datetime.now(UTC) + timedelta(hours=1)) == 0
    for number, file in enumerate(open_files):
        file.add(reply(str(number)))
    assert [file.replies()[0].body for file in open_files] == [b"0", b"1", b"2"]


def test_a_restart_forgets_the_pages(tmp_path: Path) -> None:
    file = RawArchive(tmp_path).open(REPORT)
    file.add(reply())
    file.restart()
    assert file.replies() == []
    file.remove()
    assert not list(tmp_path.rglob("*.zst"))


def test_files_that_nobody_took_up_are_removed_and_those_in_use_stay(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    archive.open(REPORT).close()
    used = archive.open(Report("42", Level.CAMPAIGN, REPORT.days))
    later = datetime.now(UTC) + timedelta(hours=1)
    assert archive.discard_older("42", later - timedelta(hours=2)) == 0
    assert archive.discard_older("42", later) == 1
    used.add(reply())
    assert len(used.replies()) == 1


def test_pruning_takes_old_files_with_their_empty_folders_and_nothing_else(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    ages = {"old": (40,), "mixed": (40, 1), "new": (1,)}
    for run, days in ages.items():
        for number, age in enumerate(days):
            path = tmp_path / "42" / run / f"{number}.jsonl.zst"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            moment = (datetime.now(UTC) - timedelta(days=age)).timestamp()
            os.utime(path, (moment, moment))
    (tmp_path / "42" / "begun").mkdir()
    archive.open(REPORT).close()
    assert archive.prune(datetime.now(UTC) - timedelta(days=30)) == 2
    assert [path.name for path in archive.files("42", "mixed")] == ["1.jsonl.zst"]
    assert {path.name for path in (tmp_path / "42").iterdir()} == {"mixed", "new", "begun"}
    assert len(list((tmp_path / "open" / "42").iterdir())) == 1
    assert archive.prune(datetime.now(UTC) - timedelta(days=30)) == 0
    assert RawArchive(tmp_path / "none").prune(datetime.now(UTC)) == 0


def test_an_archive_that_cannot_be_written_says_what_to_check(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("taken")
    with pytest.raises(StorageError, match=r"jsonl\.zst") as refused:
        RawArchive(tmp_path / "file").open(REPORT)
    assert "ZYENTA_HOME" in refused.value.remedy
