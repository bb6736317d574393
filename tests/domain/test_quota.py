from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.quota import AFTER_BLOCK, QuotaUse

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
moments = st.integers(-5000, 5000).map(lambda seconds: START + timedelta(seconds=seconds))
uses = st.builds(
    QuotaUse,
    percent=st.floats(0, 200),
    measured_at=moments,
    decay_seconds=st.sampled_from([300.0, 3600.0]),
    blocked_until=st.none() | moments,
)


@given(uses, moments, moments)
def test_use_falls_and_never_below_nothing(use: QuotaUse, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert use.percent >= use.percent_at(earlier) >= use.percent_at(later) >= 0


def test_use_is_gone_after_the_decay_and_half_gone_after_half() -> None:
    use = QuotaUse(80.0, START, 300.0)
    assert use.percent_at(START) == 80
    assert use.percent_at(START + timedelta(seconds=150)) == 40
    assert use.percent_at(START + timedelta(seconds=300)) == 0


@given(uses, uses, uses)
def test_merging_takes_any_order(one: QuotaUse, two: QuotaUse, three: QuotaUse) -> None:
    assert one.merged(two) == two.merged(one)
    assert one.merged(two).merged(three) == one.merged(two.merged(three))
    assert one.merged(one) == one


@given(uses, uses, moments)
def test_merging_never_ends_a_block(one: QuotaUse, two: QuotaUse, now: datetime) -> None:
    both = one.merged(two)
    assert both.blocked_for(now) == max(one.blocked_for(now), two.blocked_for(now))


def test_after_a_block_calls_are_let_in_again() -> None:
    use = QuotaUse(100.0, START, 3600.0, START + timedelta(seconds=60))
    assert use.blocked_for(START) == 60
    assert use.percent_at(START + timedelta(seconds=59)) > 95
    assert use.percent_at(START + timedelta(seconds=60)) == AFTER_BLOCK
    assert use.blocked_for(START + timedelta(seconds=61)) == 0
