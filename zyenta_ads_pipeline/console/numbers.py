"""The numbers that pages and the API show, from the lake: looked up often, worked out once.

One `Numbers` lives as long as its process. It looks at the tables' versions every few seconds and
keeps what it worked out until one of them changes, so that a request costs next to nothing. What is
not known yet (no lake, no table, no such object) is empty or `NotKnown`; only a lake that is broken
is an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

import polars as pl

from zyenta_ads_pipeline.console.numbers_ahead import (
    AHEAD_FROM,
    CURVE_FROM,
    curve_plot,
    forecast_at,
    outlooks,
)
from zyenta_ads_pipeline.console.numbers_decided import (
    DECIDED_FROM,
    STOPPED_FROM,
    TEST_DAYS_FROM,
    TESTED_FROM,
    fatigue_of,
    newest_decisions,
    newest_stops,
    test_progress,
    test_state,
)
from zyenta_ads_pipeline.console.numbers_lake import LOOK_EVERY, Kept, Watch, fingerprint
from zyenta_ads_pipeline.console.numbers_read import (
    METRICS,
    accounts_seen,
    days_known,
    object_series,
    sparks,
    syncs,
)
from zyenta_ads_pipeline.console.numbers_shown import (
    NO_SPARK,
    AccountSeen,
    CurvePlot,
    Decision,
    Fatigue,
    Forecast,
    Freshness,
    NotKnown,
    Outlooks,
    Series,
    Spark,
    Stop,
    Sync,
    TestState,
)
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.lake.creative_tables import CREATIVE_FATIGUE
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, CAMPAIGN_METRICS, INSIGHT_READS
from zyenta_ads_pipeline.settings import Settings

LONGEST_SERIES = 731
"""Days of one series at most: two years and a leap day."""
MOST_DECISIONS = 200
_TABLES = tuple(
    dict.fromkeys(
        (
            *(table for table, _ in METRICS.values()),
            INSIGHT_READS,
            *DECIDED_FROM,
            *STOPPED_FROM,
            *TESTED_FROM,
            *TEST_DAYS_FROM,
            *CURVE_FROM,
        )
    )
)


class Numbers:
    """What the lake says, for one process. Thread-safe; nothing is open between calls.

    Ids are Meta's, digits without act_. Every method raises `StorageError` where the lake is there
    and cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        look_every: float = LOOK_EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Answers may be `look_every` seconds behind the lake, by `clock`."""
        self._watch = Watch(Lake(settings.lake_location), every=look_every, clock=clock)
        self._kept = Kept(self._watch)

    def version(self) -> str:
        """A short text that changes whenever a table that the others read has changed."""
        return fingerprint(self._watch.at(*_TABLES)[1])

    def sparklines(self, platform_campaign_ids: Collection[str]) -> dict[str, Spark]:
        """A sparkline for each of these campaigns, `NO_SPARK` where nothing is known of it.

        All of the lake's are drawn at once when its numbers change; then they are looked up.
        """
        drawn = self._kept.of("sparks", (CAMPAIGN_METRICS, AD_ACCOUNTS), sparks)
        return {own: drawn.get(own, NO_SPARK) for own in platform_campaign_ids}

    def series(self, level: Level, object_id: str, since: date, until: date) -> Series:
        """One object's days from `since` to `until`, both included, with totals.

        Raises `InputError` for a range in the wrong order, or of more than 731 days.
        """
        if len(DateRange(since, until)) > LONGEST_SERIES:
            raise InputError(
                f"The range {since} to {until} has more than {LONGEST_SERIES} days.",
                "Ask for two years at most.",
            )
        return self._kept.of(
            ("series", level, object_id, since, until),
            (METRICS[level][0], AD_ACCOUNTS),
            lambda snapshot: object_series(snapshot, level, object_id, since, until),
            lambda series: len(series.days),
        )

    def span(self, level: Level, object_id: str) -> tuple[date, date] | None:
        """The first and the last day that is known of an object; None without any."""
        return self._kept.of(
            ("span", level, object_id),
            (METRICS[level][0],),
            lambda snapshot: days_known(snapshot, level, object_id),
        )

    def decisions(self, platform_campaign_id: str, limit: int = 20) -> tuple[Decision, ...]:
        """The newest decisions on a campaign, newest first; at most 200."""
        wanted = max(1, min(limit, MOST_DECISIONS))
        return self._kept.of(
            ("decisions", platform_campaign_id, wanted),
            DECIDED_FROM,
            lambda snapshot: newest_decisions(snapshot, platform_campaign_id, wanted),
            len,
        )

    def stops(self, account_id: str) -> tuple[Stop, ...]:
        """What kept the account from being acted on when it was decided last."""
        return self._kept.of(
            ("stops", account_id),
            STOPPED_FROM,
            lambda snapshot: newest_stops(snapshot, account_id),
        )

    def tests(self, platform_campaign_id: str) -> TestState:
        """How the campaign's creatives stand in their test, with their fatigue."""
        return self._kept.of(
            ("tests", platform_campaign_id),
            TESTED_FROM,
            lambda snapshot: test_state(snapshot, platform_campaign_id),
        )

    def test_days(self, platform_campaign_id: str) -> pl.DataFrame:
        """The test as it went, for `charts.creative_tests`: date, arm, rate, low, high."""
        return self._kept.of(
            ("test days", platform_campaign_id),
            TEST_DAYS_FROM,
            lambda snapshot: test_progress(snapshot, platform_campaign_id),
            len,
        )

    def fatigue(self, creative_ids: Collection[str]) -> dict[str, Fatigue]:
        """Whether these creatives (ids of the store) have tired, where it was looked at."""
        ids = tuple(sorted(set(creative_ids)))
        return self._kept.of(
            ("fatigue", ids), (CREATIVE_FATIGUE,), lambda snapshot: fatigue_of(snapshot, ids)
        )

    def forecast(
        self,
        platform_campaign_id: str,
        budget_minor: int,
        days: int = 7,
        current_minor: int | None = None,
    ) -> Forecast | NotKnown:
        """The campaign at another daily budget, beside staying at `current_minor` (else the
        budget it had when its curve was fitted), for `days` days from the account's today.

        Raises `InputError` for a budget below zero, or a horizon outside 1 to 366 days.
        """
        return self._kept.of(
            ("forecast", platform_campaign_id, budget_minor, days, current_minor),
            AHEAD_FROM,
            lambda snapshot: forecast_at(
                snapshot, platform_campaign_id, budget_minor, days, current_minor
            ),
        )

    def outlooks(
        self,
        platform_campaign_id: str,
        days: int = 7,
        current_minor: int | None = None,
        asked_minor: int | None = None,
    ) -> Outlooks | NotKnown:
        """Forecasts over a range of budgets that holds today's and the asked one, for a plot.

        Raises `InputError` as `forecast` does.
        """
        return self._kept.of(
            ("outlooks", platform_campaign_id, days, current_minor, asked_minor),
            AHEAD_FROM,
            lambda snapshot: outlooks(
                snapshot, platform_campaign_id, days, current_minor, asked_minor
            ),
            lambda found: 1 if isinstance(found, NotKnown) else len(found.points),
        )

    def curve(
        self, platform_campaign_id: str, current_minor: int | None = None
    ) -> CurvePlot | NotKnown:
        """The campaign's response curve with the days it was fitted to, for a plot."""
        return self._kept.of(
            ("curve", platform_campaign_id, current_minor),
            CURVE_FROM,
            lambda snapshot: curve_plot(snapshot, platform_campaign_id, current_minor),
            lambda found: (
                1 if isinstance(found, NotKnown) else len(found.points) + len(found.curve)
            ),
        )

    def accounts(self) -> dict[str, AccountSeen]:
        """The ad accounts that were read, by id."""
        return self._kept.of("accounts", (AD_ACCOUNTS,), accounts_seen)

    def last_sync(self, account_id: str) -> Sync:
        """How the account's insights were last read; all empty where they never were."""
        return self._kept.of("syncs", (INSIGHT_READS,), syncs).get(account_id, Sync(account_id))

    def freshness(self) -> Freshness:
        """How fresh the numbers are, all accounts together."""
        found = self._kept.of("syncs", (INSIGHT_READS,), syncs)
        moments = [each.read_at for each in found.values() if each.read_at is not None]
        written = self._watch.written_at(INSIGHT_READS)
        return Freshness(
            written_at=None if written is None else datetime.fromtimestamp(written / 1000, UTC),
            read_at=max(moments, default=None),
            accounts=len(found),
        )
