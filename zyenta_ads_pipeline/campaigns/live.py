"""What an object shows on the platform now, and what an account is committed to spend."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from zyenta_ads_pipeline.domain.ads import AdObject, Level
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.change import ChangeField, ProposedChange
from zyenta_ads_pipeline.domain.creative import AdCreative
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.platforms.base import AdsPlatform, WriteReceipt

_ACTIVE = "ACTIVE"


def live_value(live: AdObject, field: ChangeField) -> str:
    """The field as a text to compare with a change's values; empty where there is no budget."""
    if field is ChangeField.STATUS:
        return live.status
    return "" if live.daily_budget is None else str(live.daily_budget)


def in_words(value: str, change: ProposedChange) -> str:
    """A value of `change` for people: an amount with its currency, or the status."""
    if change.field is ChangeField.STATUS:
        return value or "no status"
    return show(to_major(int(value), change.currency), change.currency) if value else "no budget"


def own_object(campaign: AdCampaign, creative: AdCreative) -> tuple[Level, str]:
    """What shows this creative and no other: its ad set, or its ad where they share one."""
    shared = sum(
        each.platform_ad_set_id == creative.platform_ad_set_id for each in campaign.creatives
    )
    if creative.platform_ad_set_id and shared == 1:
        return Level.ADSET, creative.platform_ad_set_id
    if creative.platform_ad_id:
        return Level.AD, creative.platform_ad_id
    raise InputError(
        f"{creative.draft.name} is not on the platform yet.", "Launch the campaign first."
    )


async def send(platform: AdsPlatform, change: ProposedChange) -> WriteReceipt:
    """Write the new value, once. Raises what the platform raises."""
    if change.field is ChangeField.STATUS:
        return await platform.set_status(change.object_id, change.new_value)
    return await platform.set_daily_budget(change.object_id, int(change.new_value))


def push_order(change: ProposedChange) -> int:
    """Where a change comes in its account: what lowers spending goes before what raises it.

    So the account's total never overshoots in between: pauses, cuts, raises, activations.
    """
    if change.field is ChangeField.STATUS:
        return 3 if change.new_value == _ACTIVE else 0
    return 2 if int(change.new_value) > int(change.old_value) else 1


def raises_spending(change: ProposedChange) -> bool:
    """Whether more may be spent after `change` than before."""
    return push_order(change) >= 2


class Commitments:
    """The active daily budgets of one account, kept up to date through a push. Minor units.

    A budget counts when its campaign or ad set is set ACTIVE and, for an ad set, its campaign is
    too. Lifetime budgets are no daily commitment and do not count.
    """

    def __init__(self, objects: Iterable[AdObject]) -> None:
        self._objects = {item.id: item for item in objects if item.level is not Level.AD}

    def see(self, live: AdObject) -> None:
        """Take in an object as it has just been read."""
        if live.level is not Level.AD:
            self._objects[live.id] = live

    def assume(self, change: ProposedChange) -> None:
        """Count a raise that may have been written, without its being certain."""
        known = self._objects.get(change.object_id)
        if known is None:
            return
        if change.field is ChangeField.STATUS:
            if change.new_value == _ACTIVE:
                self.see(dataclasses.replace(known, status=_ACTIVE))
        elif int(change.new_value) > (known.daily_budget or 0):
            self.see(dataclasses.replace(known, daily_budget=int(change.new_value)))

    def running(self, item: AdObject) -> bool:
        """Whether `item` and what it belongs to are set ACTIVE."""
        campaign = self._objects.get(item.campaign_id)
        return item.status == _ACTIVE and (campaign is None or campaign.status == _ACTIVE)

    def running_ids(self) -> frozenset[str]:
        """The objects whose budgets count."""
        return frozenset(own for own, item in self._objects.items() if self.running(item))

    def others(self, change: ProposedChange) -> int:
        """The sum of the active budgets of the change's campaign, without that of its object."""
        return sum(
            item.daily_budget or 0
            for item in self._objects.values()
            if item.campaign_id == change.campaign_id
            and item.id != change.object_id
            and self.running(item)
        )

    def total(self, change: ProposedChange) -> int:
        """The sum now; for a change to ACTIVE, as though it were done."""
        before = self._objects.get(change.object_id)
        if before is None or change.field is ChangeField.DAILY_BUDGET:
            return self._sum()
        self.assume(change)
        total = self._sum()
        self._objects[before.id] = before
        return total

    def _sum(self) -> int:
        return sum(item.daily_budget or 0 for item in self._objects.values() if self.running(item))
