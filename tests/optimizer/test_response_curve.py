"""The policy `response_curve`: money to where its next unit returns most, and how sure it is."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.optimizer.made_days import Made, made
from tests.optimizer.some_account import DAY, account, campaign, ran
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.account import AMOUNT, AccountHistory, Goal, Limits
from zyenta_ads_pipeline.optimizer.deciding import decided
from zyenta_ads_pipeline.optimizer.fitting import fit_curves
from zyenta_ads_pipeline.optimizer.response_curve import ResponseCurve

POLICY = ResponseCurve()


def decide(given: AccountHistory) -> dict[str, dict[str, Any]]:
    return {row["campaign_id"]: row for row in decided(POLICY, given).iter_rows(named=True)}


def three(**limits: Any) -> AccountHistory:
    """A good campaign, a middling and a bad one, $100 a day each."""
    days = [
        day
        for own, sold in (("1", "8"), ("2", "4"), ("3", "2"))
        for day in ran(own, days=40, conversions=sold, revenue=str(50 * int(sold)))
    ]
    return account([campaign(own) for own in "123"], days, **limits)


def with_campaign(history: AccountHistory, **changes: Any) -> AccountHistory:
    """The same, with `changes` of campaign 1."""
    first = pl.col("campaign_id") == "1"
    return replace(
        history,
        campaigns=history.campaigns.with_columns(
            pl.when(first).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
            for name, value in changes.items()
        ),
    )


def test_the_better_gets_more_and_the_worse_less() -> None:
    rows = decide(three())
    assert [rows[own]["action"] for own in "123"][::2] == ["increase", "decrease"]
    assert rows["1"]["new_budget"] > 100 > rows["3"]["new_budget"]
    assert rows["1"]["log_marginal"] > rows["2"]["log_marginal"] > rows["3"]["log_marginal"]
    for own in "13":
        assert rows[own]["confidence"] >= 0.7
    assert rows["1"]["confidence"] == rows["1"]["probability_up"]
    assert rows["3"]["confidence"] == 1 - rows["3"]["probability_up"]


def test_the_reason_says_what_it_rests_on() -> None:
    rows = decide(three())
    assert re.fullmatch(
        r"The next unit of budget returns \d\.\d\d \(± \d+%\), above the account's \d\.\d\d: "
        r"more is right with a probability of \d\d%\. In the last 7 days a unit returned 4\.00 on "
        r"average \(56 conversions, 100% of them reported yet, allowed for\); "
        r"elasticity 0\.\d\d ± 0\.\d\d\.",
        rows["1"]["reason"],
    )
    assert "below the account's" in rows["3"]["reason"]


def test_alike_campaigns_stay_as_they_are() -> None:
    days = [day for own in "1234" for day in ran(own, days=40, conversions="20")]
    rows = decide(account([campaign(own) for own in "1234"], days))
    for row in rows.values():
        assert row["action"] == "maintain"
        assert row["new_budget"] is None
        assert 0.35 < row["probability_up"] < 0.5


def test_a_single_campaign_has_nothing_to_share() -> None:
    (row,) = decide(account([campaign("1")], ran("1", days=40))).values()
    assert row["action"] == "maintain"
    assert "near its best" in row["reason"]
    assert row["confidence"] > 0.9


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"active": False}, "not active"),
        ({"current_minor": None}, "no daily budget"),
        ({"current_minor": 0}, "no daily budget"),
    ],
    ids=["paused", "without-budget", "budget-of-zero"],
)
def test_who_takes_no_part_is_left_alone(changes: dict[str, Any], says: str) -> None:
    row = decide(with_campaign(three(), **changes))["1"]
    assert (row["action"], row["log_marginal"]) == ("maintain", None)
    assert says in row["reason"]


@pytest.mark.parametrize(
    "changes",
    [{"locked": True}, {"cap_minor": 10_000}],
    ids=["locked", "at-its-cap"],
)
def test_who_cannot_move_is_not_told_to(changes: dict[str, Any]) -> None:
    row = decide(with_campaign(three(), **changes))["1"]
    assert row["action"] == "maintain"
    assert row["probability_up"] > 0.7
    assert "no room" in row["reason"]


def test_an_account_without_delivery_is_left_alone() -> None:
    row = decide(account([campaign("1")]))["1"]
    assert row["action"] == "maintain"
    assert "has not delivered yet" in row["reason"]


def test_a_campaign_without_delivery_competes_as_the_others_do() -> None:
    history = three()
    more = pl.concat(
        [history.campaigns, history.campaigns.head(1).with_columns(campaign_id=pl.lit("4"))]
    )
    row = decide(replace(history, campaigns=more))["4"]
    assert "spent nothing" in row["reason"]
    assert row["log_marginal"] is not None


def test_given_curves_are_used_and_decide_the_same() -> None:
    history = three()
    curves = fit_curves(history.days, history.day)
    assert decided(POLICY, replace(history, curves=curves)).equals(decided(POLICY, history))


def test_the_order_of_rows_changes_nothing() -> None:
    market = made(20)
    history = of(market)
    shuffled = replace(
        history,
        days=history.days.sample(fraction=1, shuffle=True, seed=1),
        campaigns=history.campaigns.reverse(),
    )
    assert decided(POLICY, shuffled).equals(decided(POLICY, history))


def test_the_unit_of_money_changes_no_decision() -> None:
    history = of(made(12))
    factor = 128
    other = replace(
        history,
        days=history.days.with_columns((pl.col("spend", "revenue") * factor).cast(AMOUNT)),
        campaigns=history.campaigns.with_columns(pl.col("current_minor") * factor),
        limits=replace(history.limits, floor_minor=history.limits.floor_minor * factor),
    )
    mine, theirs = decided(POLICY, history), decided(POLICY, other)
    assert theirs["action"].equals(mine["action"])
    for name in ("probability_up", "log_marginal", "curvature", "confidence"):
        assert theirs[name].to_numpy() == pytest.approx(mine[name].to_numpy(), abs=1e-5)
    moved = mine["new_budget"].is_not_null()
    before, after = (
        each["new_budget"].filter(moved).cast(pl.Float64).to_numpy() for each in (mine, theirs)
    )
    assert after / factor == pytest.approx(before, rel=1e-3)


def test_a_larger_total_raises_more() -> None:
    small, large = (decide(three(total_minor=total)) for total in (15_000, 100_000))
    for own in "123":
        assert small[own]["probability_up"] < large[own]["probability_up"]
    assert {row["action"] for row in large.values()} == {"increase"}


def test_groups_have_prices_of_their_own() -> None:
    groups = {"a": 10_000}
    rows = decide(with_campaign(three(total_minor=30_000, group_totals=groups), group="a"))
    assert rows["1"]["action"] == "maintain"  # alone in its group, with just its budget
    assert "near its best" in rows["1"]["reason"]
    assert rows["2"]["action"] == "increase"
    assert rows["3"]["action"] == "decrease"


def test_profit_asks_for_what_a_unit_costs() -> None:
    rows = decide(three(goal=Goal.PROFIT, margin=Decimal("0.25")))
    # a unit must return 4: none does, with its next
    assert {rows[own]["action"] for own in "23"} <= {"decrease", "pause"}
    assert rows["1"]["probability_up"] < 0.3


def test_a_target_of_cost_compares_conversions_not_their_value() -> None:
    history = three(goal=Goal.TARGET_CPA, target=Decimal(40))
    dear = replace(
        history,
        days=history.days.with_columns(
            pl.when(pl.col("campaign_id") == "3")
            .then(pl.col("revenue") * 50)
            .otherwise(pl.col("revenue"))
            .cast(AMOUNT)
            .alias("revenue")
        ),
    )
    rows = decide(dear)
    assert rows["1"]["log_marginal"] > rows["3"]["log_marginal"]
    assert "conversion costs" in rows["1"]["reason"]
    assert "a conversion cost 12.50 on average" in rows["1"]["reason"]


@pytest.mark.parametrize("goal", [Goal.PROFIT, Goal.TARGET_ROAS, Goal.TARGET_CPA])
@pytest.mark.parametrize("number", [None, Decimal(0), Decimal("NaN")], ids=str)
def test_a_goal_needs_its_number(goal: Goal, number: Decimal | None) -> None:
    name = "margin" if goal is Goal.PROFIT else "target"
    with pytest.raises(InputError, match=f"has no {name} above 0"):
        POLICY.decide(three(goal=goal, **{name: number}))


class TestPause:
    """Only what almost surely does not even return its smallest budget."""

    def history(self, days: int = 40, **more: Any) -> AccountHistory:
        plain: dict[str, Any] = {
            "goal": Goal.PROFIT,
            "margin": Decimal("0.5"),
            "floor_minor": 1_000,
        }
        rows = [day for own in "23" for day in ran(own, days=60, conversions="10", revenue="500")]
        rows += ran("1", days=days, conversions="0", revenue="0")
        return with_campaign(
            account([campaign(own) for own in "123"], rows, **(plain | more)), days_running=days
        )

    def test_a_campaign_that_sells_nothing_for_long(self) -> None:
        row = decide(self.history())["1"]
        assert (row["action"], row["new_budget"]) == ("pause", 0)
        assert row["confidence"] >= 0.95
        assert "Even on its smallest budget it returns less than the 2.00" in row["reason"]

    def test_not_while_the_goal_is_revenue_and_no_margin_is_known(self) -> None:
        row = decide(self.history(goal=Goal.REVENUE, margin=None))["1"]
        assert row["action"] == "decrease"

    def test_not_before_seven_days(self) -> None:
        assert decide(self.history(days=6))["1"]["action"] != "pause"

    def test_not_before_it_spent_what_three_conversions_may_cost(self) -> None:
        history = self.history()
        tenth = pl.when(pl.col("campaign_id") == "1").then(pl.lit(0.5)).otherwise(pl.col("spend"))
        poor = replace(history, days=history.days.with_columns(tenth.cast(AMOUNT).alias("spend")))
        assert decide(poor)["1"]["action"] != "pause"


def test_silent_tracking_takes_nothing_away() -> None:
    rows = [day for own in "23" for day in ran(own, days=40, conversions="9", revenue="450")]
    rows += ran("1", days=30, until=3, conversions="4", revenue="100")
    dark = ran("1", days=3, conversions="0", revenue="0")
    campaigns = [campaign(own) for own in "123"]
    row = decide(account(campaigns, [*rows, *dark]))["1"]
    assert row["action"] == "maintain"
    assert "tracking looks broken" in row["reason"]
    told = ran("1", days=3, conversions="4", revenue="100")
    assert decide(account(campaigns, [*rows, *told]))["1"]["action"] == "decrease"


def of(market: Made, **limits: Any) -> AccountHistory:
    """The account of those campaigns, each with its reference spend as today's budget."""
    budgets = [round(100 * ref) for ref in market.ref.tolist()]
    campaigns = [campaign(own, budget) for own, budget in zip(market.ids, budgets, strict=True)]
    history = account(campaigns, **({"floor_minor": 500} | limits))
    return replace(history, days=market.days)


def test_a_probability_is_one() -> None:
    """Of the directions held for right with 80 %, about 80 % are."""
    claimed, right = [], []
    for seed in range(6):
        market = made(50, seed=seed)
        rows = decided(POLICY, of(market))
        spend = market.ref
        truth = market.log_marginal(spend)
        claimed += rows["probability_up"].to_list()
        right += (truth > market.price(spend)).tolist()
    said, was = np.array(claimed), np.array(right)
    assert np.mean((said - was) ** 2) < 0.19  # a coin's is 0.25
    for low, high in ((0, 0.15), (0.15, 0.35), (0.35, 0.65), (0.65, 0.85), (0.85, 1)):
        of_these = (said >= low) & (said <= high)
        assert of_these.sum() >= 15
        assert said[of_these].mean() == pytest.approx(was[of_these].mean(), abs=0.13), (low, high)
    moving = np.maximum(said, 1 - said) >= 0.7
    assert np.mean((said > 0.5)[moving] == was[moving]) > 0.8


_DAY = st.fixed_dictionaries(
    {
        "spend": st.sampled_from(["0", "0.01", "5", "100", "99999.99"]),
        "conversions": st.sampled_from(["0", "1", "3", "-2", "500", "100000"]),
        "revenue": st.sampled_from(["0", "50", "-80", "0.01", "10000000"]),
        "clicks": st.sampled_from([0, 5000]),
        "maturity": st.sampled_from([1.0, 0.001]),
    }
)
_CAMPAIGN = st.fixed_dictionaries(
    {
        "budget": st.sampled_from([None, 0, 1, 10_000, 10**11]),
        "floor_minor": st.sampled_from([None, 0, 500]),
        "cap_minor": st.sampled_from([None, 0, 300, 10**9]),
        "locked": st.booleans(),
        "active": st.sampled_from([True, True, False, None]),
        "group": st.sampled_from([None, "a", "b"]),
        "days_running": st.sampled_from([0, 30]),
    }
)
_LIMITS = st.one_of(
    st.fixed_dictionaries({}),
    st.fixed_dictionaries({"total_minor": st.sampled_from([0, 1, 10**6, 10**12])}),
    st.just({"goal": Goal.PROFIT, "margin": Decimal("0.4"), "group_totals": {"a": 0}}),
    st.just({"goal": Goal.TARGET_ROAS, "target": Decimal(3), "group_totals": {"b": 10**5}}),
    st.just({"goal": Goal.TARGET_CPA, "target": Decimal("0.01")}),
    st.just({"cap_minor": 400, "floor_minor": 10_000}),
)


@settings(max_examples=examples(60))
@given(st.lists(st.tuples(_CAMPAIGN, st.lists(_DAY, max_size=10)), max_size=4), _LIMITS)
def test_hostile_histories_give_usable_decisions(
    campaigns: list[tuple[dict[str, Any], list[dict[str, Any]]]], limits: dict[str, Any]
) -> None:
    rows = [campaign(f"{place}", **each) for place, (each, _) in enumerate(campaigns)]
    days = [
        day
        for place, (_, history) in enumerate(campaigns)
        for back, each in enumerate(history)
        for day in ran(f"{place}", days=1, until=back, **each)
    ]
    given = account(rows, days, **({"floor_minor": 100} | limits))
    for row in decided(POLICY, given).iter_rows(named=True):
        if row["action"] == "increase":
            assert row["new_budget"] * 100 > rows[int(row["campaign_id"])]["current_minor"]
        if row["action"] == "decrease":
            assert row["new_budget"] * 100 < rows[int(row["campaign_id"])]["current_minor"]


def test_it_says_who_it_is() -> None:
    assert (POLICY.name, POLICY.shares_total) == ("response_curve", True)
    assert Limits(total_minor=None, floor_minor=1).goal is Goal.REVENUE
    assert POLICY.decide(three()).height == 3
    assert three().day == DAY
