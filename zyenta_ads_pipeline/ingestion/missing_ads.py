"""Finds the ads that an account's list leaves out: Meta hides deleted ones, its totals keep them.

Asked by id, an ad answers whatever became of it. Ids come from all that was ever seen of the
account, then from its log of activities; where that does not suffice, the campaigns whose own
totals are ahead of their ads are asked for their ads. Calls are bounded; what stays unexplained is
named in the gap.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

import polars as pl

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import NotFound, ValidationRefused
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.ingestion.completeness import Gap, short_objects
from zyenta_ads_pipeline.ingestion.objects import ad_ids_of
from zyenta_ads_pipeline.ingestion.planner import id_lists
from zyenta_ads_pipeline.lake.lake import Snapshot
from zyenta_ads_pipeline.lake.tables import AD_OBJECTS, RAW_INSIGHTS

log = logging.getLogger(__name__)

_ID_CALLS = 20
_SINGLE_ADS = 25
_CAMPAIGNS = 10

ReadRows = Callable[[Report], Awaitable[pl.DataFrame]]
"""Reads a report into normalised rows."""
FindIds = Callable[[], Awaitable[Sequence[str]]]
"""Asks the platform for more ids that may be those of missing ads."""
FindGaps = Callable[[pl.DataFrame], Mapping[date, Gap]]
"""The gaps that are left with these ad rows."""


@dataclass(frozen=True)
class Around:
    """What the same days look like above the ads: normalised rows of ad sets and campaigns."""

    campaigns: pl.DataFrame
    adsets: pl.DataFrame


async def with_missing_ads(
    report: Report,
    ads: pl.DataFrame,
    known: Sequence[str],
    more_ids: FindIds,
    around: Around,
    read: ReadRows,
    gaps: FindGaps,
) -> tuple[pl.DataFrame, Mapping[date, Gap]]:
    """The ad rows of `report` with those that could be found besides, and the gaps that are left.

    `known` are all ad ids ever seen of the account, the likeliest first; `more_ids` is asked where
    they do not suffice.
    """
    search = _Search(report, ads, read, gaps)
    asked = set(ads["ad_id"])
    unlisted = [ad for ad in dict.fromkeys(known) if ad not in asked]
    await search.ask_for(unlisted)
    if search.left:
        asked |= set(unlisted)
        logged = [one for one in await more_ids() if one not in asked]
        await search.ask_for(logged)
        unlisted += logged
    for ad in unlisted[:_SINGLE_ADS]:
        if search.left and ad not in search.found:
            await search.ask(node=ad)
    if search.left:
        short = short_objects(search.ads, around.campaigns, "campaign_id", sorted(search.left))
        for campaign in short[:_CAMPAIGNS]:
            if search.left:
                await search.ask(node=campaign)
    if search.found:
        log.info("%s: %d ads that the list leaves out were found", report, len(search.found))
    return search.ads, {
        day: replace(gap, where=_places(search.ads, around, day))
        for day, gap in search.left.items()
    }


def likely_missing(snapshot: Snapshot, account_id: str) -> list[str]:
    """All ad ids ever seen of an account: deleted ones first, then those that delivered last."""
    of_account = pl.col("account_id") == account_id
    deleted = (
        snapshot.scan(AD_OBJECTS)
        .filter(of_account & (pl.col("level") == Level.AD.value) & pl.col("is_deleted"))
        .select("object_id")
        .collect()["object_id"]
    )
    delivered = (
        snapshot.scan(RAW_INSIGHTS)
        .filter(of_account & (pl.col("level") == Level.AD.value))
        .group_by("object_id")
        .agg(pl.col("date").max())
        .sort("date", "object_id", descending=[True, False])
        .collect()["object_id"]
    )
    seen = sorted(ad_ids_of(snapshot, account_id))
    return list(dict.fromkeys([*sorted(deleted), *delivered, *seen]))


class _Search:
    """The rows so far, and what they still lack."""

    def __init__(self, report: Report, ads: pl.DataFrame, read: ReadRows, gaps: FindGaps) -> None:
        self._report = report
        self._read = read
        self._gaps = gaps
        self.ads = ads
        self.left = gaps(ads)
        self.found: set[str] = set()

    async def ask_for(self, ids: Sequence[str]) -> None:
        """Ask for ads by their ids, in lists, as long as something lacks."""
        for some in islice(id_lists(ids), _ID_CALLS):
            if self.left:
                await self.ask(ids=some)

    async def ask(self, *, ids: tuple[str, ...] | None = None, node: str | None = None) -> None:
        """Read more ads of the days that lack something, and keep those that are new."""
        days = DateRange(min(self.left), max(self.left))
        try:
            rows = await self._read(replace(self._report, days=days, ids=ids, node=node))
        except (NotFound, ValidationRefused) as error:
            log.info("%s: %s", self._report, error.what)
            return
        new = rows.join(self.ads, on=["date", "ad_id"], how="anti")
        if new.height:
            self.found |= set(new["ad_id"])
            self.ads = pl.concat([self.ads, new])
            self.left = self._gaps(self.ads)


def _places(ads: pl.DataFrame, around: Around, day: date) -> tuple[str, ...]:
    """The objects whose totals of the day are ahead of their ads, as `campaign 1`, `ad set 2`."""
    adsets = short_objects(ads, around.adsets, "adset_id", [day])
    campaigns = short_objects(ads, around.campaigns, "campaign_id", [day])
    return (
        *(f"campaign {campaign}" for campaign in campaigns),
        *(f"ad set {adset}" for adset in adsets),
    )
