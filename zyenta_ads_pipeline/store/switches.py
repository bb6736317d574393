"""Kill switches: while one is thrown, nothing may be written to its account, or to any.

Each method is one transaction, and every throw and lift leaves a row that cannot be altered.
Moments are aware. An account's id is kept without `act_`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.launch_models import SwitchJournalRow, SwitchRow
from zyenta_ads_pipeline.store.upsert import replacing

_EVERYWHERE = "*"
# Every page and every write asks this: made once, and of columns alone.
_THROWN = select(SwitchRow.scope, SwitchRow.by, SwitchRow.reason, SwitchRow.at).where(
    SwitchRow.thrown
)


@dataclass(frozen=True)
class Switch:
    """A kill switch that is thrown; `account_id` None: for all accounts."""

    account_id: str | None
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class SwitchEntry:
    """One throw (`thrown`) or lift of a kill switch; `account_id` None: for all accounts."""

    account_id: str | None
    thrown: bool
    by: str
    reason: str
    at: datetime


class KillSwitches:
    """The kill switches in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def throw(self, account_id: str | None, *, by: str, reason: str, now: datetime) -> Switch:
        """Stop one account, or with None all. Once more: the reason is renewed."""
        values = {
            "scope": _scope(account_id),
            "thrown": True,
            "by": by,
            "reason": reason,
            "at": now,
        }
        with self._store.write() as session:
            session.execute(replacing(self._store, SwitchRow), values)
            session.execute(insert(SwitchJournalRow).values(**values))
        return Switch(_account(values["scope"]), by, reason, now)

    def lift(self, account_id: str | None, *, by: str, now: datetime, reason: str = "") -> bool:
        """Let one account go on, or with None all that have no stop of their own.

        False when no such switch was thrown; a stop of all is not lifted for one account.
        """
        values = {"thrown": False, "by": by, "reason": reason, "at": now}
        scope = _scope(account_id)
        with self._store.write() as session:
            lifted = session.execute(
                update(SwitchRow)
                .where(SwitchRow.scope == scope, SwitchRow.thrown)
                .values(**values)
                .returning(SwitchRow.scope)
                .execution_options(synchronize_session=False)
            ).first()
            if lifted is not None:
                session.execute(insert(SwitchJournalRow).values(scope=scope, **values))
            return lifted is not None

    def stopped(self, account_id: str | None) -> str | None:
        """Why nothing may be written to an account, in words; None when something may.

        With None: why nothing may be written anywhere.
        """
        scopes = {_EVERYWHERE, _scope(account_id)}
        found = [
            switch for switch in self._thrown() if (switch.account_id or _EVERYWHERE) in scopes
        ]
        return _words(found[0]) if found else None

    def all(self) -> list[Switch]:
        """Every switch that is thrown; first the one for all accounts."""
        return self._thrown()

    def history(self) -> list[SwitchEntry]:
        """Every throw and lift, in order."""
        with self._store.read() as session:
            rows = session.scalars(select(SwitchJournalRow).order_by(SwitchJournalRow.id))
            return [
                SwitchEntry(_account(row.scope), row.thrown, row.by, row.reason, row.at)
                for row in rows
            ]

    def _thrown(self) -> list[Switch]:
        with self._store.look() as connection:
            rows = connection.execute(_THROWN)
            found = [Switch(_account(scope), by, reason, at) for scope, by, reason, at in rows]
        return sorted(found, key=lambda switch: switch.account_id or "")


def _words(switch: Switch) -> str:
    where = f"Account {switch.account_id}" if switch.account_id else "Every account"
    why = f": {switch.reason}" if switch.reason else ""
    return f"{where} was stopped by {switch.by} at {switch.at:%Y-%m-%d %H:%M} UTC{why}"


def _scope(account_id: str | None) -> str:
    return _EVERYWHERE if account_id is None else account_number(account_id)


def _account(scope: object) -> str | None:
    return None if scope == _EVERYWHERE else str(scope)
