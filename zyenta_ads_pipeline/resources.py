"""What assets and jobs reach the world through. Opened when used, never at import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from zyenta_ads_pipeline.connections import connect_meta, outbox_of
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.errors import SettingsError
from zyenta_ads_pipeline.lake.archive import RawArchive
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.outbox import Outbox


class Accounts(dg.Config):
    """Which ad accounts a run works on."""

    accounts: list[str] = []  # noqa: RUF012 - Dagster's Config is a pydantic model

    def chosen(self, settings: Settings) -> list[str]:
        """The accounts named in the run's config, or else all that are configured.

        As bare numbers. Raises `SettingsError` when there are none.
        """
        chosen = [account_number(account) for account in self.accounts or settings.ad_account_ids]
        if not chosen:
            raise SettingsError(
                "No ad account is configured.",
                "Set META_AD_ACCOUNT_IDS, or name one with --account act_….",
            )
        return list(dict.fromkeys(chosen))


class MetaResource(dg.ConfigurableResource[MetaAds]):
    """The Graph API named by the settings, or the sandbox."""

    def connect(self) -> MetaAds:
        """A platform to open with `async with`. Raises `SettingsError` without a token."""
        return connect_meta(load_settings())


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
    def outbox(self) -> Iterator[Outbox]:
        """The outbox of changes, closed at the end."""
        with outbox_of(load_settings()) as outbox:
            yield outbox
