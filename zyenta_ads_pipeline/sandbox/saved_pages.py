"""Playing a saved sequence of insights pages: served as they are, gaps included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.cursors import unknown_cursor
from zyenta_ads_pipeline.sandbox.facts import Facts
from zyenta_ads_pipeline.sandbox.filters import about_objects, object_value
from zyenta_ads_pipeline.sandbox.graph_error import invalid
from zyenta_ads_pipeline.sandbox.insights_query import InsightsQuery, metric_of
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.page_chain import Page, PageChain
from zyenta_ads_pipeline.sandbox.page_file import read_pages
from zyenta_ads_pipeline.sandbox.page_rows import PageRows
from zyenta_ads_pipeline.sandbox.replay_file import content_hash
from zyenta_ads_pipeline.sandbox.synthesis import synthesise


class SavedPages:
    """A source of stored replies. Where the chain of pages is broken it says so, and stops."""

    name = "pages"
    restating = False

    def __init__(self, path: Path) -> None:
        """Read the file; a broken chain is a warning, a malformed file an `InputError`."""
        self.identity: Mapping[str, Any] = {
            "source": self.name,
            "file": path.name,
            "sha256": content_hash(path),
        }
        pages = read_pages(path)
        self._chain = PageChain(pages)
        self._rows = PageRows(path, pages)
        self.warnings: Sequence[str] = (
            (f"{path}: {self._chain.gap}. Calls for the missing page get an error.",)
            if self._chain.gap is not None
            else ()
        )

    def things(self) -> list[Thing]:
        """The objects that the rows name."""
        frame = self._rows.frame
        if "spend" not in frame.columns:
            frame = frame.with_columns(pl.lit("0").alias("spend"))
        return synthesise(frame, self._rows.accounts, self._rows.names)

    def facts(self, now: datetime) -> Facts:
        """The pages' rows, for levels and periods that are not stored; they must be whole."""
        if self._chain.gap is not None:
            raise invalid(f"Nothing can be summed from these saved pages: {self._chain.gap}")
        if self._rows.longest > 1:
            raise invalid(
                "The saved pages hold rows of several days; the sandbox serves them as they are "
                "and cannot cut or sum them"
            )
        return Facts(self._rows.frame, version="pages", finest=self._rows.level)

    def saved_page(
        self, query: InsightsQuery, call: Call, objects: Objects
    ) -> dict[str, Any] | None:
        """The stored page for a query at the rows' own level and grain; None for any other."""
        if not self._plays(query):
            return None
        if call.params.get("before"):
            raise invalid("Saved pages are played forward only: before cannot be used")
        after = call.params.get("after", "")
        number = 0
        if after:
            found = self._chain.following(after)
            if found is None:
                raise unknown_cursor(after)
            number = found
        if self._chain.gap is not None and number >= self._chain.whole:
            raise invalid(f"The cursor leads to no stored page: {self._chain.gap}")
        page = self._chain.pages[number] if number < len(self._chain.pages) else None
        if page is None:
            return {"data": []}
        return self._narrowed(page, query, objects)

    def _plays(self, query: InsightsQuery) -> bool:
        """Whether the stored rows are what is asked for, apart from rows to leave out."""
        if query.node.kind is not Kind.ACCOUNT or query.level is not self._rows.level:
            return False
        if query.sort is not None or query.breakdowns:
            return False
        if self._rows.longest == 1:
            return query.daily
        return any(self._covers(days) for days in query.periods)

    def _covers(self, days: DateRange) -> bool:
        return days.since <= self._rows.days.since and self._rows.days.until <= days.until

    def _narrowed(self, page: Page, query: InsightsQuery, objects: Objects) -> dict[str, Any]:
        """The page without the rows that were not asked for; untouched when all were."""
        rows = [row for row in page.rows if self._asked_for(row, query, objects)]
        return dict(page.body) if len(rows) == len(page.rows) else {**page.body, "data": rows}

    def _asked_for(self, row: Mapping[str, Any], query: InsightsQuery, objects: Objects) -> bool:
        if self._rows.account_of(row) != query.node.account_id:
            return False
        days = self._rows.days_of(row)
        if not any(p.since <= days.since and days.until <= p.until for p in query.periods):
            return False
        thing = self._rows.thing_of(row, objects)
        if query.hides(thing, objects.effective_status(thing), deleted_by_filter=False):
            return False
        for condition in query.conditions:
            target = about_objects(condition, Kind(query.level.value))
            if target is not None:
                if not condition.holds(object_value(objects, thing, *target)):
                    return False
                continue
            text = row.get(metric_of(condition, query.level))
            if not condition.holds(Decimal(text) if isinstance(text, str) else None):
                return False
        return True
