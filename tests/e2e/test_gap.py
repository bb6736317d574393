"""An account whose ads do not add up: its numbers are stored and shown, nothing is decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.command import Zyenta
from tests.ingestion.syncing import ACCOUNT, TOKEN, graph, shop

NUMBERS = "SELECT count(*) AS n, sum(spend) AS spend FROM account_metrics"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_gap_in_the_decisions_days_stops_them_until_it_is_explained(tmp_path: Path) -> None:
    with shop(tmp_path / "shop", first="2026-11-14", number_of_days=7) as (sandbox, total):
        with graph(sandbox) as client:
            assert client.delete("3105").json()["success"]
        hidden = {"what": "error", "code": 10, "message": "(#10) No", "path": "*/activities"}
        sandbox.faults([hidden])
        zyenta = Zyenta(
            tmp_path / "home",
            sandbox.url,
            {"META_AD_ACCOUNT_IDS": f"act_{ACCOUNT}", "META_ACCESS_TOKEN": TOKEN},
        )
        blocked = zyenta.run("run")
        assert blocked.returncode == 1
        assert "window_adds_up" in blocked.stderr
        assert "ahead of its ads" in blocked.stderr
        (row,) = zyenta.sql(NUMBERS)
        assert row["n"] == 7
        assert row["spend"] < float(total)
        assert zyenta.sql("SELECT * FROM budget_decisions") == []
        alerts = zyenta.run("alerts")
        assert "gap" in alerts.stdout
        sandbox.clear_faults()
        again = ("--from", "2026-11-14", "--to", "2026-11-20", "--whole")
        assert zyenta.run("sync", *again).returncode == 0
        mended = zyenta.run("run")
        assert mended.returncode == 0, mended.stderr
        assert zyenta.sql(NUMBERS) == [{"n": 7, "spend": float(total)}]
        assert zyenta.sql("SELECT * FROM budget_decisions") != []
        assert "No alerts" in zyenta.run("alerts").stdout
