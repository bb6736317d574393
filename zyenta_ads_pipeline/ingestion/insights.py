"""Accounts read side by side: each stands alone, and what one could not give is reported beside
what the others gave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import polars as pl

from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import InputError, ZyentaError
from zyenta_ads_pipeline.domain.time import (
    HISTORY_MONTHS,
    DateRange,
    account_day,
    months_before,
)
from zyenta_ads_pipeline.ingestion.account_sync import Synced, SyncPlace, sync_insights
from zyenta_ads_pipeline.ingestion.normalising import lead_type, purchase_type
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS
from zyenta_ads_pipeline.platforms.base import AdsPlatform

MOST_ROWS = 60_000
"""Ad rows in memory at once, over all accounts of a run."""
_LEAST_ROWS = 5_000
_SHARES = 4

T = TypeVar("T")


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
    """Run `read` for every account at the same time; one's error or wait leaves the others alone.

    How many requests are in flight is for the platform's connection to bound. A defect is raised,
    but only when the others are done.
    """
    results: dict[str, T] = {}
    failures: dict[str, ZyentaError] = {}

    async def one(account: str) -> None:
        try:
            results[account] = await read(account)
        except ZyentaError as error:
            failures[account] = error

    ended = await asyncio.gather(*(one(account) for account in accounts), return_exceptions=True)
    for defect in ended:
        if defect is not None:
            raise defect
    return Gathered(results, failures)


def rows_at_once(accounts: int) -> int:
    """The ad rows that each of so many accounts may have in memory."""
    return max(MOST_ROWS // max(accounts, _SHARES), _LEAST_ROWS)


async def sync_account(
    place: SyncPlace,
    platform: AdsPlatform,
    account_id: str,
    days: DateRange,
    *,
    purchases: str | None = None,
    chosen: str | None = None,
    whole: bool = False,
) -> Synced:
    """Look the account up and bring its `days` up to date; see `sync_insights`."""

    async def sync(account: AdAccount) -> Synced:
        return await sync_insights(
            place, platform, account, days, purchases=purchases, chosen=chosen, whole=whole
        )

    return await looked_up(platform, account_id, days, sync)


async def looked_up(
    platform: AdsPlatform,
    account_id: str,
    days: DateRange,
    sync: Callable[[AdAccount], Coroutine[Any, Any, Synced]],
) -> Synced:
    """Look the account up, check that Meta still has the days, sync, and count the calls of it."""
    before = platform.calls
    account = await platform.account(account_id)
    check_history(days, account)
    synced = await sync(account)
    synced.calls = platform.calls - before
    return synced


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
    synced: Iterable[Synced],
    known: Mapping[str, Mapping[str, Any]],
    purchases_by_setting: str | None,
    run_id: str,
) -> pl.DataFrame:
    """The accounts as rows of `ad_accounts`; `known` are their rows until now, by id.

    A purchase type from the settings counts once the account has reported it.
    """
    rows = []
    for result in synced:
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
