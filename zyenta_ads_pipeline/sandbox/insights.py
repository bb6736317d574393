"""GET of insights: sums of the facts over objects and periods, page by page."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.sandbox import cursors
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.facts import Facts, Sums
from zyenta_ads_pipeline.sandbox.filters import Value, about_objects, object_value
from zyenta_ads_pipeline.sandbox.graph_error import invalid
from zyenta_ads_pipeline.sandbox.insight_metrics import RowMaker
from zyenta_ads_pipeline.sandbox.insights_query import (
    LEVELS,
    WINDOWS,
    InsightsQuery,
    metric_of,
    read_query,
)
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.source import Source

_REMEMBERED = 16


@dataclass(frozen=True)
class _Asked:
    """One query with everything its rows are made of."""

    query: InsightsQuery
    facts: Facts
    today: date
    maker: RowMaker


class Insights:
    """Answers insights calls and remembers the rows of recent queries for their next pages."""

    def __init__(self, objects: Objects, source: Source) -> None:
        self._objects = objects
        self._source = source
        self._recent: OrderedDict[tuple[object, ...], pl.DataFrame] = OrderedDict()

    def read(self, call: Call, node: Thing, now: datetime) -> dict[str, Any]:
        """One page. Raises `GraphError` for a query that is wrong or not played."""
        account = self._objects.account(node.account_id)
        today = account_day(now, account.attributes["timezone_name"])
        query = read_query(call, node, today)
        saved = self._source.saved_page(query, call, self._objects)
        if saved is not None:
            return saved
        facts = self._source.facts(now)
        finer = LEVELS.index(query.level) > LEVELS.index(facts.finest)
        if finer or f"{query.level.value}_id" not in facts.frame.columns:
            raise invalid(f"The saved pages hold no {query.level.value}_id for that level")
        asked = _Asked(query, facts, today, self._maker(query, facts))
        rows = self._rows(asked)
        span = cursors.cut(call, rows.height, cursors.offset_position(rows.height))
        page = rows.slice(span.start, max(0, span.stop - span.start))
        body = cursors.envelope(
            call,
            [
                asked.maker.row(Sums(values), query.periods[values["period"]])
                for values in page.iter_rows(named=True)
            ],
            span,
            cursors.offset_cursor,
        )
        if cursors.wants_total(call):
            body["summary"] = {"total_count": rows.height}
        return body

    def _maker(self, query: InsightsQuery, facts: Facts) -> RowMaker:
        stats: dict[str, None] = {}
        for column in facts.amounts:
            kind, dot, name = column.partition(".")
            if dot and kind in ("actions", "action_values"):
                stats[name.partition("|")[0]] = None
        windows = [w for w in WINDOWS if w in query.windows]
        return RowMaker(
            self._objects, query.level, query.fields, list(stats), windows, dict(facts.audience)
        )

    def _rows(self, asked: _Asked) -> pl.DataFrame:
        key = (asked.query.key(), asked.facts.version, self._objects.version, asked.today)
        if key in self._recent:
            self._recent.move_to_end(key)
            return self._recent[key]
        rows = self._compute(asked)
        self._recent[key] = rows
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return rows

    def _compute(self, asked: _Asked) -> pl.DataFrame:
        query, facts = asked.query, asked.facts
        since = min(days.since for days in query.periods)
        until = min(max(days.until for days in query.periods), asked.today)
        node_id = f"{query.node.kind.value}_id"
        rows = facts.frame.filter(
            (pl.col("account_id") == query.node.account_id)
            & pl.col("date").is_between(since, until)
        )
        if query.node.kind is not Kind.ACCOUNT:
            rows = rows.filter(pl.col(node_id) == query.node.id)
        rows = self._without_hidden(rows, query)
        rows = self._of_objects(rows, query)
        summed = facts.summed(query.level, query.periods, rows)
        return self._sorted(self._of_metrics(summed.filter(_delivered(summed)), asked), asked)

    def _without_hidden(self, rows: pl.DataFrame, query: InsightsQuery) -> pl.DataFrame:
        """Rows whose object is archived or deleted have none of their own; totals keep them."""
        if query.shows_hidden() or query.level is Level.ACCOUNT:
            return rows
        kind = Kind(query.level.value)
        hidden = [
            thing.id
            for thing in self._objects.below(self._objects.account(query.node.account_id), kind)
            if self._objects.effective_status(thing) in ("ARCHIVED", "DELETED")
        ]
        column = f"{query.level.value}_id"
        return rows.filter(~pl.col(column).is_in(hidden)) if hidden else rows

    def _of_objects(self, rows: pl.DataFrame, query: InsightsQuery) -> pl.DataFrame:
        account = self._objects.account(query.node.account_id)
        for condition in query.conditions:
            target = about_objects(condition, Kind(query.level.value))
            if target is None:
                continue
            kind, field = target
            things = [account] if kind is Kind.ACCOUNT else self._objects.below(account, kind)
            passing = [
                thing.id
                for thing in things
                if condition.holds(object_value(self._objects, thing, kind, field))
            ]
            rows = rows.filter(pl.col(f"{kind.value}_id").is_in(passing))
        return rows

    def _of_metrics(self, summed: pl.DataFrame, asked: _Asked) -> pl.DataFrame:
        query = asked.query
        wanted = [
            (condition, metric_of(condition, query.level))
            for condition in query.conditions
            if about_objects(condition, Kind(query.level.value)) is None
        ]
        if not wanted:
            return summed
        keep = [
            all(condition.holds(asked.maker.number(name, sums)) for condition, name in wanted)
            for sums in map(Sums, summed.iter_rows(named=True))
        ]
        return summed.filter(pl.Series(keep, dtype=pl.Boolean))

    def _sorted(self, summed: pl.DataFrame, asked: _Asked) -> pl.DataFrame:
        if asked.query.sort is None:
            return summed
        name, descending = asked.query.sort

        def place(values: dict[str, Any]) -> tuple[bool, Value]:
            if name == "date_start":
                return True, asked.query.periods[values["period"]].since.isoformat()
            sums = Sums(values)
            if name.endswith(("_id", "_name")):
                return True, str(asked.maker.dimension(name, sums) or "")
            number = asked.maker.number(name, sums)
            return number is not None, number if number is not None else Decimal(0)

        places = [place(values) for values in summed.iter_rows(named=True)]
        order = sorted(range(len(places)), key=places.__getitem__, reverse=descending)
        return summed[order]


def _delivered(summed: pl.DataFrame) -> pl.Expr:
    """Without delivery there is no row: something was shown, clicked, spent or done."""
    something = pl.lit(value=False)
    for name, kind in summed.schema.items():
        if name in ("impressions", "clicks"):
            something = something | (pl.col(name) > 0)
        elif name == "spend":
            something = (
                something | pl.col(name).list.eval(pl.element().str.contains("[1-9]")).list.any()
            )
        elif isinstance(kind, pl.List):
            something = something | (pl.col(name).list.len() > 0)
    return something
