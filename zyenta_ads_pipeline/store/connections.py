"""Connections of stores to platforms. A token is stored encrypted and leaves by `token` alone.

Each method is one transaction. Moments are aware. An account's id is kept without `act_`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.errors import InputError, StorageError
from zyenta_ads_pipeline.domain.shop import PlatformConnection
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.mapping import record, values_of
from zyenta_ads_pipeline.store.shop_models import ConnectionRow, ShopRow
from zyenta_ads_pipeline.store.upsert import inserting
from zyenta_ads_pipeline.store.vault import Vault


class Connections:
    """The connections in one store, their tokens sealed by `vault`."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def save(
        self, connection: PlatformConnection, token: str | None, now: datetime
    ) -> PlatformConnection:
        """Store a connection in the place of the one of its store and platform.

        Without a token the stored one stays. `connected_at` is that of the first time;
        `has_token` is what is so, not what is given. `InputError` if the store is not there.
        """
        values = values_of(connection, leave_out=("has_token", "updated_at"))
        values |= {"account_id": account_number(connection.account_id), "updated_at": now}
        renewed = {name for name in values if name != "connected_at"}
        if token is not None:
            values["sealed_token"] = self._vault.seal(_given(token))
            renewed.add("sealed_token")
        with self._store.write() as session:
            if session.get(ShopRow, connection.store_id) is None:
                raise InputError(
                    f"There is no store {connection.store_id!r} to connect.", "Add the store first."
                )
            made = inserting(self._store, ConnectionRow).values(**values)
            session.execute(
                made.on_conflict_do_update(
                    index_elements=[ConnectionRow.store_id, ConnectionRow.platform],
                    set_={name: made.excluded[name] for name in renewed},
                )
            )
            return _connection(_load(session, connection.store_id, connection.platform))

    def get(self, store_id: str, platform: str) -> PlatformConnection:
        """A store's connection to a platform; `InputError` if there is none."""
        with self._store.read() as session:
            return _connection(_load(session, store_id, platform))

    def all(self) -> list[PlatformConnection]:
        """Every connection, by store and platform."""
        with self._store.read() as session:
            order = (ConnectionRow.store_id, ConnectionRow.platform)
            return [
                _connection(row) for row in session.scalars(select(ConnectionRow).order_by(*order))
            ]

    def of_account(self, account_id: str) -> PlatformConnection | None:
        """The connection of an ad account; None if it has none.

        Of several stores that share the account: one with a token, and of these the newest.
        """
        with self._store.read() as session:
            rows = session.scalars(
                select(ConnectionRow).where(ConnectionRow.account_id == account_number(account_id))
            )
            best = max(rows, key=_worth, default=None)
            return None if best is None else _connection(best)

    def token(self, store_id: str, platform: str) -> str:
        """The token itself. `InputError` if there is none, `StorageError` with another key."""
        with self._store.read() as session:
            row = _load(session, store_id, platform)
            if row.sealed_token is None:
                raise InputError(
                    f"The connection of store {store_id!r} to {platform} has no token.",
                    "Run zyenta connect again.",
                )
            return self._open(row)

    def tokens(self) -> dict[str, str]:
        """The token of each ad account that has one, as `of_account` chooses the connection."""
        with self._store.read() as session:
            rows = session.scalars(
                select(ConnectionRow).where(ConnectionRow.sealed_token.is_not(None))
            )
            best = {row.account_id: row for row in sorted(rows, key=_worth)}
            return {account_id: self._open(row) for account_id, row in sorted(best.items())}

    def renewed(
        self,
        store_id: str,
        platform: str,
        token: str,
        expires_at: datetime | None,
        now: datetime,
    ) -> PlatformConnection:
        """Put a new token, known to be good at `now`, in the place of the stored one."""
        sealed = self._vault.seal(_given(token))
        with self._store.write() as session:
            _load(session, store_id, platform)
            session.execute(
                update(ConnectionRow)
                .where(ConnectionRow.store_id == store_id, ConnectionRow.platform == platform)
                .values(
                    sealed_token=sealed,
                    token_expires_at=expires_at,
                    token_checked_at=now,
                    updated_at=now,
                )
            )
            return _connection(_load(session, store_id, platform))

    def _open(self, row: ConnectionRow) -> str:
        try:
            return self._vault.open(row.sealed_token or "")
        except StorageError:
            raise StorageError(
                f"The token of store {row.store_id!r} for {row.platform} (account "
                f"{row.account_id}) cannot be decrypted with this key.",
                "Give the key with which it was stored, or run zyenta connect again.",
            ) from None


def _load(session: Session, store_id: str, platform: str) -> ConnectionRow:
    row = session.get(ConnectionRow, (store_id, platform), populate_existing=True)
    if row is None:
        raise InputError(
            f"Platform not connected: {platform}, for store {store_id!r}.",
            "To connect it, run zyenta connect.",
        )
    return row


def _connection(row: ConnectionRow) -> PlatformConnection:
    return record(PlatformConnection, row, has_token=row.sealed_token is not None)


def _worth(row: ConnectionRow) -> tuple[bool, datetime, str]:
    return (row.sealed_token is not None, row.updated_at, row.store_id)


def _given(token: str) -> str:
    if not token.strip():
        raise InputError("The token is empty.", "Give the platform's access token.")
    return token.strip()
