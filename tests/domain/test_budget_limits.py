"""What a daily budget may be in each of Meta's currencies."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.budget_limits import (
    CURRENCY_SIZES,
    BudgetLimits,
    known_limits,
    limits_of,
)
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS, offset, to_major, to_minor
from zyenta_ads_pipeline.sandbox.budgets import minimum_daily_budget

CURRENCIES = st.sampled_from(sorted(CURRENCY_OFFSETS))
LIKE_DOLLARS = ("AUD", "BGN", "CAD", "CHF", "EUR", "GBP", "JOD", "LVL", "NZD", "SGD", "USD")


def dollar(currency: str) -> Decimal:
    """About what a dollar costs: Meta asks for a dollar a day at least."""
    return to_major(minimum_daily_budget(currency), currency)


def test_every_currency_of_metas_has_a_size_that_is_a_power_of_ten() -> None:
    assert CURRENCY_SIZES.keys() == CURRENCY_OFFSETS.keys()
    assert {size.normalize().as_tuple().digits for size in CURRENCY_SIZES.values()} == {(1,)}


@pytest.mark.parametrize("currency", LIKE_DOLLARS)
def test_in_currencies_like_the_dollar_the_seeds_limits_hold(currency: str) -> None:
    limits = limits_of(currency)
    assert (limits.least, limits.most, limits.usual) == (Decimal(10), Decimal(10_000), Decimal(50))
    assert limits.words == f"10 to 10,000 {currency}"


@pytest.mark.parametrize(
    ("currency", "least", "most", "usual"),
    [
        ("BHD", 1, 10_000, 5),
        ("BRL", 10, 100_000, 50),
        ("INR", 100, 1_000_000, 500),
        ("TWD", 100, 1_000_000, 500),
        ("JPY", 1_000, 10_000_000, 5_000),
        ("HUF", 1_000, 10_000_000, 5_000),
        ("KRW", 10_000, 100_000_000, 50_000),
        ("CLP", 10_000, 100_000_000, 50_000),
        ("COP", 10_000, 100_000_000, 50_000),
        ("IDR", 100_000, 1_000_000_000, 500_000),
        ("VND", 100_000, 1_000_000_000, 500_000),
    ],
)
def test_in_others_the_size_of_the_currency_counts(
    currency: str, least: int, most: int, usual: int
) -> None:
    limits = limits_of(currency)
    assert (limits.least, limits.most, limits.usual) == (
        Decimal(least),
        Decimal(most),
        Decimal(usual),
    )


def test_the_docs_list_every_currency_with_its_limits() -> None:
    docs = Path(__file__).parents[2] / "docs" / "campaigns.md"
    rows = re.findall(r"^\| ([A-Z ]+) \| ([\d,]+) \| ([\d,]+) \|$", docs.read_text(), re.MULTILINE)
    told = {
        code: f"{least} to {most} {code}" for codes, least, most in rows for code in codes.split()
    }
    assert told == {code: limits_of(code).words for code in CURRENCY_OFFSETS}


@pytest.mark.parametrize("currency", sorted(CURRENCY_OFFSETS.keys() - {*LIKE_DOLLARS}))
def test_what_ten_to_ten_thousand_dollars_buy_is_possible_in_all_of_them(currency: str) -> None:
    limits = limits_of(currency)
    assert limits.least <= 10 * dollar(currency)
    assert limits.most >= 10_000 * dollar(currency)


@pytest.mark.parametrize("currency", sorted(CURRENCY_OFFSETS))
def test_the_least_is_not_below_metas_own_minimum(currency: str) -> None:
    assert limits_of(currency).least >= dollar(currency)


@given(CURRENCIES, st.integers(-(10**12), 10**12))
def test_a_budget_is_taken_if_and_only_if_it_lies_within(currency: str, minor: int) -> None:
    limits = limits_of(currency)
    if limits.least * offset(currency) <= minor <= limits.most * offset(currency):
        limits.require(minor)
        assert limits.minor(to_major(minor, currency)) == minor
        return
    with pytest.raises(InputError) as refused:
        limits.require(minor)
    assert limits.words in refused.value.remedy
    assert currency in refused.value.remedy


@given(CURRENCIES)
def test_the_limits_themselves_are_taken_and_a_unit_more_or_less_is_not(currency: str) -> None:
    limits = limits_of(currency)
    least, most = (to_minor(each, currency) for each in (limits.least, limits.most))
    for minor in (least, most, to_minor(limits.usual, currency)):
        limits.require(minor)
    for minor, words in ((least - 1, "too small"), (most + 1, "too large")):
        with pytest.raises(InputError, match=words):
            limits.require(minor)


def taken(limits: BudgetLimits, minor: int) -> bool:
    try:
        limits.require(minor)
    except InputError:
        return False
    return True


MINOR = st.integers(0, 10**12)


@given(CURRENCIES, MINOR, MINOR)
def test_who_is_within_the_limits_stays_within(currency: str, now: int, minor: int) -> None:
    """What a budget is today lets it go nowhere that a new campaign could not."""
    limits = limits_of(currency)
    within = to_minor(limits.least, currency) + now % to_minor(limits.most, currency)
    assume(taken(limits, within))
    for asked in (minor, 2 * within, to_minor(limits.most, currency) + 1, within):
        assert taken(limits.around(within), asked) is taken(limits, asked)
    assert limits.around(0) == limits.around(within) == limits


@given(CURRENCIES, st.integers(1, 10**12), MINOR)
def test_who_is_above_comes_back_and_is_doubled_at_most(
    currency: str, above: int, minor: int
) -> None:
    limits = limits_of(currency)
    now = to_minor(limits.most, currency) + above
    around = limits.around(now)
    assert taken(around, now)
    assert taken(around, 2 * now)
    assert not taken(around, 2 * now + 1)
    assert not taken(around, to_minor(limits.least, currency) - 1)
    if taken(limits, minor):
        assert taken(around, minor)


@given(CURRENCIES, st.integers(1, 10**12))
def test_who_is_below_may_stay_and_go_up_and_not_further_down(currency: str, below: int) -> None:
    limits = limits_of(currency)
    now = below % to_minor(limits.least, currency)
    assume(now > 0)
    around = limits.around(now)
    assert taken(around, now)
    assert not taken(around, now - 1)
    assert taken(around, to_minor(limits.most, currency))
    assert not taken(around, to_minor(limits.most, currency) + 1)


def part_taken(limits: BudgetLimits, minor: int, part: int, whole: int) -> bool:
    try:
        limits.require_part(minor, part_now_minor=part, now_minor=whole)
    except InputError:
        return False
    return True


@given(CURRENCIES, st.lists(st.integers(1, 10**10), min_size=1, max_size=5), MINOR)
def test_an_ad_set_may_have_what_its_campaign_may_have_with_it(
    currency: str, ad_sets: list[int], minor: int
) -> None:
    """The first of them is set anew; a lower budget is always one."""
    limits = limits_of(currency)
    whole, own = sum(ad_sets), ad_sets[0]
    after = whole - own + minor
    most = to_minor(limits.around(whole).most, currency)
    assert part_taken(limits, minor, own, whole) is (minor <= own or after <= most)


def test_a_refused_raise_says_what_is_left() -> None:
    with pytest.raises(InputError) as refused:
        limits_of("EUR").require_part(400_000, part_now_minor=300_000, now_minor=950_000)
    assert refused.value.what == (
        "With 4,000.00 EUR a day for this ad set its campaign would have 10,500.00 EUR, which is "
        "too much."
    )
    assert refused.value.remedy == (
        "A campaign may have up to 10,000 EUR a day, which leaves 3,500.00 EUR for this ad set."
    )


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("USD", "9.996", 1_000),
        ("USD", "49.90", 4_990),
        ("JPY", "5000.4", 5_000),
        ("IDR", "250000", 250_000),
        ("BHD", "1.005", 100),
    ],
)
def test_an_amount_is_rounded_to_the_smallest_unit_first(
    currency: str, amount: str, minor: int
) -> None:
    assert limits_of(currency).minor(Decimal(amount)) == minor


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-50", "0", "1e13", "1e999999", "1e-999999"])
def test_what_is_no_budget_in_any_currency_is_refused_in_few_words(amount: str) -> None:
    for currency in ("USD", "VND"):
        with pytest.raises(InputError, match="Choose") as refused:
            limits_of(currency).minor(Decimal(amount))
        assert len(str(refused.value)) < 120


def test_a_refusal_names_amount_currency_and_limits() -> None:
    with pytest.raises(InputError) as refused:
        limits_of("IDR").minor(Decimal(10_000))
    assert refused.value.what == "A daily budget of 10,000 IDR is too small."
    assert refused.value.remedy == "Choose 100,000 to 1,000,000,000 IDR a day."


def test_a_currency_that_meta_does_not_bill_in_has_no_limits() -> None:
    with pytest.raises(InputError, match="KWD"):
        limits_of("KWD")
    assert known_limits("KWD") is None
    assert known_limits("") is None
    assert known_limits("JPY") == limits_of("JPY")
