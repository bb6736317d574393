"""One week of eight ads, one archived and one deleted: calls and waiting, beside four peers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from benchmarks.measure import Section
from tests.ingestion.syncing import VirtualTime, days, graph, home, shop, sync

_WEEK = days("2026-11-16", "2026-11-22")
_REPORT_SECONDS = (5, 30, 120)
_ARCHIVED, _DELETED = "3102", "3105"
_PEERS = (
    ("dlt", "49", "0.867", ("33", "41", "57"), ("80", "240", "1200")),
    ("Meltano", "91", "1.573", ("29", "64", "190"), ("35", "210", "840")),
    ("singer-io", "49", "0.867", ("34", "42", "58"), ("80", "240", "1200")),
    ("Airbyte", "56", "1.000", ("38", "38", "62"), ("30", "30", "120")),
)
"""Rows, spend over the truth, calls and seconds slept: measured once on a server of the same
behaviour, with the versions of November 2026."""


def measure(folder: Path) -> Section:
    """The task with and without synchronous reports, for reports of several lengths."""
    ways = {"ours": None, "ours, by report jobs alone": 50}
    rows = [_ours(folder, name, sync_rows) for name, sync_rows in ways.items()]
    rows += [
        [f"{name} (quoted)", count, share, " / ".join(calls), " / ".join(slept)]
        for name, count, share, calls, slept in _PEERS
    ]
    seconds = " / ".join(map(str, _REPORT_SECONDS))
    return Section(
        "Calls and waiting, beside four peers",
        f"""\
Seven days of eight ads, one archived and one deleted since, while a report job takes
{seconds} seconds. Ours reads all four levels and proves the sum, where the peers read the ads. The
peers' numbers are quoted: they were measured once, on another server that behaves alike (dlt
verified source of July 2026, MeltanoLabs tap-facebook of March 2026, singer-io tap-facebook 1.26.0,
airbyte-source-facebook-marketing 6.1.9). "Slept" is the time that the client waits by itself,
counted on a clock that only sleeping moves.""",
        ["client", "ad rows", "spend ÷ truth", f"calls, {seconds} s", f"slept (s), {seconds} s"],
        rows,
    )


def _ours(folder: Path, name: str, sync_rows: int | None) -> list[str]:
    calls, slept = [], []
    for number in _REPORT_SECONDS:
        place = folder / f"waiting-{sync_rows}-{number}"
        with shop(place / "shop") as (sandbox, total):
            with graph(sandbox) as client:
                client.post(_ARCHIVED, data={"status": "ARCHIVED"}).raise_for_status()
                client.delete(_DELETED).raise_for_status()
            limits = {"sync_rows": sync_rows} if sync_rows else {}
            sandbox.plan_reports(seconds=number, deleted="filter", limits=limits)
            time = VirtualTime(sandbox)
            with home(place / "home", clock=time.clock()) as made:
                synced = sync(sandbox, made, _WEEK)
                rows, share = made.rows().height, made.spend() / total
        calls.append(f"{synced.calls}")
        slept.append(f"{time.slept:.0f}")
    return [
        name,
        f"{rows}",
        f"{share.quantize(Decimal('0.001'))}",
        " / ".join(calls),
        " / ".join(slept),
    ]
