"""Rules that a person set in the console, for an account or for one campaign of it.

`own_rules` holds what is set now, `own_rule_journal` every setting and taking back (append-only).
Values are kept as JSON with numbers as texts, so that they stay exact; what they mean is not known
here. Each method is one transaction; moments are aware.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.store.console_models import OwnRuleJournalRow, OwnRuleRow
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.upsert import replacing


@dataclass(frozen=True)
class OwnRule:
    """A rule that is set; `campaign_id` (the platform's) None: the account's own. A `value` of None
    says "no limit"."""

    account_id: str
    campaign_id: str | None
    name: str
    value: Any
    by: str
    at: datetime


@dataclass(frozen=True)
class OwnRuleEntry:
    """One setting (`set` True) or taking back of a rule. `before` is the value before, None also
    where there was none (`had` False)."""

    id: int
    account_id: str
    campaign_id: str | None
    name: str
    set: bool
    value: Any
    had: bool
    before: Any
    by: str
    at: datetime


Check = Callable[[Sequence[OwnRule]], None]
"""Asked with all rules of the account; as they would be, before they are kept. Raises to refuse."""


class OwnRules:
    """The rules set in the console, in one store.

    `put` and `take_back` ask `seen` first, with the rules as they are, and `check` last; nobody
    else sets a rule between the two.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_account(self, account_id: str) -> list[OwnRule]:
        """What is set for an account and its campaigns."""
        with self._store.read() as session:
            return _rules(session, account_number(account_id))

    def all(self) -> list[OwnRule]:
        """What is set for any account."""
        with self._store.read() as session:
            return [_rule(row) for row in session.scalars(select(OwnRuleRow))]

    def put(
        self,
        account_id: str,
        campaign_id: str | None,
        name: str,
        value: Any,
        *,
        by: str,
        now: datetime,
        seen: Check = lambda _: None,
        check: Check = lambda _: None,
    ) -> None:
        """Set one rule, or the same value once more, which changes nothing."""
        account, campaign = account_number(account_id), campaign_id or ""
        with self._store.write() as session:
            self._store.lock_rules(session)
            seen(_rules(session, account))
            before = session.get(OwnRuleRow, (account, campaign, name))
            if before is not None and before.value == {"is": value}:
                return
            told = None if before is None else dict(before.value)
            values = {"account_id": account, "campaign_id": campaign, "name": name}
            said = {"value": {"is": value}, "by": by, "at": now}
            session.execute(replacing(self._store, OwnRuleRow), values | said)
            session.execute(insert(OwnRuleJournalRow).values(**values, **said, before=told))
            session.expire_all()
            check(_rules(session, account))

    def take_back(
        self,
        account_id: str,
        campaign_id: str | None,
        name: str,
        *,
        by: str,
        now: datetime,
        seen: Check = lambda _: None,
        check: Check = lambda _: None,
    ) -> bool:
        """Forget one rule; False when it was not set."""
        account, campaign = account_number(account_id), campaign_id or ""
        with self._store.write() as session:
            self._store.lock_rules(session)
            seen(_rules(session, account))
            before = session.get(OwnRuleRow, (account, campaign, name))
            if before is None:
                return False
            values = {"account_id": account, "campaign_id": campaign, "name": name}
            told = {"value": None, "before": dict(before.value), "by": by, "at": now}
            session.execute(
                delete(OwnRuleRow).where(
                    OwnRuleRow.account_id == account,
                    OwnRuleRow.campaign_id == campaign,
                    OwnRuleRow.name == name,
                )
            )
            session.execute(insert(OwnRuleJournalRow).values(**values, **told))
            session.expire_all()
            check(_rules(session, account))
            return True

    def history(self, account_id: str, limit: int = 200) -> list[OwnRuleEntry]:
        """Every setting and taking back for an account, the newest first."""
        asked = (
            select(OwnRuleJournalRow)
            .where(OwnRuleJournalRow.account_id == account_number(account_id))
            .order_by(OwnRuleJournalRow.id.desc())
            .limit(limit)
        )
        with self._store.read() as session:
            return [_entry(row) for row in session.scalars(asked)]


def _rules(session: Session, account: str) -> list[OwnRule]:
    order = (OwnRuleRow.campaign_id, OwnRuleRow.name)
    asked = select(OwnRuleRow).where(OwnRuleRow.account_id == account).order_by(*order)
    return [_rule(row) for row in session.scalars(asked)]


def _rule(row: OwnRuleRow) -> OwnRule:
    return OwnRule(
        row.account_id, row.campaign_id or None, row.name, row.value["is"], row.by, row.at
    )


def _entry(row: OwnRuleJournalRow) -> OwnRuleEntry:
    return OwnRuleEntry(
        id=row.id,
        account_id=row.account_id,
        campaign_id=row.campaign_id or None,
        name=row.name,
        set=row.value is not None,
        value=None if row.value is None else row.value["is"],
        had=row.before is not None,
        before=None if row.before is None else row.before["is"],
        by=row.by,
        at=row.at,
    )
