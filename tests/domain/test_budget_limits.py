"""What a daily budget may be in each of Meta's currencies."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.budget_limits import (
    CURRENCY_SIZES,
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


@given(CURRENCIES, st.integers(1, 10**15), st.integers(1, 10**15))
def test_a_budget_beyond_the_limits_can_come_back_and_be_doubled_at_most(
    currency: str, now: int, minor: int
) -> None:
    limits = limits_of(currency)
    least, most = (to_minor(each, currency) for each in (limits.least, limits.most))
    if min(least, now) <= minor <= max(most, 2 * now):
        limits.require(minor, now_minor=now)
        return
    with pytest.raises(InputError):
        limits.require(minor, now_minor=now)


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
