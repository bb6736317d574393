"""Prices as shops write them, in whole minor units: `29.90`, `€ 1.299,00`, `29.90 EUR`.

Nothing is guessed: an amount that can be read in two ways, or a sign that several currencies
share, is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import decimals, offset, plain, to_minor

_HIGHEST = Decimal(10) ** 12
_LONGEST = 60
"""Characters."""
_NOISE = Decimal("0.0001")
"""In minor units: what a shop's own binary fractions may leave behind (29.990000000000002)."""

_DOLLARS = ("USD", "AUD", "CAD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "UYU", "TWD")
_SIGNS: dict[str, tuple[str, ...]] = {
    "US$": ("USD",), "AU$": ("AUD",), "CA$": ("CAD",), "NZ$": ("NZD",), "HK$": ("HKD",),
    "MX$": ("MXN",), "NT$": ("TWD",), "A$": ("AUD",), "C$": ("CAD",), "S$": ("SGD",),
    "R$": ("BRL",), "$": _DOLLARS, "€": ("EUR",), "£": ("GBP",), "¥": ("JPY", "CNY"),
    "₹": ("INR",), "₩": ("KRW",), "₺": ("TRY",), "₫": ("VND",), "₴": ("UAH",), "₽": ("RUB",),
    "₪": ("ILS",), "₱": ("PHP",), "฿": ("THB",), "₦": ("NGN",), "zł": ("PLN",), "Kč": ("CZK",),
    "Ft": ("HUF",), "lei": ("RON",), "kr.": ("DKK", "NOK", "SEK", "ISK"),
    "kr": ("DKK", "NOK", "SEK", "ISK"),
}  # fmt: skip
_BODY = r"(?P<amount>[-+−]?[\s'’0-9.,]*[0-9][\s'’0-9.,]*(?:[-–—]+)?)"  # noqa: RUF001 - shops write them
_PRICE = re.compile(rf"(?P<before>[^\s0-9.,+−-]*?)\s*{_BODY}\s*(?P<after>[^\s0-9]*)")  # noqa: RUF001


def currency_of(text: str, usual: str) -> str:
    """The currency that a code or sign stands for; a shared sign means the `usual` one, if it can.

    Raises `InputError` for what is no currency that Meta bills in, or one of several.
    """
    meant = _SIGNS.get(text)
    if meant is None:
        code = text.upper()
        offset(code)
        return code
    if usual in meant:
        return usual
    if len(meant) == 1:
        return meant[0]
    raise InputError(
        f"The sign {text!r} stands for several currencies.",
        f"Write the currency's code, such as {meant[0]}.",
    )


def read_price(value: str | int | Decimal, *, stated: str | None, usual: str) -> tuple[int, str]:
    """A price in whole minor units, and its currency.

    `stated` is the row's own currency, if it names one; `usual` the store's, which holds where
    nothing else is said. Raises `InputError`, without the place, for anything that is not exactly
    one positive amount of one currency.
    """
    usual = currency_of(stated, usual) if stated else usual
    if isinstance(value, str):
        written, mark = _parts(value)
        currency = currency_of(mark, usual) if mark else usual
        if stated and currency != usual:
            raise InputError(
                f"{value!r} is in {currency}, and the row's currency is {usual}.",
                "Let both say the same.",
            )
        offset(currency)
        amount = _amount(written, currency, value)
    else:
        currency, amount = usual, Decimal(value)
        offset(currency)
    return _minor(amount, currency), currency


def _parts(text: str) -> tuple[str, str]:
    """The amount as it is written, and the currency's code or sign."""
    found = _PRICE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    marks = [found["before"], found["after"]] if found else []
    if found is None or all(marks):
        raise InputError(
            f"{text[:_LONGEST]!r} is not one amount.", "Write it like 29.90 or 29.90 EUR."
        )
    return found["amount"].strip(), "".join(marks)


def _amount(written: str, currency: str, whole: str) -> Decimal:
    """The one number that `written` can mean."""
    if written.startswith(("-", "−")):  # noqa: RUF001 - both are written
        raise InputError(f"{whole!r} is negative.", "Give the price that a customer pays.")
    digits = re.sub(r"[.,]?[-–—]+$", "", written.lstrip("+").strip())  # noqa: RUF001
    digits = re.sub(r"\s+|’", "'", digits)  # noqa: RUF001
    found = set()
    for point, group in product(".,", ("", "'", ".", ",")):
        if point == group:
            continue
        thousands = (
            rf"[1-9][0-9]{{0,2}}(?:{re.escape(group)}[0-9]{{2,3}})*{re.escape(group)}[0-9]{{3}}"
            if group
            else "[0-9]*"
        )
        match = re.fullmatch(rf"({thousands})(?:{re.escape(point)}([0-9]*))?", digits)
        if match and (match[1] or match[2]):
            whole_part = match[1].replace(group, "") if group else match[1]
            found.add(Decimal(f"{whole_part or '0'}.{match[2] or '0'}"))
    if len(found) > 1 and decimals(currency) == 0:
        found = {max(found)}
    if not found:
        raise InputError(f"{whole!r} is not an amount.", "Write it like 29.90 or 29.90 EUR.")
    if len(found) > 1:
        few, many = sorted(found)
        raise InputError(
            f"{whole!r} can mean {plain(few)} or {plain(many)}.",
            "Write it with two decimals and without separators of thousands, like 1299.00.",
        )
    return found.pop()


def _minor(amount: Decimal, currency: str) -> int:
    if not 0 < amount < _HIGHEST:
        size = "negative" if amount < 0 else "zero" if amount == 0 else "too high"
        raise InputError(f"A price cannot be {size}.", "Give the price that a customer pays.")
    minor = to_minor(amount, currency)
    if abs(amount * offset(currency) - minor) > _NOISE or minor == 0:
        places = decimals(currency)
        raise InputError(
            f"{plain(amount)} has more decimals than {currency} has on Meta ({places}).",
            f"Round it to {places} decimals.",
        )
    return minor
