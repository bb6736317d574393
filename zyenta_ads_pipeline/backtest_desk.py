"""What `zyenta backtest` and `zyenta replay` print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.account_rules import rules_of
from zyenta_ads_pipeline.backtest_policies import compared_policies, policy_of
from zyenta_ads_pipeline.campaigns.backtest import CANNOT_KNOW, Backtest, backtest, last_testable
from zyenta_ads_pipeline.campaigns.backtest_scores import in_words, reliability_bins, score_rows
from zyenta_ads_pipeline.campaigns.replay import Replayed, replay
from zyenta_ads_pipeline.domain.time import DateRange, parse_day
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table

USUAL_DAYS = 28
_SHOWN = 20
"""Differences of a replay that are printed."""


def run_backtest(
    settings: Settings,
    account_id: str,
    policies: Sequence[str],
    since: str | None,
    until: str | None,
) -> Backtest:
    """The backtest of one account (digits). Days are `YYYY-MM-DD`, the account's own; without
    them the newest 28 that can be tested."""
    snapshot = Lake(settings.lake_location).snapshot()
    last = parse_day(until) if until else last_testable(snapshot, account_id)
    first = parse_day(since) if since else last - timedelta(days=USUAL_DAYS - 1)
    rules = rules_of(settings, account_id)
    chosen = compared_policies(rules.policy, policies)
    return backtest(snapshot, account_id, rules, chosen, DateRange(first, last))


def as_json(result: Backtest) -> str:
    """The whole of it as one JSON object."""
    skipped = {str(day): why for day, why in sorted(result.skipped.items())}
    told = {
        "account_id": result.account_id,
        "currency": result.currency,
        "from": result.asked.since,
        "to": result.asked.until,
        "known_at": result.known_at,
        "days_skipped": skipped,
        "scores": score_rows(result).drop("run_id").to_dicts(),
        "reliability": {
            policy: reliability_bins(result, policy).to_dicts() for policy in result.differences
        },
        "days": result.days.to_dicts(),
        "cannot_know": CANNOT_KNOW,
    }
    return json.dumps(told, default=str, indent=1)


def shown(result: Backtest) -> RenderableType:
    """The same for the terminal: sentences, tables, and what it cannot know."""
    scores = score_rows(result)
    rows = list(scores.iter_rows(named=True))
    head = (
        f"act_{result.account_id}, {result.decided} of {len(result.asked)} days from "
        f"{result.asked.since} to {result.asked.until} decided as known then."
    )
    moved = table(
        "Moves, judged by a curve that knows the days after",
        ("policy", "moves", "judged", "right", "stated", "calibration error", "Brier"),
        justify=("left", *["right"] * 6),
    )
    for row in rows:
        add(
            moved,
            row["policy"],
            row["moves"],
            row["moves_judged"],
            _percent(row["right"]),
            _percent(row["stated"]),
            _number(row["calibration_error"]),
            _number(row["brier"]),
        )
    parts: list[RenderableType] = [Text(head), *_skipped(result), Text()]
    parts += [Text(in_words(result, row)) for row in rows]
    parts += [Text(), moved, _forecasts(rows[0]), Text("What this cannot know", style="bold")]
    parts += [Text(f"- {each}") for each in CANNOT_KNOW]
    return Group(*parts)


def run_replay(settings: Settings, decision_id: str) -> Replayed:
    """Takes a decision of the past again. Writes nothing."""
    lake = Lake(settings.lake_location)
    return replay(lake, decision_id, lambda account, name: policy_of(settings, account, name))


def replayed(result: Replayed) -> RenderableType:
    """Whether a replay came out the same, and what did not."""
    what = "decisions, stops and allocation" if result.allocated else "decisions and stops"
    count = result.decisions.height
    if result.same:
        return Text(
            f"{result.decision_id}: {what} of {count} campaigns by {result.policy} came out the "
            "same, to the byte."
        )
    found = result.differences
    differing = table(
        f"{result.decision_id}: {found.height} values came out otherwise",
        ("table", "row", "column", "recorded", "replayed"),
    )
    for row in found.head(_SHOWN).iter_rows():
        add(differing, *row)
    why = Text(
        "The tables it read and its rules are the same, so the code or the policy's file was "
        "changed since."
    )
    return Group(differing, why)


def _skipped(result: Backtest) -> list[Text]:
    """The days that were left out, with the reasons put together."""
    by_reason: dict[str, list[str]] = {}
    for day, why in sorted(result.skipped.items()):
        by_reason.setdefault(why, []).append(str(day))
    return [
        Text(
            f"Left out: {days[0]}" + (f" and {len(days) - 1} more" * (len(days) > 1)) + f": {why}."
        )
        for why, days in by_reason.items()
    ]


def _forecasts(row: dict[str, object]) -> RenderableType:
    checked = table(
        f"{row['forecasts']} forecasts of 7 days at the budgets really set (they overlap)",
        ("of", "inside 80 %", "inside 95 %", "bias", "median error"),
        justify=("left", *["right"] * 4),
    )
    for metric in ("purchases", "value"):
        kinds = ("covered80", "covered95", "bias", "error")
        add(checked, metric, *(_percent(row[f"{metric}_{kind}"]) for kind in kinds))
    return checked


def _percent(share: object) -> str:
    return f"{share:.1%}" if isinstance(share, float) else ""


def _number(score: object) -> str:
    return f"{score:.3f}" if isinstance(score, float) else ""
