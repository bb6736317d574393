"""Money in Meta's own units.

Budgets and bids travel as whole numbers in a currency's *offset unit*. Meta's offsets are not
ISO 4217: HUF and TWD have no minor unit here, JOD and BHD have two decimals.
Source: Marketing API, "Currencies" page.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

from zyenta_ads_pipeline.domain.errors import InputError

_OFFSET_1 = "CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND"
_OFFSET_100 = (
    "AED ARS AUD BDT BGN BHD BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR FBZ GBP GTQ HKD HNL HRK "
    "ILS INR JOD KES LTL LVL MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR "
    "SEK SGD SKK THB TRY UAH USD UYU VEF VES ZAR"
)

_TYPED = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,2})?", re.ASCII)
_GROUPED = re.compile(r"[.,][0-9]{3,4}(?![0-9])", re.ASCII)  # by thousands, or ten thousands

CURRENCY_OFFSETS: dict[str, int] = {
    **dict.fromkeys(_OFFSET_1.split(), 1),
    **dict.fromkeys(_OFFSET_100.split(), 100),
}


def offset(currency: str) -> int:
    """How many minor units make one major unit of `currency`: 1 or 100.

    Raises `InputError` for a currency that Meta does not bill in.
    """
    try:
        return CURRENCY_OFFSETS[currency]
    except KeyError:
        raise InputError(
            f"Currency {currency!r} is not one that Meta bills in.",
            "Use one of: " + ", ".join(sorted(CURRENCY_OFFSETS)) + ".",
        ) from None


def decimals(currency: str) -> int:
    """How many decimals an amount of `currency` has on Meta: 0 or 2."""
    return 0 if offset(currency) == 1 else 2


def to_minor(amount: Decimal, currency: str) -> int:
    """Major units to whole minor units, half to even.

    `amount` is a Decimal: a float has lost its cents before it gets here.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"money is a Decimal, not {type(amount).__name__}")
    return int((amount * offset(currency)).to_integral_value(rounding=ROUND_HALF_EVEN))


def raised(minor: int, percent: int) -> int:
    """A budget of whole minor units raised by so many percent, half up."""
    return minor + (minor * percent + 50) // 100


def typed_amount(text: str, what: str = "The amount") -> Decimal:
    """What a person typed, in major units: digits, and at most two more after one point or comma.

    Raises `InputError`: also for 1,000 and 1.0000, which are a thousand or ten thousand to some and
    one to others.
    """
    text = text.strip()
    if _GROUPED.search(text):
        raise InputError(
            f"{what} of {text[:30]} can be read in two ways.", "Write 1000 or 1000.00."
        )
    if not _TYPED.fullmatch(text):
        raise InputError(f"{what} is no number.", "Give one, such as 50 or 49.90.")
    return Decimal(text.replace(",", "."))


def to_major(minor: int, currency: str) -> Decimal:
    """Whole minor units to major units, with the currency's own number of decimals."""
    return Decimal(minor).scaleb(-decimals(currency))


def plain(amount: Decimal) -> str:
    """All digits of `amount`, without an exponent and without trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def show(amount: Decimal, currency: str) -> str:
    """An amount in words for people: `$12.50`, `12.50 EUR`, `1,250 JPY`."""
    text = f"{amount:,.{decimals(currency)}f}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"
