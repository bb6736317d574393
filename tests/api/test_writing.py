"""Money in replies: the digits of the amount, and no others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.console.api.writing import EXACT_MINOR, amount, dumps, moment, number
from zyenta_ads_pipeline.domain.money import to_major


@given(st.integers(-EXACT_MINOR + 1, EXACT_MINOR - 1))
def test_an_amount_is_written_with_its_own_digits(minor: int) -> None:
    written = json.loads(dumps(amount(minor, "EUR")), parse_float=Decimal, parse_int=Decimal)
    assert written == to_major(minor, "EUR")


@given(st.integers(-(10**18), 10**18))
def test_a_currency_without_cents_is_written_whole(minor: int) -> None:
    assert dumps(amount(minor, "JPY")) == str(minor)


def test_amounts_look_as_the_seeds_show_them() -> None:
    assert dumps([amount(5000, "USD"), amount(4990, "USD"), amount(1, "EUR")]) == "[50.0,49.9,0.01]"


def test_a_number_that_is_none_is_never_written() -> None:
    assert number(None) is None
    with pytest.raises(ValueError, match="JSON"):
        dumps({"roas": float("nan")})


def test_moments_are_utc() -> None:
    assert moment(datetime(2026, 11, 20, 12, tzinfo=UTC)) == "2026-11-20T12:00:00Z"
