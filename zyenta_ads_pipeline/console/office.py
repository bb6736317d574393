"""The office: what the desks of one process share. Opened once for each worker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from zyenta_ads_pipeline.connections import vault_of
from zyenta_ads_pipeline.console.numbers import Numbers
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import NotAllowed, SettingsError
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.settings import Settings, load_settings
from zyenta_ads_pipeline.store.audit import Audit
from zyenta_ads_pipeline.store.database import Store, open_store
from zyenta_ads_pipeline.store.vault import Vault

_OF_THE_START = (
    "home", "lake_root", "database_url", "secret_key", "console_host", "console_port",
    "console_names", "console_secret", "console_certificate", "console_key", "console_proxies",
    "dagster_url",
)  # fmt: skip
"""Settings that an office keeps."""
_REFUSED_EVERY = 60.0
"""Seconds for which the same refusal of the same person is written down once."""
_MOST_REFUSED = 1000
_LONGEST_ABOUT = 200


class Office:
    """The process's store, vault and lake. Safe to share between threads; `close` it at the end.

    Raises `StorageError` when the store cannot be opened.
    """

    store: Store

    def __init__(self, settings: Settings, *, look_every: float = 1.0) -> None:
        """`look_every`: seconds for which settings are taken to be as they were seen."""
        self._look_every = look_every
        self._begun, self._loaded = settings, _loaded()
        self._seen, self._looked = self._loaded, time.monotonic()
        self._renewed: tuple[Settings, Settings] | None = None
        self.store = open_store(settings.store_url)
        self.audit = Audit(self.store)
        self._refused: dict[tuple[str, str], float] = {}

    @property
    def settings(self) -> Settings:
        """The settings as they are now, as every run of the pipeline reads them anew: a kill switch
        set in `.env` holds here too. Where things are stays as it was at the start; so does all of
        it while the settings cannot be used.
        """
        now = time.monotonic()
        if now - self._looked >= self._look_every:
            self._seen, self._looked = _loaded(), now
        found, renewed = self._seen, self._renewed
        if found is None or self._loaded is None or found is self._loaded:
            return self._begun
        if renewed is None or renewed[0] is not found:
            kept = {name: getattr(self._begun, name) for name in _OF_THE_START}
            renewed = self._renewed = found, found.model_copy(update=kept)
        return renewed[1]

    @property
    def vault(self) -> Vault:
        """What encrypts the tokens of connections."""
        return vault_of(self.settings)

    @property
    def lake(self) -> Lake:
        """The lake; take a `snapshot()` for each look at it."""
        return Lake(self.settings.lake_location)

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers that pages and the API show, worked out once for all of them."""
        return Numbers(self.settings)

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)

    def allow(self, person: Person, needed: Role, act: str, kind: str, about: str) -> None:
        """Raise `NotAllowed` unless the role reaches that far. It is kept in the audit, once a
        minute of each person and act: nobody fills the store by asking for what they may not."""
        try:
            person.require(needed, act.replace(".", " ").replace("_", " "))
        except NotAllowed:
            if self._is_news(person.name, act):
                self.note(person, act, kind, about, refused=True)
            raise

    def _is_news(self, who: str, act: str) -> bool:
        now = time.monotonic()
        last = self._refused.get((who, act))
        if last is not None and now - last < _REFUSED_EVERY:
            return False
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[who, act] = now
        return True

    def note(
        self,
        person: Person,
        act: str,
        kind: str,
        about: str,
        detail: Mapping[str, Any] | None = None,
        *,
        refused: bool = False,
    ) -> None:
        """Write the audit row of an act."""
        self.audit.write(
            at=self.now(),
            who=person.name,
            role=person.role.value,
            via=person.via,
            act=act,
            kind=kind,
            about=about[:_LONGEST_ABOUT],
            detail=detail,
            refused=refused,
        )

    def close(self) -> None:
        """Give back every connection."""
        self.store.close()


def _loaded() -> Settings | None:
    """The settings of this process; None while they cannot be used."""
    try:
        return load_settings()
    except (SettingsError, OSError):
        return None
