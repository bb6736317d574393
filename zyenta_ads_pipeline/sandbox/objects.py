"""The objects in memory: accounts, campaigns, ad sets, ads, creatives, media and labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.sandbox.review import Review


class Kind(StrEnum):
    """What an object is; the four levels first, by the names of Meta's edges."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    ADSET = "adset"
    AD = "ad"
    CREATIVE = "creative"
    IMAGE = "image"
    VIDEO = "video"
    LABEL = "label"


NODE_TYPES = {
    Kind.ACCOUNT: "AdAccount",
    Kind.CAMPAIGN: "AdCampaignGroup",
    Kind.ADSET: "AdCampaign",
    Kind.AD: "Adgroup",
    Kind.CREATIVE: "AdCreative",
    Kind.IMAGE: "AdImage",
    Kind.VIDEO: "Video",
    Kind.LABEL: "AdLabel",
}
"""Meta's own names of the kinds, as its error messages use them."""

STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
LEVELS = (Kind.CAMPAIGN, Kind.ADSET, Kind.AD)
"""The kinds whose status is made up of their own and their parents'."""


@dataclass(frozen=True)
class Thing:
    """One object. Times are UTC; budgets whole minor units; `id` of an account is bare digits.

    `attributes` are all other fields, by Meta's names and in wire form. `review` is Meta's review
    of an ad that was made or changed here; None for one that passed long ago.
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
    review: Review | None = None

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
        self._accounts: list[str] = []
        self._reviewing: set[str] = set()
        self._late: dict[str, tuple[datetime, float]] = {}
        self.version = 0
        for thing in things:
            self.add(thing)

    def __len__(self) -> int:
        """How many there are, or ever were."""
        return len(self._things)

    def add(self, thing: Thing) -> None:
        """Put a new object behind all others."""
        self._order[thing.node_id] = len(self._things)
        self._of_account[(thing.account_id, thing.kind)].append(thing.node_id)
        if thing.kind is Kind.ACCOUNT:
            self._accounts.append(thing.node_id)
        self.replace(thing)

    def settle(self, now: datetime) -> None:
        """Let the reviews go on to where they stand at `now`."""
        for node_id in list(self._reviewing):
            thing = self._things[node_id]
            if thing.review is None or thing.review.ended:
                self._reviewing.discard(node_id)
            elif (review := thing.review.at(now)) != thing.review:
                self.replace(dataclass_replace(thing, review=review))

    def hide(self, thing: Thing, now: datetime, seconds: float) -> None:
        """Keep an object out of all lists for so long, of the sandbox's time or of real time."""
        self._late[thing.node_id] = (now + timedelta(seconds=seconds), monotonic() + seconds)

    def listed(self, things: Iterable[Thing], now: datetime) -> list[Thing]:
        """Those that lists show already."""
        found = []
        for thing in things:
            late = self._late.get(thing.node_id)
            if late is None or now >= late[0] or monotonic() >= late[1]:
                found.append(thing)
        return found

    def get(self, node_id: str) -> Thing | None:
        """The object of that id, or None."""
        return self._things.get(node_id)

    def position(self, node_id: str) -> int:
        """Where the object stands in the order of all; lists keep this order."""
        return self._order[node_id]

    def accounts(self) -> list[Thing]:
        """All ad accounts."""
        return [self._things[node_id] for node_id in self._accounts]

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
        }.get(kind)
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
        if thing.review is not None:
            self._reviewing.add(thing.node_id)

    def effective_status(self, thing: Thing) -> str:
        """The status that results from the object's own and its parents'."""
        if thing.kind not in LEVELS:
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
        if thing.review is not None and thing.review.state:
            return thing.review.state
        if thing.status != "ACTIVE":
            return thing.status
        paused = [label for label, parent in parents if parent.status == "PAUSED"]
        if paused:
            return paused[0]
        return "WITH_ISSUES" if thing.attributes.get("issues_info") else "ACTIVE"


def level_of(kind: Kind) -> Level:
    """The reporting level of a kind of object other than a creative."""
    return Level(kind.value)
