"""What a campaign's daily budget may be, by currency.

The seeds allow 10 to 10,000 a day and mean dollars. The same numbers hold in currencies like it, of
which half of one to two make a dollar. Of any other only its *size* counts: the power of ten at or
below what a dollar costs, 100 for the yen. Ten times the size is the least and a hundred thousand
times the most, so what 10 to 10,000 dollars buy is possible (but for a few percent at an end, where
a dollar has come to cost a little less than its power of ten), and a limit stays where it is while
exchange rates move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
        return f"{_grouped(self.least)} to {_grouped(self.most)} {self.currency}"

    def around(self, now_minor: int) -> BudgetLimits:
        """The limits of a campaign that has `now_minor` a day already, or 0.

        One that lies beyond them, as Ads Manager lets it, can be brought back or left below, and at
        most be doubled at a time. One that lies within stays within.
        """
        now = to_major(now_minor, self.currency)
        return replace(
            self,
            least=min(self.least, now or self.least),
            most=2 * now if now > self.most else self.most,
        )

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

    def require(self, minor: int) -> None:
        """Raise `InputError` for a daily budget (whole minor units) outside the limits."""
        amount = to_major(minor, self.currency)
        if not self.least <= amount <= self.most:
            raise InputError(
                f"A daily budget of {show(amount, self.currency)} is too "
                f"{'small' if amount < self.least else 'large'}.",
                f"Choose {self.words} a day.",
            )

    def require_part(self, minor: int, *, part_now_minor: int, now_minor: int) -> None:
        """Raise `InputError` for a budget of one ad set (whole minor units) that is raised so far
        that its campaign gets beyond the most.

        `part_now_minor` is what the ad set has today, `now_minor` the campaign in all. How little
        one ad set may have is Meta's to say: three share what a campaign has at the least.
        """
        most = self.around(now_minor).most
        rest = max(0, now_minor - part_now_minor)
        whole = to_major(rest + minor, self.currency)
        if minor > part_now_minor and whole > most:
            left = most - to_major(rest, self.currency)
            raise InputError(
                f"With {show(to_major(minor, self.currency), self.currency)} a day for this ad set "
                f"its campaign would have {show(whole, self.currency)}, which is too much.",
                f"A campaign may have up to {_grouped(most)} {self.currency} a day, which leaves "
                f"{show(left, self.currency)} for this ad set.",
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


def _grouped(amount: Decimal) -> str:
    return f"{Decimal(plain(amount)):,}"
