"""What a campaign's daily budget may be, by currency.

The seeds allow 10 to 10,000 a day and mean dollars. The same numbers hold in currencies like it, of
which half of one to two make a dollar. Of any other only its *size* counts: the power of ten at or
below what a dollar costs, 100 for the yen. Ten times the size is the least and a hundred thousand
times the most, so whatever 10 to 10,000 dollars buy is possible, and a limit stays where it is
while exchange rates move.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import (
    CURRENCY_OFFSETS,
    offset,
    plain,
    show,
    to_major,
    to_minor,
)

_LIKE_DOLLARS = "AUD BGN CAD CHF EUR GBP JOD LVL NZD SGD USD"
_SIZES = {
    "0.1": "BHD",
    "1": "AED BOB BRL CNY DKK FBZ GTQ HKD HRK ILS LTL MOP MYR PEN PLN QAR RON SAR",
    "10": "CZK EGP HNL INR MXN NIO NOK PHP RUB SEK SKK THB TRY TWD UAH UYU VEF ZAR",
    "100": "BDT CRC DZD HUF ISK JPY KES PKR RSD VES",
    "1000": "ARS CLP COP KRW NGN PYG",
    "10000": "IDR VND",
}
CURRENCY_SIZES: dict[str, Decimal] = {
    **dict.fromkeys(_LIKE_DOLLARS.split(), Decimal(1)),
    **{code: Decimal(size) for size, codes in _SIZES.items() for code in codes.split()},
}
"""The size of every currency that Meta bills in; of those that are gone as it was last."""

NO_BUDGET = Decimal(10**13)
"""From here on a number of major units is no budget in any currency."""


@dataclass(frozen=True)
class BudgetLimits:
    """What a daily budget in `currency` may be: `least` to `most`, both included, major units.

    `size` is the currency's (see the module), `usual` a budget to begin with.
    """

    currency: str
    size: Decimal
    least: Decimal
    most: Decimal
    usual: Decimal

    @property
    def words(self) -> str:
        """`10 to 10,000 USD`."""
        return _words(self.least, self.most, self.currency)

    def minor(self, amount: Decimal) -> int:
        """A new campaign's daily budget of `amount` major units in whole minor units. Raises
        `InputError` for what is no amount or, once rounded, outside the limits."""
        if not amount.is_finite() or not 0 <= amount < NO_BUDGET:
            raise InputError(
                f"A daily budget of {amount:.6g} cannot be.", f"Choose {self.words} a day."
            )
        rounded = to_minor(amount, self.currency)
        self.require(rounded)
        return rounded

    def require(self, minor: int, *, now_minor: int = 0) -> None:
        """Raise `InputError` for a daily budget (whole minor units) outside the limits.

        A campaign whose budget lies beyond them already, `now_minor`, can be brought back, and at
        most be doubled at a time.
        """
        amount, now = to_major(minor, self.currency), to_major(now_minor, self.currency)
        least, most = min(self.least, now or self.least), max(self.most, 2 * now)
        if not least <= amount <= most:
            raise InputError(
                f"A daily budget of {show(amount, self.currency)} is too "
                f"{'small' if amount < least else 'large'}.",
                f"Choose {_words(least, most, self.currency)} a day.",
            )


def limits_of(currency: str) -> BudgetLimits:
    """The limits of a currency. Raises `InputError` for one that Meta does not bill in."""
    offset(currency)
    size = CURRENCY_SIZES[currency]
    return BudgetLimits(
        currency=currency,
        size=size,
        least=10 * size,
        most=(10_000 if currency in _LIKE_DOLLARS.split() else 100_000) * size,
        usual=50 * size,
    )


def known_limits(currency: str) -> BudgetLimits | None:
    """The same; None for a currency that is not known, as of an account that was never read."""
    return limits_of(currency) if currency in CURRENCY_OFFSETS else None


def _words(least: Decimal, most: Decimal, currency: str) -> str:
    low, high = (f"{Decimal(plain(each)):,}" for each in (least, most))
    return f"{low} to {high} {currency}"
