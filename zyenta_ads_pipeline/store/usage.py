"""Used quotas in the operational database, so that all processes spend from one budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import and_, case, or_, select

from zyenta_ads_pipeline.domain.quota import QuotaUse
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.models import RateUsageRow
from zyenta_ads_pipeline.store.servers import server_prefix
from zyenta_ads_pipeline.store.upsert import Insert, inserting

_SCOPES_AT_ONCE = 500


class UsageLedger:
    """The quotas of one `server`, the address that is asked, in the table `rate_usage`.

    Safe to use from several threads and processes at a time. Every method raises `StorageError`
    when the database cannot be used.
    """

    def __init__(self, store: Store, server: str = "") -> None:
        self._store = store
        self._server = server_prefix(server)

    def load(self, scopes: Collection[str]) -> dict[str, QuotaUse]:
        """What is known of `scopes`; those of which nothing is known are left out."""
        wanted = sorted(self._server + scope for scope in scopes)
        found: dict[str, QuotaUse] = {}
        with self._store.read() as session:
            for start in range(0, len(wanted), _SCOPES_AT_ONCE):
                part = wanted[start : start + _SCOPES_AT_ONCE]
                rows = session.scalars(select(RateUsageRow).where(RateUsageRow.scope.in_(part)))
                found |= {
                    row.scope.removeprefix(self._server): QuotaUse(
                        row.percent, row.measured_at, row.decay_seconds, row.blocked_until
                    )
                    for row in rows
                }
        return found

    def store(self, uses: Mapping[str, QuotaUse]) -> None:
        """Merge `uses` into what is stored, each as `QuotaUse.merged` would."""
        if not uses:
            return
        rows = [
            {
                "scope": self._server + scope,
                "percent": use.percent,
                "measured_at": use.measured_at,
                "blocked_until": use.blocked_until,
                "decay_seconds": use.decay_seconds,
            }
            for scope, use in sorted(uses.items())  # in one order, so that no two processes lock
        ]
        statement = self._merge()
        with self._store.write() as session:
            for row in rows:
                session.execute(statement, row)

    def _merge(self) -> Insert:
        made = inserting(self._store, RateUsageRow)
        new, old = made.excluded, RateUsageRow
        is_newer = or_(
            new.measured_at > old.measured_at,
            and_(new.measured_at == old.measured_at, new.percent > old.percent),
            and_(
                new.measured_at == old.measured_at,
                new.percent == old.percent,
                new.decay_seconds > old.decay_seconds,
            ),
        )
        ends_later = or_(old.blocked_until.is_(None), new.blocked_until > old.blocked_until)
        return made.on_conflict_do_update(
            index_elements=[old.scope],
            set_={
                "percent": case((is_newer, new.percent), else_=old.percent),
                "measured_at": case((is_newer, new.measured_at), else_=old.measured_at),
                "decay_seconds": case((is_newer, new.decay_seconds), else_=old.decay_seconds),
                "blocked_until": case((ends_later, new.blocked_until), else_=old.blocked_until),
            },
        )
