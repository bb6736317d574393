"""What the league must not show: broken promises, and results that moved unnoticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.quality import Quality

if TYPE_CHECKING:
    from benchmarks.league import Row, Standing

LEAST_MEAN = 0.95
LEAST_SCENARIO = 0.93
LEAST_MARKET = 0.88
MOST_CALIBRATION_ERROR = 0.08
TOLERANCE = 0.01
"""By how much a market's ratio may differ from what is written in RESULTS.json."""
JUDGED = "response_curve"
"""The entry that the thresholds are for: the default policy."""


def failures(
    standings: Sequence[Standing],
    rows: Sequence[Row],
    qualities: Mapping[str, Mapping[str, Quality]],
    written: Mapping[str, Any],
) -> list[str]:
    """Each failure in words; `written` is what RESULTS.json holds, empty without one."""
    found = [f"broken: {each}" for row in rows for each in row.broken]
    for each in standings:
        if each.entry != JUDGED:
            continue
        if each.over_total:
            found.append(f"{JUDGED} was over the total on {each.over_total:.2f} days a market")
        for what, value, least in (
            ("mean", each.mean, LEAST_MEAN),
            (f"scenario {each.worst_scenario_name}", each.worst_scenario, LEAST_SCENARIO),
            (f"market {each.worst_market_name}", each.worst_market, LEAST_MARKET),
        ):
            if value < least:
                found.append(f"{JUDGED}: {what} {value:.3f}, below {least}")
    for name, both in qualities.items():
        error = both["decisions"].calibration
        if name.endswith(JUDGED) and error > MOST_CALIBRATION_ERROR:
            found.append(f"{name}: calibration error {error:.3f}")
    return found + _moved(rows, written)


def _moved(rows: Sequence[Row], written: Mapping[str, Any]) -> list[str]:
    before = {
        (each["scenario"], each["seed"], each["entry"]): each["ratio"]
        for each in written.get("markets", [])
    }
    found = []
    for row in rows:
        ratio = before.get((row.scenario, row.seed, row.entry))
        if ratio is not None and abs(ratio - row.ratio) > TOLERANCE:
            found.append(
                f"{row.entry} in {row.scenario} {row.seed}: {row.ratio:.3f}, written is {ratio:.3f}"
            )
    return found
