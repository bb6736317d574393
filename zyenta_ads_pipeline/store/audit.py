"""The audit: one row for each act of a person, that cannot be altered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select

from zyenta_ads_pipeline.store.console_models import AuditRow
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.mapping import record


@dataclass(frozen=True)
class AuditEntry:
    """One act: who, with which role, by which door, when, what (`act`, as `change.approve`), about
    what (`kind` and `about`, its id), and its details. `refused`: the role did not reach."""

    id: int
    at: datetime
    who: str
    role: str
    via: str
    act: str
    kind: str
    about: str
    detail: Mapping[str, Any]
    refused: bool


class Audit:
    """The audit of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(
        self,
        *,
        at: datetime,
        who: str,
        role: str,
        via: str,
        act: str,
        kind: str,
        about: str,
        detail: Mapping[str, Any] | None = None,
        refused: bool = False,
    ) -> None:
        """Keep one act."""
        with self._store.write() as session:
            session.execute(
                insert(AuditRow).values(
                    at=at,
                    who=who,
                    role=role,
                    via=via,
                    act=act,
                    kind=kind,
                    about=about,
                    detail=dict(detail or {}),
                    refused=refused,
                )
            )

    def entries(
        self,
        *,
        who: str | None = None,
        kind: str | None = None,
        about: str | None = None,
        before: int | None = None,
        limit: int = 100,
        for_person: str | None = None,
        kinds: Collection[str] = (),
    ) -> list[AuditEntry]:
        """Acts that fit, the newest first; those with an id below `before`, for the next page.

        With `for_person` only that person's own, and those about one of `kinds`.
        """
        wanted: list[ColumnElement[bool]] = [
            column == value
            for column, value in (
                (AuditRow.who, who),
                (AuditRow.kind, kind),
                (AuditRow.about, about),
            )
            if value is not None
        ]
        if before is not None:
            wanted.append(AuditRow.id < before)
        if for_person is not None:
            wanted.append(or_(AuditRow.who == for_person, AuditRow.kind.in_(kinds)))
        asked = select(AuditRow).where(*wanted).order_by(AuditRow.id.desc()).limit(limit)
        with self._store.read() as session:
            return [record(AuditEntry, row) for row in session.scalars(asked)]
