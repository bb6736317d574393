"""The league's tables as a page."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from benchmarks.quality import Quality
from benchmarks.scenarios import SCENARIOS

if TYPE_CHECKING:
    from benchmarks.league import Row, Standing

_PAGE = """\
# The league of budget policies

Written by `python -m benchmarks.league --full --write`; do not edit by hand. RESULTS.json beside it
has every market.

Accounts are invented, so that the truth is known: what every campaign would sell at every budget. A
policy sees what Meta would report, late conversions and all, and decides each morning for
60 days, under one total and a step of 20 %. **Ratio** is its expected revenue over that of an
oracle which knows every curve and obeys the same limits. Expected means without luck: no policy
wins by a good draw. All go the product's own way, holds and allocation included; the judge counts
the budgets against total, floors, caps and steps once more.

**Read with care.** One simulator is not the world. It has no auction overlap between campaigns, no
halo, no difference between attributed and caused sales, and its price for large steps (three days
at 80 % after a change of more than 20 %) is an assumption. A ratio here is no promise of uplift.

## Policies

{standings}

Mean: over scenarios, each counting the same. Profit: at a margin of 60 %, per unit of the total
budget. Over total: days per market on which the budgets asked for came to more than the total; a
policy that knows no total is cut to it, all budgets alike. Broken: floors, caps, steps and locks
broken, in all markets together. Changed: campaign days on which a budget was set. Learning:
campaign days after a step of more than 20 %, launches included.

## Scenarios

Mean ratio of the seeds, and the worst in brackets.

{scenarios}

{about}

## Decisions

A move is right when the truly best budget lies on its side of today's. "Decisions" are what the
policy says of each campaign, "changes" what the allocation then does. Alike: the share of changes
to the side to which the oracle, under the same step and total, would go today. Error: expected
calibration error, in ten bins. Bands: stated confidence -> share that was right (how many).

{quality}
"""


def page(
    standings: Sequence[Standing],
    rows: Sequence[Row],
    qualities: Mapping[str, Mapping[str, Quality]],
) -> str:
    """All of it, in Markdown."""
    names = dict.fromkeys(row.scenario for row in rows)
    about = "\n".join(f"- **{name}**: {SCENARIOS[name].about}" for name in names)
    return _PAGE.format(
        standings=_standings(standings),
        scenarios=_scenarios(rows),
        about=about,
        quality=_quality(qualities),
    )


def progress(scenario: str, seed: int, rows: Sequence[Row]) -> str:
    """One market in a line."""
    ratios = "  ".join(f"{row.entry} {row.ratio:.3f}" for row in rows)
    broken = [each for row in rows for each in row.broken]
    return f"{scenario} {seed}: {ratios}" + (f"  BROKEN {broken[0]}" if broken else "")


def _standings(standings: Sequence[Standing]) -> str:
    head = (
        "policy", "mean", "worst scenario", "worst market", "profit", "spent", "over total",
        "broken", "changed", "learning", "paused", "ms a plan", "markets",
    )  # fmt: skip
    ordered = sorted(standings, key=lambda each: -each.mean)
    lines = [
        (
            each.entry,
            f"**{each.mean:.3f}**",
            f"{each.worst_scenario:.3f} ({each.worst_scenario_name})",
            f"{each.worst_market:.3f} ({each.worst_market_name})",
            f"{each.profit:.3f}",
            f"{each.spent:.2f}",
            f"{each.over_total:.1f}",
            str(each.broken),
            f"{each.changed:.0%}",
            f"{each.learning:.1%}",
            f"{each.paused:.1f}",
            f"{each.seconds * 1000:.0f}",
            str(each.markets),
        )
        for each in ordered
    ]
    return _table(head, lines)


def _scenarios(rows: Sequence[Row]) -> str:
    entries = list(dict.fromkeys(row.entry for row in rows))
    lines = []
    for name in dict.fromkeys(row.scenario for row in rows):
        line = [name]
        for entry in entries:
            ratios = [r.ratio for r in rows if r.scenario == name and r.entry == entry]
            line.append(f"{statistics.fmean(ratios):.3f} ({min(ratios):.3f})")
        lines.append(line)
    return _table(("scenario", *entries), lines)


def _quality(qualities: Mapping[str, Mapping[str, Quality]]) -> str:
    lines = []
    for account, both in qualities.items():
        for kind, each in both.items():
            bands = "; ".join(
                f"{stated:.2f} -> {right:.2f} ({n})" for stated, right, n in each.bands
            )
            lines.append(
                (
                    account,
                    kind,
                    f"{each.moves:.0%} of {each.count}",
                    f"{each.right:.3f}",
                    f"{each.alike:.3f}" if each.alike == each.alike else "",
                    f"{each.calibration:.3f}",
                    f"{each.brier:.3f}",
                    bands,
                )
            )
    return _table(("account", "of", "moves", "right", "alike", "error", "Brier", "bands"), lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
