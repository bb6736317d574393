"""Minimum daily budgets by currency, in whole minor units.

Meta asks for about one US dollar a day where impressions are billed. The rates are round
figures: good enough to refuse what Meta would refuse, not for conversion.
"""

from __future__ import annotations

from zyenta_ads_pipeline.domain.money import offset

_UNITS_PER_DOLLAR = {
    "AED": 4, "ARS": 1000, "AUD": 2, "BDT": 120, "BGN": 2, "BOB": 7, "BRL": 6, "CAD": 2,
    "CLP": 1000, "CNY": 7, "COP": 4000, "CRC": 500, "CZK": 25, "DKK": 7, "DZD": 140, "EGP": 50,
    "FBZ": 1, "GTQ": 8, "HKD": 8, "HNL": 25, "HRK": 7, "HUF": 350, "IDR": 16000, "ILS": 4,
    "INR": 85, "ISK": 140, "JOD": 1, "JPY": 150, "KES": 130, "KRW": 1400, "LTL": 3, "MOP": 8,
    "MXN": 20, "MYR": 5, "NGN": 1600, "NIO": 37, "NOK": 11, "NZD": 2, "PEN": 4, "PHP": 57,
    "PKR": 280, "PLN": 4, "PYG": 7500, "QAR": 4, "RON": 5, "RSD": 110, "RUB": 90, "SAR": 4,
    "SEK": 11, "SGD": 2, "SKK": 28, "THB": 35, "TRY": 35, "TWD": 32, "UAH": 42, "UYU": 40,
    "VEF": 10, "VES": 250, "VND": 25000, "ZAR": 18,
}  # fmt: skip


def minimum_daily_budget(currency: str) -> int:
    """The least daily budget of a campaign or ad set that bills by impressions."""
    return _UNITS_PER_DOLLAR.get(currency, 1) * offset(currency)


def minimum_budget_row(currency: str) -> dict[str, int | str]:
    """A row of the `minimum_budgets` edge."""
    least = minimum_daily_budget(currency)
    return {
        "currency": currency,
        "min_daily_budget_imp": least,
        "min_daily_budget_high_freq": least * 5,
        "min_daily_budget_low_freq": least * 40,
        "min_daily_budget_video_views": least * 5,
    }
