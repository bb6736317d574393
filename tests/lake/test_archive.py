"""Raw replies on disk: whole, compressed, as they were."""

from __future__ import annotations

import gzip
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import StorageError
from zyenta_ads_pipeline.lake.archive import RawArchive

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
REPLIES = st.lists(st.dictionaries(TEXTS, JSON, max_size=4), max_size=6)


@settings(max_examples=40, deadline=None)
@given(REPLIES)
def test_replies_come_back_as_they_were_stored(
    tmp_path_factory: pytest.TempPathFactory, replies: list[dict[str, Any]]
) -> None:
    archive = RawArchive(tmp_path_factory.mktemp("raw"))
    path = archive.store("1", "run", "ad", list(replies))
    assert list(archive.replies(path)) == replies


def test_a_file_stands_under_its_account_and_run_one_reply_a_line(tmp_path: Path) -> None:
    path = RawArchive(tmp_path / "raw").store("42", "run-1", "ad_2026", [{"a": 1}, {"b": "ü\n"}])
    assert path == tmp_path / "raw" / "42" / "run-1" / "ad_2026.jsonl.gz"
    assert gzip.decompress(path.read_bytes()).count(b"\n") == 2
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_same_replies_give_the_same_bytes(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    first, second = (archive.store("1", run, "ad", [{"a": "1"}]) for run in ("r1", "r2"))
    assert first.read_bytes() == second.read_bytes()


def test_exact_numbers_keep_their_digits(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    path = archive.store("1", "r", "ad", [{"spend": Decimal("0.10")}])
    assert [str(reply["spend"]) for reply in archive.replies(path)] == ["0.10"]


def test_a_reply_that_cannot_be_written_leaves_no_file_under_its_name(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    with pytest.raises(TypeError, match="set has no place in a reply"):
        archive.store("1", "r", "ad", [{"fine": 1}, {"wrong": {1, 2}}])
    assert not list(tmp_path.rglob("*.jsonl.gz"))


def test_a_second_run_replaces_the_file_whole(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    archive.store("1", "r", "ad", [{"a": 1}] * 100)
    path = archive.store("1", "r", "ad", [{"a": 2}])
    assert list(archive.replies(path)) == [{"a": 2}]


def test_an_archive_that_cannot_be_written_says_what_to_check(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("taken")
    with pytest.raises(StorageError, match=r"ad\.jsonl\.gz") as refused:
        RawArchive(tmp_path / "file").store("1", "r", "ad", [])
    assert "ZYENTA_HOME" in refused.value.remedy


def test_a_file_cut_short_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    path = archive.store("1", "r", "ad", [{"n": os.urandom(30).hex()} for _ in range(200)])
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(EOFError):
        list(archive.replies(path))
