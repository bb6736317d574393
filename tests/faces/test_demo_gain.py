"""The demo's comparison of twins: the same days told by both, and an interval that holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.demo_gain import CERTAINTY, ShopDay, revenue_gain, shop_days
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox.config import SandboxConfig

FIRST = date(2026, 11, 1)


def days(revenues: list[float]) -> list[ShopDay]:
    return [
        ShopDay(FIRST + timedelta(days=number), Decimal(100), Decimal(str(revenue)), 1)
        for number, revenue in enumerate(revenues)
    ]


def test_the_interval_is_students_of_the_paired_differences() -> None:
    usual = [1000.0, 1200.0, 900.0, 1500.0, 1100.0, 1300.0, 800.0, 1000.0]
    more = [30.0, 80.0, -20.0, 150.0, 40.0, 90.0, 10.0, 60.0]
    gain = revenue_gain(days([a + b for a, b in zip(usual, more, strict=True)]), days(usual))
    low, high = stats.t.interval(CERTAINTY, len(more) - 1, np.mean(more), stats.sem(more))
    assert gain.days == 8
    assert [gain.a_day, gain.low, gain.high] == pytest.approx([55, low, high], abs=0.2)


def test_the_interval_holds_the_true_gain_as_often_as_it_says() -> None:
    chance = np.random.default_rng(5)
    held = 0
    for _ in range(800):
        usual = chance.normal(1000, 300, 28)
        gain = revenue_gain(days(list(usual + chance.normal(90, 200, 28))), days(list(usual)))
        held += gain.low <= 90 <= gain.high
    assert 0.93 <= held / 800 <= 0.97


def test_days_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ZyentaError, match="same days"):
        revenue_gain(days([1.0, 2.0]), days([1.0, 2.0, 3.0]))
    with pytest.raises(ZyentaError, match="same days"):
        revenue_gain(days([1.0]), days([1.0]))


def test_twins_tell_the_same_until_one_is_touched(tmp_path: Path) -> None:
    start = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)
    told = []
    for name in ("managed", "untouched"):
        config = SandboxConfig(
            state=tmp_path / name, port=0, seed=7, days=6, start=start, frozen=True
        )
        with run_sandbox(config) as market:
            account = market.account_ids[0]
            before = DateRange(date(2026, 10, 29), date(2026, 11, 2))
            told.append([shop_days(market.url, account, before)])
            headers = {"Authorization": "Bearer sandbox-token"}
            with httpx.Client(base_url=f"{market.url}/v26.0/", headers=headers) as graph:
                (trail, *_) = graph.get(f"act_{account}/campaigns").json()["data"]
                if name == "managed":
                    graph.post(trail["id"], data={"daily_budget": "18000"}).raise_for_status()
            market.advance(days=15)
            told[-1].append(shop_days(market.url, account, before))
            after = DateRange(date(2026, 11, 4), date(2026, 11, 10))
            told[-1].append(shop_days(market.url, account, after))
    managed, untouched = told
    assert managed[:2] == untouched[:2]
    assert [len(each) for each in managed] == [5, 5, 7]
    assert sum(day.revenue for day in managed[1]) > sum(day.revenue for day in managed[0]) > 0
    pairs = list(zip(managed[2], untouched[2], strict=True))
    assert all(one.spend > other.spend for one, other in pairs)
    assert all(one.revenue >= other.revenue for one, other in pairs)
    assert sum(one.purchases - other.purchases for one, other in pairs) > 0


def test_days_without_delivery_are_told_as_nothing(tmp_path: Path) -> None:
    start = datetime(2026, 11, 3, 17, 30, tzinfo=UTC)
    with run_sandbox(
        SandboxConfig(state=tmp_path, port=0, days=2, start=start, frozen=True)
    ) as market:
        range_ = DateRange(date(2026, 10, 20), date(2026, 10, 21))
        told = shop_days(market.url, market.account_ids[0], range_)
        assert told == [ShopDay(day, Decimal(0), Decimal(0), 0) for day in range_.days()]
        with pytest.raises(ZyentaError, match="did not tell"):
            shop_days(market.url, "1", range_)
