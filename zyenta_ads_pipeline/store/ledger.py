"""The ledgers of ingestion: report jobs under way, and what reports were found to cost.

Each method is one transaction; several processes may use the same ledger, the last one to write
wins. Homes of different servers see nothing of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.models import ReportCostRow, ReportJobRow
from zyenta_ads_pipeline.store.servers import server_prefix
from zyenta_ads_pipeline.store.upsert import replacing


@dataclass(frozen=True)
class ReportJob:
    """One report that the platform is computing, or has computed, for us. Moments are UTC.

    `request` is the report's fingerprint, `run_id` the platform's id; `attempt` counts from 1.
    """

    request: str
    account_id: str
    run_id: str
    described: str
    state: str
    percent: int
    attempt: int
    polls: int
    submitted_at: datetime
    progressed_at: datetime


_FIELDS = tuple(ReportJob.__dataclass_fields__)


class ReportLedger:
    """Report jobs and costs in one store, of one `server`: the address that is asked."""

    def __init__(self, store: Store, server: str = "") -> None:
        self._store = store
        self._server = server_prefix(server)

    def job(self, request: str) -> ReportJob | None:
        """The open job of a request, whichever process submitted it."""
        with self._store.read() as session:
            row = session.get(ReportJobRow, self._server + request)
            return None if row is None else self._job(row)

    def jobs(self, account_id: str) -> list[ReportJob]:
        """All open jobs of an account, oldest first."""
        with self._store.read() as session:
            rows = session.query(ReportJobRow).filter(
                ReportJobRow.account_id == account_id,
                ReportJobRow.request.startswith(self._server),
            )
            return [self._job(row) for row in rows.order_by(ReportJobRow.submitted_at)]

    def save(self, job: ReportJob) -> None:
        """Remember a job as it stands now, in place of what was known of its request."""
        kept = replace(job, request=self._server + job.request)
        with self._store.write() as session:
            session.execute(replacing(self._store, ReportJobRow), asdict(kept))

    def close(self, request: str) -> None:
        """Forget a job: its rows are stored, or it is given up."""
        with self._store.write() as session:
            session.execute(
                delete(ReportJobRow).where(ReportJobRow.request == self._server + request)
            )

    def costs(self, account_id: str, stream: str) -> dict[str, Any]:
        """What was learned of an account's reports of one kind; empty at first."""
        with self._store.read() as session:
            row = session.get(ReportCostRow, (account_id, self._server + stream))
            return {} if row is None else dict(row.model)

    def learn(self, account_id: str, stream: str, model: Mapping[str, Any], now: datetime) -> None:
        """Keep what was learned."""
        learned = {
            "account_id": account_id,
            "stream": self._server + stream,
            "model": dict(model),
            "updated_at": now,
        }
        with self._store.write() as session:
            session.execute(replacing(self._store, ReportCostRow), learned)

    def _job(self, row: ReportJobRow) -> ReportJob:
        job = ReportJob(**{name: getattr(row, name) for name in _FIELDS})
        return replace(job, request=job.request.removeprefix(self._server))
