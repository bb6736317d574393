"""The metrics of insights rows, whole columns at a time, computed from their sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext

import numpy as np
import polars as pl

_SIX_DECIMALS = Decimal("0.000001")
COUNTS = frozenset({"impressions", "clicks", "inline_link_clicks", "reach"})
RATIOS: dict[str, tuple[str, str, int]] = {
    "ctr": ("clicks", "impressions", 100),
    "cpc": ("spend", "clicks", 1),
    "cpm": ("spend", "impressions", 1000),
    "cpp": ("spend", "reach", 1000),
    "frequency": ("impressions", "reach", 1),
    "inline_link_click_ctr": ("inline_link_clicks", "impressions", 100),
    "cost_per_inline_link_click": ("spend", "inline_link_clicks", 1),
}
"""Numerator, denominator, factor."""
METRICS = COUNTS | {"spend"} | RATIOS.keys()
"""The metrics that are plain numbers: those that filters and sorting can use."""


class Metrics:
    """Plain metrics of the rows of `summed`, reach being a column of theirs if it is known."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    def texts(self, name: str) -> pl.Series | None:
        """A metric as it is told, null where it has no value; None when the source lacks it."""
        if name == "spend":
            return self.rows["spend"].fill_null("0") if "spend" in self.rows.columns else None
        if name in COUNTS:
            return self.rows[name].cast(pl.String) if name in self.rows.columns else None
        return self._ratio(name) if name in RATIOS else None

    def numbers(self, name: str) -> list[Decimal | None]:
        """A metric as numbers, for filters and sorting."""
        texts = self.texts(name)
        if texts is None:
            return [None] * self.rows.height
        return decimals_of(texts)

    def _ratio(self, name: str) -> pl.Series | None:
        over, under, factor = RATIOS[name]
        tops, bottoms = self._quantities(over), self._quantities(under)
        if tops is None or bottoms is None:
            return None
        return pl.Series(
            name,
            [
                divided(top * factor, bottom) if top is not None and bottom else None
                for top, bottom in zip(tops, bottoms, strict=True)
            ],
            pl.String,
        )

    def _quantities(self, name: str) -> list[Decimal | None] | None:
        texts = self.texts(name)
        if texts is None:
            return None
        return decimals_of(texts)


def with_reach(rows: pl.DataFrame, audience: Mapping[str, int]) -> pl.DataFrame:
    """`rows` with the people reached, estimated from the impressions.

    Every day, object and part of a breakdown reaches partly the same ones of an account's
    `audience`, so that reach does not add up.
    """
    if "impressions" not in rows.columns or not audience:
        return rows
    shown = rows["impressions"].to_numpy().astype(np.float64)
    people = rows["account_id"].replace_strict(
        dict(audience), default=None, return_dtype=pl.Float64
    )
    crowd = people.fill_null(1.0).to_numpy()
    reached = np.minimum(shown, np.ceil(crowd * -np.expm1(-shown / crowd)))
    found = pl.Series("reach", reached.astype(np.int64))
    return rows.with_columns(pl.when(people.is_not_null()).then(found).alias("reach"))


def divided(top: Decimal, bottom: Decimal) -> str:
    """A quotient as Meta tells it, with six decimals."""
    with localcontext() as context:
        context.prec = 100
        return str((top / bottom).quantize(_SIX_DECIMALS, rounding=ROUND_HALF_UP))


def decimals_of(texts: Iterable[str | None]) -> list[Decimal | None]:
    """Texts as numbers; None stays None."""
    return [None if text is None else Decimal(text) for text in texts]
