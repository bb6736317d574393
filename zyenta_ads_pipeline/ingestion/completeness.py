"""The proof that nothing is missing: an account's ads add up to what Meta reports for it.

Counts have to be equal. Meta rounds the spend of every row, so each ad row may add half a minor
unit of difference. Ads may tell more purchases than the account's total, which Meta at times
leaves out (since July 2025): the ads are believed then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from zyenta_ads_pipeline.domain.ads import PURCHASE_TYPES
from zyenta_ads_pipeline.domain.money import plain, to_major
from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.models import model
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS

LEAST_AGREEMENT = 0.5
"""Share of the most frequent purchase type that the counted one must reach."""

_NAMED = 3
_AMOUNT = pl.Decimal(38, 12)


@dataclass(frozen=True)
class Gap:
    """What the ads of one day lack against the account's total; spend in account currency.

    `where` names the campaigns and ad sets whose own totals lack it, as far as they tell.
    """

    day: date
    impressions: int
    clicks: int
    spend: Decimal
    purchases: Decimal
    where: tuple[str, ...] = ()
    missing: str = ""
    """Fields that Meta could not serve for the day."""

    @property
    def positive(self) -> bool:
        """Whether the ads lack something that the total has: an ad may be missing."""
        return self.impressions > 0 or self.clicks > 0 or self.spend > 0 or self.purchases > 0

    def __str__(self) -> str:
        if self.missing:
            return f"{self.day}: Meta could not serve {self.missing}"
        amounts = {
            "impressions": str(self.impressions),
            "clicks": str(self.clicks),
            "spend": plain(self.spend),
            "purchases": plain(self.purchases),
        }
        lacking = ", ".join(f"{name} {value}" for name, value in amounts.items() if value != "0")
        named = [*self.where[:_NAMED], *(["others"] if len(self.where) > _NAMED else [])]
        place = f" in {', '.join(named)}" if named else ""
        return f"{self.day}: the account's total is ahead of its ads by {lacking}{place}"


def sums(rows: pl.DataFrame, purchase_type: str | None, by: Sequence[str]) -> pl.DataFrame:
    """Normalised rows of one level summed by `by`: rows, impressions, clicks, spend, purchases."""
    return rows.group_by(by).agg(
        pl.len().alias("rows"),
        *(_number(name).sum().alias(name) for name in ("impressions", "clicks", "spend")),
        _purchases(purchase_type).sum().alias("purchases"),
    )


def gaps_between(
    ads: pl.DataFrame, account: pl.DataFrame, purchase_type: str | None, currency: str
) -> dict[date, Gap]:
    """The days on which normalised ad rows do not add up to the account's rows, with what lacks.

    Days that are still running move between the two reports and are for the caller to leave out.
    """
    compared = (
        sums(account, purchase_type, ["date"])
        .join(
            sums(ads, purchase_type, ["date"]), on="date", how="full", coalesce=True, suffix="_ads"
        )
        .fill_null(0)
        .sort("date")
    )
    found: dict[date, Gap] = {}
    for row in compared.iter_rows(named=True):
        gap = Gap(
            row["date"],
            int(row["impressions"] - row["impressions_ads"]),
            int(row["clicks"] - row["clicks_ads"]),
            row["spend"] - row["spend_ads"],
            row["purchases"] - row["purchases_ads"],
        )
        rounding = to_major(1, currency) / 2 * max(row["rows_ads"], 1)
        if gap.impressions or gap.clicks or abs(gap.spend) > rounding or gap.purchases > 0:
            found[gap.day] = gap
    return found


def unserved_days(rows: pl.DataFrame) -> dict[date, Gap]:
    """Days of which some field could not be had: what is counted of them is not known."""
    lacking = rows.filter(pl.col("missing").is_not_null())
    return {
        day: Gap(day, 0, 0, Decimal(0), Decimal(0), missing=names)
        for day, names in lacking.group_by("date").agg(pl.col("missing").first()).iter_rows()
    }


def short_objects(
    ads: pl.DataFrame, parents: pl.DataFrame, level_id: str, days: Sequence[date]
) -> list[str]:
    """Ids of the parents (campaigns or ad sets) whose ads show fewer impressions or clicks on
    `days` than they do themselves; most impressions lacking first."""
    of_days = pl.col("date").is_in(list(days))
    own = sums(parents.filter(of_days), None, [level_id])
    theirs = sums(ads.filter(of_days), None, [level_id])
    lacking = (
        own.join(theirs, on=level_id, how="left", suffix="_ads")
        .fill_null(0)
        .with_columns((pl.col(n) - pl.col(f"{n}_ads")).alias(n) for n in ("impressions", "clicks"))
        .filter((pl.col("impressions") > 0) | (pl.col("clicks") > 0))
        .sort("impressions", level_id, descending=[True, False])
    )
    return lacking[level_id].to_list()


def other_purchase_type(snapshot: Snapshot, account: str, days: DateRange) -> str | None:
    """The type by which the account reports most of its purchases in `days`, if the one that is
    counted has missed more than half of them; else None."""
    named = snapshot.query(
        model("checks/purchase_type_agrees"),
        {
            "since": days.since,
            "until": days.until,
            "accounts": [account],
            "types": list(PURCHASE_TYPES),
        },
    ).sort("by_other_type", descending=True)
    if named.is_empty():
        return None
    most = named.row(0, named=True)
    missed = float(most["counted"]) < LEAST_AGREEMENT * float(most["by_other_type"])
    return str(most["other_type"]) if missed else None


def gaps(snapshot: Snapshot, accounts: Sequence[str], days: DateRange | None) -> pl.DataFrame:
    """The complete days of `accounts`, as stored, on which ads and total differ, with both sums.

    All stored days when `days` is None. Days that were still running when they were read are left
    out.
    """
    return snapshot.query(
        model("checks/ad_sums_equal_account_totals"),
        {
            "since": days.since if days else None,
            "until": days.until if days else None,
            "accounts": list(accounts),
        },
    )


def decision_window(snapshot: Snapshot, account_id: str, window_days: int) -> DateRange | None:
    """The complete days that the next decision on an account looks at; None while it was never
    read."""
    known = snapshot.scan(AD_ACCOUNTS).filter(pl.col("account_id") == account_id).collect()
    if known.is_empty():
        return None
    row = known.row(0, named=True)
    last = account_day(row["observed_at"], row["timezone"]) - timedelta(days=1)
    return DateRange(last - timedelta(days=window_days - 1), last)


def _number(name: str) -> pl.Expr:
    """A text column as an exact amount; absent is nothing."""
    exact = pl.col(name).cast(_AMOUNT, strict=False)
    return pl.coalesce(exact, pl.col(name).cast(pl.Float64).cast(_AMOUNT), pl.lit(0, _AMOUNT))


def _purchases(purchase_type: str | None) -> pl.Expr:
    """The purchases of one type in a row's actions."""
    if purchase_type is None:
        return pl.lit(0, _AMOUNT)
    item = pl.element()
    value = item.filter(item.struct.field("action_type") == purchase_type).struct.field("value")
    counted = pl.col("actions").list.eval(value).list.first().cast(_AMOUNT, strict=False)
    return counted.fill_null(pl.lit(0, _AMOUNT))
