"""Reads the insights and objects of accounts from a platform into frames for the lake.

Each account stands alone: what one could not give is reported beside what the others gave.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount, AdObject, Level
from zyenta_ads_pipeline.domain.errors import InputError, ZyentaError
from zyenta_ads_pipeline.domain.time import (
    HISTORY_MONTHS,
    DateRange,
    account_day,
    months_before,
)
from zyenta_ads_pipeline.ingestion.normalising import (
    action_types,
    lead_type,
    purchase_type,
    raw_frame,
    raw_rows,
)
from zyenta_ads_pipeline.lake.archive import RawArchive
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_OBJECTS
from zyenta_ads_pipeline.platforms.base import AdsPlatform

log = logging.getLogger(__name__)

_ACCOUNTS_AT_ONCE = 4

T = TypeVar("T")


@dataclass(frozen=True)
class AccountInsights:
    """What one account's insights came to: its record, its raw rows, and the pages read."""

    account: AdAccount
    rows: pl.DataFrame
    types: set[str]
    pages: int


@dataclass(frozen=True)
class Gathered(Generic[T]):
    """Results by account, and the errors of the accounts that gave none."""

    results: Mapping[str, T] = field(default_factory=dict)
    failures: Mapping[str, ZyentaError] = field(default_factory=dict)

    def raise_failures(self) -> None:
        """Raise one error that names every account that failed; nothing if none did."""
        if len(self.failures) == 1:
            raise next(iter(self.failures.values()))
        if self.failures:
            told = " ".join(f"act_{account}: {error}" for account, error in self.failures.items())
            raise ZyentaError(
                f"{len(self.failures)} of {len(self.failures) + len(self.results)} accounts "
                f"failed. {told}"
            )


async def gather_accounts(
    accounts: Sequence[str], read: Callable[[str], Coroutine[Any, Any, T]]
) -> Gathered[T]:
    """Run `read` for every account, a few at a time; one's error leaves the others alone."""
    places = asyncio.Semaphore(_ACCOUNTS_AT_ONCE)
    results: dict[str, T] = {}
    failures: dict[str, ZyentaError] = {}

    async def one(account: str) -> None:
        async with places:
            try:
                results[account] = await read(account)
            except ZyentaError as error:
                failures[account] = error

    await asyncio.gather(*(one(account) for account in accounts))
    return Gathered(results, failures)


async def read_insights(
    platform: AdsPlatform,
    account_id: str,
    days: DateRange,
    *,
    run_id: str,
    archive: RawArchive,
) -> AccountInsights:
    """All levels of one account over `days`. Raises and keeps nothing unless all of it came.

    The raw replies of every complete level are archived as they were.
    """
    account = await platform.account(account_id)
    check_history(days, account)
    rows: list[dict[str, Any]] = []
    pages = 0
    for level in Level:
        replies: list[Mapping[str, Any]] = []
        async for page in platform.insights(account_id, level, days):
            rows += raw_rows(page, account, run_id)
            replies.append({"request": page.request, "reply": page.reply})
            log.info(
                "act_%s %s %s: page %d, %d rows so far",
                account_id,
                level.value,
                page.days,
                len(replies),
                len(rows),
            )
        archive.store(account_id, run_id, f"{level.value}_{days.since}_{days.until}", replies)
        pages += len(replies)
    return AccountInsights(account, raw_frame(rows, account_id), action_types(rows), pages)


def check_history(days: DateRange, account: AdAccount) -> None:
    """Raise `InputError` for days that Meta no longer has."""
    today = account_day(account.observed_at, account.timezone)
    earliest = months_before(today, HISTORY_MONTHS)
    if days.since < earliest:
        raise InputError(
            f"{days.since} is older than the {HISTORY_MONTHS} months of insights that Meta keeps.",
            f"Start at {earliest} or later.",
        )


def account_frame(
    read: Iterable[AccountInsights],
    known: Mapping[str, Mapping[str, Any]],
    purchases_by_setting: str | None,
    run_id: str,
) -> pl.DataFrame:
    """The accounts as rows of `ad_accounts`; `known` are their rows until now, by id.

    A purchase type from the settings counts once the account has reported it.
    """
    rows = []
    for result in read:
        before = known.get(result.account.id, {})
        rows.append(
            {
                "account_id": result.account.id,
                "name": result.account.name,
                "currency": result.account.currency,
                "timezone": result.account.timezone,
                "account_status": result.account.account_status,
                "min_daily_budget": result.account.min_daily_budget,
                "purchase_type": _purchase_type(
                    result.types, before.get("purchase_type"), purchases_by_setting
                ),
                "lead_type": lead_type(result.types, before.get("lead_type")),
                "observed_at": result.account.observed_at,
                "run_id": run_id,
            }
        )
    return pl.DataFrame(rows, schema=AD_ACCOUNTS.schema)


def _purchase_type(seen: set[str], before: str | None, chosen: str | None) -> str | None:
    if chosen is None:
        return purchase_type(seen, before)
    return chosen if chosen in seen or chosen == before else None


def object_frame(objects: Iterable[AdObject], run_id: str) -> pl.DataFrame:
    """Campaigns, ad sets and ads as rows of `ad_objects`."""
    rows = [
        {
            "account_id": thing.account_id,
            "level": thing.level.value,
            "object_id": thing.id,
            **{
                name: getattr(thing, name)
                for name in AD_OBJECTS.schema.names()
                if name not in ("account_id", "level", "object_id", "run_id")
            },
            "run_id": run_id,
        }
        for thing in objects
    ]
    return pl.DataFrame(rows, schema=AD_OBJECTS.schema)
