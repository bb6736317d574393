"""Campaigns: listed, looked at, asked for, and ordered about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from zyenta_ads_pipeline.console.desks.asking import NewCampaign, checked
from zyenta_ads_pipeline.console.desks.ordering import (
    UnderWay,
    allowed_kinds,
    checked_payload,
    offered_kinds,
    require_allowed,
    require_going,
)
from zyenta_ads_pipeline.console.desks.versions import require_version, version_of
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.campaign import (
    AdCampaign,
    CampaignObjective,
    CampaignRequest,
    OptimizationLog,
)
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.creative import Rejection
from zyenta_ads_pipeline.domain.money import to_minor
from zyenta_ads_pipeline.domain.shop import MediaAsset, Product
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.campaign_pages import (
    LARGEST_PAGE,
    CampaignPage,
    CampaignPages,
    CampaignQuery,
)
from zyenta_ads_pipeline.store.campaign_records import CampaignEvent
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.change_pages import ChangePages, ChangeQuery
from zyenta_ads_pipeline.store.launches import Launches, LaunchStep
from zyenta_ads_pipeline.store.orders import Order, OrderKind, Orders, Wishes
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord
from zyenta_ads_pipeline.store.requests import CampaignRequests, RequestState
from zyenta_ads_pipeline.store.shops import Shops


@dataclass(frozen=True)
class Asked:
    """A request and how far it is."""

    request: CampaignRequest
    state: RequestState


@dataclass(frozen=True)
class Progress:
    """How far a request is on its way to a launched campaign: its campaign once there is one, and
    the steps of its launch in order."""

    request: CampaignRequest
    state: RequestState
    campaign: AdCampaign | None
    steps: Sequence[LaunchStep]

    @property
    def done(self) -> int:
        """Steps that are done."""
        return sum(step.state.value == "done" for step in self.steps)


def _version(campaign_id: str, updated_at: datetime, wishes: Wishes) -> str:
    """Another one once something else is asked for, or an order is over: of two who order on the
    same sight of a campaign one is told."""
    return version_of(campaign_id, updated_at, wishes.newest, *(each.id for each in wishes.open))


def _own_key(person: Person, key: str | None) -> str | None:
    """The key as one of this person's; an empty one stays so, to be refused."""
    if key is None or not key.strip():
        return key
    own = f"{person.name}:{key}"
    return own if len(own) <= 200 else sha256(own.encode()).hexdigest()


class CampaignDesk:
    """Campaigns. Viewers look; buyers ask and order.

    Every method takes the person first; raises `NotAllowed`, `NotThere` for an id that is not
    there, and `InputError`s with the remedy.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._pages = CampaignPages(office.store)
        self._campaigns = Campaigns(office.store)
        self._requests = CampaignRequests(office.store)
        self._orders = Orders(office.store)
        self._outbox = Outbox(office.store)
        self._shops = Shops(office.store)
        self._launches = Launches(office.store)

    def page(self, person: Person, query: CampaignQuery) -> CampaignPage:
        """A page of campaigns with totals. `FieldsRefused` for a page or size that cannot be."""
        return self._pages.page(query)

    def get(self, person: Person, campaign_id: str) -> AdCampaign:
        """One campaign with its creatives (`domain.creative.AdCreative`)."""
        return self._campaigns.get(campaign_id)

    def version(self, campaign: AdCampaign) -> str:
        """Its version, for `ETag`: of the campaign and of what is asked for of it."""
        return _version(campaign.id, campaign.updated_at, self._orders.wishes(campaign.id))

    def products(self, person: Person, campaign_id: str) -> list[Product]:
        """The products that its creatives advertise, as far as the store still has them."""
        campaign = self._campaigns.get(campaign_id)
        ids = {
            each for creative in campaign.creatives for each in creative.draft.origin.product_ids
        }
        return self._shops.products_named(campaign.store_id, ids) if ids else []

    def media(self, person: Person, campaign_id: str) -> dict[str, MediaAsset]:
        """The pictures and videos of its creatives, by their id."""
        campaign = self._campaigns.get(campaign_id)
        ids = {each for creative in campaign.creatives for each in creative.draft.media_ids}
        return {asset.id: asset for asset in self._shops.media_named(ids)}

    def steps(self, person: Person, campaign_id: str) -> list[LaunchStep]:
        """The steps of its launch in order; empty for one that was adopted."""
        self._campaigns.get(campaign_id, creatives=False)
        return self._launches.steps(campaign_id)

    def journal(self, person: Person, campaign_id: str) -> list[CampaignEvent]:
        """What happened to it and to its creatives, the oldest first."""
        self._campaigns.get(campaign_id, creatives=False)
        return self._campaigns.journal(campaign_id)

    def logs(self, person: Person, campaign_id: str) -> list[OptimizationLog]:
        """Its optimizations, the oldest first."""
        self._campaigns.get(campaign_id, creatives=False)
        return self._campaigns.logs(campaign_id)

    def rejections(self, person: Person, campaign_id: str) -> list[Rejection]:
        """Texts that were written for it and not taken, with the reason."""
        self._campaigns.get(campaign_id, creatives=False)
        return self._campaigns.rejections(campaign_id)

    def changes(self, person: Person, campaign_id: str) -> list[ChangeRecord]:
        """Its changes in the outbox, the newest first; at most 200."""
        own = self._campaigns.get(campaign_id, creatives=False).platform_campaign_id
        if own is None:
            return []
        query = ChangeQuery(campaign_id=own, size=LARGEST_PAGE)
        return [line.record for line in ChangePages(self._office.store).page(query).rows]

    def ask(
        self, person: Person, new: NewCampaign, key: str | None = None
    ) -> tuple[CampaignRequest, bool]:
        """Ask for a campaign; True when it is new. The sensor carries it out. Buyer.

        With a key used before, the request of that time comes back. Raises `FieldsRefused` naming
        every field that cannot be used, `InputError` for a key that was used for something else.
        """
        office = self._office
        office.allow(person, Role.BUYER, "campaign.ask", "request", new.store_id)
        currency = checked(office, new)
        request = CampaignRequest(
            id=uuid4().hex,
            store_id=new.store_id,
            platform=new.platform,
            objective=CampaignObjective(new.objective),
            daily_budget_minor=to_minor(new.daily_budget, currency),
            currency=currency,
            duration_days=new.duration_days,
            requested_at=office.now(),
            requested_by=person.name,
            name=new.name.strip(),
            product_ids=tuple(new.product_ids),
            variations=new.variations,
            budget_level=new.budget_level,
            auto_optimize=new.auto_optimize,
        )
        # Keys of two people do not meet.
        kept, is_new = self._requests.add(request, key=_own_key(person, key))
        if is_new:
            detail = {
                "store": new.store_id,
                "daily_budget": str(new.daily_budget),
                "name": new.name,
            }
            office.note(person, "campaign.ask", "request", kept.id, detail)
        return kept, is_new

    def request(self, person: Person, request_id: str) -> Progress:
        """How far a request is."""
        request, state = self._requests.get(request_id), self._requests.state(request_id)
        found = self._campaigns.find(request_id=request_id, creatives=True)
        campaign = found[0] if found else None
        steps = self._launches.steps(campaign.id) if campaign else []
        return Progress(request, state, campaign, steps)

    def requests(self, person: Person) -> list[Asked]:
        """The requests that wait, are worked on or failed, the newest first; at most 200."""
        states = (RequestStep.WAITING, RequestStep.WORKING, RequestStep.FAILED)
        return [Asked(*each) for each in self._requests.find(states)]

    def retry(self, person: Person, request_id: str) -> RequestState:
        """Failed → waiting: it is carried out again. Buyer. Nothing changes for one that waits
        or is worked on already; `IllegalTransition` for one that is done."""
        office = self._office
        office.allow(person, Role.BUYER, "request.retry", "request", request_id)
        state = self._requests.state(request_id)
        if state.state in (RequestStep.WAITING, RequestStep.WORKING):
            return state
        state = self._requests.retry(request_id, office.now())
        office.note(person, "request.retry", "request", request_id)
        return state

    def order(
        self,
        person: Person,
        campaign_id: str,
        kind: OrderKind,
        payload: Mapping[str, Any] | None = None,
        *,
        expected: str | None = None,
    ) -> Order:
        """Ask for something to be done with a campaign. Buyer. The sensor carries it out.

        The same order that is still open comes back. Payloads as in `OrderKind`; for BUDGET
        `daily_budget_minor` (whole) or `daily_budget` (Decimal, major units), for SCALE_CREATIVE
        `percent` 1 to 100. With `expected`, the version that was seen: else `Stale`, also for the
        second of two who saw the same. Raises `FieldsRefused` for a payload, `InputError` for a
        kind that the campaign does not allow as it stands, or while a kill switch holds its
        account.
        """
        office = self._office
        office.allow(person, Role.BUYER, f"campaign.{kind.value}", "campaign", campaign_id)
        campaign = self._campaigns.get(campaign_id)
        under_way = self._under_way(campaign)
        require_allowed(self._campaigns, self._launches, campaign, kind, under_way)
        require_going(office, campaign.account_id)

        def seen(updated_at: datetime, wishes: Wishes) -> None:
            found = _version(campaign.id, updated_at, wishes)
            require_version(campaign.name, expected, found)

        order, is_new = self._orders.ask(
            kind,
            campaign_id=campaign.id,
            account_id=campaign.account_id,
            payload=checked_payload(office, campaign, kind, payload or {}),
            by=person.name,
            now=office.now(),
            seen=None if expected is None else seen,
        )
        if is_new:
            detail = {"order": order.id, **order.payload}
            office.note(person, f"campaign.{kind.value}", "campaign", campaign.id, detail)
        return order

    def withdraw(self, person: Person, order_id: str) -> Order:
        """Take back an order that still waits; nothing changes for one that is withdrawn already.
        Buyer, also while a kill switch holds. `IllegalTransition` for one that is being done or
        over."""
        office = self._office
        office.allow(person, Role.BUYER, "order.withdraw", "order", order_id)
        order, is_new = self._orders.withdraw(order_id, by=person.name, now=office.now())
        if is_new:
            subject = {"campaign": order.campaign_id} if order.campaign_id else {}
            detail = {"order": order.kind.value, **subject, **order.payload}
            office.note(person, "order.withdraw", "order", order.id, detail)
        return order

    def order_state(self, person: Person, order_id: str) -> Order:
        """One order as it stands."""
        return self._orders.get(order_id)

    def orders(self, person: Person, campaign_id: str) -> list[Order]:
        """The orders of a campaign, the newest first; at most 100."""
        self._campaigns.get(campaign_id, creatives=False)
        return self._orders.find(campaign_id=campaign_id)

    def allowed(self, person: Person, campaign: AdCampaign) -> frozenset[OrderKind]:
        """What may be ordered of a campaign as it stands, by this person, and is not asked for
        already: for buttons."""
        if not person.may(Role.BUYER):
            return frozenset()
        under_way = self._under_way(campaign)
        allowed = allowed_kinds(self._campaigns, self._launches, campaign, under_way)
        return offered_kinds(allowed, under_way)

    def _under_way(self, campaign: AdCampaign) -> UnderWay:
        """Its open orders; and what an order that is over has left to be written."""
        own = campaign.platform_campaign_id
        moving = (ChangeState.APPROVED, ChangeState.SENDING)
        left = self._outbox.find(object_id=own, states=moving) if own else []
        return UnderWay(
            [each.kind for each in self._orders.wishes(campaign.id).open],
            any(
                each.change.field is ChangeField.STATUS and each.change.new_value == "ACTIVE"
                for each in left
            ),
        )
