"""Reports are cut so that every day is asked exactly once, and what was learned is kept to."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.insights import FIELDS, Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.planner import (
    DAYS_AT_FIRST,
    LARGEST_PAGE_ROWS,
    SMALLEST_PAGE_ROWS,
    CostModel,
    days_per_piece,
    pieces,
    split,
)

DAY = date(2026, 11, 1)
ranges = st.builds(
    lambda first, days: DateRange(
        DAY + timedelta(days=first), DAY + timedelta(days=first + days - 1)
    ),
    st.integers(-800, 0),
    st.integers(1, 800),
)
models = st.builds(
    CostModel,
    rows_per_day=st.none() | st.floats(0, 200_000),
    page_rows=st.integers(SMALLEST_PAGE_ROWS, LARGEST_PAGE_ROWS),
    page_refused=st.none() | st.integers(SMALLEST_PAGE_ROWS, LARGEST_PAGE_ROWS),
    sync_refused=st.none() | st.floats(1, 1e6),
    job_refused=st.none() | st.floats(1, 1e6),
    job_seconds=st.none() | st.floats(0, 3600),
)


def report(days: DateRange, ids: tuple[str, ...] | None = None) -> Report:
    return Report("1", Level.AD, days, ids=ids)


@given(days=ranges, model=models, most=st.integers(1, 100_000))
def test_every_day_of_a_range_is_in_exactly_one_piece(
    days: DateRange, model: CostModel, most: int
) -> None:
    cut = list(pieces(days, lambda left: days_per_piece(report(left), model, most)))
    asked = Counter(day for piece in cut for day in piece.days())
    assert asked == Counter(days.days())
    assert [piece.until for piece in cut] == sorted((p.until for p in cut), reverse=True)


@given(days=ranges, sizes=st.lists(st.integers(-3, 1000), min_size=1))
def test_a_size_that_changes_between_pieces_loses_no_day(days: DateRange, sizes: list[int]) -> None:
    given_sizes = iter(sizes * 1000)
    cut = list(pieces(days, lambda left: next(given_sizes)))
    assert sorted(day for piece in cut for day in piece.days()) == list(days.days())


@given(
    days=ranges,
    ids=st.none() | st.lists(st.text("123", min_size=1), min_size=1, unique=True),
    known=st.lists(st.text("456", min_size=1), unique=True),
)
def test_the_halves_of_a_report_are_the_report(
    days: DateRange, ids: list[str] | None, known: list[str]
) -> None:
    whole = report(days, None if ids is None else tuple(ids))
    asked: Counter[tuple[date, str, str]] = Counter()
    smallest = 0

    def descend(one: Report) -> None:
        nonlocal smallest
        halves = split(one, known)
        if halves:
            for half in halves:
                descend(half)
            return
        smallest += 1
        assert len(one.days) == 1
        assert len(one.fields) == 1
        for each in one.ids or ("all",):
            asked[one.days.since, each, one.fields[0]] += 1

    if len(days) <= 5 and len(ids or known) <= 5:
        descend(whole)
        chosen = ids or (known if len(known) > 1 else ["all"])
        wanted = {(day, each, name) for day in days.days() for each in chosen for name in FIELDS}
        assert set(asked) == wanted
        assert set(asked.values()) == {1}


def test_days_are_halved_before_ids_and_ids_before_fields() -> None:
    week = report(DateRange(DAY, DAY + timedelta(days=6)))
    assert [len(part.days) for part in split(week, ["1", "2"])] == [4, 3]
    day = report(DateRange(DAY, DAY))
    assert [part.ids for part in split(day, ["1", "2", "3"])] == [("1", "2"), ("3",)]
    one = report(DateRange(DAY, DAY), ("1",))
    assert [len(part.fields) for part in split(one, [])] == [4, 4]
    assert split(replace(one, fields=("spend",)), []) == []


def test_an_unknown_account_is_asked_for_a_week_first_and_then_by_what_it_had() -> None:
    quarter = report(DateRange(DAY, DAY + timedelta(days=89)))
    model = CostModel()
    assert days_per_piece(quarter, model, 50_000) == DAYS_AT_FIRST[Level.AD]
    week = quarter.with_days(DateRange(DAY, DAY + timedelta(days=6)))
    learned = model.counted(week, 70_000, synchronous=True)
    assert days_per_piece(quarter, learned, 50_000) == 5
    quiet = model.counted(week, 70, synchronous=True)
    assert days_per_piece(quarter, quiet, 50_000) == 90


def test_a_refused_size_is_not_asked_again_until_the_account_has_changed() -> None:
    week = report(DateRange(DAY, DAY + timedelta(days=6)))
    model = CostModel(rows_per_day=1000).refused(week, synchronous=True)
    assert not model.synchronous(week)
    day = week.with_days(DateRange(DAY, DAY))
    assert model.synchronous(day)
    for _ in range(20):
        model = model.counted(week.with_days(DateRange(DAY, DAY + timedelta(days=5))), 6000,
                              synchronous=True)  # fmt: skip
    assert model.synchronous(week)


@given(model=models)
def test_pages_grow_and_shrink_within_their_bounds(model: CostModel) -> None:
    for _ in range(8):
        model = model.page_grown(model.page_rows)
        assert SMALLEST_PAGE_ROWS <= model.page_rows <= LARGEST_PAGE_ROWS
    shrunk = model.page_shrunk()
    if shrunk is not None:
        assert SMALLEST_PAGE_ROWS <= shrunk.page_rows < model.page_rows
        assert shrunk.page_grown(shrunk.page_rows).page_rows < model.page_rows


@given(model=models)
def test_a_model_survives_the_ledger(model: CostModel) -> None:
    assert CostModel.of({**model.stored(), "unknown": 1}) == model
