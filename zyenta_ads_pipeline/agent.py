"""The ads agent: from a product to a campaign, and what is done with it then.

The Python face of campaigns and creatives; command line, jobs and API go through it. Every act is
kept in the store as it happens, so that whoever comes next goes on where this one stopped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from zyenta_ads_pipeline.account_rules import bounds_of, rules_of
from zyenta_ads_pipeline.campaigns.adoption import Adopted, adopt
from zyenta_ads_pipeline.campaigns.by_hand import Rewritten, retry_now, undo_now
from zyenta_ads_pipeline.campaigns.launch import LaunchPlace, launch
from zyenta_ads_pipeline.campaigns.launch_state import is_launched
from zyenta_ads_pipeline.campaigns.manager import Acted, CampaignManager
from zyenta_ads_pipeline.campaigns.optimize import Optimized, optimize
from zyenta_ads_pipeline.campaigns.reviews import WATCHED, bring_back
from zyenta_ads_pipeline.campaigns.rollback import roll_back
from zyenta_ads_pipeline.connections import connect_meta, stopped, store_of, vault_of
from zyenta_ads_pipeline.creatives.media_files import fetch
from zyenta_ads_pipeline.creatives.targeting import mended
from zyenta_ads_pipeline.domain.budget_limits import limits_of
from zyenta_ads_pipeline.domain.campaign import (
    LONGEST_DAYS,
    AdCampaign,
    BudgetLevel,
    CampaignObjective,
    CampaignRequest,
    CampaignStatus,
)
from zyenta_ads_pipeline.domain.errors import InputError, NotFound, PermissionDenied, ZyentaError
from zyenta_ads_pipeline.domain.money import to_minor
from zyenta_ads_pipeline.domain.shop import MediaAsset, PlatformConnection
from zyenta_ads_pipeline.drafting import draft_campaign, writer_of
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.platforms.registry import require_supported
from zyenta_ads_pipeline.request_work import RequestWork
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.campaign_models import RequestStep
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.launches import Launches
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord
from zyenta_ads_pipeline.store.requests import CampaignRequests
from zyenta_ads_pipeline.store.shops import Shops

Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Open:
    """One account's platform with what a campaign's acts need."""

    store: Store
    connection: PlatformConnection
    platform: MetaAds
    ahead: timedelta
    """How far the platform's clock is ahead of ours: its days and hours count."""
    least_minor: int

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class AdsAgent:
    """Creates, launches, changes and optimizes campaigns. `actor` is who asks, for the journals;
    `tell` hears a sentence at each step of longer work; `wish` marks the changes of the one act
    that this agent is made for, so that they are found again should it be cut off.

    Every method raises one of `domain.errors`, with the remedy in it.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        actor: str = "agent",
        tell: Tell = lambda _: None,
        look_again: float = 2.0,
        wish: str | None = None,
    ) -> None:
        self._settings = settings or load_settings()
        self._actor = actor
        self._tell = tell
        self._look_again = look_again
        self._wish = wish

    async def create_campaign(
        self,
        store_id: str,
        platform: str,
        objective: CampaignObjective,
        daily_budget: Decimal,
        duration_days: int = 7,
        name: str | None = None,
        auto_optimize: bool = True,
        *,
        product_ids: Sequence[str] = (),
        variations: int = 3,
        budget_level: BudgetLevel = BudgetLevel.ADSET,
        key: str | None = None,
    ) -> AdCampaign:
        """Write creatives, aim them, and launch a campaign, paused; the seeds' signature.

        `daily_budget` is in major units of the ad account's currency, within its `BudgetLimits`.
        With a `key` used before the campaign of that time comes back. What stops half-way stays in
        the store: see `carry_out`.
        """
        request = self.request_campaign(
            store_id,
            platform,
            objective,
            daily_budget,
            duration_days,
            name,
            auto_optimize,
            product_ids=product_ids,
            variations=variations,
            budget_level=budget_level,
            key=key,
        )
        return await self.carry_out(request.id)

    def request_campaign(
        self,
        store_id: str,
        platform: str,
        objective: CampaignObjective,
        daily_budget: Decimal,
        duration_days: int = 7,
        name: str | None = None,
        auto_optimize: bool = True,
        *,
        product_ids: Sequence[str] = (),
        variations: int = 3,
        budget_level: BudgetLevel = BudgetLevel.ADSET,
        key: str | None = None,
    ) -> CampaignRequest:
        """Only ask for a campaign; whoever watches the requests carries it out."""
        require_supported(platform)
        if not 1 <= duration_days <= LONGEST_DAYS:
            raise InputError(
                f"A campaign cannot last {duration_days} days.", f"Choose 1 to {LONGEST_DAYS} days."
            )
        if not 1 <= variations <= 10:
            raise InputError(f"{variations} creatives cannot be tested.", "Choose 1 to 10.")
        with store_of(self._settings) as store:
            connection = self._connection(store, store_id, platform)
            minor = limits_of(connection.currency).minor(daily_budget)
            request = CampaignRequest(
                id=uuid4().hex,
                store_id=store_id,
                platform=platform,
                objective=CampaignObjective(objective),
                daily_budget_minor=minor,
                currency=connection.currency,
                duration_days=duration_days,
                requested_at=datetime.now(UTC),
                requested_by=self._actor,
                name=name or "",
                product_ids=tuple(product_ids),
                variations=variations,
                budget_level=budget_level,
                auto_optimize=auto_optimize,
            )
            kept, _ = CampaignRequests(store).add(request, key=key)
            return kept

    async def carry_out(self, request_id: str) -> AdCampaign:
        """Take a request from where it is to a launched campaign.

        Raises `LaunchPaused` where it goes on later by itself, and other errors where a person has
        to mend something: the request is failed then, and can be carried out again.
        """
        campaign = await self.draft(request_id)
        return await self.launch(campaign.id)

    async def draft(self, request_id: str) -> AdCampaign:
        """The request's campaign as a draft, with its creatives and targeting; nothing is on the
        platform yet. Asked again it gives the same campaign."""
        with store_of(self._settings) as store:
            requests = CampaignRequests(store)
            if requests.state(request_id).state is RequestStep.FAILED:
                requests.retry(request_id, datetime.now(UTC))
            known = Campaigns(store).find(request_id=request_id)
            if known:
                return Campaigns(store).get(known[0].id)
            work = self._work(store, request_id)
            work.claim()
            with work.settled():
                return await self._drafted(store, requests.get(request_id), work)

    async def launch(self, campaign_id: str) -> AdCampaign:
        """Make a draft on the platform, paused, or go on where an earlier launch stopped."""
        with store_of(self._settings) as store:
            campaign = Campaigns(store).get(campaign_id)
            work = self._work(store, campaign.request_id)
            work.begin()
            if is_launched(Campaigns(store), campaign):
                work.finish(campaign_id)  # a run may have died before it
                return campaign
            with work.settled(campaign_id):
                async with self._opened(store, campaign.store_id, campaign.platform) as at:
                    await self._mend_targeting(at, campaign)
                    launched = await launch(self._place(at, work), campaign_id)
            work.finish(campaign_id)
            return launched

    async def roll_back(self, campaign_id: str) -> AdCampaign:
        """Delete what a stopped launch made; the campaign is a draft again."""
        with store_of(self._settings) as store:
            campaign = Campaigns(store).get(campaign_id)
            work = self._work(store, campaign.request_id)
            async with self._opened(store, campaign.store_id, campaign.platform) as at:
                place = self._place(at, self._work(store, None))
                return await roll_back(
                    place, at.platform, campaign_id, first=lambda: work.give_up(campaign_id)
                )

    async def activate(self, campaign_id: str) -> Acted:
        """Switch a campaign on."""
        async with self._managed(campaign_id) as manager:
            return await manager.activate(campaign_id, actor=self._actor)

    async def pause(self, campaign_id: str) -> Acted:
        """Switch a campaign off."""
        async with self._managed(campaign_id) as manager:
            return await manager.pause(campaign_id, actor=self._actor)

    async def adjust_budget(self, campaign_id: str, daily_budget: Decimal) -> Acted:
        """Set a campaign's daily budget, in major units of its currency and within its
        `BudgetLimits`."""
        async with self._managed(campaign_id) as manager:
            campaign = manager.campaigns.get(campaign_id)
            minor = to_minor(daily_budget, campaign.currency)
            limits_of(campaign.currency).around(campaign.daily_budget_minor).require(minor)
            return await manager.adjust_budget(campaign_id, minor, actor=self._actor)

    async def take_over(self, campaign_id: str) -> AdCampaign:
        """Take the budget that a human set in Ads Manager for the campaign's own."""
        async with self._managed(campaign_id) as manager:
            return await manager.take_over(campaign_id, actor=self._actor)

    async def pause_creative(self, campaign_id: str, creative_id: str) -> Acted:
        """Switch one creative off."""
        async with self._managed(campaign_id) as manager:
            return await manager.pause_creative(campaign_id, creative_id, actor=self._actor)

    async def scale_creative(self, campaign_id: str, creative_id: str, percent: int) -> Acted:
        """Raise one creative's budget by so many percent, as far as its campaign's `BudgetLimits`
        let it."""
        async with self._managed(campaign_id) as manager:
            return await manager.scale_creative(
                campaign_id, creative_id, percent, actor=self._actor
            )

    async def undo(self, change_id: str, *, again: bool = False) -> Rewritten:
        """Write back what was there before an applied change, and those of the same act; `again`
        goes on with one that was cut off."""
        with store_of(self._settings) as store:
            account = Outbox(store).get(change_id).change.account_id
            async with self._managed_account(store, account) as (look, manager):
                return await undo_now(manager, look, change_id, actor=self._actor, again=again)

    async def retry(self, change_id: str) -> Rewritten:
        """Write an approved change that a person asked for by hand, and those of the same act."""
        with store_of(self._settings) as store:
            account = Outbox(store).get(change_id).change.account_id
            async with self._managed_account(store, account) as (look, manager):
                return await retry_now(manager, look, change_id, actor=self._actor)

    async def settle(self, account_id: str, change_ids: Sequence[str]) -> list[ChangeRecord]:
        """Bring changes that an act cut off had left on their way to an end, as far as it can be
        now; how they stand then."""
        with store_of(self._settings) as store:
            async with self._managed_account(store, account_id) as (_, manager):
                await manager.push(change_ids)
                return [manager.outbox.get(each) for each in change_ids]

    async def review(self, campaign_id: str) -> AdCampaign:
        """Ask the platform how one campaign stands."""
        with store_of(self._settings) as store:
            campaign = Campaigns(store).get(campaign_id)
            async with self._managed_account(store, campaign.account_id) as (look, manager):
                return await bring_back(
                    look, manager.campaigns, campaign, actor=self._actor, now=manager.now()
                )

    async def optimize_campaign(self, campaign_id: str) -> Optimized:
        """What the policy says of a campaign on its newest complete days, and the changes it leads
        to: proposed, or with the autopilot *auto* approved and pushed; the seeds' name."""
        settings = self._settings
        with store_of(settings) as store:
            campaign = Campaigns(store).get(campaign_id)
            optimized = optimize(
                Lake(settings.lake_location).snapshot(),
                Campaigns(store),
                Outbox(store),
                campaign,
                rules_of(settings, campaign.account_id, store=store),
                actor=self._actor,
                now=datetime.now(UTC),
            )
        if not optimized.approved:
            return optimized
        async with self._managed(campaign_id) as manager:
            told = await manager.push([record.id for record in optimized.approved])
            changes = [manager.outbox.get(record.id) for record in optimized.changes]
            return replace(optimized, changes=changes, told=told)

    async def adopt(self, store_id: str, platform: str = "meta") -> Adopted:
        """Take in the campaigns that were made by hand in Ads Manager. Writes nothing there."""
        with store_of(self._settings) as store:
            async with self._opened(store, store_id, platform) as at:
                account = at.connection.account_id
                objects = await at.platform.ad_objects(account)
                creatives = await at.platform.creatives(account)
                return adopt(
                    Campaigns(store),
                    at.connection,
                    objects,
                    creatives,
                    actor=self._actor,
                    now=at.now(),
                )

    async def bring_back_reviews(self, store_id: str, platform: str = "meta") -> list[AdCampaign]:
        """Ask the platform about every campaign of a store that something may still happen to;
        gives those that stand otherwise than before."""
        with store_of(self._settings) as store:
            campaigns = Campaigns(store)
            watched = [
                each
                for each in campaigns.find(store_id=store_id, statuses=WATCHED, creatives=True)
                if each.platform_campaign_id is not None and each.platform == platform
            ]
            if not watched:
                return []
            moved: list[AdCampaign] = []
            failed: list[str] = []
            async with self._opened(store, store_id, platform) as at:
                for campaign in watched:
                    self._tell(f"Looking at {campaign.name}")
                    try:
                        after = await bring_back(
                            at.platform, campaigns, campaign, actor=self._actor, now=at.now()
                        )
                    except (NotFound, PermissionDenied) as error:
                        failed.append(f"{campaign.name}: {error}")
                        continue
                    if after.status is not campaign.status:
                        moved.append(after)
            if failed:
                raise ZyentaError(" ".join(failed), "The other campaigns were looked at.")
            return moved

    async def _drafted(
        self, store: Store, request: CampaignRequest, work: RequestWork
    ) -> AdCampaign:
        async with self._opened(store, request.store_id, request.platform) as at:
            return await draft_campaign(
                store,
                request,
                at.connection,
                at.platform,
                writer_of(self._settings),
                actor=self._actor,
                now=at.now(),
                tell=work.note,
            )

    async def _mend_targeting(self, at: _Open, campaign: AdCampaign) -> None:
        """Interests may have been retired since the draft was made."""
        if campaign.status not in (CampaignStatus.DRAFT, CampaignStatus.ERROR):
            return
        aimed = await mended(campaign.targeting, at.platform)
        if aimed.targeting != dict(campaign.targeting):
            for note in aimed.notes:
                self._tell(note)
            Campaigns(at.store).set_targeting(
                campaign.id,
                aimed.targeting,
                actor=self._actor,
                reason=" ".join(aimed.notes),
                now=at.now(),
            )

    def _work(self, store: Store, request_id: str | None) -> RequestWork:
        return RequestWork(CampaignRequests(store), request_id, self._actor, self._tell)

    def _place(self, at: _Open, work: RequestWork) -> LaunchPlace:
        async def content(asset: MediaAsset) -> tuple[MediaAsset, bytes]:
            found = await fetch(asset, allow_private=self._settings.private_media)
            for note in found.notes:
                self._tell(note)
            return found.asset, found.content

        return LaunchPlace(
            platform=at.platform,
            campaigns=Campaigns(at.store),
            launches=Launches(at.store),
            shops=Shops(at.store),
            connection=at.connection,
            content=content,
            stopped=lambda account: stopped(load_settings(), at.store, account),
            owner=f"{self._actor}:{uuid4().hex[:8]}",  # each launch is one of its own
            now=at.now,
            least_budget_minor=at.least_minor,
            tell=work.note,
            look_again=self._look_again,
        )

    @asynccontextmanager
    async def _opened(self, store: Store, store_id: str, platform: str) -> AsyncIterator[_Open]:
        """The store's platform, for the account that it is connected to."""
        connection = self._connection(store, store_id, platform)
        async with connect_meta(self._settings, connection.account_id) as meta:
            account = await meta.account(connection.account_id)
            yield _Open(
                store=store,
                connection=connection,
                platform=meta,
                ahead=account.observed_at - datetime.now(UTC),
                least_minor=account.min_daily_budget or 1,
            )

    @asynccontextmanager
    async def _managed(self, campaign_id: str) -> AsyncIterator[CampaignManager]:
        with store_of(self._settings) as store:
            campaign = Campaigns(store).get(campaign_id)
            async with self._managed_account(store, campaign.account_id) as (_, manager):
                yield manager

    @asynccontextmanager
    async def _managed_account(
        self, store: Store, account_id: str
    ) -> AsyncIterator[tuple[MetaAds, CampaignManager]]:
        """Acts on an account's campaigns, in its own currency and with its own least budget."""
        async with connect_meta(self._settings, account_id) as meta:
            account = await meta.account(account_id)
            ahead = account.observed_at - datetime.now(UTC)

            def guardrails(asked: str) -> Guardrails:
                """Asked before each write: a switch thrown meanwhile is obeyed."""
                settings = load_settings()
                return bounds_of(settings, asked, store=store).guardrails(
                    account.currency,
                    account.min_daily_budget,
                    kill_switch=stopped(settings, store, asked) is not None,
                )

            def now() -> datetime:
                return datetime.now(UTC) + ahead

            books = Campaigns(store), Outbox(store)
            yield meta, CampaignManager(meta, *books, guardrails, now, self._wish)

    def _connection(self, store: Store, store_id: str, platform: str) -> PlatformConnection:
        require_supported(platform)
        return Connections(store, vault_of(self._settings)).get(store_id, platform)
