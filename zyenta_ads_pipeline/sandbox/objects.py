"""The account's objects in memory: accounts, campaigns, ad sets, ads and creatives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level


class Kind(StrEnum):
    """What an object is; the four levels and the creative, by the names of Meta's edges."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    ADSET = "adset"
    AD = "ad"
    CREATIVE = "creative"


NODE_TYPES = {
    Kind.ACCOUNT: "AdAccount",
    Kind.CAMPAIGN: "AdCampaignGroup",
    Kind.ADSET: "AdCampaign",
    Kind.AD: "Adgroup",
    Kind.CREATIVE: "AdCreative",
}
"""Meta's own names of the kinds, as its error messages use them."""

STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")


@dataclass(frozen=True)
class Thing:
    """One object. Times are UTC; budgets whole minor units; `id` of an account is bare digits.

    `attributes` are the fields that never change here, by Meta's names and in wire form.
    """

    kind: Kind
    id: str
    account_id: str
    name: str
    created_time: datetime
    updated_time: datetime
    status: str = "ACTIVE"
    campaign_id: str | None = None
    adset_id: str | None = None
    creative_id: str | None = None
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def node_id(self) -> str:
        """The id by which the Graph API addresses it: accounts carry `act_`."""
        return f"act_{self.id}" if self.kind is Kind.ACCOUNT else self.id


class Objects:
    """All objects by id, in the order in which they came to be."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self._things: dict[str, Thing] = {}
        self._order: dict[str, int] = {}
        self._of_account: dict[tuple[str, Kind], list[str]] = defaultdict(list)
        self.version = 0
        for position, thing in enumerate(things):
            self._things[thing.node_id] = thing
            self._order[thing.node_id] = position
            self._of_account[(thing.account_id, thing.kind)].append(thing.node_id)

    def get(self, node_id: str) -> Thing | None:
        """The object of that id, or None."""
        return self._things.get(node_id)

    def position(self, node_id: str) -> int:
        """Where the object stands in the order of all; lists keep this order."""
        return self._order[node_id]

    def accounts(self) -> list[Thing]:
        """All ad accounts."""
        return [thing for thing in self._things.values() if thing.kind is Kind.ACCOUNT]

    def account(self, account_id: str) -> Thing:
        """The ad account of bare digits `account_id`, which exists."""
        return self._things[f"act_{account_id}"]

    def parent(self, thing: Thing, kind: Kind) -> Thing | None:
        """The object itself, its campaign, its ad set or its account, where there is one."""
        if thing.kind is kind:
            return thing
        parent_id = {
            Kind.ACCOUNT: f"act_{thing.account_id}",
            Kind.CAMPAIGN: thing.campaign_id,
            Kind.ADSET: thing.adset_id,
            Kind.CREATIVE: thing.creative_id,
            Kind.AD: None,
        }[kind]
        return self._things.get(parent_id) if parent_id is not None else None

    def below(self, node: Thing, kind: Kind) -> list[Thing]:
        """The objects of one kind under an account, campaign, ad set or ad, in order."""
        if node.kind is Kind.AD:
            creative = self.parent(node, Kind.CREATIVE)
            return [creative] if kind is Kind.CREATIVE and creative is not None else []
        found = [self._things[i] for i in self._of_account[(node.account_id, kind)]]
        if node.kind is Kind.CAMPAIGN:
            return [thing for thing in found if thing.campaign_id == node.id]
        if node.kind is Kind.ADSET:
            return [thing for thing in found if thing.adset_id == node.id]
        return found

    def replace(self, thing: Thing) -> None:
        """Put a changed object in its old one's place."""
        self._things[thing.node_id] = thing
        self.version += 1

    def effective_status(self, thing: Thing) -> str:
        """The status that results from the object's own and its parents'."""
        if thing.kind in (Kind.ACCOUNT, Kind.CREATIVE):
            return thing.status
        parents = [
            (label, parent)
            for label, kind in (("CAMPAIGN_PAUSED", Kind.CAMPAIGN), ("ADSET_PAUSED", Kind.ADSET))
            if kind.value != thing.kind.value and (parent := self.parent(thing, kind)) is not None
        ]
        own_and_above = [thing.status, *(parent.status for _, parent in parents)]
        for final in ("DELETED", "ARCHIVED"):
            if final in own_and_above:
                return final
        if thing.status != "ACTIVE":
            return thing.status
        paused = [label for label, parent in parents if parent.status == "PAUSED"]
        return paused[0] if paused else "ACTIVE"


def level_of(kind: Kind) -> Level:
    """The reporting level of a kind of object other than a creative."""
    return Level(kind.value)
