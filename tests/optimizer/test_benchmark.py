"""The public benchmark: its market is what it says, its oracle is one, its judge sees all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from benchmarks import league, league_checks, league_page, oracle, quality, references
from benchmarks.market import Curve, Market, Whole
from benchmarks.playing import led, play
from benchmarks.scenarios import SCENARIOS, drawn, world
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.optimizer.account import AccountHistory, Goal
from zyenta_ads_pipeline.optimizer.policies import policy
from zyenta_ads_pipeline.sandbox.response import Response


def short(name: str, seed: int, days: int = 20, **changes):
    return drawn(replace(SCENARIOS[name], days=days, **changes), name, seed)


@dataclass(frozen=True)
class Rogue:
    """Wants everything for the first campaign and nothing for the others."""

    name: str = "rogue"
    shares_total: bool = True

    def decide(self, account: AccountHistory) -> pl.DataFrame:
        count = account.campaigns.height
        return pl.DataFrame(
            {
                "campaign_id": account.campaigns["campaign_id"],
                "action": ["increase", *["decrease"] * (count - 1)],
                "new_budget": [Decimal(1_000_000), *[Decimal(1)] * (count - 1)],
                "reason": ["Just so"] * count,
                "confidence": [1.0] * count,
            }
        )


# --- the market -----------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["hill", "power"])
@pytest.mark.parametrize("elasticity", [0.2, 0.6, 0.9])
def test_its_curves_are_the_sandbox_s(family, elasticity):
    spends = np.array([0.0, 0.3, 1.0, 2.0, 40.0])
    one = Response(family, elasticity)
    many = Curve(
        hill=np.full(5, family == "hill"),
        elasticity=np.full(5, elasticity),
        ref=np.full(5, 100.0),
        sales=np.full(5, 3.0),
    )
    assert many.sold(spends * 100) == pytest.approx([3.0 * one.sales(s) for s in spends])


@pytest.mark.parametrize("hill", [True, False])
def test_spend_at_is_where_the_marginal_is(hill):
    curve = Curve(
        hill=np.array([hill]),
        elasticity=np.array([0.6]),
        ref=np.array([80.0]),
        sales=np.array([4.0]),
    )
    at = np.array([130.0])
    marginal = (curve.sold(at + 1e-4) - curve.sold(at - 1e-4)) / 2e-4
    assert curve.spend_at(marginal) == pytest.approx(at, rel=1e-5)


def test_the_same_seed_is_the_same_account_and_another_is_another():
    one, again, other = (Market(world("plain", seed)) for seed in (1, 1, 2))
    for market in (one, again, other):
        market.warm_up()
    assert one.history().days.equals(again.history().days)
    assert one.history().campaigns.equals(again.history().campaigns)
    assert not one.history().days.equals(other.history().days)


def test_conversions_come_in_late_and_never_fewer():
    market = Market(world("slow", 3))
    market.warm_up()
    first = market.history().days
    for _ in range(10):
        market.deliver()
    later = market.history().days
    both = first.join(later, on=["campaign_id", "date"], suffix="_later")
    assert both.height == first.height
    before, after = (
        both[name].cast(pl.Float64).to_numpy() for name in ("conversions", "conversions_later")
    )
    assert np.all(after >= before)
    assert after.sum() > 1.2 * before.sum()
    by_date = first.sort("date")["maturity"]
    assert by_date[-1] < 0.6
    assert by_date[0] > 0.99


def test_a_copy_goes_its_own_way():
    market = Market(world("plain", 1))
    market.warm_up()
    twin = market.copy()
    twin.change(twin.budgets * 2, np.zeros(12, dtype=bool))
    twin.deliver()
    assert market.day == market.world.warm_up
    market.deliver()
    day = market.day - 1
    assert np.all(twin.spend[day] > market.spend[day])
    # Twice the budget sells less than twice as much, and the large step costs a fifth besides.
    ratio = twin.expected[day] / market.expected[day]
    assert np.all(ratio < 1.6)
    assert np.all(ratio > 0.8)


def test_an_outage_loses_conversions_but_no_clicks():
    market = Market(world("outage", 1))
    while market.day < 60:
        market.deliver()
    lost = ~market.world.tracked[:60]
    assert lost.any()
    assert market.orders[:60].sum(axis=1)[lost].sum() == 0
    assert market.clicks[:60][lost].sum() > 0


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_scenario_gives_a_history_that_is_accepted(name):
    drawn_world = world(name, 4)
    market = Market(drawn_world)
    market.warm_up()
    account = market.history()
    assert account.campaigns.height >= 2
    assert account.days.height > 0
    assert int(market.budgets[market.running].sum()) <= drawn_world.totals[market.day] + 12


# --- the oracle -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_move_between_two_campaigns_improves_the_oracle_s_day(seed):
    drawn_world = world("plain", seed)
    market = Market(drawn_world)
    market.warm_up()
    best = oracle.budgets_of(market, step=0.2, margin=None)
    total = int(drawn_world.totals[market.day])
    assert total - 12 <= best.sum() <= total
    low, high = np.ceil(market.budgets * 0.8), np.floor(market.budgets * 1.2)
    floor = drawn_world.floor_minor
    assert np.all((best >= np.maximum(low, floor)) & (best <= np.maximum(high, floor)))

    def worth(budgets: Whole) -> float:
        return float(drawn_world.revenue(market.day, budgets / 100).sum())

    chance = np.random.default_rng(seed)
    for _ in range(200):
        giver, taker = chance.choice(12, 2, replace=False)
        amount = min(best[giver] - max(low[giver], floor), max(high[taker], floor) - best[taker])
        moved = best.copy()
        moved[giver] -= int(amount / 2)
        moved[taker] += int(amount / 2)
        assert worth(moved) <= worth(best) * (1 + 1e-6)


def test_for_profit_it_spends_only_what_pays():
    drawn_world = short("losers", 1)
    revenue = led(oracle.lead(drawn_world))
    profit = led(oracle.lead(drawn_world, margin=0.6))
    assert profit.budget < revenue.budget
    assert profit.profit(0.6) > revenue.profit(0.6)


# --- the judge ------------------------------------------------------------------------------


def test_the_product_holds_a_rogue_policy_within_its_limits():
    played, market = play(short("bounded", 1, days=12), Rogue())
    assert played.broken == ()
    assert played.over_total == 0
    assert market.budgets.min() >= market.world.floor_minor


def test_the_judge_sees_what_is_broken(monkeypatch):
    def careless(market, _planned):
        return market.budgets * 2, np.zeros(market.budgets.size, dtype=bool)

    monkeypatch.setattr("benchmarks.playing._asked", careless)
    played, _ = play(short("bounded", 1, days=2), references.Hold())
    kinds = {each.split()[0].rstrip(":") for each in played.broken}
    assert {"step", "cap", "locked"} <= kinds
    assert played.over_total == 2
    assert played.learning > 0


def test_a_result_is_the_same_twice():
    runs = [play(short("plain", 5, days=4), policy("response_curve"))[0] for _ in range(2)]
    assert replace(runs[0], seconds=0) == replace(runs[1], seconds=0)


# --- the policies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "mean"),
    [(("bounded",), 0.86), pytest.param(("plain", "noisy", "bounded"), 0.92,
                                        marks=pytest.mark.slow)],
    ids=["one market", "three"],
)  # fmt: skip
def test_the_default_policy_is_near_the_oracle_and_keeps_its_limits(names, mean):
    """Short, on seeds that no result of the league is about; the league itself is stricter."""
    ratios = []
    for name in names:
        drawn_world = short(name, 201)
        best = led(oracle.lead(drawn_world))
        played, _ = play(drawn_world, policy("response_curve"))
        held, _ = play(drawn_world, references.Hold())
        assert played.revenue > held.revenue
        assert played.broken == ()
        assert played.over_total == 0
        ratios.append(played.revenue / best.revenue)
    assert np.mean(ratios) > mean
    assert min(ratios) > 0.86


@pytest.mark.parametrize(
    "reference",
    [references.FixedElasticity(), references.ThompsonRoas(), references.ThompsonBest()],
    ids=lambda each: each.name,
)
def test_the_reference_policies_play(reference):
    drawn_world = short("plain", 201, days=4)
    played, _ = play(drawn_world, reference)
    assert played.broken == ()
    assert played.budget == pytest.approx(played.total, rel=1e-9)


def test_for_profit_the_default_policy_spends_less_and_earns_more():
    drawn_world = short("losers", 201, days=15)
    revenue, _ = play(drawn_world, policy("response_curve"))
    profit, _ = play(drawn_world, policy("response_curve"), margin=0.6)
    assert profit.budget < revenue.budget
    assert profit.profit(0.6) > revenue.profit(0.6)


def test_decisions_are_judged_by_the_true_optimum():
    drawn_world = short("plain", 201, days=14)
    found = quality.judge(drawn_world, policy("response_curve"), tuned=False)
    scores = quality.quality(found["decisions"])
    assert scores.count == 12 * 3
    assert 0 < scores.moves <= 1
    assert scores.right > 0.6
    market = Market(drawn_world)
    market.warm_up()
    best = oracle.optimum(market)
    offset = money.offset(drawn_world.currency)
    assert best.sum() == pytest.approx(drawn_world.totals[market.day] / offset, rel=1e-6)


def test_limits_for_profit_reach_the_policy():
    seen = []

    @dataclass(frozen=True)
    class Looks(references.Hold):
        def decide(self, account):
            seen.append(account.limits)
            return super().decide(account)

    play(short("plain", 1, days=1), Looks(), margin=0.5, free_step=True)
    assert seen[0].goal is Goal.PROFIT
    assert seen[0].margin == Decimal("0.5")
    assert seen[0].max_step is None


# --- the league -----------------------------------------------------------------------------


def row(**changes: Any) -> league.Row:
    values: dict[str, Any] = {
        "scenario": "plain", "seed": 1, "entry": "response_curve", "ratio": 0.96, "profit": 0.5,
        "spent": 1.0, "over_total": 0, "broken": (), "changed": 0.5, "learning": 0.0, "paused": 0,
        "seconds": 0.1,
    }  # fmt: skip
    return league.Row(**{**values, **changes})


def test_scenarios_count_the_same_however_many_markets_they_have():
    rows = [row(), row(seed=2), row(scenario="few", ratio=0.90)]
    standing = league.standing(rows)
    assert standing.mean == pytest.approx(0.93)
    assert (standing.worst_scenario_name, standing.worst_market_name) == ("few", "few 1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ratio": 0.80}, "market plain 1 0.800"),
        ({"broken": ("step: x",)}, "broken: step: x"),
        ({"over_total": 3}, "over the total"),
        ({"ratio": 0.975}, "written is 0.960"),
    ],
)
def test_the_check_says_what_must_not_be(changes, words):
    rows = [row(**changes)]
    written = {
        "markets": [{"scenario": "plain", "seed": 1, "entry": "response_curve", "ratio": 0.96}]
    }
    wrong = league_checks.failures([league.standing(rows)], rows, {}, written)
    assert any(words in each for each in wrong)
    assert league_checks.failures([league.standing([row()])], [row()], {}, written) == []


def test_the_page_has_everybody():
    rows = [row(), row(entry="equal", ratio=0.85)]
    standings = [league.standing([each]) for each in rows]
    page = league_page.page(standings, rows, {})
    assert page.index("response_curve") < page.index("| equal")
    assert SCENARIOS["plain"].about in page
