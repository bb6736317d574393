"""What assets and jobs reach the world through. Opened when used, never at import."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from zyenta_ads_pipeline.connections import (
    AccountPlatforms,
    accounts_of,
    connect_meta,
    ledger_of,
    notifier_of,
    outbox_of,
    store_of,
)
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.errors import SettingsError
from zyenta_ads_pipeline.ingestion.alerting import Notifier
from zyenta_ads_pipeline.ingestion.report_jobs import Deadline
from zyenta_ads_pipeline.lake.archive import RawArchive
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.ledger import ReportLedger
from zyenta_ads_pipeline.store.outbox import Outbox


class Accounts(dg.Config):
    """Which ad accounts a run works on."""

    accounts: list[str] = []  # noqa: RUF012 - Dagster's Config is a pydantic model

    def chosen(self, settings: Settings) -> list[str]:
        """The accounts named in the run's config, or else all that are configured or connected.

        As bare numbers. Raises `SettingsError` when there are none.
        """
        chosen = [account_number(account) for account in self.accounts or accounts_of(settings)]
        if not chosen:
            raise SettingsError(
                "No ad account is configured or connected.",
                "Set META_AD_ACCOUNT_IDS, run `zyenta connect`, or name one with --account act_….",
            )
        return list(dict.fromkeys(chosen))


class SyncConfig(Accounts):
    """How insights are read."""

    whole: bool = False
    """Read every day down to its ads, also where its totals are unchanged."""


_LEAST_SECONDS = 60.0
_LEAST_SHARE = 0.1
"""What an asset that comes late in a run may still take, and of the whole time at most: enough for
the few calls of a quiet hour, so that a slow account does not keep all objects from being read."""


def run_deadline(context: dg.AssetExecutionContext, settings: Settings) -> Deadline:
    """The end of the time that ZYENTA_SYNC_DEADLINE allows, counted from the start of the run: its
    assets share it, however many of them read Meta."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    started = None if record is None else record.start_time
    elapsed = 0.0 if started is None else max(time.time() - started, 0.0)
    least = min(_LEAST_SECONDS, _LEAST_SHARE * settings.sync_deadline)
    return Deadline.after(max(settings.sync_deadline - elapsed, least))


class MetaResource(dg.ConfigurableResource[MetaAds]):
    """The Graph API named by the settings, or the sandbox."""

    def connect(self, account_id: str | None = None) -> MetaAds:
        """A platform to open with `async with`, with the account's own token if it has one.

        Raises `SettingsError` without a token.
        """
        return connect_meta(load_settings(), account_id)

    def accounts(self, deadline: float | None = None) -> AccountPlatforms:
        """The platforms of several accounts, each with its own token; open with `async with`.

        `deadline`, by the monotonic clock, bounds all their waits.
        """
        return AccountPlatforms(load_settings(), deadline)


class LakeResource(dg.ConfigurableResource[Lake]):
    """The analytical tables and the raw archive."""

    def open(self) -> Lake:
        """The lake named by the settings."""
        return Lake(load_settings().lake_location)

    def archive(self) -> RawArchive:
        """The archive of raw replies; always a local folder."""
        return RawArchive(load_settings().home / "raw")

    def views_file(self) -> Path:
        """The DuckDB file of views for analysts' tools."""
        return load_settings().home / "lake.duckdb"


class StoreResource(dg.ConfigurableResource[Outbox]):
    """The operational database."""

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """The database itself, closed at the end."""
        with store_of(load_settings()) as store:
            yield store

    @contextmanager
    def outbox(self) -> Iterator[Outbox]:
        """The outbox of changes, closed at the end."""
        with outbox_of(load_settings()) as outbox:
            yield outbox

    @contextmanager
    def ledger(self) -> Iterator[ReportLedger]:
        """The ledger of report jobs and their costs, closed at the end."""
        with ledger_of(load_settings()) as ledger:
            yield ledger

    @contextmanager
    def notifier(self) -> Iterator[Notifier]:
        """The alerts and their webhook, closed at the end."""
        with notifier_of(load_settings()) as notifier:
            yield notifier
