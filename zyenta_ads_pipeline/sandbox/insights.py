"""Insights: sums of the facts over objects, periods and breakdowns, page by page."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.sandbox import cursors
from zyenta_ads_pipeline.sandbox.action_parts import ActionParts
from zyenta_ads_pipeline.sandbox.breakdowns import HOURLY, grid_of
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.facts import STATS, Facts, action_types, summed
from zyenta_ads_pipeline.sandbox.filters import Value, about_objects, object_value
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid
from zyenta_ads_pipeline.sandbox.insight_metrics import Metrics, with_reach
from zyenta_ads_pipeline.sandbox.insight_rows import RowMaker, stat_columns
from zyenta_ads_pipeline.sandbox.insight_settings import BY_FILTER, InsightSettings
from zyenta_ads_pipeline.sandbox.insights_query import (
    LEVELS,
    InsightsQuery,
    metric_of,
    read_query,
)
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.source import Source
from zyenta_ads_pipeline.sandbox.splitting import HOURS, by_grid, by_hour
from zyenta_ads_pipeline.sandbox.wire import RowTexts

_REMEMBERED_ROWS = 2_000_000
_REMEMBERED = 16
_FACTS_A_SECOND = 100_000
"""How many rows of facts, times the cells of a breakdown, a direct query is taken to sum."""


class TooLarge(Exception):
    """A query that would have more rows than allowed."""


@dataclass(frozen=True)
class _Asked:
    """One query with everything its rows are made of."""

    query: InsightsQuery
    facts: Facts
    today: date


class Insights:
    """Answers insights calls and remembers the rows of recent queries for their next pages."""

    def __init__(self, objects: Objects, source: Source) -> None:
        self.settings = InsightSettings()
        self._objects = objects
        self._source = source
        self._recent: OrderedDict[tuple[object, ...], pl.DataFrame] = OrderedDict()

    @property
    def restating(self) -> bool:
        """Whether the source's numbers go on changing after their day."""
        return self._source.restating

    def restate(self, on: object) -> None:
        """Let a replay's conversions arrive late, or not; `ValueError` for another source."""
        if on not in (True, False):
            raise ValueError("restating must be true or false")
        if on is not self._source.restating:
            if self._source.name != "replay":
                raise ValueError(f"restating cannot be changed for a source of {self._source.name}")
            self._source.restating = bool(on)

    def read(self, call: Call, node: Thing, now: datetime) -> dict[str, Any]:
        """One page. Raises `GraphError` for a query that is wrong, too large or not played."""
        query = self.query(call, node, now)
        saved = self.saved_page(query, call)
        if saved is not None:
            return saved
        asked = self._asked(query, now)
        key = (query.key(), asked.facts.version, self._objects.version, self.settings, asked.today)
        rows = self.remembered(key)
        if rows is None:
            rows = self._refusing_too_large(asked)
            self.remember(key, rows)
        return self.page(call, query, rows)

    def query(self, call: Call, node: Thing, now: datetime) -> InsightsQuery:
        """What a call asks for. `GraphError` names what is wrong or not played."""
        account = self._objects.account(node.account_id)
        return read_query(call, node, account_day(now, account.attributes["timezone_name"]))

    def saved_page(self, query: InsightsQuery, call: Call) -> dict[str, Any] | None:
        """A stored page that answers as it is; None when rows are to be computed."""
        return self._source.saved_page(query, call, self._objects)

    def is_saved(self, query: InsightsQuery, call: Call) -> bool:
        """Whether stored pages answer the query, be it with an error for a missing page."""
        try:
            return self.saved_page(query, call) is not None
        except GraphError:
            return True

    def compute(self, query: InsightsQuery, now: datetime, most_rows: int) -> pl.DataFrame:
        """All rows of a query as of `now`. `TooLarge` above `most_rows`, or a `GraphError`."""
        asked = self._asked(query, now)
        return self._compute(asked, self._scope(asked), most_rows)

    def page(self, call: Call, query: InsightsQuery, rows: pl.DataFrame) -> dict[str, Any]:
        """The page of computed `rows` that a call asks for."""
        span = cursors.cut(call, rows.height, cursors.offset_position(rows.height))
        length = max(0, span.stop - span.start)
        if self.settings.page_rows is not None and length > self.settings.page_rows:
            raise GraphError(
                1,
                "Please reduce the amount of data you're asking for, then retry your request",
                status=500,
            )
        metrics = Metrics(rows.slice(span.start, length))
        texts = self._maker(query, rows).texts(metrics, query.periods)
        body = cursors.envelope(call, texts, span, cursors.offset_cursor)
        body["data"] = RowTexts(texts)
        if cursors.wants_total(call):
            body["summary"] = {"total_count": rows.height}
        return body

    def remembered(self, key: tuple[object, ...]) -> pl.DataFrame | None:
        """The rows remembered under a key."""
        if key in self._recent:
            self._recent.move_to_end(key)
        return self._recent.get(key)

    def remember(self, key: tuple[object, ...], rows: pl.DataFrame) -> None:
        """Keep rows for the next pages; those unused for longest are forgotten."""
        self._recent[key] = rows
        while len(self._recent) > 1 and (
            len(self._recent) > _REMEMBERED
            or sum(each.height for each in self._recent.values()) > _REMEMBERED_ROWS
        ):
            self._recent.popitem(last=False)

    def _asked(self, query: InsightsQuery, now: datetime) -> _Asked:
        facts = self._source.facts(now)
        finer = LEVELS.index(query.level) > LEVELS.index(facts.finest)
        if finer or f"{query.level.value}_id" not in facts.frame.columns:
            raise invalid(f"The saved pages hold no {query.level.value}_id for that level")
        timezone = self._objects.account(query.node.account_id).attributes["timezone_name"]
        return _Asked(query, facts, account_day(now, timezone))

    def _refusing_too_large(self, asked: _Asked) -> pl.DataFrame:
        scope = self._scope(asked)
        cells = len(self._cells(asked.query))
        if scope.height * cells / _FACTS_A_SECOND > self.settings.sync_seconds:
            raise GraphError(
                100,
                "(#100) The query timed out. Please use an asynchronous report or ask for less",
                subcode=1504018,
                user_title="The request timed out",
                user_msg="Try a smaller date range, fewer metrics, or an asynchronous report.",
            )
        try:
            return self._compute(asked, scope, self.settings.sync_rows)
        except TooLarge:
            raise GraphError(
                100,
                "(#100) Please reduce the amount of data you're asking for, then retry your "
                "request",
                subcode=1487534,
                user_title="Too much data",
                user_msg="The query returns too much data. Shorten the date range, ask for fewer "
                "objects, or use an asynchronous report.",
            ) from None

    def _cells(self, query: InsightsQuery) -> set[tuple[str, ...]]:
        """The combinations of values that a breakdown can have."""
        if not query.breakdowns:
            return {()}
        if HOURLY in query.breakdowns:
            return {(hour,) for hour in HOURS}
        grid = grid_of(query.breakdowns, self._currency(query))
        wanted = [grid.names.index(name) for name in query.breakdowns]
        return {tuple(cell[n] for n in wanted) for cell in grid.cells}

    def _currency(self, query: InsightsQuery) -> str:
        return str(self._objects.account(query.node.account_id).attributes["currency"])

    def _maker(self, query: InsightsQuery, rows: pl.DataFrame) -> RowMaker:
        return RowMaker(
            objects=self._objects,
            fields=query.fields,
            keys=query.breakdowns,
            types=action_types(rows.columns),
            windows=query.windows,
            parts=ActionParts(query.action_breakdowns) if query.action_breakdowns else None,
        )

    def _scope(self, asked: _Asked) -> pl.DataFrame:
        """The rows of facts that a query is about."""
        query, facts = asked.query, asked.facts
        since = min(days.since for days in query.periods)
        until = min(max(days.until for days in query.periods), asked.today)
        rows = facts.frame.filter(
            (pl.col("account_id") == query.node.account_id)
            & pl.col("date").is_between(since, until)
        )
        if query.node.kind is not Kind.ACCOUNT:
            rows = rows.filter(pl.col(f"{query.node.kind.value}_id") == query.node.id)
        return self._of_objects(self._without_hidden(rows, query), query)

    def _compute(self, asked: _Asked, scope: pl.DataFrame, most_rows: int) -> pl.DataFrame:
        query, facts = asked.query, asked.facts
        cells = len(self._cells(query))
        if scope.height * len(query.periods) * cells > most_rows:
            groups = summed(scope, query.level, query.periods, amounts=()).height
            if groups * cells > most_rows:
                raise TooLarge
        types = action_types(facts.frame.columns)
        amounts = ["spend", *stat_columns(query.fields, types, query.windows)]
        amounts = [name for name in dict.fromkeys(amounts) if name in scope.columns]
        if query.breakdowns:
            scope = self._broken_down(scope, query, amounts, facts)
        rows = summed(scope, query.level, query.periods, keys=query.breakdowns, amounts=amounts)
        if HOURLY not in query.breakdowns:
            rows = with_reach(rows, facts.audience)
        return self._sorted(self._of_metrics(rows, query), query)

    def _broken_down(
        self, rows: pl.DataFrame, query: InsightsQuery, amounts: Iterable[str], facts: Facts
    ) -> pl.DataFrame:
        wanted: list[str] = []
        for name in amounts:
            # Values are cut as the actions they belong to, also when only they are asked for.
            kind, _, action = name.partition("|")[0].partition(".")
            if kind == STATS[1] and f"{STATS[0]}.{action}" in rows.columns:
                wanted.append(f"{STATS[0]}.{action}")
            wanted.append(name)
        wanted = list(dict.fromkeys(wanted))
        if HOURLY in query.breakdowns:
            account = self._objects.account(query.node.account_id)
            return by_hour(rows, wanted, facts, account.attributes["timezone_name"])
        grid = grid_of(query.breakdowns, self._currency(query))
        return by_grid(rows, grid, query.breakdowns, wanted, facts)

    def _without_hidden(self, rows: pl.DataFrame, query: InsightsQuery) -> pl.DataFrame:
        """Rows whose object is archived or deleted have none of their own; totals keep them."""
        if query.level is Level.ACCOUNT:
            return rows
        kind = Kind(query.level.value)
        by_filter = self.settings.deleted == BY_FILTER
        hidden = [
            thing.id
            for thing in self._objects.below(self._objects.account(query.node.account_id), kind)
            if query.hides(
                thing, self._objects.effective_status(thing), deleted_by_filter=by_filter
            )
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

    def _of_metrics(self, rows: pl.DataFrame, query: InsightsQuery) -> pl.DataFrame:
        metrics = Metrics(rows)
        keep = [True] * rows.height
        for condition in query.conditions:
            if about_objects(condition, Kind(query.level.value)) is not None:
                continue
            numbers = metrics.numbers(metric_of(condition, query.level))
            keep = [
                kept and condition.holds(number) for kept, number in zip(keep, numbers, strict=True)
            ]
        return rows if all(keep) else rows.filter(pl.Series(keep, dtype=pl.Boolean))

    def _sorted(self, rows: pl.DataFrame, query: InsightsQuery) -> pl.DataFrame:
        if query.sort is None:
            return rows
        name, descending = query.sort
        places: list[tuple[bool, Value]]
        if name == "date_start":
            places = [(True, query.periods[n].since.isoformat()) for n in rows["period"]]
        elif name.endswith(("_id", "_name")):
            places = [(True, label) for label in self._maker(query, rows).labels(name, rows)]
        else:
            numbers = Metrics(rows).numbers(name)
            places = [(n is not None, Decimal(0) if n is None else n) for n in numbers]
        return rows[sorted(range(len(places)), key=places.__getitem__, reverse=descending)]
