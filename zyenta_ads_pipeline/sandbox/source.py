"""What a sandbox plays: the interface between the API and where its numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.facts import Facts
from zyenta_ads_pipeline.sandbox.insights_query import InsightsQuery
from zyenta_ads_pipeline.sandbox.objects import Objects, Thing


class Source(Protocol):
    """A market, a replay, or saved pages.

    `identity` is what a state is bound to; `warnings` are told at the start; `restating` tells
    whether numbers go on changing after their day.
    """

    name: str
    identity: Mapping[str, Any]
    warnings: Sequence[str]
    restating: bool

    def things(self) -> list[Thing]:
        """The objects as they are before any write, parents first."""
        ...

    def facts(self, now: datetime) -> Facts:
        """The rows as they are known at a moment of the sandbox's time (aware)."""
        ...

    def saved_page(
        self, query: InsightsQuery, call: Call, objects: Objects
    ) -> dict[str, Any] | None:
        """A stored page that answers the call as it is; None when rows are to be computed."""
        ...
