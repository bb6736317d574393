"""Ad sets under their campaign's budget: in proportion, or by what each returns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.ad_sets import split_by_price
from zyenta_ads_pipeline.optimizer.curves import Curves, Model
from zyenta_ads_pipeline.optimizer.sharing import split_over_ad_sets

STEP = Decimal("0.20")


def curves(**conversions: float) -> Curves:
    """Power curves of elasticity .5 with so many conversions at a spend of 50."""
    size = len(conversions)
    one, per = np.ones(size), np.ones((1, size))
    ids = tuple(sorted(conversions))
    return Curves(
        day=date(2026, 9, 30),
        ids=ids,
        models=(Model("pow", 0.02, 0.5),),
        ref=50 * one,
        weight=per,
        alpha=np.log([[conversions[own] for own in ids]]),
        u=0 * per,
        paa=0.01 * per,
        pau=0 * per,
        puu=0.01 * per,
        log_order=np.log(40) * one,
        var_log_order=0.01 * one,
        weekday=np.zeros(7),
        largest_spend=50 * one,
        days_seen=np.full(size, 30),
        conversions=100 * one,
    )


def split(total: int, current: dict[str, int], known: Curves, minimum: int = 100) -> dict[str, int]:
    return split_by_price(total, current, minimum, known, currency="USD", max_step=STEP)


def test_ad_sets_that_return_more_get_more_within_their_step() -> None:
    even = {"b": 5000, "a": 5000, "c": 5000}
    found = split(15_000, even, curves(a=2.0, b=2.0, c=2.2))
    assert list(found) == ["a", "b", "c"]
    assert sum(found.values()) == 15_000
    assert found["a"] == found["b"] < 5000 < found["c"] < 6000
    assert split(15_000, even, curves(a=2.0, b=1.0, c=9.0)) == {"a": 5000, "b": 4000, "c": 6000}


def test_all_follow_their_campaign_to_its_step() -> None:
    found = split(12_001, {"a": 5001, "b": 5001}, curves(a=1.0, b=9.0))
    assert found == {"a": 6000, "b": 6001}, "whole units inside both steps"


def test_one_that_is_not_known_is_like_the_others() -> None:
    found = split(10_000, {"a": 5000, "new": 5000}, curves(a=2.0))
    assert sum(found.values()) == 10_000
    assert all(4000 <= minor <= 6000 for minor in found.values())


@pytest.mark.parametrize(
    ("total", "current", "minimum"),
    [(10_000, {"x": 4000, "y": 6000}, 100), (10_000, {"a": 0, "b": 5000}, 100),
     (30_000, {"a": 5000, "b": 5000}, 100), (150, {"a": 5000, "b": 5000}, 100)],
    ids=["none is known", "one has nothing", "beyond the steps", "below the minimum"],
)  # fmt: skip
def test_otherwise_they_share_as_today(total: int, current: dict[str, int], minimum: int) -> None:
    found = split(total, current, curves(a=2.0, b=1.0), minimum)
    assert found == split_over_ad_sets(total, current, minimum)


@settings(max_examples=examples(60))
@given(
    current=st.dictionaries(
        st.sampled_from("abcdefg"), st.integers(0, 50_000), min_size=1, max_size=6
    ),
    change=st.floats(0.0, 2.0),
    minimum=st.integers(0, 2000),
    band=st.sampled_from([Decimal(0), Decimal("0.03")]),
)
def test_the_total_is_kept_whatever_comes(
    current: dict[str, int], change: float, minimum: int, band: Decimal
) -> None:
    total = int(sum(current.values()) * change)
    known = curves(a=2.0, b=1.0, c=0.1, d=7.0)
    found = split_by_price(
        total, current, minimum, known, currency="USD", max_step=STEP, dead_band=band
    )
    assert sum(found.values()) == total
    assert found.keys() == current.keys()
    if minimum * len(current) <= total:
        assert min(found.values()) >= minimum
    if 0.81 < change < 1.19 and min(current.values()) > max(2000, len(current)):
        # A total inside the steps is split inside them, but for what rounding takes.
        assert all(0.8 * current[own] - 1 <= found[own] <= 1.2 * current[own] + 1 for own in found)


# --- in proportion ------------------------------------------------------------------------------


def test_ad_sets_share_in_proportion() -> None:
    assert split_over_ad_sets(10000, {"b": 3000, "a": 1000}, 100) == {"a": 2500, "b": 7500}
    assert split_over_ad_sets(100, {"a": 1, "b": 1, "c": 1}, 0) == {"a": 34, "b": 33, "c": 33}
    assert list(split_over_ad_sets(100, {"b": 1, "a": 1}, 0)) == ["a", "b"]


def test_ad_sets_keep_their_minimum_when_it_fits() -> None:
    assert split_over_ad_sets(1000, {"a": 9900, "b": 100}, 200) == {"a": 800, "b": 200}
    assert split_over_ad_sets(300, {"a": 9900, "b": 100}, 200) == {"a": 297, "b": 3}


def test_ad_sets_without_a_budget() -> None:
    assert split_over_ad_sets(1000, {"a": 0, "b": 0}, 100) == {"a": 500, "b": 500}
    assert split_over_ad_sets(1000, {"a": 0, "b": 500}, 100) == {"a": 100, "b": 900}


def test_no_ad_sets() -> None:
    assert split_over_ad_sets(0, {}, 100) == {}
    assert split(0, {}, curves(a=1.0)) == {}
    with pytest.raises(InputError, match="no ad set"):
        split_over_ad_sets(1000, {}, 100)
    with pytest.raises(InputError, match="no ad set"):
        split(1000, {}, curves(a=1.0))


@pytest.mark.parametrize(
    ("total", "current", "minimum"), [(-1, {"a": 1}, 0), (1, {"a": -1}, 0), (1, {"a": 1}, -1)]
)
def test_negative_amounts_are_refused(total: int, current: dict[str, int], minimum: int) -> None:
    with pytest.raises(InputError):
        split_over_ad_sets(total, current, minimum)
    with pytest.raises(InputError):
        split(total, current, curves(a=1.0), minimum)


@given(
    total=st.integers(0, 10**7),
    current=st.dictionaries(st.text("0123456789", min_size=1), st.integers(0, 10**6), min_size=1),
    minimum=st.integers(0, 10_000),
)
def test_ad_sets_keep_the_total(total: int, current: dict[str, int], minimum: int) -> None:
    found = split_over_ad_sets(total, current, minimum)
    assert sum(found.values()) == total
    assert found.keys() == current.keys()
    least = minimum if minimum * len(current) <= total else 0
    assert all(one >= least for one in found.values())
    backwards = dict(reversed(list(current.items())))
    assert split_over_ad_sets(total, backwards, minimum) == found
