"""A page of campaigns: searched, filtered, sorted, with totals, by hand-written SQL.

No object is built for a campaign that is not on the page: ten thousand are as quick as ten.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection

from zyenta_ads_pipeline.domain.campaign import BudgetLevel, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused
from zyenta_ads_pipeline.store.campaign_page_sql import (
    Shape,
    counts_of,
    rows_of,
    stamp_of,
    sums_of,
)
from zyenta_ads_pipeline.store.database import Store

LARGEST_PAGE = 200
_KEPT_SECONDS = 5.0
_MOST_SUMS = 128
_MOST_PAGES = 64


class CampaignSort(StrEnum):
    """What a list of campaigns can be sorted by. Amounts of different currencies are not
    comparable: they are sorted within each currency."""

    CREATED = "created"
    UPDATED = "updated"
    NAME = "name"
    STATUS = "status"
    BUDGET = "budget"
    SPENT = "spent"
    REVENUE = "revenue"
    CONVERSIONS = "conversions"
    ROAS = "roas"
    CTR = "ctr"


@dataclass(frozen=True, kw_only=True)
class CampaignQuery:
    """Which campaigns, in which order, which page (from 1) of how many rows (1 to 200).

    `text` is looked for in the names, without regard to case, and as the whole of an id. What is
    empty or None does not filter.
    """

    text: str = ""
    statuses: Sequence[CampaignStatus] = ()
    objectives: Sequence[CampaignObjective] = ()
    store_id: str | None = None
    account_id: str | None = None
    platform: str | None = None
    currency: str | None = None
    sort: CampaignSort = CampaignSort.CREATED
    descending: bool = True
    page: int = 1
    size: int = 50


class CampaignLine(NamedTuple):
    """A campaign as a list shows it. Money in minor units of `currency`, since its start; `roas`,
    `ctr` and `cpc` as in `AdCampaign`. `proposed` counts changes that wait for a person.

    A tuple, since two hundred of them are made for a page.
    """

    id: str
    name: str
    store_id: str
    store_name: str
    platform: str
    account_id: str
    platform_campaign_id: str | None
    objective: CampaignObjective
    status: CampaignStatus
    status_reason: str
    currency: str
    daily_budget_minor: int
    budget_level: BudgetLevel
    start_date: datetime
    end_date: datetime | None
    auto_optimize: bool
    adopted: bool
    spent_minor: int
    impressions: int
    clicks: int
    conversions: int
    revenue_minor: int
    cpc: Decimal | None
    ctr: Decimal | None
    roas: Decimal | None
    created_at: datetime
    updated_at: datetime
    synced_at: datetime | None
    proposed: int = 0
    creatives: int = 0
    """How many creatives it has."""


@dataclass(frozen=True)
class Totals:
    """Sums over all campaigns of one currency that fit the query, not only those of the page.

    `active_budget_minor` is the sum of the daily budgets of the active ones.
    """

    currency: str
    campaigns: int
    active: int
    active_budget_minor: int
    spent_minor: int
    revenue_minor: int
    impressions: int
    clicks: int
    conversions: int

    @property
    def roas(self) -> Decimal | None:
        """Pooled: revenue of all for spend of all; None without spend."""
        return Decimal(self.revenue_minor) / self.spent_minor if self.spent_minor else None


@dataclass(frozen=True)
class CampaignPage:
    """One page. `total_rows` and `totals` (by currency) are of all that fit; `by_status` counts
    those that would fit without the filter of statuses, all seven named. `page` is the one given:
    beyond the last it is the last."""

    rows: Sequence[CampaignLine]
    total_rows: int
    totals: Mapping[str, Totals]
    by_status: Mapping[CampaignStatus, int] = field(default_factory=dict)
    page: int = 1
    size: int = 50

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.total_rows // self.size))


_Sums: TypeAlias = tuple[tuple[str, CampaignStatus, tuple[int, ...]], ...]
T = TypeVar("T")
_Known: TypeAlias = tuple[object, float, T]
"""What was found, under which stamp, and when."""


class CampaignPages:
    """Lists of campaigns in one store. Keep one of them: the sums are known for a few seconds while
    no campaign has changed. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[CampaignQuery, tuple[object, float, _Sums]] = {}
        self._pages: dict[CampaignQuery, tuple[object, float, CampaignPage]] = {}
        self._lock = threading.Lock()

    def page(self, query: CampaignQuery) -> CampaignPage:
        """One page. Raises `FieldsRefused` for a page or size that cannot be."""
        require_page(query.page, query.size)
        query = replace(
            query,
            text=query.text.strip(),
            account_id=query.account_id and query.account_id.removeprefix("act_"),
            statuses=tuple(query.statuses),
            objectives=tuple(query.objectives),
        )
        with self._store.look() as connection:
            stamp = stamp_of(connection)
            kept = _fresh(self._pages, query, stamp)
            if kept is not None:
                return kept
            sums = self._sums(connection, query, stamp)
            wanted = frozenset(query.statuses or CampaignStatus)
            by_status = dict.fromkeys(CampaignStatus, 0)
            for _, status, numbers in sums:
                by_status[status] += numbers[0]
            found = sum(count for status, count in by_status.items() if status in wanted)
            page = min(query.page, max(1, -(-found // query.size)))
            rows: list[CampaignLine] = []
            if found:
                shape = _shape(query, sqlite=self._store.is_sqlite)
                values = _values(query) | {
                    "limit": query.size,
                    "offset": (page - 1) * query.size,
                    "statuses": list(query.statuses),
                }
                rows = list(map(CampaignLine._make, rows_of(connection, shape, values)))
        made = CampaignPage(rows, found, _totals(sums, wanted), by_status, page, query.size)
        self._keep(self._pages, query, (stamp, time.monotonic(), made), _MOST_PAGES)
        return made

    def _sums(self, connection: Connection, query: CampaignQuery, stamp: object) -> _Sums:
        """By currency and status: the sums over all that fit but for their status."""
        key = replace(
            query, statuses=(), sort=CampaignSort.CREATED, descending=True, page=1, size=1
        )
        kept = _fresh(self._kept, key, stamp)
        if kept is not None:
            return kept
        shape = _shape(key, sqlite=self._store.is_sqlite)
        found = tuple(
            (currency, status, tuple(map(int, numbers)))
            for currency, status, *numbers in sums_of(connection, shape, _values(key))
        )
        self._keep(self._kept, key, (stamp, time.monotonic(), found), _MOST_SUMS)
        return found

    def _keep(
        self,
        kept: dict[CampaignQuery, _Known[T]],
        query: CampaignQuery,
        known: _Known[T],
        most: int,
    ) -> None:
        with self._lock:
            if len(kept) >= most:
                kept.clear()
            kept[query] = known


def _fresh(
    kept: Mapping[CampaignQuery, _Known[T]], query: CampaignQuery, stamp: object
) -> T | None:
    """What is known of a query, while nothing has changed and for a few seconds at most."""
    known = kept.get(query)
    if known is None or known[0] != stamp or time.monotonic() - known[1] >= _KEPT_SECONDS:
        return None
    return known[2]


class CampaignCounts:
    """How much there is of campaigns and of what waits, in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_accounts(self, account_ids: Collection[str]) -> dict[str, tuple[int, int, int]]:
        """By account: campaigns of ours, those of them that run, changes that wait for a person."""
        with self._store.look() as connection:
            rows = counts_of(connection, list(account_ids))
        found = {account_id: [0, 0, 0] for account_id in account_ids}
        for account_id, place, count in rows:
            found[account_id][place] += count
        return {each: (all_of, active, open_) for each, (all_of, active, open_) in found.items()}


def require_page(page: int, size: int) -> None:
    """Raise `FieldsRefused` for a page or a size that no list has."""
    problems = []
    if page < 1:
        problems.append(FieldProblem("page", f"There is no page {page}.", "The first one is 1."))
    if not 1 <= size <= LARGEST_PAGE:
        problems.append(
            FieldProblem("size", f"A page cannot have {size} rows.", f"Give 1 to {LARGEST_PAGE}.")
        )
    if problems:
        raise FieldsRefused(problems)


_PLAIN = ("store_id", "account_id", "platform", "currency")


def _shape(query: CampaignQuery, *, sqlite: bool) -> Shape:
    filters = [name for name in _PLAIN if getattr(query, name)]
    filters += [name for name in ("text", "objectives", "statuses") if getattr(query, name)]
    return Shape(tuple(filters), query.sort.value, query.descending, sqlite)


def _values(query: CampaignQuery) -> dict[str, Any]:
    escaped = query.text
    for sign in "/%_":
        escaped = escaped.replace(sign, f"/{sign}")
    return {name: getattr(query, name) for name in _PLAIN} | {
        "text": query.text,
        "like": f"%{escaped}%",
        "objectives": list(query.objectives),
    }


def _totals(sums: _Sums, wanted: frozenset[CampaignStatus]) -> dict[str, Totals]:
    found: dict[str, list[int]] = {}
    for currency, status, (count, budget, *numbers) in sums:
        if status in wanted:
            running = status is CampaignStatus.ACTIVE
            more = (count, count * running, budget * running, *numbers)
            before = found.get(currency, [0] * len(more))
            found[currency] = [a + b for a, b in zip(before, more, strict=True)]
    return {currency: Totals(currency, *numbers) for currency, numbers in sorted(found.items())}
