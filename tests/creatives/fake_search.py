"""A platform's interest search, kept in memory: two methods of `AdsLauncher`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from zyenta_ads_pipeline.domain.launch import Interest
from zyenta_ads_pipeline.platforms.base import AdsLauncher


@dataclass
class FakeSearch:
    """`known` can be found by a part of its name; `retired` ids are told as not valid."""

    known: list[Interest]
    retired: set[str] = field(default_factory=set)
    topics: dict[str, str] = field(default_factory=dict)
    """Topics that a validation still tells of retired ids."""
    searched: list[str] = field(default_factory=list)
    validated: list[list[str]] = field(default_factory=list)

    async def search_interests(self, query: str, *, limit: int = 25) -> list[Interest]:
        self.searched.append(query)
        words = query.casefold().split()
        return [
            each for each in self.known
            if any(word in f"{each.name} {each.topic}".casefold() for word in words)
        ][:limit]  # fmt: skip

    async def validate_interests(self, ids: Sequence[str]) -> list[Interest]:
        self.validated.append(list(ids))
        known = {each.id: each for each in self.known}
        return [
            replace(known[each], valid=each not in self.retired)
            if each in known
            else Interest(each, "", topic=self.topics.get(each, ""), valid=False)
            for each in ids
        ]


def launcher(search: FakeSearch) -> AdsLauncher:
    """The fake as what targeting asks for; anything but the two methods is a defect."""
    return cast("AdsLauncher", cast("Any", search))


def interest(number: int, name: str, size: int = 1000, topic: str = "") -> Interest:
    return Interest(str(6_003_000_000_000 + number), name, size, topic)
