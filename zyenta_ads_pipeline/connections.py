"""The world as the settings name it: Meta, the outbox, the limits. Free of Dagster, so that a
command that needs no run starts at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from functools import cache, lru_cache
from typing import Self

from zyenta_ads_pipeline.domain.errors import SettingsError, StorageError
from zyenta_ads_pipeline.domain.quota import QuotaUse
from zyenta_ads_pipeline.ingestion.alerting import Notifier
from zyenta_ads_pipeline.platforms.meta.budget import RateBudget
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.address import sqlite_path
from zyenta_ads_pipeline.store.alerts import Alerts
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.database import Store, open_store
from zyenta_ads_pipeline.store.ledger import ReportLedger
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.switches import KillSwitches
from zyenta_ads_pipeline.store.usage import UsageLedger
from zyenta_ads_pipeline.store.vault import Vault, load_key

log = logging.getLogger(__name__)

_SERVER = ".server"


def connect_meta(
    settings: Settings,
    account_id: str | None = None,
    *,
    deadline: float | None = None,
    token: str | None = None,
) -> MetaAds:
    """Meta as the settings say, with the account's own token if it has one: from the settings, or
    as `zyenta connect` stored it. `token` takes the place of all.

    `deadline`, by the monotonic clock, bounds all waits. All connections of this process, and of
    others on the same store, spend from one budget of calls. Raises `SettingsError` without a
    token, or when the home holds the data of another server.
    """
    _bind(settings)
    return MetaAds(
        MetaClient(
            base_url=settings.graph_url,
            version=settings.api_version,
            token=token or _token_for(settings, account_id),
            timeout=settings.request_timeout,
            max_wait=settings.max_wait,
            app_id=settings.app_id,
            app_secret=settings.app_secret.get_secret_value() if settings.app_secret else None,
            deadline=deadline,
            budget=rate_budget(settings),
        )
    )


def _token_for(settings: Settings, account_id: str | None) -> str:
    """What names the account comes first: its token in the settings, then the stored one.

    Without a store Meta can be read too, with what the settings have.
    """
    if account_id is not None and account_id not in settings.account_tokens:
        try:
            with store_of(settings) as store:
                connections = Connections(store, vault_of(settings))
                found = connections.of_account(account_id)
                if found is not None and found.has_token:
                    return connections.token(found.store_id, found.platform)
        except StorageError as error:
            log.warning("%s The token of the settings is used.", error)
    return settings.token(account_id)


def vault_of(settings: Settings) -> Vault:
    """What encrypts the tokens in the store: with the key of the settings, or of the home."""
    given = settings.secret_key.get_secret_value() if settings.secret_key else None
    return Vault(load_key(given, settings.home / "secret.key"))


def accounts_of(settings: Settings) -> list[str]:
    """The ad accounts to work on, as digits: those of the settings, then those connected."""
    with store_of(settings) as store:
        connected = [each.account_id for each in Connections(store, vault_of(settings)).all()]
    return list(dict.fromkeys([*settings.ad_account_ids, *connected]))


def stopped(settings: Settings, store: Store, account_id: str) -> str | None:
    """Why nothing may be written to an account now; None if it may. Asked before each write."""
    if settings.kill_switch:
        return "ZYENTA_KILL_SWITCH is set."
    return KillSwitches(store).stopped(account_id)


def rate_budget(settings: Settings) -> RateBudget:
    """What this process and the others on the same store have used of the server's quotas."""
    return _budget(settings.store_url, settings.graph_url, settings.write_reserve)


@cache
def _budget(store_url: str, server: str, write_reserve: float) -> RateBudget:
    """The one budget of calls that this process has for a store and a server."""
    return RateBudget(shared=_UsageOnDemand(store_url, server), write_reserve=write_reserve)


class _UsageOnDemand:
    """Used quotas in a store that is opened when first asked: without it Meta can be read too."""

    def __init__(self, store_url: str, server: str) -> None:
        self._url = store_url
        self._server = server
        self._ledger: UsageLedger | None = None
        self._opening = threading.Lock()

    def load(self, scopes: Collection[str]) -> dict[str, QuotaUse]:
        return self._opened().load(scopes)

    def store(self, uses: Mapping[str, QuotaUse]) -> None:
        self._opened().store(uses)

    def _opened(self) -> UsageLedger:
        with self._opening:
            if self._ledger is None:
                self._ledger = UsageLedger(open_store(self._url), self._server)
            return self._ledger


class AccountPlatforms:
    """Meta for each account with its own token, on a connection of its own: its calls are counted
    there, and its waits hold up nobody else.

    Open with `async with`; what `of` has opened is closed at the end.
    """

    def __init__(self, settings: Settings, deadline: float | None = None) -> None:
        self._settings = settings
        self._deadline = deadline
        self._opened: dict[str, MetaAds] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def calls(self) -> int:
        """Requests sent for all accounts so far."""
        return sum(platform.calls for platform in self._opened.values())

    async def of(self, account_id: str) -> MetaAds:
        """The platform to ask for this account. Raises `SettingsError` when it has no token."""
        if account_id not in self._opened:
            opened = connect_meta(self._settings, account_id, deadline=self._deadline)
            self._opened[account_id] = opened
            await self._stack.enter_async_context(opened)
        return self._opened[account_id]


def _bind(settings: Settings) -> None:
    """Tie the home to the first server it works with, so that what was decided against a sandbox
    is never pushed to a real account of the same number. All sandboxes count as one.

    Raises `SettingsError` for a home of another server, `StorageError` for one not writable.
    """
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
def store_of(settings: Settings) -> Iterator[Store]:
    """The settings' operational database, closed at the end."""
    store = open_store(settings.store_url)
    try:
        yield store
    finally:
        store.close()


def kept_store(settings: Settings) -> Store | None:
    """The settings' operational database, kept open in this process for short looks at it; None
    where no file of it was made yet. Do not close it."""
    path = sqlite_path(settings.store_url)
    if path is None:
        return _kept(settings.store_url, None)
    try:
        about = path.stat()
    except OSError:
        return None
    return _kept(settings.store_url, (about.st_dev, about.st_ino))


@lru_cache(maxsize=8)
def _kept(store_url: str, _file: tuple[int, int] | None) -> Store:
    """One for each file, so that a new one in the place of a deleted one is seen."""
    return open_store(store_url)


@contextmanager
def outbox_of(settings: Settings) -> Iterator[Outbox]:
    """The outbox in the settings' database, closed at the end."""
    with store_of(settings) as store:
        yield Outbox(store)


@contextmanager
def ledger_of(settings: Settings) -> Iterator[ReportLedger]:
    """The ledger of report jobs in the settings' database, closed at the end."""
    with store_of(settings) as store:
        yield ReportLedger(store, settings.graph_url)


@contextmanager
def alerts_of(settings: Settings) -> Iterator[Alerts]:
    """The alerts in the settings' database, closed at the end."""
    with store_of(settings) as store:
        yield Alerts(store)


@contextmanager
def notifier_of(settings: Settings) -> Iterator[Notifier]:
    """The alerts in the settings' database, and the webhook that is told of them."""
    with alerts_of(settings) as alerts:
        yield Notifier(alerts, settings.alert_address())
