"""The threshold policy at every boundary, and its words."""

from __future__ import annotations

import dataclasses
import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.change import BudgetAction
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.optimizer.roas_thresholds import CampaignHistory, RoasThresholds

D = Decimal


def history(
    revenue: str = "250",
    spend: str = "100",
    budget: str | None = "50",
    *,
    days: int = 14,
    active: bool = True,
    currency: str = "USD",
) -> CampaignHistory:
    return CampaignHistory(
        account_id="1",
        campaign_id="11",
        currency=currency,
        daily_budget=None if budget is None else D(budget),
        spend=D(spend),
        revenue=D(revenue),
        conversions=D(5),
        days_running=days,
        active=active,
    )


@pytest.mark.parametrize(
    ("revenue", "action", "new_budget", "reason", "confidence"),
    [
        ("1000", "increase", "60", "Excellent ROAS of 10.00x - scaling budget by $10.00", "0.9"),
        ("300.01", "increase", "60", "Excellent ROAS of 3.00x - scaling budget by $10.00", "0.9"),
        ("300", "increase", "60", "Excellent ROAS of 3.00x - scaling budget by $10.00", "0.9"),
        ("299.99", "increase", "55", "Good ROAS of 2.99x - gradual scaling by $5.00", "0.75"),
        ("200", "increase", "55", "Good ROAS of 2.00x - gradual scaling by $5.00", "0.75"),
        (
            "199.99",
            "maintain",
            None,
            "Acceptable ROAS of 1.99x - maintaining current budget",
            "0.7",
        ),
        ("100", "maintain", None, "Acceptable ROAS of 1.00x - maintaining current budget", "0.7"),
        ("99.99", "decrease", "40", "Suboptimal ROAS of 0.99x - reducing budget by $10.00", "0.7"),
        ("50", "decrease", "40", "Suboptimal ROAS of 0.50x - reducing budget by $10.00", "0.7"),
        (
            "49.99",
            "pause",
            "0",
            "Poor ROAS of 0.49x - pausing campaign to prevent losses",
            "0.85",
        ),
        ("0", "pause", "0", "Poor ROAS of 0.00x - pausing campaign to prevent losses", "0.85"),
        (
            "-12.50",
            "pause",
            "0",
            "Poor ROAS of -0.12x - pausing campaign to prevent losses",
            "0.85",
        ),
    ],
)
def test_each_band_and_its_boundaries(
    revenue: str, action: str, new_budget: str | None, reason: str, confidence: str
) -> None:
    decision = RoasThresholds().judge(history(revenue))
    assert decision.action == BudgetAction(action)
    assert decision.new_budget == (None if new_budget is None else D(new_budget))
    assert decision.reason == reason
    assert decision.confidence == D(confidence)
    assert isinstance(decision.confidence, Decimal)


@pytest.mark.parametrize(
    ("spend", "days", "learning"),
    [
        ("49.99", 3, True),
        ("50", 3, False),
        ("50.01", 3, False),
        ("50", 2, True),
        ("50", 4, False),
        ("49.99", 2, True),
        ("0", 30, True),
    ],
)
def test_learning_on_both_sides_of_both_limits(spend: str, days: int, learning: bool) -> None:
    decision = RoasThresholds().judge(history("1000", spend, days=days))
    if learning:
        assert decision.action is BudgetAction.MAINTAIN
        assert decision.new_budget is None
        assert decision.reason == "Campaign still in learning phase - need more data"
        assert decision.confidence == D("0.5")
    else:
        assert decision.action is BudgetAction.INCREASE


@pytest.mark.parametrize(
    ("budget", "new_budget", "words"),
    [
        ("499.99", "599.988", "$100.00"),
        ("490", "588", "$98.00"),
        ("500", "600", "$100.00"),
        ("500.01", "600.01", "$100.00"),
        ("5000", "5100", "$100.00"),
    ],
)
def test_an_excellent_campaign_grows_by_a_hundred_at_most(
    budget: str, new_budget: str, words: str
) -> None:
    decision = RoasThresholds().judge(history("300", budget=budget))
    assert decision.new_budget == D(new_budget)
    assert decision.reason.endswith(f"scaling budget by {words}")


def test_the_good_step_has_no_such_cap() -> None:
    assert RoasThresholds().judge(history("200", budget="5000")).new_budget == D(5500)


def test_the_new_budget_is_exact_and_not_rounded() -> None:
    assert RoasThresholds().judge(history("300", budget="33.33")).new_budget == D("39.996")
    assert RoasThresholds().judge(history("80", budget="33.33")).new_budget == D("26.664")


def test_a_quotient_that_rounds_to_the_threshold_does_not_cross_it() -> None:
    # The quotient in 28 digits is 3.000…0; the ROAS is just below.
    spend, revenue = D(333 * 10**25), D(999 * 10**25 - 1)
    below = CampaignHistory("1", "11", "USD", D(50), spend, revenue, D(1), 14, active=True)
    assert below.revenue / below.spend == 3
    decision = RoasThresholds().judge(below)
    assert decision.confidence == D("0.75")
    assert "Good ROAS of 2.99x" in decision.reason


@pytest.mark.parametrize("digits", [1, 2, 5])
def test_the_callers_decimal_context_changes_nothing(digits: int) -> None:
    plain = RoasThresholds().judge(history("2399.99", "1200.01", "123.45"))
    with decimal.localcontext() as context:
        context.prec = digits
        small = RoasThresholds().judge(history("2399.99", "1200.01", "123.45"))
    assert (small.action, small.new_budget) == (plain.action, plain.new_budget)
    assert plain.action is BudgetAction.MAINTAIN


def test_words_round_half_to_even_away_from_boundaries() -> None:
    assert "2.12x" in RoasThresholds().judge(history("212.5")).reason
    assert "2.50x" in RoasThresholds().judge(history("249.6")).reason


@pytest.mark.parametrize(("currency", "words"), [("EUR", "10.00 EUR"), ("JPY", "10 JPY")])
def test_other_currencies_are_worded_in_their_own_form(currency: str, words: str) -> None:
    assert RoasThresholds().judge(history("300", currency=currency)).reason.endswith(words)


@pytest.mark.parametrize("revenue", ["0", "1000"])
def test_a_campaign_that_is_not_active_is_left_alone(revenue: str) -> None:
    decision = RoasThresholds().judge(history(revenue, active=False))
    assert decision.action is BudgetAction.MAINTAIN
    assert decision.new_budget is None
    assert "not active" in decision.reason


@pytest.mark.parametrize("budget", [None, "0"])
def test_a_campaign_without_a_daily_budget_is_left_alone(budget: str | None) -> None:
    decision = RoasThresholds().judge(history("1000", budget=budget))
    assert decision.action is BudgetAction.MAINTAIN
    assert decision.new_budget is None
    assert "no daily budget" in decision.reason


def test_without_spend_there_is_no_roas_even_without_a_learning_limit() -> None:
    eager = RoasThresholds(min_learning_spend=D(0), min_learning_days=0)
    assert "learning" in eager.judge(history("0", "0", days=0)).reason
    assert "Excellent" in eager.judge(history("3", "1", days=0)).reason


def test_thresholds_are_settings() -> None:
    mild = RoasThresholds(roas_excellent=D("4"), roas_good=D("3"))
    assert mild.judge(history("300")).confidence == D("0.75")


@given(
    factor=st.sampled_from([100, 7, 1000]),
    cents=st.integers(-1000, 100_000),
    spend=st.integers(1, 20_000),
    budget=st.integers(1, 200_000),
)
def test_the_unit_of_the_currency_does_not_matter(
    factor: int, cents: int, spend: int, budget: int
) -> None:
    plain = RoasThresholds()
    scaled = dataclasses.replace(
        plain,
        max_increase=plain.max_increase * factor,
        min_learning_spend=plain.min_learning_spend * factor,
    )
    one = history(str(D(cents) / 100), str(D(spend) / 100), str(D(budget) / 100))
    other = dataclasses.replace(
        one,
        revenue=one.revenue * factor,
        spend=one.spend * factor,
        daily_budget=D(budget) / 100 * factor,
    )
    a, b = plain.judge(one), scaled.judge(other)
    assert (a.action, a.confidence) == (b.action, b.confidence)
    assert (a.new_budget is None) == (b.new_budget is None)
    if a.new_budget is not None and b.new_budget is not None:
        assert a.new_budget * factor == b.new_budget
        assert a.new_budget >= 0


@given(revenue=st.integers(0, 100_000), spend=st.integers(5_000, 30_000))
def test_words_and_band_never_contradict_each_other(revenue: int, spend: int) -> None:
    decision = RoasThresholds().judge(history(str(D(revenue) / 100), str(D(spend) / 100)))
    word, shown = decision.reason.split()[0], D(decision.reason.split()[3].rstrip("x"))
    band = {
        "Excellent": (D(3), D("Infinity")),
        "Good": (D(2), D(3)),
        "Acceptable": (D(1), D(2)),
        "Suboptimal": (D("0.5"), D(1)),
        "Poor": (D(0), D("0.5")),
    }[word]
    assert band[0] <= shown < band[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"roas_good": D("3.5")},
        {"roas_poor": D("-1")},
        {"roas_excellent": D("NaN")},
        {"roas_excellent": D("3.005")},
        {"decrease": D(1)},
        {"increase_good": D("-0.1")},
        {"max_increase": D(-1)},
        {"min_learning_days": -1},
        {"confidence_good": D("1.1")},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Decimal]) -> None:
    with pytest.raises(SettingsError):
        dataclasses.replace(RoasThresholds(), **wrong)  # type: ignore[arg-type]


def test_a_history_refuses_what_is_no_money() -> None:
    good = history()
    with pytest.raises(TypeError, match="spend is a Decimal, not float"):
        dataclasses.replace(good, spend=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="spend"):
        dataclasses.replace(good, spend=D(-1))
    with pytest.raises(ValueError, match="revenue"):
        dataclasses.replace(good, revenue=D("NaN"))
    with pytest.raises(InputError, match="XXX"):
        dataclasses.replace(good, currency="XXX")
