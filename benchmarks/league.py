"""`python -m benchmarks.league`: every policy on every scenario, against the clairvoyant.

`--quick` (default) takes a minute; `--full` plays all scenarios with the public seeds 1 to 10 and
is what RESULTS.md documents; `--held-out` plays them with seeds that are in no result, to see that
nothing fits only the public ones. `--write` renews RESULTS.md and RESULTS.json, `--json` prints the
latter; `--check` fails when a threshold is missed or a market's ratio is no longer what
RESULTS.json says. The same seeds give the same numbers, to the last digit, but for the seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import league_checks, league_page, oracle, quality
from benchmarks.playing import led, play
from benchmarks.references import FixedElasticity, Hold, ThompsonBest, ThompsonRoas
from benchmarks.scenarios import HELD_OUT_SEEDS, PUBLIC_SEEDS, SCENARIOS, world
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.policies import policy

MARGIN = 0.6
"""Profit per revenue before ads, where profit is counted."""
QUICK_SCENARIOS = ("plain", "few", "noisy", "shock", "launch", "outage")
QUICK_SEEDS = (1, 2)
QUALITY_SEEDS = 6

_RESULTS = Path(__file__).parent / "RESULTS.json"
_PROCESSES = 2


@dataclass(frozen=True)
class Entry:
    """One who takes part: a policy, and the limits it is played under."""

    name: str
    policy: Callable[[], Policy]
    with_total: bool = True
    free_step: bool = False
    margin: float | None = None


def _named(name: str) -> Callable[[], Policy]:
    return lambda: policy(name)


ENTRIES: tuple[Entry, ...] = (
    Entry("response_curve", _named("response_curve")),
    Entry("fixed elasticity 0.6", FixedElasticity),
    Entry("roas_proportional", _named("roas_proportional")),
    Entry("roas_thresholds", _named("roas_thresholds")),
    Entry("equal", _named("equal")),
    Entry("hold", Hold),
    Entry("roas_thresholds, as the seeds have it", _named("roas_thresholds"), with_total=False),
    Entry("roas_proportional, any step", _named("roas_proportional"), free_step=True),
    Entry("Thompson, share by ROAS draw, any step", ThompsonRoas, free_step=True),
    Entry("Thompson, share by P(best ROAS), any step", ThompsonBest, free_step=True),
    Entry("response_curve for profit", _named("response_curve"), margin=MARGIN),
)
QUICK_ENTRIES = ("response_curve", "roas_proportional", "roas_thresholds", "equal", "hold")


@dataclass(frozen=True)
class Row:
    """What one entry made of one market."""

    scenario: str
    seed: int
    entry: str
    ratio: float
    """Expected revenue over the oracle's."""
    profit: float
    """Per unit of total budget, at `MARGIN`."""
    spent: float
    over_total: int
    broken: tuple[str, ...]
    changed: float
    """The share of campaign days on which a budget was set."""
    learning: float
    paused: int
    seconds: float
    """CPU of one plan."""


@dataclass(frozen=True)
class Task:
    """One market, and who plays it; picklable."""

    scenario: str
    seed: int
    entries: tuple[str, ...]


def market(task: Task) -> list[Row]:
    """Everybody's result in one market, the oracle's profit with the others'."""
    drawn = world(task.scenario, task.seed)
    best = led(oracle.lead(drawn))
    rows = []
    for entry in (each for each in ENTRIES if each.name in task.entries):
        played, _ = play(
            drawn,
            entry.policy(),
            with_total=entry.with_total,
            free_step=entry.free_step,
            margin=entry.margin,
        )
        rows.append(
            Row(
                scenario=task.scenario,
                seed=task.seed,
                entry=entry.name,
                ratio=played.revenue / best.revenue,
                profit=played.profit(MARGIN),
                spent=played.budget / played.total,
                over_total=played.over_total,
                broken=played.broken,
                changed=played.changes / played.chances,
                learning=played.learning / played.chances,
                paused=played.paused,
                seconds=played.seconds / drawn.days,
            )
        )
    return rows


@dataclass(frozen=True)
class Standing:
    """One entry over all its markets. Means are over scenarios, each counting the same."""

    entry: str
    mean: float
    worst_scenario: float
    worst_scenario_name: str
    worst_market: float
    worst_market_name: str
    profit: float
    spent: float
    over_total: float
    """Days over the total per market."""
    broken: int
    changed: float
    learning: float
    paused: float
    seconds: float
    markets: int


def standing(rows: Sequence[Row]) -> Standing:
    """The standing of the one entry that all `rows` are of."""
    by_scenario = {
        name: statistics.fmean(row.ratio for row in rows if row.scenario == name)
        for name in dict.fromkeys(row.scenario for row in rows)
    }
    worst = min(by_scenario, key=by_scenario.__getitem__)
    last = min(rows, key=lambda row: row.ratio)

    def mean(name: str) -> float:
        return statistics.fmean(getattr(row, name) for row in rows)

    return Standing(
        entry=rows[0].entry,
        mean=statistics.fmean(by_scenario.values()),
        worst_scenario=by_scenario[worst],
        worst_scenario_name=worst,
        worst_market=last.ratio,
        worst_market_name=f"{last.scenario} {last.seed}",
        profit=mean("profit"),
        spent=mean("spent"),
        over_total=mean("over_total"),
        broken=sum(len(row.broken) for row in rows),
        changed=mean("changed"),
        learning=mean("learning"),
        paused=mean("paused"),
        seconds=mean("seconds"),
        markets=len(rows),
    )


@dataclass(frozen=True)
class JudgedTask:
    """One account in which a policy's decisions are judged."""

    scenario: str
    seed: int
    policy: str
    tuned: bool


def judged(task: JudgedTask) -> dict[str, quality.Judged]:
    """What that policy decided there."""
    return quality.judge(world(task.scenario, task.seed), policy(task.policy), tuned=task.tuned)


def main(arguments: Sequence[str] | None = None) -> None:
    """Play, print, and write where told to."""
    chosen = _parser().parse_args(arguments)
    quick = not (chosen.full or chosen.held_out)
    scenarios = chosen.scenarios or (QUICK_SCENARIOS if quick else tuple(SCENARIOS))
    seeds = QUICK_SEEDS if quick else HELD_OUT_SEEDS if chosen.held_out else PUBLIC_SEEDS
    seeds = seeds[: chosen.seeds] if chosen.seeds else seeds
    entries = chosen.entries or (QUICK_ENTRIES if quick else tuple(each.name for each in ENTRIES))
    rows: list[Row] = []
    qualities: dict[str, dict[str, quality.Quality]] = {}
    with _pool(chosen.processes) as pool:
        tasks = [Task(name, seed, tuple(entries)) for name in scenarios for seed in seeds]
        for task, found in zip(tasks, pool.map(market, tasks), strict=True):
            rows += found
            if not chosen.json:
                print(league_page.progress(task.scenario, task.seed, found), flush=True)
        if not chosen.no_quality:
            qualities = _qualities(pool.map, seeds[: 1 if quick else QUALITY_SEEDS])
    standings = [
        standing([row for row in rows if row.entry == name])
        for name in dict.fromkeys(row.entry for row in rows)
    ]
    result = _result(rows, standings, qualities)
    page = league_page.page(standings, rows, qualities)
    print(json.dumps(result, indent=1) if chosen.json else page)
    if chosen.check:
        written = json.loads(_RESULTS.read_text(encoding="utf-8")) if _RESULTS.exists() else {}
        wrong = league_checks.failures(standings, rows, qualities, written)
        if wrong:
            sys.exit("\n".join(wrong))
    if chosen.write:
        _RESULTS.with_suffix(".md").write_text(page, encoding="utf-8")
        _RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _qualities(
    run: Callable[..., Iterable[dict[str, quality.Judged]]], seeds: Sequence[int]
) -> dict[str, dict[str, quality.Quality]]:
    """Decision quality by account and policy, of decisions and of changes."""
    found = {}
    for tuned in (False, True):
        for name in ("response_curve", "roas_thresholds"):
            kind = "led by it for two weeks" if tuned else "badly split"
            tasks = [
                JudgedTask(scenario, seed, name, tuned)
                for scenario in quality.SCENARIOS
                for seed in seeds
            ]
            found[f"{kind}: {name}"] = quality.together(list(run(judged, tasks)))
    return found


def _result(
    rows: Sequence[Row],
    standings: Sequence[Standing],
    qualities: dict[str, dict[str, quality.Quality]],
) -> dict[str, Any]:
    """All as plain values, without the seconds, which no two runs share."""
    return {
        "standings": [_plain(asdict(each)) for each in standings],
        "quality": {
            name: {kind: _plain(asdict(each)) for kind, each in both.items()}
            for name, both in qualities.items()
        },
        "markets": [_plain(asdict(row)) for row in rows],
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in values.items()
        if name != "seconds"
    }


def _pool(processes: int) -> ProcessPoolExecutor:
    # Frames are small here: more threads than processes would only get in each other's way. A
    # fresh process each, since Polars' threads do not survive a fork.
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.league", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="a few scenarios, two seeds (default)")
    sizes.add_argument("--full", action="store_true", help="all scenarios, seeds 1 to 10")
    sizes.add_argument("--held-out", action="store_true", help="all scenarios, seeds 101 to 108")
    parser.add_argument("--scenarios", nargs="+", choices=tuple(SCENARIOS), metavar="NAME")
    parser.add_argument("--entries", nargs="+", choices=[each.name for each in ENTRIES])
    parser.add_argument("--seeds", type=int, help="only so many seeds")
    parser.add_argument("--no-quality", action="store_true", help="leave the decisions unjudged")
    parser.add_argument("--processes", type=int, default=_PROCESSES)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--check", action="store_true", help="fail on what must not be")
    parser.add_argument("--write", action="store_true", help="renew RESULTS.md and RESULTS.json")
    return parser


if __name__ == "__main__":
    main()
