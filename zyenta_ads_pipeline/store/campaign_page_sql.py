"""The SQL of a page of campaigns. A statement is built once for each shape of query and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Select,
    String,
    asc,
    bindparam,
    cast,
    desc,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from zyenta_ads_pipeline.domain.campaign import BudgetLevel, CampaignObjective, CampaignStatus
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.store.campaign_models import CampaignJournalRow, CampaignRow, CreativeRow
from zyenta_ads_pipeline.store.columns import ExactDecimal, UtcDateTime
from zyenta_ads_pipeline.store.models import ChangeRow, JournalRow
from zyenta_ads_pipeline.store.shop_models import ShopRow

_T = CampaignRow.__table__
_C = _T.c
_STORE = ShopRow.__table__
_CHANGE = ChangeRow.__table__.c
_AMOUNTS = frozenset({"budget", "spent", "revenue"})
_OWN_INDEX = {
    "created": (frozenset(), frozenset({"store_id"}), frozenset({"account_id"})),
    "updated": (frozenset(),),
}
"""Where an index of fewer columns serves a sort, with these filters and no others."""
_SORTED = {
    "created": "created_at",
    "updated": "updated_at",
    "status": "status",
    "budget": "daily_budget_minor",
    "spent": "spent_minor",
    "revenue": "revenue_minor",
    "conversions": "conversions",
}
_RATIOS: Mapping[str, ColumnElement[Any]] = {
    # The stored ratios are texts; these are for the order alone.
    "roas": cast(_C.revenue_minor, Float) / func.nullif(_C.spent_minor, 0),
    "ctr": cast(_C.clicks, Float) / func.nullif(_C.impressions, 0),
}
_PROPOSED = (
    select(func.count())
    .where(
        _CHANGE.state == ChangeState.PROPOSED,
        _CHANGE.campaign_id == _C.platform_campaign_id,
    )
    .correlate(_T)
    .scalar_subquery()
)
_CREATIVES = (
    select(func.count())
    .where(CreativeRow.__table__.c.campaign_id == _C.id)
    .correlate(_T)
    .scalar_subquery()
)
_SHOWN = (
    _C.id, _C.name, _C.store_id, _STORE.c.name.label("store_name"), _C.platform, _C.account_id,
    _C.platform_campaign_id, _C.objective, _C.status, _C.status_reason, _C.currency,
    _C.daily_budget_minor, _C.budget_level, _C.start_date, _C.end_date, _C.auto_optimize,
    _C.adopted, _C.spent_minor, _C.impressions, _C.clicks, _C.conversions, _C.revenue_minor,
    _C.cpc, _C.ctr, _C.roas, _C.created_at, _C.updated_at, _C.synced_at, _PROPOSED,
    _CREATIVES,
)  # fmt: skip
"""The fields of a `CampaignLine`, in their order."""


def _places(kind: type[TypeEngine[Any]]) -> tuple[int, ...]:
    return tuple(place for place, column in enumerate(_SHOWN) if isinstance(column.type, kind))


_MOMENTS, _DECIMALS = _places(UtcDateTime), _places(ExactDecimal)
_ENUMS = {"objective": CampaignObjective, "status": CampaignStatus, "budget_level": BudgetLevel}
_WORDS = tuple(
    (place, {word.value: word for word in _ENUMS[column.key]})
    for place, column in enumerate(_SHOWN)
    if column.key in _ENUMS
)
_RAW = {*_MOMENTS, *_DECIMALS, *(place for place, _ in _WORDS)}
_ASKED = tuple(
    type_coerce(column, String()).label(f"raw_{place}") if place in _RAW else column
    for place, column in enumerate(_SHOWN)
)
"""The same without SQLAlchemy's own reading of each value, which is half of a page's cost."""


@dataclass(frozen=True)
class Shape:
    """What makes two queries the same statement: which filters they use, and their order."""

    filters: tuple[str, ...]
    sort: str
    descending: bool
    sqlite: bool

    @property
    def listed(self) -> bool:
        """Whether SQLite has to be told to read `ix_ad_campaigns_listed`, which has everything:
        it would look up row after row by an index of one filter."""
        own = _OWN_INDEX.get(self.sort, ())
        return self.sqlite and frozenset(self.filters) not in own


def stamp_of(connection: Connection) -> object:
    """Another value when a campaign was added or changed, or a change of the outbox took a step."""
    return tuple(connection.execute(_STAMP).one())


def sums_of(connection: Connection, shape: Shape, values: Mapping[str, Any]) -> list[Any]:
    """Currency, status, count, daily budgets, spent, revenue, impressions, clicks, conversions."""
    return list(connection.execute(_sums(shape), values))


def rows_of(connection: Connection, shape: Shape, values: Mapping[str, Any]) -> list[Any]:
    """The rows of a page, in order; `values` besides the filters' are `limit` and `offset`."""
    return [_read(row) for row in connection.execute(_page(shape), values)]


def _read(row: Any) -> list[Any]:
    """A row with its moments, decimals and words. The same texts come again and again, in a page
    and from page to page: each is read once."""
    values = list(row)
    for place in _MOMENTS:
        if values[place] is not None:
            values[place] = _moment(values[place])
    for place in _DECIMALS:
        if values[place] is not None:
            values[place] = _decimal(values[place])
    for place, words in _WORDS:
        values[place] = words[values[place]]
    return values


@lru_cache(maxsize=16_384)
def _moment(kept: str | datetime) -> datetime:
    """As `UtcDateTime` reads it: SQLite gives the text, Postgres an aware moment."""
    if isinstance(kept, str):
        return datetime.fromisoformat(kept).replace(tzinfo=UTC)
    return kept.astimezone(UTC)


_decimal = lru_cache(maxsize=16_384)(Decimal)


def counts_of(connection: Connection, account_ids: Sequence[str]) -> list[tuple[str, int, int]]:
    """Account, what (0 campaigns, 1 those that run, 2 proposed changes), and how many."""
    found = []
    known = _C.account_id.in_(account_ids)
    by_status = select(_C.account_id, _C.status, func.count()).where(known)
    for account, status, count in connection.execute(by_status.group_by(_C.account_id, _C.status)):
        found.append((account, 0, count))
        if status is CampaignStatus.ACTIVE:
            found.append((account, 1, count))
    waiting = select(_CHANGE.account_id, func.count()).where(
        _CHANGE.account_id.in_(account_ids), _CHANGE.state == ChangeState.PROPOSED
    )
    for account, count in connection.execute(waiting.group_by(_CHANGE.account_id)):
        found.append((account, 2, count))
    return found


_STAMP = select(
    select(func.count()).select_from(_T).scalar_subquery(),
    select(func.max(_C.updated_at)).scalar_subquery(),
    # Clocks differ, and a change need not be the latest by its moment: its journal row is.
    select(func.max(CampaignJournalRow.id)).scalar_subquery(),
    select(func.max(JournalRow.id)).scalar_subquery(),
)


@lru_cache(maxsize=256)
def _sums(shape: Shape) -> Select[Any]:
    return (
        select(
            _C.currency,
            _C.status,
            func.count(),
            func.sum(_C.daily_budget_minor),
            func.sum(_C.spent_minor),
            func.sum(_C.revenue_minor),
            func.sum(_C.impressions),
            func.sum(_C.clicks),
            func.sum(_C.conversions),
        )
        .where(*_filters(shape, listed=shape.sqlite))
        .group_by(_C.currency, _C.status)
    )


@lru_cache(maxsize=256)
def _page(shape: Shape) -> Select[Any]:
    """The ids first, out of an index alone, since the rows are wide; then the rows of these."""
    ids = (
        select(_C.id)
        .where(*_filters(shape, listed=shape.listed))
        .order_by(*_order(shape, listed=shape.listed))
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )
    shown = select(*_ASKED).select_from(_T.join(_STORE, _STORE.c.id == _C.store_id))
    return shown.where(_C.id.in_(ids)).order_by(*_order(shape, listed=False))


def _filters(shape: Shape, *, listed: bool) -> list[ColumnElement[bool]]:
    return [_filter(name, shape, listed=listed) for name in shape.filters]


def _filter(name: str, shape: Shape, *, listed: bool) -> ColumnElement[bool]:
    if name == "statuses":
        return _column("status", listed=listed).in_(bindparam("statuses", expanding=True))
    if name == "objectives":
        return _C.objective.in_(bindparam("objectives", expanding=True))
    if name != "text":
        return _column(name, listed=listed) == bindparam(name)
    # SQLite's LIKE has no regard to case as it is (of ASCII letters).
    like = _C.name.like if shape.sqlite else _C.name.ilike
    own = _T.alias("own")
    same = select(own.c.id).where(
        or_(own.c.id == bindparam("text"), own.c.platform_campaign_id == bindparam("text"))
    )
    return or_(like(bindparam("like"), escape="/"), _column("id", listed=listed).in_(same))


def _order(shape: Shape, *, listed: bool) -> list[ColumnElement[Any]]:
    direction = desc if shape.descending else asc
    keys: list[ColumnElement[Any]] = []
    if shape.sort in _AMOUNTS:
        keys.append(direction(_C.currency))  # amounts of several currencies do not compare
    if shape.sort in _RATIOS:
        keys.append(direction(_RATIOS[shape.sort]).nulls_last())  # no value: last either way
    elif shape.sort == "name":
        keys.append(direction(func.lower(_C.name)))
    else:
        keys.append(direction(_column(_SORTED[shape.sort], listed=listed)))
    return [*keys, direction(_C.id)]


def _column(name: str, *, listed: bool) -> ColumnElement[Any]:
    """A column; `listed` keeps SQLite from choosing its index, by the unary plus it knows."""
    column: ColumnElement[Any] = _C[name]
    return literal_column(f"+{CampaignRow.__tablename__}.{name}", column.type) if listed else column
