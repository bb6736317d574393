"""Days, ranges and the account's own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.time import (
    DateRange,
    account_day,
    months_before,
    parse_day,
    zone,
)

DAYS = st.dates(date(2004, 2, 4), date(2099, 12, 31))


@st.composite
def ranges(draw: st.DrawFn) -> DateRange:
    since = draw(DAYS)
    return DateRange(since, since + timedelta(days=draw(st.integers(0, 1200))))


@given(ranges())
def test_a_range_holds_both_its_ends_and_as_many_days_as_its_length(days: DateRange) -> None:
    listed = list(days.days())
    assert (listed[0], listed[-1], len(listed)) == (days.since, days.until, len(days))
    assert listed == sorted(set(listed))
    assert days.since in days
    assert days.until in days
    assert days.since - timedelta(days=1) not in days
    assert days.until + timedelta(days=1) not in days


@given(ranges(), st.integers(1, 100))
def test_a_split_covers_each_day_once_in_pieces_no_longer_than_asked(
    days: DateRange, size: int
) -> None:
    pieces = list(days.split(size))
    assert [day for piece in pieces for day in piece.days()] == list(days.days())
    assert all(len(piece) == size for piece in pieces[:-1])
    assert 1 <= len(pieces[-1]) <= size


def test_a_range_in_the_wrong_order_is_refused_with_both_days() -> None:
    with pytest.raises(InputError, match=r"2026-11-02 to 2026-11-01.*Put the earlier day first"):
        DateRange.parse("2026-11-02", "2026-11-01")


def test_a_range_is_written_with_two_dots() -> None:
    assert str(DateRange.parse("2026-11-01", "2026-11-02")) == "2026-11-01..2026-11-02"


@given(DAYS)
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    assert parse_day(day.isoformat()) == day


@pytest.mark.parametrize(
    "text",
    ["", "today", "2026-02-30", "2026-1-1", "20261101", "2026-W45-1", "2026-11-01T00:00", "01.11."],
)
def test_a_text_that_is_not_a_day_is_named(text: str) -> None:
    with pytest.raises(InputError, match="Write dates as YYYY-MM-DD") as refused:
        parse_day(text)
    assert repr(text) in refused.value.what


@pytest.mark.parametrize(
    ("moment", "name", "day"),
    [
        ("2026-11-01T04:59:59+00:00", "America/Chicago", date(2026, 10, 31)),  # still summer time
        ("2026-11-01T05:00:00+00:00", "America/Chicago", date(2026, 11, 1)),
        ("2026-11-02T05:59:59+00:00", "America/Chicago", date(2026, 11, 1)),  # a day of 25 hours
        ("2026-11-02T06:00:00+00:00", "America/Chicago", date(2026, 11, 2)),
        ("2026-03-29T21:59:59+00:00", "Europe/Berlin", date(2026, 3, 29)),  # a day of 23 hours
        ("2026-03-29T22:00:00+00:00", "Europe/Berlin", date(2026, 3, 30)),
        ("2026-12-31T10:00:00+00:00", "Pacific/Kiritimati", date(2027, 1, 1)),
        ("2026-12-31T23:59:00-12:00", "UTC", date(2027, 1, 1)),
        ("2026-06-01T18:29:59+00:00", "Asia/Kolkata", date(2026, 6, 1)),
        ("2026-06-01T18:30:00+00:00", "Asia/Kolkata", date(2026, 6, 2)),
    ],
)
def test_the_accounts_day_follows_its_own_clock(moment: str, name: str, day: date) -> None:
    assert account_day(datetime.fromisoformat(moment), name) == day


@given(
    st.integers(1_577_836_800, 2_051_222_400),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Pacific/Apia", "UTC"]),
    st.integers(-14, 14),
)
def test_the_accounts_day_does_not_depend_on_how_the_moment_is_written(
    seconds: int, name: str, hours: int
) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert account_day(moment, name) == account_day(elsewhere, name)
    assert abs((account_day(moment, name) - moment.date()).days) <= 1


def test_a_moment_without_a_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="time zone"):
        account_day(datetime(2026, 11, 1), "UTC")  # noqa: DTZ001


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/passwd"])
def test_an_unknown_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match="IANA") as refused:
        zone(name)
    assert repr(name) in refused.value.what


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        ("2026-11-15", 37, "2023-10-15"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2026-12-31", 1, "2026-11-30"),
        ("2026-01-31", 1, "2025-12-31"),
        ("2026-07-31", 0, "2026-07-31"),
        ("2024-02-29", 12, "2023-02-28"),
    ],
)
def test_whole_months_back_clamp_to_the_months_end(day: str, months: int, before: str) -> None:
    assert months_before(date.fromisoformat(day), months) == date.fromisoformat(before)


@given(DAYS, st.integers(0, 60))
def test_months_back_change_the_month_by_that_many_and_never_the_day_forward(
    day: date, months: int
) -> None:
    before = months_before(day, months)
    assert (day.year - before.year) * 12 + day.month - before.month == months
    next_day = before + timedelta(days=1)
    assert before.day == day.day or (before.day < day.day and next_day.day == 1)
