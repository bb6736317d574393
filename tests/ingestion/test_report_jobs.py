"""What a report job that failed is told as, and whether it is asked anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingestion.syncing import VirtualTime, days, home, shop, sync
from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    PermissionDenied,
    PolicyBlocked,
    ValidationRefused,
)

WEEK = days("2026-11-16", "2026-11-22")


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (190, 463, AuthenticationFailed),
        (200, 0, PermissionDenied),
        (368, 0, PolicyBlocked),
        (3018, 0, ValidationRefused),
    ],
)
def test_a_job_that_fails_for_good_is_told_as_what_it_is_and_not_asked_anew(
    tmp_path: Path, code: int, subcode: int, kind: type[Exception]
) -> None:
    failed = {"outcome": "failed", "code": code, "subcode": subcode}
    with shop(tmp_path / "shop", ads=2) as (sandbox, _):
        sandbox.plan_reports(seconds=1, limits={"sync_rows": 1}, next=[failed] * 100)
        time = VirtualTime(sandbox)
        with home(tmp_path / "home", clock=time.clock()) as place:
            with pytest.raises(kind):
                sync(sandbox, place, WEEK)
            assert place.rows().is_empty()
        assert sandbox.calls()["by_kind"]["report_start"] <= 2  # the totals of two levels
