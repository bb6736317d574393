"""What the market sells answers to budgets: curves, learning, limits, fatigue, order values."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from zyenta_ads_pipeline.sandbox.market_answers import (
    Learning,
    answer_of,
    demand,
    freshness,
    order_factor,
)
from zyenta_ads_pipeline.sandbox.market_chance import count_of
from zyenta_ads_pipeline.sandbox.market_delivery import Delivery, Sale
from zyenta_ads_pipeline.sandbox.market_shop import MarketAd, build_account
from zyenta_ads_pipeline.sandbox.response import Response
from zyenta_ads_pipeline.sandbox.state import Write

OPENED = datetime(2026, 11, 2, 5, tzinfo=UTC)
"""Midnight in New York, where the first account is."""


def delivered(days: int, *writes: Write, seed: int = 7) -> Delivery:
    delivery = Delivery(build_account(0, OPENED, days), seed, OPENED)
    delivery.run(int((OPENED + timedelta(days=days)).timestamp()) // 3600, writes)
    return delivery


def budget(ad: MarketAd, times: float, day: float = 0) -> Write:
    """A budget of that many times the first one."""
    new, at = str(round(times * ad.reference)), OPENED + timedelta(days=day)
    return Write(ad.holder, "daily_budget", str(round(ad.reference)), new, at, accepted=True)


def holders(delivery: Delivery) -> list[MarketAd]:
    """One ad of each budget holder that runs all the time."""
    first = {ad.holder: ad for ad in reversed(delivery.ads)}
    ended = {one for one, _, _ in delivery.account.endings}
    return [ad for ad in first.values() if not ended & {ad.campaign_id, ad.id}]


def spent(delivery: Delivery, holder: str) -> dict[date, int]:
    found: Counter[date] = Counter()
    for (day, index), did in delivery.days.items():
        if delivery.ads[index].holder == holder:
            found[day] += did.minor
    return dict(found)


def sold(delivery: Delivery, holder: str) -> list[Sale]:
    return [sale for sale in delivery.sales if delivery.ads[sale.ad].holder == holder]


@pytest.mark.parametrize("family", ["hill", "power"])
@pytest.mark.parametrize("elasticity", [0.4, 0.6, 0.85])
def test_a_curve_passes_its_reference_with_its_elasticity(family: str, elasticity: float) -> None:
    curve = Response(family, elasticity)
    assert curve.sales(1) == pytest.approx(1)
    assert curve.sales(0) == 0
    step = 1e-6
    slope = (curve.sales(1 + step) - curve.sales(1 - step)) / (2 * step)
    assert slope == pytest.approx(elasticity, abs=1e-6)
    gains = np.diff([curve.sales(spend) for spend in np.linspace(0, 8, 81)])
    assert (gains > 0).all()
    assert (np.diff(gains) < 0).all()


def test_every_holder_has_a_curve_of_its_own_from_the_seed() -> None:
    answers = [answer_of(seed, str(holder), 100.0) for seed in range(20) for holder in range(20)]
    elasticities = [answer.response.elasticity for answer in answers]
    assert all(0.4 <= each <= 0.85 for each in elasticities)
    assert np.mean(elasticities) == pytest.approx(0.625, abs=0.02)
    assert {answer.response.family for answer in answers} == {"hill", "power"}
    assert all(250 <= answer.most <= 600 for answer in answers)
    assert answers[:20] == [answer_of(0, str(holder), 100.0) for holder in range(20)]


@pytest.mark.parametrize("times", [0.4, 2.0])
def test_sales_follow_the_curve(times: float) -> None:
    usual = delivered(40)
    ads = holders(usual)
    changed = delivered(40, *(budget(ad, times) for ad in ads))
    told, expected = [], []
    for ad in ads:
        answer = answer_of(7, ad.holder, ad.reference)
        before = len(sold(usual, ad.holder))
        told.append(len(sold(changed, ad.holder)))
        expected.append(before * answer.response.sales(times))
    assert sum(told) == pytest.approx(sum(expected), rel=0.1)


def test_another_budget_moves_nobody_elses_sales() -> None:
    usual = delivered(10)
    trail, *others = holders(usual)
    changed = delivered(10, budget(trail, 1.15, day=2))
    for ad in others:
        assert sold(changed, ad.holder) == sold(usual, ad.holder)
        assert spent(changed, ad.holder) == spent(usual, ad.holder)
    before, after = set(sold(usual, trail.holder)), set(sold(changed, trail.holder))
    assert before < after, "what was sold anyway is sold at the same value and lag"


def test_an_edit_beyond_a_fifth_costs_three_days_of_learning() -> None:
    counts: Counter[str] = Counter()
    for seed in range(6):
        ads = holders(delivered(1, seed=seed))
        quiet = delivered(9, *(budget(ad, 1.2, day=2) for ad in ads), seed=seed)
        loud = delivered(9, *(budget(ad, 1.21, day=2) for ad in ads), seed=seed)
        over = (OPENED + timedelta(days=5)).date()
        for name, played in (("quiet", quiet), ("loud", loud)):
            counts.update(f"{name} {sale.day < over}" for sale in played.sales)
        start = (OPENED + timedelta(days=2)).date()
        early = [[s for s in played.sales if s.day < start] for played in (quiet, loud)]
        assert early[0] == early[1]
        counts["early"] += len(early[0])
    during = (counts["loud True"] - counts["early"]) / (counts["quiet True"] - counts["early"])
    assert 0.72 < during < 0.87
    assert counts["loud False"] == pytest.approx(counts["quiet False"], rel=0.03)


def test_small_edits_of_one_day_count_together() -> None:
    learning, day = Learning(), OPENED.date()
    at = [OPENED + timedelta(hours=hour) for hour in range(100)]
    learning.edited("one", 1000, 1150, at[1], day)
    assert learning.sales("one", at[2]) == 1
    learning.edited("one", 1150, 1300, at[3], day)
    assert learning.sales("one", at[3]) < 1
    assert learning.sales("one", at[3] + timedelta(hours=71)) < 1
    assert learning.sales("one", at[3] + timedelta(hours=72)) == 1
    assert learning.sales("another", at[3]) == 1
    day += timedelta(days=1)
    learning.edited("two", 1000, 1200, at[0], OPENED.date())
    learning.edited("two", 1200, 1440, at[24], day)
    learning.edited("two", 1440, 1200, at[26], day)
    assert learning.sales("two", at[27]) == 1
    learning.edited("two", 1200, 959, at[28], day)
    assert learning.sales("two", at[29]) == 1, "240 and a minor unit of rounding"
    learning.edited("two", 959, 958, at[29], day)
    assert learning.sales("two", at[30]) < 1


def test_no_budget_spends_more_than_its_audience_takes() -> None:
    ads = holders(delivered(1))
    rich = delivered(20, *(budget(ad, 20) for ad in ads))
    for ad in ads:
        daily = spent(rich, ad.holder)
        mean = sum(daily.values()) / len(daily)
        assert mean == pytest.approx(answer_of(7, ad.holder, ad.reference).most, rel=0.1)


def test_ads_tire_and_never_quite_stop() -> None:
    ages = [timedelta(days=day) for day in (-1, 0, 10, 60, 1000)]
    for ad in range(30):
        left = [freshness(3, str(ad), age) for age in ages]
        assert left[0] == left[1] == 1
        assert left == sorted(left, reverse=True)
        assert left[-1] >= 0.6


def test_days_differ_and_their_mean_is_one() -> None:
    days = [OPENED.date() + timedelta(days=number) for number in range(7 * 60)]
    drawn = np.array([demand(7, "holder", day) for day in days]).reshape(-1, 7)
    assert drawn.mean() == pytest.approx(1, abs=0.01)
    weekdays = drawn.mean(axis=0)
    assert weekdays[:3].max() < weekdays[4:].min()


def test_order_values_are_lognormal_around_the_mean_order() -> None:
    draws = np.random.default_rng(0).standard_normal(20_000)
    factors = np.array([order_factor(draw) for draw in draws])
    assert factors.mean() == pytest.approx(1, abs=0.02)
    assert np.log(factors).std() == pytest.approx(0.5, abs=0.01)
    played = delivered(60)
    trail = next(ad for ad in played.ads if ad.plan.name.startswith("Ridge"))
    values = np.log([sale.minor for sale in sold(played, trail.holder)])
    assert values.std() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("mean", [0.0, 0.05, 3.0, 99.0, 101.0, 5000.0])
def test_counts_are_poisson_and_grow_with_their_mean(mean: float) -> None:
    drawn = np.array([count_of(1, "count", number, mean) for number in range(4000)])
    assert drawn.mean() == pytest.approx(mean, abs=4 * (mean / 4000) ** 0.5)
    assert drawn.var() == pytest.approx(drawn.mean(), rel=0.12)
    more = [count_of(1, "count", number, 1.1 * mean) for number in range(400)]
    assert all(more >= drawn[:400])
