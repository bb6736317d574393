"""Days, sparklines and readings from a snapshot of the lake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import polars as pl

from zyenta_ads_pipeline.console.numbers_shown import (
    SETTLED,
    SPARK_DAYS,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    AccountSeen,
    DayNumbers,
    Series,
    Spark,
    Sync,
    TotalNumbers,
)
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS, decimals
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.schema import Table
from zyenta_ads_pipeline.lake.tables import (
    ACCOUNT_METRICS,
    AD_ACCOUNTS,
    AD_METRICS,
    ADSET_METRICS,
    CAMPAIGN_METRICS,
    INSIGHT_READS,
)
from zyenta_ads_pipeline.metrics.definitions import RATIOS

METRICS: Mapping[Level, tuple[Table, str]] = MappingProxyType(
    {
        Level.ACCOUNT: (ACCOUNT_METRICS, "account_id"),
        Level.CAMPAIGN: (CAMPAIGN_METRICS, "campaign_id"),
        Level.ADSET: (ADSET_METRICS, "adset_id"),
        Level.AD: (AD_METRICS, "ad_id"),
    }
)
"""The table of each level, and the column with its object."""

_SUMS = ("spend", "impressions", "clicks", "purchases", "purchase_value")
_EXPECTED = tuple(
    f"{name}_{end}" for name in ("purchases", "purchase_value") for end in ("expected", "low",
                                                                           "high")
)  # fmt: skip
_RATIOS = tuple(each for each in RATIOS if each.name in ("roas", "cpa", "ctr"))
_GAPS_TOLD = 10
_STEP = SPARK_WIDTH // (SPARK_DAYS - 1)
_LOWEST, _HIGHEST = SPARK_HEIGHT - 1, 1
"""Where a sparkline's 0 and its maximum lie, with room for the line's width."""


def accounts_seen(snapshot: Snapshot) -> dict[str, AccountSeen]:
    """The ad accounts that were read, by id."""
    columns = ("account_id", "name", "currency", "timezone", "account_status", "observed_at")
    rows = snapshot.scan(AD_ACCOUNTS).select(columns).sort("account_id").collect()
    return {
        own: AccountSeen(own, name or "", currency, timezone, status, at, account_day(at, timezone))
        for own, name, currency, timezone, status, at in rows.iter_rows()
    }


def object_series(
    snapshot: Snapshot, level: Level, object_id: str, since: date, until: date
) -> Series:
    """The days of one object from `since` to `until`, both included. Reads the tables of the
    level and `ad_accounts`."""
    table, own = METRICS[level]
    rows = (
        snapshot.scan(table)
        .filter(pl.col("date").is_between(since, until), pl.col(own) == object_id)
        .select("date", "account_id", "currency", *_SUMS, *_EXPECTED, "maturity")
        .with_columns(
            pl.col(name).cast(pl.Float64).fill_null(pl.col(_observed(name)).cast(pl.Float64))
            for name in _EXPECTED
        )
        .with_columns(each.expression() for each in _RATIOS)
        .sort("date")
        .collect()
    )
    if rows.is_empty():
        return Series()
    account = accounts_seen(snapshot).get(rows["account_id"][0])
    currency = rows["currency"][0] or ""
    days = tuple(
        _day(row, currency, running=account is not None and row["date"] >= account.today)
        for row in rows.iter_rows(named=True)
    )
    return Series(days, _total(days), currency)


def days_known(snapshot: Snapshot, level: Level, object_id: str) -> tuple[date, date] | None:
    """The first and the last day that is known of an object."""
    table, own = METRICS[level]
    ends = (
        snapshot.scan(table)
        .filter(pl.col(own) == object_id)
        .select(first=pl.col("date").min(), last=pl.col("date").max())
        .collect()
    )
    first, last = ends.row(0)
    return None if first is None else (first, last)


def syncs(snapshot: Snapshot) -> dict[str, Sync]:
    """How each account's insights were last read."""
    reads = (
        snapshot.scan(INSIGHT_READS)
        .filter(pl.col("stream") == "insights")
        .select("account_id", "date", "read_at", "proof")
        .collect()
    )
    gaps: dict[str, list[date]] = defaultdict(list)
    wrong = reads.filter(pl.col("proof") == "gap").sort("date", descending=True)
    for own, day in wrong.select("account_id", "date").iter_rows():
        gaps[own].append(day)
    over = pl.col("date").filter(pl.col("proof") != "running")
    found = reads.group_by("account_id").agg(
        read_at=pl.col("read_at").max(),
        last=pl.col("date").max(),
        complete=over.max(),
        days=pl.len(),
    )
    return {
        own: Sync(own, read_at, last, complete, days, tuple(gaps[own][:_GAPS_TOLD]))
        for own, read_at, last, complete, days in found.iter_rows()
    }


def sparks(snapshot: Snapshot) -> dict[str, Spark]:
    """The sparklines of every campaign with delivery in its account's last complete days.

    Of accounts that are in `ad_accounts`; all at once, 10,000 campaigns in part of a second.
    """
    accounts = accounts_seen(snapshot).values()
    if not accounts:
        return {}
    shown = pl.DataFrame(
        [(each.account_id, each.today - timedelta(days=SPARK_DAYS)) for each in accounts],
        schema={"account_id": pl.String, "first": pl.Date},
        orient="row",
    )
    wanted = sorted(
        {first + timedelta(days=n) for first in set(shown["first"]) for n in range(SPARK_DAYS)}
    )
    rows = (
        snapshot.scan(CAMPAIGN_METRICS)
        .filter(pl.col("date").is_in(wanted))
        .select(
            "account_id",
            "date",
            own="campaign_id",
            spend=pl.col("spend").cast(pl.Float64),
            value=pl.coalesce("purchase_value_expected", pl.col("purchase_value")).cast(pl.Float64),
            coming=pl.col("maturity").fill_null(1.0) < SETTLED,
        )
        .collect()
        .join(shown, on="account_id")
        .with_columns(at=(pl.col("date") - pl.col("first")).dt.total_days())
        .filter(pl.col("at").is_between(0, SPARK_DAYS - 1))
        .select("own", "at", "spend", "value", "coming")
    )
    if rows.is_empty():
        return {}
    ids = rows.select(pl.col("own").unique().sort())
    grid = ids.join(pl.DataFrame({"at": range(SPARK_DAYS)}, {"at": pl.Int64}), how="cross")
    whole = (
        grid.join(rows, on=["own", "at"], how="left", maintain_order="left")
        .with_columns(pl.col("spend").fill_null(0.0), pl.col("coming").fill_null(value=False))
        .with_columns(roas=pl.when(pl.col("spend") > 0).then(pl.col("value") / pl.col("spend")))
        .with_columns(_height("spend"), _height("roas"))
    )
    later = pl.col("coming").shift(-1).over("own").fill_null(value=False)
    spend = _paths(whole.filter(pl.col("spend").max().over("own") > 0), "spend_y")
    roas = _paths(whole.filter(~pl.col("coming")), "roas_y")
    coming = _paths(whole.filter(pl.col("coming") | later), "roas_y")
    found = ids["own"].to_list()
    return {own: Spark(spend.get(own, ""), roas.get(own, ""), coming.get(own, "")) for own in found}


def _height(name: str) -> pl.Expr:
    """The place of a number in the box, by its campaign's maximum; null where it is null."""
    top = pl.col(name).max().over("own")
    share = pl.when(top > 0).then(pl.col(name).clip(lower_bound=0) / top).otherwise(0.0)
    place = (_LOWEST - share * (_LOWEST - _HIGHEST)).round().cast(pl.Int64)
    return pl.when(pl.col(name).is_not_null()).then(place).alias(f"{name}_y")


def _paths(rows: pl.DataFrame, height: str) -> dict[str, str]:
    """An SVG path for each campaign through its points, in as few letters as possible.

    `rows` are sorted by own and at. A step to the right is always the same, so that all but a
    line's first point are written as steps; a point alone becomes a dot.
    """
    points = rows.select("own", "at", y=height).drop_nulls("y")
    before, after = (
        (pl.col("own").shift(n) == pl.col("own")) & ((pl.col("at").shift(n) - pl.col("at")) == -n)
        for n in (1, -1)
    )
    joined, goes_on = before.fill_null(value=False), after.fill_null(value=False)
    rise = pl.col("y") - pl.col("y").shift(1)
    step = pl.format(f"{_STEP}{{}}{{}}", pl.when(rise < 0).then(pl.lit("")).otherwise(
        pl.lit(" ")), rise)  # fmt: skip
    begun = joined.shift(1).not_().fill_null(value=True)
    token = (
        pl.when(~joined & goes_on)
        .then(pl.format("M{} {}", pl.col("at") * _STEP, "y"))
        .when(~joined)
        .then(pl.format("M{} {}h0", pl.col("at") * _STEP, "y"))
        .when(begun)
        .then(pl.lit("l") + step)
        .otherwise(pl.lit(" ") + step)
    )
    texts = (
        points.with_columns(token=token)
        .group_by("own", maintain_order=True)
        .agg(pl.col("token").str.join(""))
    )
    return dict(texts.iter_rows())


def _observed(name: str) -> str:
    """The reported amount that an expected one is an estimate of."""
    return name.rsplit("_", 1)[0]


def _day(row: Mapping[str, Any], currency: str, *, running: bool) -> DayNumbers:
    spend = float(row["spend"] or 0)
    value = {end: row[f"purchase_value_{end}"] or 0.0 for end in ("expected", "low", "high")}
    return DayNumbers(
        date=row["date"],
        spend=_exact(row["spend"], currency),
        impressions=row["impressions"] or 0,
        clicks=row["clicks"] or 0,
        purchases=_exact(row["purchases"]),
        revenue=_exact(row["purchase_value"], currency),
        roas=row["roas"],
        cpa=row["cpa"],
        ctr=row["ctr"],
        maturity=1.0 if row["maturity"] is None else row["maturity"],
        running=running,
        purchases_expected=row["purchases_expected"] or 0.0,
        purchases_low=row["purchases_low"] or 0.0,
        purchases_high=row["purchases_high"] or 0.0,
        revenue_expected=value["expected"],
        revenue_low=value["low"],
        revenue_high=value["high"],
        roas_expected=value["expected"] / spend if spend else None,
        roas_low=value["low"] / spend if spend else None,
        roas_high=value["high"] / spend if spend else None,
    )


def _total(days: tuple[DayNumbers, ...]) -> TotalNumbers:
    sums = pl.DataFrame(
        {
            "spend": [sum(each.spend for each in days)],
            "impressions": [sum(each.impressions for each in days)],
            "clicks": [sum(each.clicks for each in days)],
            "purchases": [sum(each.purchases for each in days)],
            "purchase_value": [sum(each.revenue for each in days)],
        },
        schema_overrides=dict.fromkeys(("spend", "purchases", "purchase_value"), pl.Float64),
        strict=False,
    ).with_columns(each.expression() for each in _RATIOS)
    spend = sum((each.spend for each in days), Decimal())
    expected = sum(each.revenue_expected for each in days)
    return TotalNumbers(
        spend=spend,
        impressions=sums["impressions"][0],
        clicks=sums["clicks"][0],
        purchases=sum((each.purchases for each in days), Decimal()),
        revenue=sum((each.revenue for each in days), Decimal()),
        roas=sums["roas"][0],
        cpa=sums["cpa"][0],
        ctr=sums["ctr"][0],
        revenue_expected=expected,
        roas_expected=expected / float(spend) if spend else None,
        uncertain=any(each.uncertain for each in days),
    )


def _exact(amount: Decimal | None, currency: str = "") -> Decimal:
    """An amount without the lake's trailing zeros, with its currency's decimals at least."""
    if amount is None:
        return Decimal()
    places = decimals(currency) if currency in CURRENCY_OFFSETS else 0
    short = round(amount, places)
    return short if short == amount else amount.normalize()
