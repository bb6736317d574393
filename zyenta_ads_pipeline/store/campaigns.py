"""Campaigns of ours with their creatives, numbers and histories.

Each method is one transaction; a row is locked while it is changed, so that of two processes the
second sees what the first did. Every change but that of numbers leaves a row in the campaign's
journal, which cannot be altered. Moments are aware; money is whole minor units.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.campaign import (
    CAMPAIGN_TRANSITIONS,
    AdCampaign,
    CampaignStatus,
    OptimizationLog,
    require_step,
)
from zyenta_ads_pipeline.domain.creative import (
    CREATIVE_TRANSITIONS,
    AdCreative,
    CreativeDraft,
    CreativeStatus,
    Rejection,
)
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import offset, to_major
from zyenta_ads_pipeline.store.campaign_models import (
    CampaignJournalRow,
    CampaignRow,
    OptimizationRow,
    RejectionRow,
)
from zyenta_ads_pipeline.store.campaign_records import (
    CampaignEvent,
    Said,
    alter,
    campaign_of,
    creative_of,
    creatives_of,
    events_of,
    load_campaign,
    load_creative,
    new_campaign,
    new_creative,
    write_event,
)
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.mapping import record, values_of
from zyenta_ads_pipeline.store.shop_models import ShopRow

_DIGITS = 12
"""Significant digits of a stored ratio."""


class Campaigns:
    """The campaigns in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, campaign: AdCampaign, creatives: Sequence[CreativeDraft], *, actor: str, now: datetime
    ) -> AdCampaign:
        """Take in a campaign with its creatives, which get ids and are ACTIVE.

        Raises `InputError` for an id, a request or an object of the platform that has a campaign
        already, a store that is not there, an unknown currency or a negative budget.
        """
        offset(campaign.currency)
        _require_budget(campaign.id, campaign.daily_budget_minor, least=0)
        with self._store.write() as session:
            row = new_campaign(campaign, now)
            _require_new(session, row)
            session.add(row)
            session.flush()
            for position, draft in enumerate(creatives):
                session.add(new_creative(row.id, draft, position, now))
            said = Said(actor, now, campaign.status_reason)
            write_event(session, row, "created", None, campaign.status, said)
            session.flush()
            session.expire_all()  # so that it is given back as it will be read
            return _whole(session, row)

    def get(self, campaign_id: str, *, creatives: bool = True) -> AdCampaign:
        """One campaign; `InputError` if there is none of that id."""
        with self._store.read() as session:
            return _whole(session, load_campaign(session, campaign_id), creatives=creatives)

    def find(
        self,
        *,
        store_id: str | None = None,
        account_id: str | None = None,
        statuses: Collection[CampaignStatus] = (),
        platform_campaign_id: str | None = None,
        request_id: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        creatives: bool = False,
    ) -> list[AdCampaign]:
        """Campaigns that fit every filter given, the newest first; creatives where asked for."""
        account = None if account_id is None else account_number(account_id)
        wanted: list[ColumnElement[bool]] = [
            column == value
            for column, value in (
                (CampaignRow.store_id, store_id),
                (CampaignRow.account_id, account),
                (CampaignRow.platform_campaign_id, platform_campaign_id),
                (CampaignRow.request_id, request_id),
            )
            if value is not None
        ]
        if statuses:
            wanted.append(CampaignRow.status.in_(statuses))
        order = (CampaignRow.created_at.desc(), CampaignRow.id.desc())
        asked = select(CampaignRow).where(*wanted).order_by(*order).limit(limit).offset(offset)
        with self._store.read() as session:
            rows = session.scalars(asked).all()
            of_each = creatives_of(session, [row.id for row in rows]) if creatives else {}
            return [campaign_of(row, of_each.get(row.id, ())) for row in rows]

    def by_hand(self, account_id: str) -> frozenset[str]:
        """The platform's ids of an account's campaigns that no autopilot may change by itself."""
        return frozenset(
            each.platform_campaign_id
            for each in self.find(account_id=account_id)
            if each.platform_campaign_id is not None and not each.auto_optimize
        )

    def creative(self, creative_id: str) -> AdCreative:
        """One creative; `InputError` if there is none of that id."""
        with self._store.read() as session:
            return creative_of(load_creative(session, creative_id))

    def move(
        self, campaign_id: str, to: CampaignStatus, *, reason: str, actor: str, now: datetime
    ) -> AdCampaign:
        """Take a step of `CAMPAIGN_TRANSITIONS`; `IllegalTransition` for any other.

        To stay where it is gives it another reason, and changes nothing if that is the same.
        """
        with self._store.write() as session:
            row = load_campaign(session, campaign_id, lock=True)
            before = row.status
            if before is not to:
                require_step(f"Campaign {row.id}", before, to, CAMPAIGN_TRANSITIONS)
            if before is not to or row.status_reason != reason:
                row.status, row.status_reason, row.updated_at = to, reason, now
                write_event(session, row, "status", before, to, Said(actor, now, reason))
            return _whole(session, row)

    def placed(
        self, campaign_id: str, *, platform_campaign_id: str, now: datetime, actor: str = "launch"
    ) -> AdCampaign:
        """Remember which of the platform's campaigns it is. `InputError` if that is another's."""
        with self._store.write() as session:
            row = load_campaign(session, campaign_id, lock=True)
            if row.platform_campaign_id != platform_campaign_id:
                _require_unplaced(session, row.platform, platform_campaign_id)
            values = {"platform_campaign_id": platform_campaign_id}
            alter(session, row, Said(actor, now, "made on the platform"), values)
            return _whole(session, row)

    def unplaced(self, campaign_id: str, *, now: datetime, actor: str, reason: str) -> AdCampaign:
        """Forget where a campaign and its creatives are on the platform: it was rolled back."""
        said = Said(actor, now, reason)
        with self._store.write() as session:
            row = load_campaign(session, campaign_id, lock=True)
            alter(session, row, said, {"platform_campaign_id": None})
            places = ("platform_ad_set_id", "platform_creative_id", "platform_ad_id")
            for creative in creatives_of(session, [row.id])[row.id]:
                held = load_creative(session, creative.id, lock=True)
                alter(session, held, said, dict.fromkeys(places))
            return _whole(session, row)

    def creative_placed(
        self,
        creative_id: str,
        *,
        ad_set_id: str | None = None,
        creative_ref: str | None = None,
        ad_id: str | None = None,
        now: datetime,
        actor: str = "launch",
    ) -> AdCreative:
        """Remember a creative's objects on the platform; those that are not given stay."""
        given = {
            "platform_ad_set_id": ad_set_id,
            "platform_creative_id": creative_ref,
            "platform_ad_id": ad_id,
        }
        values = {column: value for column, value in given.items() if value is not None}
        return self._alter_creative(creative_id, Said(actor, now, "made on the platform"), values)

    def set_budget(
        self, campaign_id: str, daily_minor: int, actor: str, reason: str, now: datetime
    ) -> AdCampaign:
        """Set the daily budget; `InputError` unless it is above zero."""
        _require_budget(campaign_id, daily_minor, least=1)
        return self._alter(
            campaign_id, Said(actor, now, reason), {"daily_budget_minor": daily_minor}
        )

    def set_targeting(
        self,
        campaign_id: str,
        targeting: Mapping[str, Any],
        *,
        actor: str,
        reason: str,
        now: datetime,
    ) -> AdCampaign:
        """Replace the targeting as a whole."""
        return self._alter(campaign_id, Said(actor, now, reason), {"targeting": dict(targeting)})

    def set_metrics(
        self,
        campaign_id: str,
        *,
        spent_minor: int,
        impressions: int,
        clicks: int,
        conversions: int,
        revenue_minor: int,
        currency: str,
        now: datetime,
    ) -> AdCampaign:
        """Put the numbers since the campaign's start in the place of the stored ones.

        The ratios are those of these sums: `cpc` and `cpm` in major units, `ctr` a fraction; None
        where the denominator is zero. `InputError` if `currency` is not the campaign's.
        """
        spent, revenue = to_major(spent_minor, currency), to_major(revenue_minor, currency)
        with self._store.write() as session:
            row = load_campaign(session, campaign_id, lock=True)
            if currency != row.currency:
                raise InputError(
                    f"Campaign {row.id} is kept in {row.currency}, the numbers are in {currency}.",
                    "Give the numbers in the ad account's currency.",
                )
            row.spent_minor, row.revenue_minor = spent_minor, revenue_minor
            row.impressions, row.clicks, row.conversions = impressions, clicks, conversions
            row.cpc = _ratio(spent, clicks)
            row.cpm = _ratio(spent * 1000, impressions)
            row.ctr = _ratio(Decimal(clicks), impressions)
            row.roas = _ratio(revenue, spent)
            row.synced_at = row.updated_at = now
            session.flush()
            return _whole(session, row)

    def set_creative_metrics(
        self,
        creative_id: str,
        *,
        impressions: int,
        clicks: int,
        conversions: int,
        spend_minor: int,
        revenue_minor: int,
        now: datetime,
    ) -> AdCreative:
        """Put a creative's numbers since its start in the place of the stored ones."""
        with self._store.write() as session:
            row = load_creative(session, creative_id, lock=True)
            row.impressions, row.clicks, row.conversions = impressions, clicks, conversions
            row.spend_minor, row.revenue_minor, row.updated_at = spend_minor, revenue_minor, now
            session.flush()
            return creative_of(row)

    def move_creative(
        self, creative_id: str, to: CreativeStatus, *, reason: str, actor: str, now: datetime
    ) -> AdCreative:
        """Take a step of `CREATIVE_TRANSITIONS`; `IllegalTransition` for any other.

        To stay where it is changes nothing.
        """
        return self.move_creatives([creative_id], to, reason=reason, actor=actor, now=now)[0]

    def move_creatives(
        self,
        creative_ids: Sequence[str],
        to: CreativeStatus,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> list[AdCreative]:
        """The same step for several creatives, all of them or none."""
        moved = []
        with self._store.write() as session:
            for creative_id in creative_ids:
                row = load_creative(session, creative_id, lock=True)
                if row.status is not to:
                    require_step(f"Creative {row.id}", row.status, to, CREATIVE_TRANSITIONS)
                alter(session, row, Said(actor, now, reason), {"status": to})
                moved.append(creative_of(row))
        return moved

    def creative_feedback(
        self, creative_id: str, feedback: Mapping[str, str], now: datetime, actor: str = "review"
    ) -> AdCreative:
        """Keep what the platform's review objects to; empty: nothing any more."""
        return self._alter_creative(
            creative_id, Said(actor, now), {"review_feedback": dict(feedback)}
        )

    def log(self, entry: OptimizationLog) -> None:
        """Append an optimization; the campaign's `last_optimized_at` moves up to it.

        `InputError` if there is no such campaign, or for a confidence outside 0 to 1.
        """
        if not 0 <= entry.confidence <= 1:
            raise InputError(
                f"The confidence {entry.confidence} is not between 0 and 1.",
                "Give it as a probability.",
            )
        with self._store.write() as session:
            row = load_campaign(session, entry.campaign_id, lock=True)
            session.execute(insert(OptimizationRow).values(**values_of(entry)))
            if row.last_optimized_at is None or row.last_optimized_at < entry.created_at:
                row.last_optimized_at = row.updated_at = entry.created_at

    def logs(self, campaign_id: str) -> list[OptimizationLog]:
        """A campaign's optimizations, in the order in which they were logged.

        Decimals and moments inside their values come back as texts.
        """
        with self._store.read() as session:
            rows = session.scalars(
                select(OptimizationRow)
                .where(OptimizationRow.campaign_id == campaign_id)
                .order_by(OptimizationRow.id)
            )
            return [record(OptimizationLog, row) for row in rows]

    def journal(self, campaign_id: str) -> list[CampaignEvent]:
        """Everything that happened to a campaign and its creatives, in order."""
        with self._store.read() as session:
            return events_of(
                session.scalars(
                    select(CampaignJournalRow)
                    .where(CampaignJournalRow.campaign_id == campaign_id)
                    .order_by(CampaignJournalRow.id)
                )
            )

    def rejections(self, campaign_id: str) -> list[Rejection]:
        """The texts that were not taken for a campaign, in order."""
        with self._store.read() as session:
            rows = session.scalars(
                select(RejectionRow)
                .where(RejectionRow.campaign_id == campaign_id)
                .order_by(RejectionRow.id)
            )
            return [record(Rejection, row) for row in rows]

    def add_rejections(
        self, campaign_id: str, rejections: Sequence[Rejection], now: datetime
    ) -> None:
        """Append texts that were not taken. `InputError` if there is no such campaign."""
        with self._store.write() as session:
            load_campaign(session, campaign_id)
            for each in rejections:
                session.add(RejectionRow(campaign_id=campaign_id, at=now, **values_of(each)))

    def _alter(self, campaign_id: str, said: Said, values: dict[str, Any]) -> AdCampaign:
        with self._store.write() as session:
            row = load_campaign(session, campaign_id, lock=True)
            alter(session, row, said, values)
            return _whole(session, row)

    def _alter_creative(self, creative_id: str, said: Said, values: dict[str, Any]) -> AdCreative:
        with self._store.write() as session:
            row = load_creative(session, creative_id, lock=True)
            alter(session, row, said, values)
            return creative_of(row)


def _whole(session: Session, row: CampaignRow, *, creatives: bool = True) -> AdCampaign:
    return campaign_of(row, creatives_of(session, [row.id])[row.id] if creatives else ())


def _ratio(top: Decimal, bottom: Decimal | int) -> Decimal | None:
    if not bottom:
        return None
    with localcontext(prec=_DIGITS):
        return top / bottom


def _require_budget(campaign_id: str, minor: int, *, least: int) -> None:
    if minor < least:
        raise InputError(
            f"The daily budget {minor} of campaign {campaign_id} is too small.",
            "Give a positive number of minor units.",
        )


def _require_new(session: Session, row: CampaignRow) -> None:
    if session.get(ShopRow, row.store_id) is None:
        raise InputError(f"There is no store {row.store_id!r}.", "Add the store first.")
    if session.get(CampaignRow, row.id) is not None:
        raise InputError(f"There is a campaign {row.id!r} already.", "Choose another id.")
    if row.platform_campaign_id is not None:
        _require_unplaced(session, row.platform, row.platform_campaign_id)
    if row.request_id is None:
        return
    taken = session.scalar(select(CampaignRow.id).where(CampaignRow.request_id == row.request_id))
    if taken is not None:
        raise InputError(
            f"Request {row.request_id!r} has campaign {taken!r} already.", "Go on with that one."
        )


def _require_unplaced(session: Session, platform: str, platform_campaign_id: str) -> None:
    taken = session.scalar(
        select(CampaignRow.id).where(
            CampaignRow.platform == platform,
            CampaignRow.platform_campaign_id == platform_campaign_id,
        )
    )
    if taken is not None:
        raise InputError(
            f"The {platform} campaign {platform_campaign_id} is campaign {taken!r} here already.",
            "Open that one.",
        )
