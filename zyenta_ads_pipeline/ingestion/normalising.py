"""A report's texts as rows of the lake: checked, keyed, texts untouched.

All checks run over whole columns; the first row that fails one is named. Nothing is dropped: as
many rows leave here as the platform served.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import (
    LEAD_TYPES,
    LINK_CLICK_FIELD,
    PURCHASE_TYPES,
    AdAccount,
    Level,
)
from zyenta_ads_pipeline.domain.errors import IncompleteData
from zyenta_ads_pipeline.domain.insights import (
    ATTRIBUTION_WINDOWS,
    HOURLY,
    ID_FIELDS,
    OBJECT_ID,
    STATS,
    Report,
)
from zyenta_ads_pipeline.domain.time import zone
from zyenta_ads_pipeline.lake.schema import STAT_ITEMS

RESTATED_FOR_DAYS = 28
"""Meta's numbers stop changing this many days after they were first reported."""

WINDOWS = ",".join((*ATTRIBUTION_WINDOWS, "default"))
"""The attribution windows of a row, as a part of the breakdown tables' keys."""

_INTEGER_DIGITS = 25
"""At most so many before the point. The lake holds one more, which leaves room for sums."""
_PLAIN = rf"^-?[0-9]{{1,{_INTEGER_DIGITS}}}(\.[0-9]{{1,26}})?$"
_WITH_EXPONENT = re.compile(_PLAIN.strip("^$") + "[eE][+-]?[0-9]{1,2}")
"""Numbers as JSON writes them. Those with an exponent are looked at one by one."""
_WHOLE = r"^-?[0-9]{1,18}$"
_HOUR_LABEL = r"^([01][0-9]|2[0-3]):00:00 - ([01][0-9]|2[0-3]):59:59$"
_SPAN: dict[str, pl.DataType] = {
    "date": pl.Date(),
    "hour": pl.Int64(),
    "fold": pl.Int64(),
    "starts_at": pl.Datetime("us", "UTC"),
    "repeats": pl.Boolean(),
}
_WHOLE_NUMBERS = ("impressions", "clicks", LINK_CLICK_FIELD, "reach")
_NUMBERS = (*_WHOLE_NUMBERS, "spend")

Told = Callable[..., str]
"""Says what is wrong with a row."""


@dataclass(frozen=True)
class _Rule:
    """What no row may be: an expression that is true of broken rows, and the words for one."""

    broken: pl.Expr
    told: Told


def normalised(rows: pl.DataFrame, report: Report, account: AdAccount, run_id: str) -> pl.DataFrame:
    """A report's rows in the shape of its table: `raw_insights`, or that of its breakdowns.

    `rows` are texts with `observed_at` and `missing`. Raises `IncompleteData` where a row lacks a
    part of its key, belongs to another account or day, holds something else than a number, or
    where two rows share a key.
    """
    rows = _with_all_columns(rows, report)
    _check_rows(rows, [*_id_rules(report), *_day_rules(report)], report)
    _check_numbers(rows, report)
    for name in STATS:
        _check_items(rows, name, report)
    level = report.level
    frame = rows.select(
        pl.col("date_start").str.to_date("%Y-%m-%d").alias("date"),
        pl.lit(report.account_id).alias("account_id"),
        pl.lit(level.value).alias("level"),
        pl.lit(report.account_id).alias("object_id")
        if level is Level.ACCOUNT
        else pl.col(OBJECT_ID[level]).alias("object_id"),
        *(
            pl.col(name) if name in ID_FIELDS[level] else pl.lit(None, pl.String).alias(name)
            for name in ("campaign_id", "adset_id", "ad_id")
        ),
        *report.preset.breakdowns,
        pl.lit(WINDOWS).alias("windows"),
        pl.col("account_currency").alias("currency"),
        *_NUMBERS,
        *STATS,
        "attribution_setting",
        "missing",
        "observed_at",
        pl.lit(run_id).alias("run_id"),
    )
    if HOURLY in report.preset.breakdowns:
        frame = _with_hours(frame, account.timezone)
    _check_keys(frame, report)
    return frame


def action_types(frame: pl.DataFrame) -> set[str]:
    """Every action type named in normalised rows."""
    name = pl.element().struct.field("action_type")
    return {
        found
        for stat in STATS
        for found in frame.select(pl.col(stat).list.eval(name).explode().unique())
        .to_series()
        .drop_nulls()
    }


def canonical_type(order: Sequence[str], seen: set[str], before: str | None) -> str | None:
    """The one type to count: the first of `order` that was ever seen on the account."""
    return next((name for name in order if name in seen or name == before), before)


def purchase_type(seen: set[str], before: str | None) -> str | None:
    """The account's canonical purchase type, given what it had before."""
    return canonical_type(PURCHASE_TYPES, seen, before)


def lead_type(seen: set[str], before: str | None) -> str | None:
    """The account's canonical lead type, given what it had before."""
    return canonical_type(LEAD_TYPES, seen, before)


def _with_all_columns(rows: pl.DataFrame, report: Report) -> pl.DataFrame:
    """Fields that were not asked for are null."""
    asked = {"date_start", "date_stop", *report.id_fields, *report.preset.breakdowns}
    if lacking := asked - set(rows.columns):
        raise IncompleteData(f"{report}: the rows come without {', '.join(sorted(lacking))}.")
    wanted = ("account_currency", "attribution_setting", *_NUMBERS, *STATS)
    return rows.with_columns(
        pl.lit(None, STAT_ITEMS if name in STATS else pl.String).alias(name)
        for name in wanted
        if name not in rows.columns
    )


def _id_rules(report: Report) -> Iterator[_Rule]:
    other = pl.col("account_id").is_not_null() & (pl.col("account_id") != report.account_id)
    yield _Rule(other, lambda row: f"a row of account {row['account_id']}")
    for name in (*report.id_fields[1:], *report.preset.breakdowns):
        absent = pl.col(name).is_null() | (pl.col(name) == "")
        yield _Rule(absent, lambda row, name=name: f"a row without its {name}: {_ids(row)}")


def _day_rules(report: Report) -> Iterator[_Rule]:
    day = pl.col("date_start").str.to_date("%Y-%m-%d", strict=False)
    yield _Rule(day.is_null(), lambda _: "a row without its day")
    yield _Rule(
        pl.col("date_stop").ne_missing(pl.col("date_start")),
        lambda row: f"a row of {row['date_start']}..{row['date_stop']}, not of one day",
    )
    yield _Rule(
        ~day.is_between(report.days.since, report.days.until),
        lambda row: f"a row of {row['date_start']}, which was not asked for",
    )


def _check_numbers(rows: pl.DataFrame, report: Report) -> None:
    def told(name: str) -> Told:
        return lambda row: (
            f"{name} {row[name]!r}, which is not a number of a size that can be stored"
        )

    _check_texts(rows, {name: told(name) for name in _NUMBERS}, report)
    for name, counts in _unlike(rows, _WHOLE_NUMBERS, _WHOLE).items():
        if broken := sorted(text for text in counts if not _is_whole(text)):
            raise IncompleteData(f"{report}: {name} is {broken[0]}, not a whole number.")


def _check_items(rows: pl.DataFrame, name: str, report: Report) -> None:
    items = rows[name].list.explode(empty_as_null=False, keep_nulls=False).drop_nulls()
    if items.is_empty():
        return
    table = items.struct.unnest()
    if table["action_type"].null_count():
        raise IncompleteData(f"{report}: {name} holds an item without action_type.")

    def told(key: str) -> Told:
        return lambda row: f"{name}.{row['action_type']} {key} {row[key]!r}, not a number"

    # Most attribution windows are in no item at all.
    keys = [key for key in table.columns if table[key].null_count() < table.height]
    _check_texts(table, {key: told(key) for key in keys if key != "action_type"}, report)


def _check_keys(frame: pl.DataFrame, report: Report) -> None:
    extra = [name for name in report.preset.breakdowns if name != HOURLY]
    hours = ["hour", "fold"] if HOURLY in report.preset.breakdowns else []
    key = ["date", "object_id", *extra, *hours]
    doubled = frame.filter(pl.struct(key).is_duplicated())
    if doubled.height:
        first = doubled.row(0, named=True)
        told = ", ".join(str(first[name]) for name in key)
        raise IncompleteData(
            f"{report}: the platform listed {told} twice.",
            "Its pages moved while they were read; nothing was stored, run it again.",
        )


def _with_hours(frame: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Meta's label as `hour`, with `fold`, `starts_at` (UTC) and `hours`, the row's length.

    Where clocks go back an hour repeats. Meta has one label for both: it comes once, with both
    hours in it (`hours` 2), or twice, and then the second is fold 1.
    """
    label = pl.col(HOURLY)
    unread = frame.filter(~label.str.contains(_HOUR_LABEL))
    if unread.height:
        raise IncompleteData(f"{unread[HOURLY][0]!r} is not an hour of a day.")
    frame = frame.with_columns(label.str.slice(0, 2).cast(pl.Int64).alias("hour"))
    same = pl.struct("date", "object_id", "hour")
    frame = frame.with_columns(
        pl.int_range(pl.len()).over(same).cast(pl.Int64).alias("fold"),
        pl.len().over(same).alias("times"),
    )
    spans = [
        {"date": day, "hour": hour, "fold": fold, **_span(day, hour, fold, timezone)}
        for day, hour, fold in frame.select("date", "hour", "fold").unique().iter_rows()
    ]
    known = pl.DataFrame(spans, schema=_SPAN)
    frame = frame.join(known, on=["date", "hour", "fold"])
    doubled = frame.filter((pl.col("times") > 1) & ~pl.col("repeats"))
    if doubled.height:
        first = doubled.row(0, named=True)
        raise IncompleteData(
            f"The platform listed hour {first['hour']} of {first['date']} twice for "
            f"{first['object_id']}."
        )
    both = pl.col("repeats") & (pl.col("times") == 1)
    return frame.with_columns(
        pl.when(both).then(2).otherwise(1).cast(pl.Int64).alias("hours")
    ).drop(HOURLY, "times", "repeats")


def _span(day: date, hour: int, fold: int, timezone: str) -> dict[str, object]:
    """When a local hour begins, and whether it comes twice that day."""
    local = datetime.combine(day, time(hour), zone(timezone))
    first, second = (local.replace(fold=n).astimezone(UTC) for n in (0, 1))
    return {
        "starts_at": second if fold else first,
        "repeats": second > first,
    }


def _check_rows(rows: pl.DataFrame, rules: Sequence[_Rule], report: Report) -> None:
    """Raise for the first row that breaks the first broken rule; one pass where none is."""
    broken = rows.select(rule.broken.any().alias(str(place)) for place, rule in enumerate(rules))
    for rule, is_broken in zip(rules, broken.row(0), strict=True):
        if is_broken:
            first = rows.filter(rule.broken).row(0, named=True)
            raise IncompleteData(f"{report} was answered with {rule.told(first)}.")


def _ids(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {row[name]}" for name in row if name.endswith("_id") and row[name])


def _check_texts(rows: pl.DataFrame, columns: Mapping[str, Told], report: Report) -> None:
    """Raise for the first row with a text that is no number, or one that the lake's columns do not
    hold; `columns` are the ones to look at."""
    for name, texts in _unlike(rows, list(columns), _PLAIN).items():
        if broken := [text for text in texts if not _fits(text)]:
            _check_rows(rows, [_Rule(pl.col(name).is_in(broken), columns[name])], report)


def _unlike(rows: pl.DataFrame, columns: Sequence[str], pattern: str) -> dict[str, list[str]]:
    """Per column the different texts that the pattern does not fit."""
    # Small numbers repeat, and to compare with a pattern costs more than to find what is different.
    # In order: the texts are computed twice, and must come the same way both times.
    different = [pl.col(name).drop_nulls().unique(maintain_order=True) for name in columns]
    found = rows.select(texts.filter(~texts.str.contains(pattern)).implode() for texts in different)
    return {name: found[name][0].to_list() for name in columns}


def _fits(text: str) -> bool:
    number = _WITH_EXPONENT.fullmatch(text)
    return number is not None and abs(Decimal(text)) < Decimal(10) ** _INTEGER_DIGITS


def _is_whole(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number == int(number) and abs(number) < Decimal(10) ** 18
