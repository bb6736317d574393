"""`zyenta demo`: sixty days of an invented shop through the real pipeline, and what it changed.

The sandbox's market is played for 32 days; then, every second day for two weeks, the pipeline
syncs, decides, allocates, pushes and reads back, while the market answers to the new budgets.
Two more weeks pass with what came of it, so that late conversions are in when it is compared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg
import httpx
import polars as pl
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from zyenta_ads_pipeline.change_desk import change_in_words
from zyenta_ads_pipeline.connections import outbox_of
from zyenta_ads_pipeline.dev import LINEAGE
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.money import plain, show, to_major
from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.lake.tables import (
    ACCOUNT_METRICS,
    AD_ACCOUNTS,
    AD_OBJECTS,
    BUDGET_DECISIONS,
)
from zyenta_ads_pipeline.metrics.definitions import SUMS, with_ratios
from zyenta_ads_pipeline.resources import LakeResource
from zyenta_ads_pipeline.runs import instance_of, run_days, run_push
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox
from zyenta_ads_pipeline.sandbox_home import sandbox_home, use_sandbox
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN, forget_settings, load_settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.records import ChangeRecord

_HISTORY_DAYS = 32
_MANAGED_DAYS = 14
_SETTLING_DAYS = 14
_DAYS_BETWEEN = 2
_COMPARED_DAYS = 14
_LATE_DAYS = 7
"""How late the market reports conversions; days younger than that are not compared."""
_RESYNCED_DAYS = 7
_SEED = 7


@dataclass(frozen=True)
class _Shop:
    """The one account that is played."""

    account: str
    currency: str
    timezone: str


def play(home: Path, out: Console) -> None:
    """Play it all, print the summary, and stop what was started.

    Raises `ZyentaError` where the pipeline fails or the sandbox does not show what was pushed.
    """
    config = SandboxConfig(
        state=home.absolute() / "sandbox",
        port=0,
        seed=_SEED,
        days=_HISTORY_DAYS,
        behind_days=_MANAGED_DAYS + _SETTLING_DAYS,
        frozen=True,
    )
    with sandbox_home(home, fresh=True) as folder, _bar(out) as bar, run_sandbox(config) as market:
        forget_settings()
        use_sandbox(market, folder)
        os.environ["ZYENTA_AUTOPILOT"] = "auto"
        with instance_of(load_settings()) as instance:
            told = _story(market, instance, bar)
    _tell(told, folder, out)


@dataclass(frozen=True)
class _Told:
    """What the summary tells."""

    shop: _Shop
    start: date
    managed_from: date
    end: date
    total: Decimal
    applied: list[ChangeRecord]
    verified: int


class _Bar:
    """The progress bar: one step per run of the pipeline."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress = progress
        self._task = progress.add_task("starting the sandbox", total=steps)

    def step(self, words: str) -> None:
        self._progress.update(self._task, description=words)

    def done(self) -> None:
        self._progress.advance(self._task)


def _story(market: SandboxHandle, instance: dg.DagsterInstance, bar: _Bar) -> _Told:
    account = market.account_ids[0]
    start = market.now()
    first = start.date() - timedelta(days=_HISTORY_DAYS)
    bar.step(f"syncing {_HISTORY_DAYS} days of history")
    run_days("sync", instance, [account], DateRange(first, start.date()))
    bar.done()
    shop = _shop(account)
    total = _running_budgets(shop)
    os.environ["ZYENTA_TOTAL_DAILY_BUDGET"] = str(total)
    for day in range(0, _MANAGED_DAYS, _DAYS_BETWEEN):
        today = _today(market.now(), shop)
        bar.step(f"day {_HISTORY_DAYS + day}: sync, decide, allocate, push")
        run_days(
            "hourly", instance, [account], DateRange(today - timedelta(days=_RESYNCED_DAYS), today)
        )
        run_push(instance, account)
        bar.done()
        market.advance(days=_DAYS_BETWEEN)
    bar.step(f"{_SETTLING_DAYS} more days pass")
    market.advance(days=_SETTLING_DAYS)
    end = _today(market.now(), shop)
    resynced = timedelta(days=_MANAGED_DAYS + _SETTLING_DAYS + 1)
    run_days("sync", instance, [account], DateRange(end - resynced, end))
    with outbox_of(load_settings()) as outbox:
        applied = outbox.find(account_id=account, states=[ChangeState.APPLIED])
        unsettled = outbox.find(account_id=account, states=[ChangeState.SENDING])
    if unsettled or not applied:
        raise ZyentaError(
            f"{len(applied)} changes were pushed, {len(unsettled)} were left half-sent."
        )
    verified = _verify(market, applied)
    bar.done()
    managed = _today(start, shop)
    return _Told(shop, first, managed, end, total, applied, verified)


def _verify(market: SandboxHandle, applied: list[ChangeRecord]) -> int:
    """Ask the sandbox itself: the newest value of every object, and one write per change.

    Not through the product's own client, which is what is being verified.
    """
    newest = {(one.change.object_id, one.change.field): one.change for one in applied}
    with httpx.Client(
        base_url=f"{market.url}/v26.0/", headers={"Authorization": f"Bearer {SANDBOX_TOKEN}"}
    ) as graph:
        for (object_id, field), change in newest.items():
            shown = graph.get(object_id, params={"fields": field.value}).json().get(field.value)
            if shown != change.new_value:
                raise ZyentaError(
                    f"{change.object_name} shows {field.value} {shown}, pushed was "
                    f"{change.new_value}."
                )
    written = sum(1 for write in market.writes() if write["accepted"])
    if written != len(applied):
        raise ZyentaError(f"The sandbox took {written} writes for {len(applied)} changes.")
    return len(newest)


def _shop(account: str) -> _Shop:
    row = (
        LakeResource()
        .open()
        .snapshot()
        .scan(AD_ACCOUNTS)
        .filter(pl.col("account_id") == account)
        .collect()
        .row(0, named=True)
    )
    return _Shop(account, row["currency"], row["timezone"])


def _running_budgets(shop: _Shop) -> Decimal:
    """The sum of the active daily budgets: what the demo keeps as its total."""
    objects = LakeResource().open().snapshot().scan(AD_OBJECTS)
    active = objects.filter(pl.col("effective_status") == "ACTIVE")
    minor = active.select(pl.col("daily_budget").sum()).collect().item()
    return to_major(int(minor), shop.currency)


def _today(moment: datetime, shop: _Shop) -> date:
    return account_day(moment, shop.timezone)


def _tell(told: _Told, home: Path, out: Console) -> None:
    snapshot = LakeResource().open().snapshot()
    daily = snapshot.scan(ACCOUNT_METRICS).collect()
    before = _days_up_to(told.managed_from - timedelta(days=1))
    after = _days_up_to(told.end - timedelta(days=_LATE_DAYS + 1))
    out.print()
    out.print(_results(daily, before, after, told.shop.currency))
    out.print(
        f"The total of {show(told.total, told.shop.currency)} a day was kept and moved between "
        f"campaigns. The newest {_LATE_DAYS} days are left out: their conversions are still coming "
        "in. One simulated market proves nothing about yours.",
        style="dim",
        highlight=False,
    )
    decisions = snapshot.scan(BUDGET_DECISIONS).collect()
    out.print(_decisions(decisions, told.shop.currency))
    out.print(_pushed(told.applied))
    out.print(
        f"[green]Verified on the sandbox:[/] {told.verified} objects show the value pushed last, "
        f"and it took exactly {len(told.applied)} writes for {len(told.applied)} changes."
    )
    _where_next(home, out)


def _days_up_to(last: date) -> DateRange:
    return DateRange(last - timedelta(days=_COMPARED_DAYS - 1), last)


def _results(daily: pl.DataFrame, before: DateRange, after: DateRange, currency: str) -> RichTable:
    shown = table(
        "The shop, before and with the pipeline",
        ("", "days", "spend", "revenue", "purchases", "CPA", "ROAS"),
        right=True,
    )
    for words, days in (("before", before), ("with the pipeline", after)):
        inside = daily.filter(pl.col("date").is_between(days.since, days.until))
        row = with_ratios(inside.select(pl.col(SUMS).sum())).row(0, named=True)
        add(
            shown,
            words,
            f"{days.since} to {days.until}",
            show(row["spend"], currency),
            show(row["purchase_value"], currency),
            plain(row["purchases"]),
            "" if row["cpa"] is None else show(Decimal(str(row["cpa"])), currency),
            "" if row["roas"] is None else f"{row['roas']:.2f}",
        )
    return shown


def _decisions(decisions: pl.DataFrame, currency: str) -> RichTable:
    shown = table("Each decision and its reason", ("day", "campaign", "action", "budget", "reason"))
    for row in decisions.sort("decided_at", "campaign_name").iter_rows(named=True):
        budget = row["current_budget"]
        add(
            shown,
            str(row["date"]),
            row["campaign_name"],
            row["action"],
            "" if budget is None else show(budget, currency),
            row["reason"],
        )
    return shown


def _pushed(applied: list[ChangeRecord]) -> RichTable:
    shown = table("What was pushed to Meta and read back", ("decided", "object", "change"))
    for record in applied:
        change = record.change
        style = "yellow" if change.field is ChangeField.STATUS else ""
        add(
            shown,
            f"{change.decided_at:%Y-%m-%d}",
            change.object_name,
            change_in_words(record),
            style=style,
        )
    return shown


def _where_next(home: Path, out: Console) -> None:
    near = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    out.print(
        "\nLook further:\n"
        "  make dev                     the sandbox, live, with the Dagster UI at\n"
        f"                               http://127.0.0.1:3000{LINEAGE}\n"
        f'  ZYENTA_HOME={near} .venv/bin/zyenta sql "select date, spend, roas from '
        'account_metrics order by date"\n'
        f"  ZYENTA_HOME={near} .venv/bin/zyenta changes",
        soft_wrap=True,
        highlight=False,
    )


@contextmanager
def _bar(out: Console) -> Iterator[_Bar]:
    steps = _MANAGED_DAYS // _DAYS_BETWEEN + 2
    columns = (
        TextColumn("{task.description:<44}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as progress:
        yield _Bar(progress, steps)
