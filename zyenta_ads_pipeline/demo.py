"""`zyenta demo`: sixty days of an invented shop through the real pipeline, and what it changed.

The sandbox's market is played for 32 days; then, every third day for four weeks, the pipeline
syncs, decides, allocates, pushes and reads back, while the market answers to the new budgets.
A twin of the market, to which nothing is pushed, shows what would have been without it. Eight days
more pass in both, so that late conversions are in when they are compared.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import polars as pl
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from zyenta_ads_pipeline.change_desk import change_in_words
from zyenta_ads_pipeline.connections import outbox_of
from zyenta_ads_pipeline.demo_gain import CERTAINTY, ShopDay, revenue_gain, shop_days
from zyenta_ads_pipeline.dev import LINEAGE
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.domain.time import DateRange, account_day
from zyenta_ads_pipeline.lake.decision_tables import BUDGET_DECISIONS
from zyenta_ads_pipeline.lake.tables import AD_ACCOUNTS, AD_OBJECTS
from zyenta_ads_pipeline.lineage import ASSETS_OF
from zyenta_ads_pipeline.resources import LakeResource
from zyenta_ads_pipeline.runs import instance_of, run_days, run_push
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.process import SandboxHandle, run_sandbox
from zyenta_ads_pipeline.sandbox_home import sandbox_home, use_sandbox
from zyenta_ads_pipeline.settings import SANDBOX_TOKEN, forget_settings, load_settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.records import ChangeRecord

_HISTORY_DAYS = 32
_MANAGED_DAYS = 28
_DAYS_BETWEEN = 3
_LATE_DAYS = 7
"""How late the market reports conversions; days younger than that are not compared."""
_SETTLING_DAYS = _LATE_DAYS + 1
_RESYNCED_DAYS = 7
_SEED = 4
"""A market in which budgets could do better, by 23 %: the middle of the first twelve seeds, of
which the least has 14 % to gain and the most 57 %."""
_DECIDING = tuple(name for name in ASSETS_OF["hourly"] if name != "insights_by_hour")
"""What decisions rest on: no views and creatives either, which are not among these names."""


@dataclass(frozen=True)
class Shop:
    """The one account that is played."""

    account: str
    currency: str
    timezone: str


@dataclass(frozen=True)
class Story:
    """What was played: the shop's `days` with the pipeline and those of its twin, whose late
    conversions are all in, and all that was pushed. `total` is in major units a day; `writes` are
    the sandbox's own record, oldest first."""

    shop: Shop
    days: DateRange
    total: Decimal
    managed: list[ShopDay]
    untouched: list[ShopDay]
    applied: list[ChangeRecord]
    writes: list[dict[str, Any]]
    verified: int


def play(home: Path, out: Console) -> None:
    """Play it all, print the summary, and stop what was started.

    Raises `ZyentaError` where the pipeline fails or the sandbox does not show what was pushed.
    """
    told = story(home, out)
    _tell(told, home.absolute(), out)


def story(
    home: Path,
    out: Console,
    *,
    days: int = _MANAGED_DAYS,
    between: int = _DAYS_BETWEEN,
    start: datetime | None = None,
) -> Story:
    """Play the market with `days` managed days, deciding every `between` days, and its twin.

    They begin at `start` (aware), from which all their luck follows; None: so that they end now.
    Points this process at the sandbox and its home; raises as `play` does.
    """
    config = SandboxConfig(
        state=home.absolute() / "sandbox",
        port=0,
        seed=_SEED,
        days=_HISTORY_DAYS,
        start=start or datetime.now(UTC) - timedelta(days=days + _SETTLING_DAYS),
        frozen=True,
    )
    twin = replace(config, state=home.absolute() / "twin")
    steps = -(-days // between) + 2
    with (
        sandbox_home(home, fresh=True) as folder,
        _bar(out, steps) as bar,
        run_sandbox(config) as market,
        run_sandbox(twin) as untouched,
    ):
        forget_settings()
        use_sandbox(market, folder)
        os.environ["ZYENTA_AUTOPILOT"] = "auto"
        os.environ["ZYENTA_POLICY"] = "response_curve"
        with instance_of(load_settings()) as instance:
            return _story(market, untouched, instance, bar, range(0, days, between), days)


class _Bar:
    """The progress bar: one step per run of the pipeline."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress = progress
        self._task = progress.add_task("starting two sandboxes", total=steps)

    def step(self, words: str) -> None:
        self._progress.update(self._task, description=words)

    def done(self) -> None:
        self._progress.advance(self._task)


def _story(
    market: SandboxHandle,
    untouched: SandboxHandle,
    instance: dg.DagsterInstance,
    bar: _Bar,
    decided_on: range,
    days: int,
) -> Story:
    account = market.account_ids[0]
    start = market.now()
    first = start.date() - timedelta(days=_HISTORY_DAYS)
    bar.step(f"syncing {_HISTORY_DAYS} days of history")
    run_days("sync", instance, [account], DateRange(first, start.date()))
    bar.done()
    shop = _shop(account)
    total = _running_budgets(shop)
    os.environ["ZYENTA_TOTAL_DAILY_BUDGET"] = str(total)
    # What Dagster keeps of a run costs more than the run: the last decision's stands for all.
    with dg.DagsterInstance.ephemeral() as passing:
        for day in decided_on:
            bar.step(f"day {_HISTORY_DAYS + day}: sync, decide, allocate, push")
            last = day == decided_on[-1]
            _decide(market, shop, instance if last else passing, only=None if last else _DECIDING)
            bar.done()
            market.advance(days=min(decided_on.step, days - day))
    bar.step(f"{_SETTLING_DAYS} more days pass, for late conversions")
    market.advance(days=_SETTLING_DAYS)
    untouched.advance(days=days + _SETTLING_DAYS)
    end = _today(market.now(), shop)
    resynced = timedelta(days=days + _SETTLING_DAYS + 1)
    run_days("sync", instance, [account], DateRange(end - resynced, end))
    with outbox_of(load_settings()) as outbox:
        applied = outbox.find(account_id=account, states=[ChangeState.APPLIED])
        unsettled = outbox.find(account_id=account, states=[ChangeState.SENDING])
    if unsettled or not applied:
        raise ZyentaError(
            f"{len(applied)} changes were pushed, {len(unsettled)} were left half-sent."
        )
    verified = _verify(market, applied)
    since = _today(start, shop) + timedelta(days=1)
    compared = DateRange(since, end - timedelta(days=_LATE_DAYS + 1))
    told = Story(
        shop=shop,
        days=compared,
        total=total,
        managed=shop_days(market.url, account, compared),
        untouched=shop_days(untouched.url, account, compared),
        applied=applied,
        writes=market.writes(),
        verified=verified,
    )
    bar.done()
    return told


def _decide(
    market: SandboxHandle,
    shop: Shop,
    instance: dg.DagsterInstance,
    *,
    only: Sequence[str] | None,
) -> None:
    """One turn of the hourly lineage, or `only` some of it, and the push of what it approved."""
    today = _today(market.now(), shop)
    days = DateRange(today - timedelta(days=_RESYNCED_DAYS), today)
    run_days("hourly", instance, [shop.account], days, only=only)
    run_push(instance, shop.account)


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


def _shop(account: str) -> Shop:
    row = (
        LakeResource()
        .open()
        .snapshot()
        .scan(AD_ACCOUNTS)
        .filter(pl.col("account_id") == account)
        .collect()
        .row(0, named=True)
    )
    return Shop(account, row["currency"], row["timezone"])


def _running_budgets(shop: Shop) -> Decimal:
    """The sum of the active daily budgets: what the demo keeps as its total."""
    objects = LakeResource().open().snapshot().scan(AD_OBJECTS)
    active = objects.filter(pl.col("effective_status") == "ACTIVE")
    minor = active.select(pl.col("daily_budget").sum()).collect().item()
    return to_major(int(minor), shop.currency)


def _today(moment: datetime, shop: Shop) -> date:
    return account_day(moment, shop.timezone)


def _tell(told: Story, home: Path, out: Console) -> None:
    snapshot = LakeResource().open().snapshot()
    currency = told.shop.currency
    out.print()
    out.print(_results(told))
    gain = revenue_gain(told.managed, told.untouched)
    usual = sum(float(day.revenue) for day in told.untouched) / gain.days
    out.print(
        f"[bold]Revenue {_signed(gain.a_day, currency)} a day ({gain.a_day / usual:+.1%})[/], "
        f"{CERTAINTY:.0%} interval {_signed(gain.low, currency)} to "
        f"{_signed(gain.high, currency)}, over {gain.days} paired days.",
        highlight=False,
    )
    out.print(
        f"Both markets have one seed and start, so that they differ in nothing but what was pushed "
        f"to one of them: the same total of {show(told.total, currency)} a day, moved between "
        f"campaigns. The newest {_LATE_DAYS} days are left out, as their conversions are still "
        "coming in. The interval is of the luck within this one invented market; it proves nothing "
        "about yours.",
        style="dim",
        highlight=False,
    )
    out.print(_moved(told.applied))
    out.print(_decisions(snapshot.scan(BUDGET_DECISIONS).collect(), currency))
    out.print(
        f"[green]Verified on the sandbox:[/] {told.verified} objects show the value pushed last, "
        f"and it took exactly {len(told.applied)} writes for {len(told.applied)} changes."
    )
    _where_next(home, out)


def _results(told: Story) -> RichTable:
    shown = table(
        f"The shop from {told.days}, and its twin",
        ("", "spend", "revenue", "purchases", "CPA", "ROAS"),
        right=True,
    )
    currency = told.shop.currency
    for words, days in (("left as it was", told.untouched), ("with the pipeline", told.managed)):
        spend = sum((day.spend for day in days), Decimal(0))
        revenue = sum((day.revenue for day in days), Decimal(0))
        purchases = sum(day.purchases for day in days)
        add(
            shown,
            words,
            show(spend, currency),
            show(revenue, currency),
            purchases,
            show(spend / purchases, currency) if purchases else None,
            f"{revenue / spend:.2f}" if spend else None,
        )
    return shown


def _signed(amount: float, currency: str) -> str:
    return ("-" if amount < 0 else "+") + show(abs(Decimal(str(amount))), currency)


def _moved(applied: list[ChangeRecord]) -> RichTable:
    shown = table(
        "What was pushed to Meta and read back",
        ("object", "changes", "from the first", "to the last"),
        justify=("left", "right", "left", "left"),
    )
    by_object: dict[str, list[ChangeRecord]] = defaultdict(list)
    for record in sorted(applied, key=lambda record: record.change.decided_at):
        by_object[record.change.object_id].append(record)
    for records in by_object.values():
        first, last = records[0], records[-1]
        add(
            shown,
            first.change.object_name,
            len(records),
            f"{first.change.decided_at:%Y-%m-%d} {change_in_words(first)}",
            f"{last.change.decided_at:%Y-%m-%d} {change_in_words(last)}",
        )
    return shown


def _decisions(decisions: pl.DataFrame, currency: str) -> RichTable:
    last = decisions.filter(pl.col("decided_at") == pl.col("decided_at").max())
    shown = table(
        f"The last decision of {decisions['decision_id'].n_unique()}, and its reasons",
        ("campaign", "action", "budget", "confidence", "reason"),
    )
    for row in last.sort("campaign_name").iter_rows(named=True):
        budget = row["current_budget"]
        add(
            shown,
            row["campaign_name"],
            row["action"],
            "" if budget is None else show(budget, currency),
            f"{float(row['confidence']):.2f}",
            row["reason"],
        )
    return shown


def _where_next(home: Path, out: Console) -> None:
    near = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    out.print(
        "\nLook further:\n"
        "  make dev                     the sandbox, live, with console and Dagster UI at\n"
        f"                               http://127.0.0.1:3000{LINEAGE}\n"
        f'  ZYENTA_HOME={near} .venv/bin/zyenta sql "select date, spend, roas from '
        'account_metrics order by date"\n'
        f"  ZYENTA_HOME={near} .venv/bin/zyenta changes",
        soft_wrap=True,
        highlight=False,
    )


@contextmanager
def _bar(out: Console, steps: int) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description:<44}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as progress:
        yield _Bar(progress, steps)
