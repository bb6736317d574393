"""What the ads did: one row per ad and day, and its sums over objects and periods.

Amounts stay texts until they are summed, and are summed as Decimals: a row that is not a sum
leaves the sandbox with the very digits it came in with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange

IDS: dict[Level, tuple[str, ...]] = {
    Level.ACCOUNT: ("account_id",),
    Level.CAMPAIGN: ("account_id", "campaign_id"),
    Level.ADSET: ("account_id", "campaign_id", "adset_id"),
    Level.AD: ("account_id", "campaign_id", "adset_id", "ad_id"),
}
COUNTS = ("impressions", "clicks", "inline_link_clicks")
_EXACT = Context(prec=400)


@dataclass(frozen=True)
class Facts:
    """Rows of one source as of one moment.

    `frame` has `date`, ids as texts, the counts that the source knows, and texts in `spend`,
    `actions.<type>` and `action_values.<type>` (null: nothing happened), with `|<window>` after
    the type for one attribution window. `finest` is the level of the rows. `audience` is the
    number of people an account can reach; without it reach is not known. `version` changes
    whenever the rows do.
    """

    frame: pl.DataFrame
    version: str
    finest: Level = Level.AD
    audience: Mapping[str, int] = field(default_factory=dict)

    @property
    def amounts(self) -> list[str]:
        """The columns of texts that are summed."""
        return [c for c in self.frame.columns if c == "spend" or c.startswith("action")]

    def summed(
        self, level: Level, periods: Sequence[DateRange], rows: pl.DataFrame
    ) -> pl.DataFrame:
        """`rows` (a part of `frame`) by object and period; texts gathered into lists.

        Column `period` is the index into `periods`, which may overlap.
        """
        days = pl.DataFrame(
            {
                "date": [day for days in periods for day in days.days()],
                "period": [n for n, days in enumerate(periods) for _ in range(len(days))],
            },
            schema={"date": pl.Date, "period": pl.Int32},
        )
        ids = [name for name in IDS[level] if name in rows.columns]
        counts = [name for name in COUNTS if name in rows.columns]
        return (
            rows.join(days, on="date")
            .group_by(["period", *ids], maintain_order=True)
            .agg(
                *(pl.col(name).sum() for name in counts),
                *(pl.col(name).drop_nulls() for name in self.amounts),
            )
            .sort("period", maintain_order=True)
        )


def exact_sum(texts: Iterable[str]) -> Decimal:
    """The sum of decimal texts, exact whatever their number of digits."""
    with localcontext(_EXACT):
        return sum(map(Decimal, texts), Decimal(0))


def sum_text(texts: Sequence[str]) -> str:
    """The sum as a text; a single text comes back untouched."""
    return texts[0] if len(texts) == 1 else format(exact_sum(texts), "f")


@dataclass(frozen=True)
class Sums:
    """One row of `Facts.summed`."""

    values: Mapping[str, Any]

    def count(self, name: str) -> int | None:
        """A count, or None when the source does not know it."""
        value = self.values.get(name)
        return None if value is None else int(value)

    def texts(self, name: str) -> list[str]:
        """The texts behind an amount; empty when nothing happened."""
        return self.values.get(name) or []

    def delivered(self) -> bool:
        """Whether there is anything to report: without it there is no row."""
        if self.count("impressions") or self.count("clicks"):
            return True
        return any(
            texts and (name != "spend" or exact_sum(texts) != 0)
            for name, texts in self.values.items()
            if isinstance(texts, list)
        )
