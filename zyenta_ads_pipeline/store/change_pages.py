"""A page of the outbox: searched, filtered, sorted, by hand-written SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Float, asc, cast, desc, func, or_, select
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.store.campaign_models import CampaignRow
from zyenta_ads_pipeline.store.campaign_pages import require_page
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.models import ChangeRow
from zyenta_ads_pipeline.store.records import ChangeRecord, change_record


class ChangeSort(StrEnum):
    """What a list of changes can be sorted by."""

    NUMBER = "number"
    """The order of arrival."""
    UPDATED = "updated"
    CONFIDENCE = "confidence"


@dataclass(frozen=True, kw_only=True)
class ChangeQuery:
    """Which changes, in which order, which page (from 1) of how many rows (1 to 200).

    `campaign_id` is the platform's; `text` is looked for in the names of the objects. What is empty
    or None does not filter.
    """

    text: str = ""
    states: Sequence[ChangeState] = ()
    account_id: str | None = None
    campaign_id: str | None = None
    object_id: str | None = None
    change_field: ChangeField | None = None
    policy: str | None = None
    sort: ChangeSort = ChangeSort.NUMBER
    descending: bool = True
    page: int = 1
    size: int = 50


@dataclass(frozen=True)
class ChangeLine:
    """A change as a list shows it, with the campaign of ours that it belongs to (None: a campaign
    that was not made or adopted here)."""

    record: ChangeRecord
    campaign_id: str | None
    campaign_name: str | None


@dataclass(frozen=True)
class ChangePage:
    """One page. `total_rows` is of all that fit, `by_state` counts those that would fit without
    the filter of states, all eight named."""

    rows: Sequence[ChangeLine]
    total_rows: int
    by_state: Mapping[ChangeState, int] = field(default_factory=dict)
    page: int = 1
    size: int = 50

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.total_rows // self.size))


class ChangePages:
    """Lists of changes in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def count(self, state: ChangeState) -> int:
        """How many changes are in a state, from its index alone."""
        asked = select(func.count()).where(ChangeRow.state == state)
        with self._store.read() as session:
            return session.scalar(asked) or 0

    def page(self, query: ChangeQuery) -> ChangePage:
        """One page. Raises `FieldsRefused` for a page or size that cannot be."""
        require_page(query.page, query.size)
        counted = (
            select(ChangeRow.state, func.count())
            .where(*_filters(query, states=False))
            .group_by(ChangeRow.state)
        )
        with self._store.read() as session:
            by_state = dict.fromkeys(ChangeState, 0)
            by_state |= dict(session.execute(counted).all())
            wanted = set(query.states or ChangeState)
            found = sum(count for state, count in by_state.items() if state in wanted)
            page = min(query.page, max(1, -(-found // query.size)))
            rows = _rows(session, query, page) if found else []
        return ChangePage(rows, found, by_state, page, query.size)


def _filters(query: ChangeQuery, *, states: bool) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (ChangeRow.account_id, query.account_id and query.account_id.removeprefix("act_")),
            (ChangeRow.campaign_id, query.campaign_id),
            (ChangeRow.object_id, query.object_id),
            (ChangeRow.field, query.change_field),
            (ChangeRow.policy, query.policy),
        )
        if value
    ]
    if states and query.states:
        wanted.append(ChangeRow.state.in_(query.states))
    if text := query.text.strip():
        named = ChangeRow.object_name.icontains(text, autoescape=True)
        ours = select(CampaignRow.platform_campaign_id).where(
            CampaignRow.name.icontains(text, autoescape=True),
            CampaignRow.platform_campaign_id.is_not(None),
        )
        exact = or_(ChangeRow.id == text, ChangeRow.object_id == text)
        wanted.append(or_(named, exact, ChangeRow.campaign_id.in_(ours)))
    return wanted


def _rows(session: Session, query: ChangeQuery, page: int) -> list[ChangeLine]:
    direction = desc if query.descending else asc
    keys: dict[ChangeSort, ColumnElement[Any]] = {
        ChangeSort.NUMBER: ChangeRow.number.expression,
        ChangeSort.UPDATED: ChangeRow.updated_at.expression,
        ChangeSort.CONFIDENCE: cast(ChangeRow.confidence, Float),
    }
    asked = (
        select(ChangeRow)
        .where(*_filters(query, states=True))
        .order_by(direction(keys[query.sort]), direction(ChangeRow.number))
        .limit(query.size)
        .offset((page - 1) * query.size)
    )
    rows = list(session.scalars(asked))
    ours = select(CampaignRow.platform, CampaignRow.platform_campaign_id, CampaignRow.id,
                  CampaignRow.name).where(
        CampaignRow.platform_campaign_id.in_({row.campaign_id for row in rows})
    )  # fmt: skip
    known = {(platform, own): (ident, name) for platform, own, ident, name in session.execute(ours)}
    return [
        ChangeLine(change_record(row), *known.get((row.platform, row.campaign_id), (None, None)))
        for row in rows
    ]
