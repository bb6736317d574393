"""Campaigns, creatives and their events between the database's rows and plain values."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.creative import (
    AdCreative,
    CreativeDraft,
    CreativeOrigin,
    CreativeStatus,
)
from zyenta_ads_pipeline.domain.errors import NotThere
from zyenta_ads_pipeline.store.campaign_models import CampaignJournalRow, CampaignRow, CreativeRow
from zyenta_ads_pipeline.store.database import LOCK
from zyenta_ads_pipeline.store.mapping import record, values_of

_AT_ONCE = 500


@dataclass(frozen=True)
class CampaignEvent:
    """One thing that happened to a campaign, or to its creative `creative_id`; append-only.

    `what` is the name of what changed (`created`, `status`, `daily_budget_minor`, …); both values
    are texts. When they are equal, only the reason is new.
    """

    id: int
    campaign_id: str
    creative_id: str | None
    at: datetime
    actor: str
    what: str
    from_value: str | None
    to_value: str | None
    reason: str


@dataclass(frozen=True)
class Said:
    """What the journal says of a change: who, when (aware), why."""

    actor: str
    at: datetime
    reason: str = ""


def load_campaign(session: Session, campaign_id: str, *, lock: bool = False) -> CampaignRow:
    """The campaign's row, with `lock` until the transaction ends; `InputError` if none."""
    row = session.get(CampaignRow, campaign_id, with_for_update=LOCK if lock else None)
    if row is None:
        raise NotThere(f"There is no campaign {campaign_id!r}.", "List the campaigns.")
    return row


def load_creative(session: Session, creative_id: str, *, lock: bool = False) -> CreativeRow:
    """The creative's row, with `lock` until the transaction ends; `InputError` if none."""
    row = session.get(CreativeRow, creative_id, with_for_update=LOCK if lock else None)
    if row is None:
        raise NotThere(f"There is no creative {creative_id!r}.", "List the campaign's creatives.")
    return row


def new_campaign(campaign: AdCampaign, now: datetime) -> CampaignRow:
    """A row for a campaign that is not stored yet; an id is made where it has none."""
    values = values_of(campaign, leave_out=("creatives",))
    values |= {
        "id": campaign.id or uuid.uuid4().hex,
        "account_id": account_number(campaign.account_id),
        "updated_at": now,
    }
    return CampaignRow(**values)


def new_creative(
    campaign_id: str, draft: CreativeDraft, position: int, now: datetime
) -> CreativeRow:
    """A row for a draft, with an id of its own, ACTIVE and without numbers."""
    values = values_of(draft) | {"origin": values_of(draft.origin)}
    return CreativeRow(
        **values,
        id=uuid.uuid4().hex,
        campaign_id=campaign_id,
        position=position,
        status=CreativeStatus.ACTIVE,
        impressions=0,
        clicks=0,
        conversions=0,
        spend_minor=0,
        revenue_minor=0,
        review_feedback={},
        created_at=now,
        updated_at=now,
    )


def campaign_of(row: CampaignRow, creatives: Sequence[AdCreative] = ()) -> AdCampaign:
    """A row of `ad_campaigns` as a plain value."""
    return record(AdCampaign, row, creatives=tuple(creatives))


def creative_of(row: CreativeRow) -> AdCreative:
    """A row of `ad_creatives` as a plain value."""
    products = tuple(row.origin["product_ids"])
    origin = CreativeOrigin(**{**row.origin, "product_ids": products})
    return record(AdCreative, row, draft=record(CreativeDraft, row, origin=origin))


def creatives_of(session: Session, campaign_ids: Collection[str]) -> dict[str, list[AdCreative]]:
    """The creatives of each campaign, in their order."""
    found: dict[str, list[AdCreative]] = {campaign_id: [] for campaign_id in campaign_ids}
    ids = list(found)
    for start in range(0, len(ids), _AT_ONCE):
        rows = session.scalars(
            select(CreativeRow)
            .where(CreativeRow.campaign_id.in_(ids[start : start + _AT_ONCE]))
            .order_by(CreativeRow.campaign_id, CreativeRow.position)
        )
        for row in rows:
            found[row.campaign_id].append(creative_of(row))
    return found


def alter(
    session: Session, row: CampaignRow | CreativeRow, said: Said, values: dict[str, Any]
) -> None:
    """Set columns of a locked row, with a journal row for each that is not so already."""
    for column, value in values.items():
        before = getattr(row, column)
        if before != value:
            setattr(row, column, value)
            row.updated_at = said.at
            write_event(session, row, column, before, value, said)
    session.flush()


def write_event(
    session: Session,
    row: CampaignRow | CreativeRow,
    what: str,
    before: Any,
    after: Any,
    said: Said,
) -> None:
    """Append a journal row."""
    is_creative = isinstance(row, CreativeRow)
    session.add(
        CampaignJournalRow(
            campaign_id=row.campaign_id if isinstance(row, CreativeRow) else row.id,
            creative_id=row.id if is_creative else None,
            at=said.at,
            actor=said.actor,
            what=what,
            from_value=_shown(before),
            to_value=_shown(after),
            reason=said.reason,
        )
    )


def events_of(rows: Iterable[CampaignJournalRow]) -> list[CampaignEvent]:
    """Rows of `campaign_journal` as plain values."""
    return [record(CampaignEvent, row) for row in rows]


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)
