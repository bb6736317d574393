"""What every allocation keeps, whatever comes in."""

from __future__ import annotations

import dataclasses
import random
import time
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.optimizer.allocating import DAY, Share, account, budgets, limits, run
from zyenta_ads_pipeline.optimizer.account import CAMPAIGNS, DAYS, AccountHistory, Goal
from zyenta_ads_pipeline.optimizer.allocation import Allocation, allocate
from zyenta_ads_pipeline.optimizer.allocation_cases import (
    GAVE_WAY,
    AllocationCase,
    Limit,
    RowAction,
)
from zyenta_ads_pipeline.optimizer.deciding import DECISIONS

D = Decimal
FLOOR = 700
ACTIONS = ("increase", "decrease", "maintain", "maintain", "maintain", "pause")
BEYOND_THE_STEP = {Limit.FLOOR, Limit.CAP, Limit.TOTAL}


@st.composite
def any_share(draw: st.DrawFn, own: str) -> Share:
    action = draw(st.sampled_from(ACTIONS))
    weight = draw(st.one_of(st.none(), st.decimals(0, 300, places=3)))
    if action in ("increase", "decrease") and weight is None:
        weight = D(40)
    priced = draw(st.booleans())
    return Share(
        campaign_id=own,
        weight=None if weight is None else str(weight),
        action=action,
        current=draw(st.one_of(st.none(), st.integers(0, 20_000), st.integers(500, 9000))),
        active=draw(st.sampled_from([True, True, True, False])),
        floor=draw(st.one_of(st.none(), st.integers(0, 3000))),
        cap=draw(st.one_of(st.none(), st.integers(3000, 30_000))),
        locked=draw(st.sampled_from([False, False, False, True])),
        hold=draw(st.sampled_from([None, None, None, "It was changed today"])),
        group=draw(st.sampled_from([None, None, "x", "y"])),
        days_running=draw(st.integers(0, 6)),
        log_marginal=draw(st.floats(-3, 3)) if priced else None,
        curvature=draw(st.floats(0.01, 2)) if priced else None,
        up=draw(st.one_of(st.none(), st.floats(0, 1))),
        spent=draw(
            st.one_of(st.none(), st.tuples(st.sampled_from(["0", "20", "80"]), st.just("60")))
        ),
    )


@st.composite
def any_shares(draw: st.DrawFn) -> list[Share]:
    return [draw(any_share(str(i))) for i in range(draw(st.integers(0, 9)))]


any_limits = st.fixed_dictionaries(
    {
        "floor_minor": st.just(FLOOR),
        "cap_minor": st.one_of(st.none(), st.integers(3000, 30_000)),
        "max_step": st.one_of(st.none(), st.decimals(0, D("1.5"), places=2)),
        "dead_band": st.sampled_from([D(0), D("0.03"), D("0.5")]),
        "no_raises": st.sampled_from(["", "", "Stale"]),
    }
)


@settings(max_examples=examples(120))
@given(
    shares=any_shares(),
    total=st.one_of(st.none(), st.integers(0, 90_000)),
    group_total=st.one_of(st.none(), st.integers(0, 20_000)),
    profit=st.booleans(),
    others=any_limits,
    order=st.randoms(use_true_random=False),
)
def test_every_distribution_keeps_its_promises(
    shares: list[Share],
    total: int | None,
    group_total: int | None,
    profit: bool,
    others: dict[str, Any],
    order: random.Random,
) -> None:
    if group_total is not None and (total is None or group_total <= total):
        others["group_totals"] = {"x": group_total}
    if profit:
        others |= {"goal": Goal.PROFIT, "margin": D("0.5")}
    found = run(shares, total, shares_total=True, **others)
    _promises_of_the_whole(found, total)
    for row in found.rows.iter_rows(named=True):
        share = next(one for one in shares if one.campaign_id == row["campaign_id"])
        _promises_of_a_row(row, share, others | {"total": total}, found)
    shuffled = list(shares)
    order.shuffle(shuffled)
    again = run(shuffled, total, shares_total=True, **others)
    assert again.rows.equals(found.rows)
    assert (again.pools, again.message) == (found.pools, found.message)


def _promises_of_the_whole(found: Allocation, total: int | None) -> None:
    assert found.rows["campaign_id"].is_sorted()
    assert found.distributed == found.rows["budget_minor"].sum()
    locked = any(pool.case is AllocationCase.LOCKS_EXCEED_TOTAL for pool in found.pools)
    assert found.total is not None
    assert total is None or found.total == total
    assert locked or found.distributed <= found.total
    gave_way = any(pool.case in GAVE_WAY for pool in found.pools)
    assert found.needs_person == gave_way
    for pool in found.pools:
        assert pool.message
        assert pool.total is not None
        if pool.case in (
            AllocationCase.EXACT,
            AllocationCase.STEPS_EXCEED_TOTAL,
            AllocationCase.HOLDS_EXCEED_TOTAL,
        ):
            assert pool.distributed == pool.total
        elif pool.case is not AllocationCase.LOCKS_EXCEED_TOTAL:
            assert pool.distributed <= pool.total


def _promises_of_a_row(
    row: dict[str, Any], share: Share, others: dict[str, Any], found: Allocation
) -> None:
    amount, limit = row["budget_minor"], row["limit"]
    assert row["note"]
    assert row["confidence"] is not None
    if row["action"] in (RowAction.PAUSE, RowAction.LEAVE):
        assert amount == 0
        assert not (share.locked and share.active and share.current is not None)
        return
    assert share.current is not None
    current = share.current
    assert (row["action"] == RowAction.KEEP) == (amount == current)
    if share.locked:
        assert amount == current, "a lock holds whatever else gives way"
        return
    gave_way = GAVE_WAY | {AllocationCase.HOLDS_EXCEED_TOTAL}
    if share.hold is not None and not any(pool.case in gave_way for pool in found.pools):
        assert amount == current
    floor = max(1, FLOOR if share.floor is None else share.floor)
    most = others["cap_minor"] if share.cap is None else share.cap
    stays = share.hold is not None or bool(others["no_raises"])
    implied = found.pools[-1].group is None and others["total"] is None and row["group"] is None
    assert amount >= (min(floor, current) if stays or implied else floor)
    # One that is held above its cap may stay as it is; cut, it is cut to its cap.
    assert most is None or amount <= most or (share.hold is not None and amount == current)
    if others["no_raises"]:
        assert amount <= current
    step = others["max_step"]
    if share.days_running <= 3:
        step = min(D("0.20"), D("0.20") if step is None else step)
    within = step is None or abs(amount - current) <= step * current
    # Beyond the step only where floor, cap or total force it, and never without a word.
    assert within or limit in BEYOND_THE_STEP


@settings(max_examples=examples(60))
@given(
    shares=any_shares(),
    step=st.one_of(st.none(), st.decimals(0, 1, places=2)),
    no_raises=st.sampled_from(["", "", "Stale"]),
    order=st.randoms(use_true_random=False),
)
def test_every_pass_through_keeps_its_promises(
    shares: list[Share], step: Decimal | None, no_raises: str, order: random.Random
) -> None:
    bounds: dict[str, Any] = {"floor_minor": FLOOR, "max_step": step, "no_raises": no_raises}
    found = run(shares, None, **bounds)
    assert found.total is None or not shares or found.case is AllocationCase.NO_CAMPAIGNS
    by_id = {one.campaign_id: one for one in shares}
    for row in found.rows.iter_rows(named=True):
        share, amount = by_id[row["campaign_id"]], row["budget_minor"]
        if row["action"] in (RowAction.PAUSE, RowAction.LEAVE):
            assert amount == 0
            continue
        current = share.current or 0
        if share.weight is None or share.locked or share.hold is not None:
            assert amount == current
            continue
        floor = FLOOR if share.floor is None else share.floor
        wanted = D(share.weight) * 100
        assert amount >= min(floor, current)
        if wanted < current:
            assert amount <= current, "never against the decision"
        assert share.cap is None or amount <= max(share.cap, current if no_raises else 0)
        if row["limit"] == Limit.NONE:
            assert abs(amount - wanted) < 1
        if no_raises:
            assert amount <= current
    shuffled = list(shares)
    order.shuffle(shuffled)
    assert run(shuffled, None, **bounds).rows.equals(found.rows)


@settings(max_examples=examples(40))
@given(
    levels=st.lists(st.floats(-2, 2), min_size=1, max_size=9),
    spare=st.integers(-3000, 3000),
    factor=st.sampled_from([10, 100]),
)
def test_the_unit_of_the_currency_moves_nothing_but_rounding(
    levels: list[float], spare: int, factor: int
) -> None:
    shares = [Share(str(i), log_marginal=lm, curvature=0.5) for i, lm in enumerate(levels)]
    fine = [dataclasses.replace(one, current=5000 * factor) for one in shares]
    total = max(5000 * len(levels) + spare, FLOOR * len(levels))
    one = run(shares, total, floor_minor=FLOOR, max_step="0.20")
    other = run(fine, total * factor, floor_minor=FLOOR * factor, max_step="0.20")
    assert one.case == other.case
    for own, small in budgets(one).items():
        # Both are the same exact share, rounded in the one and in the other unit.
        assert abs(small * factor - budgets(other)[own]) <= factor


@settings(max_examples=examples(40))
@given(levels=st.lists(st.floats(-0.4, 0.4), min_size=2, max_size=12), off=st.integers(-900, 900))
def test_with_a_dead_band_few_move_and_the_total_is_kept(levels: list[float], off: int) -> None:
    shares = [Share(str(i), log_marginal=lm, curvature=0.5) for i, lm in enumerate(levels)]
    total = 5000 * len(levels) + off
    free = run(shares, total, max_step="0.20")
    found = run(shares, total, max_step="0.20", dead_band="0.03")
    assert found.distributed == total

    def moved(allocation: Allocation) -> int:
        return int((allocation.rows["action"] == RowAction.SET).sum())

    assert moved(found) <= moved(free)


def test_a_hundred_thousand_campaigns() -> None:
    rng = np.random.default_rng(7)
    size = 100_000
    ids = [f"{i:06d}" for i in range(size)]
    current = rng.integers(1000, 50_000, size)
    campaigns = pl.DataFrame({"campaign_id": ids, "current_minor": current}).with_columns(
        active=pl.lit(value=True), locked=pl.lit(value=False), days_running=pl.lit(30)
    )
    blank = [pl.lit(None).alias(name) for name in CAMPAIGNS if name not in campaigns.columns]
    of = AccountHistory(
        account_id="1",
        currency="USD",
        day=DAY,
        campaigns=campaigns.with_columns(blank),
        days=pl.DataFrame(schema=dict(DAYS)),
        limits=limits(None, max_step="0.20", dead_band="0.03"),
    )
    decisions = pl.DataFrame(
        {
            "campaign_id": ids,
            "action": ["maintain"] * size,
            "new_budget": pl.Series([None] * size, dtype=pl.Decimal(38, 12)),
            "reason": ["Because"] * size,
            "confidence": [0.5] * size,
            "probability_up": rng.random(size),
            "log_marginal": rng.normal(0.7, 0.4, size),
            "curvature": rng.uniform(0.15, 0.6, size),
        },
        schema_overrides=dict(DECISIONS),
    )
    started = time.process_time()
    found = allocate(of, decisions, shares_total=True)
    taken = time.process_time() - started
    assert found.distributed == found.total == int(current.sum())
    assert found.case is AllocationCase.EXACT
    assert taken < 20  # seconds of CPU, with coverage on a slow machine; quadratic takes minutes


def test_the_same_account_twice_is_the_same_answer() -> None:
    shares = [Share(str(i), log_marginal=i / 7, curvature=0.4) for i in range(7)]
    of = account(shares, limits(33_333, max_step="0.20"))
    decisions = pl.DataFrame([one.decision(100) for one in shares], schema=dict(DECISIONS))
    one, other = (allocate(of, decisions, shares_total=True) for _ in range(2))
    assert one.rows.equals(other.rows)
