"""Amounts between Meta's whole numbers and people's decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import (
    CURRENCY_OFFSETS,
    decimals,
    offset,
    raised,
    show,
    to_major,
    to_minor,
    typed_amount,
)

CURRENCIES = st.sampled_from(sorted(CURRENCY_OFFSETS))
MINOR = st.integers(-(10**15), 10**15)

# As Meta's "Currencies" page lists them, written down a second time on purpose.
OFFSET_1 = {"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"}
_CODES = (
    "AED ARS AUD BDT BGN BHD BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR FBZ GBP GTQ HKD HNL HRK ILS "
    "INR JOD KES LTL LVL MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD "
    "SKK THB TRY UAH USD UYU VEF VES ZAR"
)
OFFSET_100 = set(_CODES.split())


def test_the_offsets_are_metas_and_not_those_of_iso_4217() -> None:
    assert (len(OFFSET_1), len(OFFSET_100)) == (11, 55)
    assert {code for code, n in CURRENCY_OFFSETS.items() if n == 1} == OFFSET_1
    assert {code for code, n in CURRENCY_OFFSETS.items() if n == 100} == OFFSET_100
    assert (decimals("HUF"), decimals("TWD")) == (0, 0)
    assert (decimals("BHD"), decimals("JOD")) == (2, 2)


@given(CURRENCIES, MINOR)
def test_minor_units_survive_the_way_to_major_and_back(currency: str, minor: int) -> None:
    major = to_major(minor, currency)
    assert to_minor(major, currency) == minor
    assert major * offset(currency) == minor


@given(CURRENCIES, st.decimals(min_value=-(10**12), max_value=10**12, places=4))
def test_rounding_moves_an_amount_by_half_a_minor_unit_at_most(
    currency: str, amount: Decimal
) -> None:
    assert abs(to_minor(amount, currency) - amount * offset(currency)) <= Decimal("0.5")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "USD", 1999),  # int(19.99 * 100) is 1998
        ("8.20", "USD", 820),  # int(8.2 * 100) is 819
        ("0.005", "USD", 0),
        ("0.015", "USD", 2),
        ("1000", "JPY", 1000),
        ("2.5", "JPY", 2),
        ("3.5", "HUF", 4),
    ],
)
def test_an_amount_becomes_whole_units_half_to_even(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("50", "50"), ("49.9", "49.90"), ("49,90", "49.90"), (" 10000 ", "10000"), ("007", "7"),
     ("0.00", "0"), ("1.00", "1")],
)  # fmt: skip
def test_an_amount_is_read_as_it_was_typed(typed: str, amount: str) -> None:
    assert typed_amount(typed) == Decimal(amount)


@pytest.mark.parametrize(
    "typed",
    ["1,000", "1.000", "1,0000", "10,0000", "10.0000", "1,000.50", "1.000,50", "1,0000.50",
     "10,00,000", "12,345"],
)  # fmt: skip
def test_what_is_grouped_is_not_taken_for_cents(typed: str) -> None:
    with pytest.raises(InputError, match=r"Write 1000 or 1000\.00"):
        typed_amount(typed)


@pytest.mark.parametrize(
    "typed",
    ["", "many", "1_000", "5e3", "-5", "+5", "NaN", "1.00000", "1..5", "1.", ".5", "\u0663",
     "1 000", "1'000", "9" * 16],
)  # fmt: skip
def test_what_is_no_number_is_told(typed: str) -> None:
    with pytest.raises(InputError, match="The fee is no number"):
        typed_amount(typed, "The fee")


@given(st.text("0123456789.,_e+- ", max_size=12))
def test_no_text_is_read_as_another_amount_than_it_says(text: str) -> None:
    """What is taken has two digits after its one sign at most."""
    try:
        amount = typed_amount(text)
    except InputError:
        return
    whole, _, cents = text.strip().replace(",", ".").partition(".")
    assert amount == int(whole) + Decimal(int(cents or 0)) / 10 ** len(cents)
    assert len(cents) <= 2


@pytest.mark.parametrize(
    ("minor", "percent", "after"), [(100, 20, 120), (333, 10, 366), (5, 10, 6), (1, 100, 2)]
)
def test_a_raise_is_rounded_half_up(minor: int, percent: int, after: int) -> None:
    assert raised(minor, percent) == after


@pytest.mark.parametrize("amount", [19.99, 19, "19.99"])
def test_only_decimals_are_money(amount: object) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        to_minor(amount, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["", "usd", "XXX", "BTC", "US D"])
def test_a_currency_meta_does_not_bill_in_is_refused_by_name(code: str) -> None:
    for use in (offset, decimals, lambda c: to_minor(Decimal(1), c), lambda c: to_major(1, c)):
        with pytest.raises(InputError, match="Meta bills in") as refused:
            use(code)
        assert repr(code) in refused.value.what
        assert "EUR" in refused.value.remedy


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12.5", "USD", "$12.50"),
        ("12.5", "EUR", "12.50 EUR"),
        ("1250", "JPY", "1,250 JPY"),
        ("1234567.891", "GBP", "1,234,567.89 GBP"),
    ],
)
def test_an_amount_is_shown_with_its_currencys_decimals(
    amount: str, currency: str, text: str
) -> None:
    assert show(Decimal(amount), currency) == text
