"""The one definition of each metric. SQL, Polars, faces and docs all draw on it.

Every ratio is a ratio of sums, and empty when its denominator is. In SQL each is a macro of the
same name, so that `roas(sum(purchase_value), sum(spend))` means the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

SUMS: tuple[str, ...] = (
    "impressions",
    "clicks",
    "link_clicks",
    "spend",
    "purchases",
    "purchase_value",
    "leads",
)
"""What adds up over days and objects. Reach and frequency do not."""


@dataclass(frozen=True)
class Ratio:
    """A metric that is one sum divided by another, times `scale`.

    `needs_both` makes it empty as well when the numerator is zero: a cost per purchase is not
    zero where nothing was spent, it does not exist.
    """

    name: str
    numerator: str
    denominator: str
    meaning: str
    scale: int = 1
    needs_both: bool = False

    def expression(self) -> pl.Expr:
        """The ratio over a frame that has both sums as columns."""
        top = pl.col(self.numerator).cast(pl.Float64)
        bottom = pl.col(self.denominator).cast(pl.Float64)
        exists = bottom != 0
        if self.needs_both:
            exists &= top != 0
        value = top / bottom if self.scale == 1 else self.scale * (top / bottom)
        return pl.when(exists).then(value).alias(self.name)

    def macro(self) -> str:
        """The ratio as a DuckDB macro over its two sums."""
        top = f"nullif({self.numerator}, 0)" if self.needs_both else self.numerator
        scaled = "" if self.scale == 1 else f"{self.scale} * "
        return (
            f"CREATE OR REPLACE MACRO {self.name}({self.numerator}, {self.denominator}) AS "
            f"{scaled}(CAST({top} AS DOUBLE) / nullif(CAST({self.denominator} AS DOUBLE), 0))"
        )


RATIOS: tuple[Ratio, ...] = (
    Ratio("ctr", "clicks", "impressions", "Clicks per impression, a fraction (all clicks)."),
    Ratio("cpc", "spend", "clicks", "Spend per click."),
    Ratio("cpm", "spend", "impressions", "Spend per 1000 impressions.", scale=1000),
    Ratio("cpa", "spend", "purchases", "Spend per purchase.", needs_both=True),
    Ratio("roas", "purchase_value", "spend", "Purchase value per unit of spend."),
)


def with_ratios(sums: pl.DataFrame) -> pl.DataFrame:
    """`sums` (all columns of `SUMS`) with one column per ratio added."""
    return sums.with_columns(ratio.expression() for ratio in RATIOS)
