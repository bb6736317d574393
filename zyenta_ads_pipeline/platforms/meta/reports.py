"""Reports of insights: what is sent to have one, and what Meta says of one in the making.

Source: Marketing API, "Insights", "Asynchronous jobs".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.insights import ATTRIBUTION_WINDOWS, OBJECT_ID, Report
from zyenta_ads_pipeline.platforms.base import ReportState, ReportStatus
from zyenta_ads_pipeline.platforms.meta.errors import error_of_report
from zyenta_ads_pipeline.platforms.meta.objects import STATUSES
from zyenta_ads_pipeline.platforms.meta.pages import report_fields
from zyenta_ads_pipeline.platforms.meta.replies import Reply

log = logging.getLogger(__name__)

STATUS_FIELDS = (
    "id,async_status,async_percent_completion,error_code,error_subcode,error_message,"
    "error_user_title,error_user_msg"
)
_STATES = {
    "Job Not Started": ReportState.WAITING,
    "Job Started": ReportState.RUNNING,
    "Job Running": ReportState.RUNNING,
    "Job Completed": ReportState.COMPLETED,
    "Job Failed": ReportState.FAILED,
    "Job Skipped": ReportState.SKIPPED,
}
_WHOLE = 100


def path_of(report: Report) -> str:
    """The edge that is asked."""
    return f"{report.node or f'act_{report.account_id}'}/insights"


def params_of(report: Report) -> dict[str, Any]:
    """The parameters that describe a report, the same for waiting and for a job."""
    breakdowns = report.preset.breakdowns
    params: dict[str, Any] = {
        "level": report.level.value,
        # What a report is broken down by comes without being asked for as a field.
        "fields": ",".join(name for name in report_fields(report) if name not in breakdowns),
        "time_range": {"since": str(report.days.since), "until": str(report.days.until)},
        "time_increment": 1,
        "action_attribution_windows": [*ATTRIBUTION_WINDOWS, "default"],
    }
    if breakdowns:
        params["breakdowns"] = list(breakdowns)
    if report.ids is not None:
        params["filtering"] = [_is_in(OBJECT_ID[report.level].replace("_", "."), report.ids)]
    elif report.level is not Level.ACCOUNT:
        # Without it Meta leaves archived and deleted objects out, and sums fall short of totals.
        statuses = (*STATUSES[report.level], "DELETED")
        params["filtering"] = [_is_in(f"{report.level.value}.effective_status", statuses)]
    return params


def status_of(reply: Reply, run_id: str) -> ReportStatus:
    """How far a report is. It is done only when Meta says `Job Completed` and 100 percent.

    A state that is not known counts as running, and is warned of.
    """
    body = reply.body
    said, percent = body.get("async_status"), _percent(body.get("async_percent_completion"))
    state = _STATES.get(str(said))
    if state is None:
        log.warning("Report %s has the state %r, which is not known: waiting on", run_id, said)
        state = ReportState.RUNNING
    if state is ReportState.COMPLETED and percent < _WHOLE:
        state = ReportState.RUNNING
    failed = state is ReportState.FAILED
    return ReportStatus(
        run_id=run_id,
        state=state,
        percent=percent,
        observed_at=reply.at,
        error=error_of_report(body, request=reply.request) if failed else None,
    )


def _is_in(field: str, values: tuple[str, ...]) -> Mapping[str, Any]:
    return {"field": field, "operator": "IN", "value": list(values)}


def _percent(value: object) -> int:
    try:
        return min(max(int(float(str(value))), 0), _WHOLE)
    except (ValueError, OverflowError):
        return 0
