"""Amounts as people type them into a form."""

from __future__ import annotations

import re
from decimal import Decimal

from zyenta_ads_pipeline.domain.errors import InputError

_AMOUNT = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,6})?", re.ASCII)
_THOUSANDS = re.compile(r"[.,][0-9]{3}(?![0-9])", re.ASCII)


def amount(text: str, what: str = "The budget") -> Decimal:
    """An amount in major units, of digits with at most one point or comma before the cents.

    Raises `InputError`: also for 1,000 and 1.000, which are a thousand to some and one to others.
    """
    if _THOUSANDS.search(text):
        raise InputError(
            f"{what} of {text[:30]} can be read in two ways.", "Write 1000 or 1000.00."
        )
    if not _AMOUNT.fullmatch(text):
        raise InputError(f"{what} is no number.", "Give one, such as 50 or 49.90.")
    return Decimal(text.replace(",", "."))
