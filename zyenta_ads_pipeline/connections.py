"""The world as the settings name it: Meta, the outbox, the limits. Free of Dagster, so that a
command that needs no run starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zyenta_ads_pipeline.campaigns.budgets import BudgetLimits
from zyenta_ads_pipeline.domain.errors import SettingsError, StorageError
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.database import open_store
from zyenta_ads_pipeline.store.outbox import Outbox

_SERVER = ".server"


def connect_meta(settings: Settings) -> MetaAds:
    """Meta as the settings say. Raises `SettingsError` without a token, or when the home holds
    the data of another server."""
    _bind(settings)
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


def _bind(settings: Settings) -> None:
    """Tie the home to the first server it works with, so that what was decided against a sandbox
    is never pushed to a real account of the same number. All sandboxes count as one."""
    server = "a sandbox" if settings.is_sandbox else settings.graph_url
    mark = settings.home / _SERVER
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with mark.open("x", encoding="utf-8") as new:
            new.write(server)
    except FileExistsError:
        known = mark.read_text(encoding="utf-8").strip() if mark.is_file() else ""
        if known != server:
            raise SettingsError(
                f"{settings.home.absolute()} holds the data of {known or 'something else'}, not of "
                f"{server}.",
                "Give each its own ZYENTA_HOME.",
            ) from None
    except OSError as error:
        raise StorageError(
            f"{settings.home.absolute()} cannot be written: {error.strerror}.",
            "Choose another ZYENTA_HOME, or give this user the right to write there.",
        ) from None


@contextmanager
def outbox_of(settings: Settings) -> Iterator[Outbox]:
    """The outbox in the settings' database, closed at the end."""
    store = open_store(settings.store_url)
    try:
        yield Outbox(store)
    finally:
        store.close()
