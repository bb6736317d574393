"""Amounts as people type them into a form, and what the form says of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from zyenta_ads_pipeline.domain.budget_limits import BudgetLimits
from zyenta_ads_pipeline.domain.money import decimals, plain, typed_amount


@dataclass(frozen=True)
class BudgetField:
    """What a field for a daily budget takes, as HTML has numbers; `words` says the limits, `keys`
    which keyboard a phone shows."""

    least: str
    most: str
    step: str
    keys: str
    words: str


def budget_field(limits: BudgetLimits) -> BudgetField:
    """A field that takes what the limits allow: whole units where the currency has no smaller."""
    cents = decimals(limits.currency) > 0
    return BudgetField(
        least=plain(limits.least),
        most=plain(limits.most),
        step="any" if cents else "1",
        keys="decimal" if cents else "numeric",
        words=limits.words,
    )


def amount(text: str, what: str = "The budget") -> Decimal:
    """An amount in major units as it was typed. Raises `InputError` as `typed_amount`."""
    return typed_amount(text, what)
