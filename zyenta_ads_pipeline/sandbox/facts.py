"""What the ads did: one row per ad and day, and its sums over objects and periods.

Amounts stay texts until they are summed, and are summed exactly: a row that is not a sum
leaves the sandbox with the very digits it came in with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox.amounts import grouped_sums

IDS: dict[Level, tuple[str, ...]] = {
    Level.ACCOUNT: ("account_id",),
    Level.CAMPAIGN: ("account_id", "campaign_id"),
    Level.ADSET: ("account_id", "campaign_id", "adset_id"),
    Level.AD: ("account_id", "campaign_id", "adset_id", "ad_id"),
}
COUNTS = ("impressions", "clicks", "inline_link_clicks")
STATS = ("actions", "action_values")


@dataclass(frozen=True)
class Facts:
    """Rows of one source as of one moment.

    `frame` has `date`, ids as texts, the counts that the source knows, and texts in `spend`,
    `actions.<type>` and `action_values.<type>` (null: nothing happened), with `|<window>` after
    the type for one attribution window. `finest` is the level of the rows. `audience` is the
    number of people an account can reach; without it reach is not known. `version` changes
    whenever the rows do. `seed` decides how rows are broken down. `hours` gives what each ad did
    in each hour of its days (`date`, `ad_id`, `hour` from 0, the counts, `spend` in any unit);
    without it days follow a fixed curve.
    """

    frame: pl.DataFrame
    version: str
    finest: Level = Level.AD
    audience: Mapping[str, int] = field(default_factory=dict)
    seed: str = ""
    hours: Callable[[], pl.DataFrame] | None = None


def action_types(columns: Iterable[str]) -> list[str]:
    """The action types among the columns of facts, in their order."""
    found: dict[str, None] = {}
    for column in columns:
        kind, dot, name = column.partition(".")
        if dot and kind in STATS:
            found[name.partition("|")[0]] = None
    return list(found)


def summed(
    rows: pl.DataFrame,
    level: Level,
    periods: Sequence[DateRange],
    *,
    keys: Sequence[str] = (),
    amounts: Sequence[str] | None = None,
) -> pl.DataFrame:
    """`rows` of facts by object, period and `keys`; groups without any delivery are left out.

    Column `period` is the index into `periods`, which may overlap. `amounts` are the columns of
    texts wanted (default: all); each is the exact sum, null where nothing happened.
    """
    days = pl.DataFrame(
        {
            "date": [day for days in periods for day in days.days()],
            "period": [n for n, days in enumerate(periods) for _ in range(len(days))],
        },
        schema={"date": pl.Date, "period": pl.Int32},
    )
    everything = [c for c in rows.columns if c == "spend" or c.startswith("action")]
    wanted = everything if amounts is None else [c for c in everything if c in set(amounts)]
    counts = [name for name in COUNTS if name in rows.columns]
    by = ["period", *(name for name in IDS[level] if name in rows.columns), *keys]
    rows = rows.with_columns(delivered(rows).alias("delivered"))
    dated = rows.select("date", "delivered", *by[1:], *counts, *wanted).join(days, on="date")
    if dated.select(by).is_unique().all():
        found = dated.filter("delivered").select(*by, *counts, *wanted)
        return found.sort("period", maintain_order=True)
    plain = dated.group_by(by, maintain_order=True).agg(
        pl.col("delivered").any(), *(pl.col(name).sum() for name in counts)
    )
    sums = grouped_sums(dated, by, wanted) if wanted else plain.select(by)
    found = plain.hstack(sums.select(wanted)) if wanted else plain
    return found.filter("delivered").drop("delivered").sort("period", maintain_order=True)


def delivered(rows: pl.DataFrame) -> pl.Expr:
    """Whether a row has anything to report: something was shown, clicked, spent or done."""
    something = pl.lit(value=False)
    for name in rows.columns:
        if name in ("impressions", "clicks"):
            something = something | (pl.col(name) > 0)
        elif name == "spend":
            something = something | pl.col(name).str.contains("[1-9]")
        elif name.startswith("action"):
            something = something | pl.col(name).is_not_null()
    return something.fill_null(value=False)
