"""The world as the settings name it: Meta, the outbox, the limits. Free of Dagster, so that a
command that needs no run starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zyenta_ads_pipeline.campaigns.budgets import BudgetLimits
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.database import open_store
from zyenta_ads_pipeline.store.outbox import Outbox


def connect_meta(settings: Settings) -> MetaAds:
    """Meta as the settings say. Raises `SettingsError` without a token."""
    return MetaAds(
        MetaClient(
            base_url=settings.graph_url,
            version=settings.api_version,
            token=settings.token(),
            timeout=settings.request_timeout,
            max_wait=settings.max_wait,
        )
    )


def budget_limits(settings: Settings) -> BudgetLimits:
    """What bounds the budgets of every account."""
    return BudgetLimits(
        floor=settings.budget_floor,
        cap=settings.budget_cap,
        max_step=settings.max_step,
        total=settings.total_daily_budget,
    )


@contextmanager
def outbox_of(settings: Settings) -> Iterator[Outbox]:
    """The outbox in the settings' database, closed at the end."""
    store = open_store(settings.store_url)
    try:
        yield Outbox(store)
    finally:
        store.close()
