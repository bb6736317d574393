"""`zyenta doctor`: is everything in place? A line each, with the remedy beside it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from zyenta_ads_pipeline.connections import connect_meta
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.domain.time import account_day
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.database import open_store

_ACTIVE_ACCOUNT = 1


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine or not, what was found, and how to mend it."""

    what: str
    fine: bool
    found: str
    remedy: str = ""


def examine(settings: Settings, out: Console) -> bool:
    """Print all findings; True when none is wrong."""
    findings = [
        _looked("home folder", lambda: _writable(settings.home)),
        _looked("lake", lambda: _lake(settings)),
        _looked("store", lambda: _store(settings)),
        *_meta(settings),
        _autopilot(settings),
    ]
    shown = table("zyenta doctor", ("", "what", "found", "remedy"))
    for finding in findings:
        mark = "ok" if finding.fine else "no"
        style = "" if finding.fine else "red"
        add(shown, mark, finding.what, finding.found, finding.remedy, style=style)
    out.print(shown)
    return all(finding.fine for finding in findings)


def _looked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, fine=True, found=look())
    except ZyentaError as error:
        return Finding(what, fine=False, found=error.what, remedy=error.remedy)
    except OSError as error:
        return Finding(
            what, fine=False, found=str(error), remedy="Choose another ZYENTA_HOME, or its rights."
        )


def _writable(home: Path) -> str:
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=home):
        pass
    free = os.statvfs(home)
    return f"{home.absolute()}, {free.f_bavail * free.f_frsize / 1e9:.0f} GB free"


def _lake(settings: Settings) -> str:
    versions = Lake(settings.lake_location).snapshot().versions
    return f"{settings.lake_location}, {len(versions)} tables"


def _store(settings: Settings) -> str:
    store = open_store(settings.store_url)
    try:
        return store.place
    finally:
        store.close()


def _meta(settings: Settings) -> Iterator[Finding]:
    try:
        accounts = asyncio.run(_ask(settings))
    except ZyentaError as error:
        yield Finding("Meta", fine=False, found=error.what, remedy=error.remedy)
        return
    where = "sandbox" if settings.is_sandbox else "Meta"
    yield Finding(where, fine=True, found=f"{settings.graph_url}, {settings.api_version}")
    if not accounts:
        yield Finding(
            "ad accounts",
            fine=False,
            found="none configured",
            remedy="Set META_AD_ACCOUNT_IDS to act_…, separated by commas.",
        )
    for account_id, answer in accounts.items():
        yield _account(account_id, answer)


async def _ask(settings: Settings) -> dict[str, AdAccount | ZyentaError]:
    """Each configured account, or why it cannot be read. Raises when Meta itself cannot."""
    answers: dict[str, AdAccount | ZyentaError] = {}
    async with connect_meta(settings) as platform:
        await platform.server_time()
        for account in settings.ad_account_ids:
            try:
                answers[account] = await platform.account(account)
            except ZyentaError as error:
                answers[account] = error
    return answers


def _account(account_id: str, answer: AdAccount | ZyentaError) -> Finding:
    what = f"act_{account_id}"
    if isinstance(answer, ZyentaError):
        return Finding(what, fine=False, found=answer.what, remedy=answer.remedy)
    least = answer.min_daily_budget
    told = [
        answer.name,
        answer.currency,
        answer.timezone,
        f"today {account_day(answer.observed_at, answer.timezone)}",
        f"least budget {show(to_major(least, answer.currency), answer.currency)}" if least else "",
    ]
    fine = answer.account_status == _ACTIVE_ACCOUNT
    return Finding(
        what,
        fine=fine,
        found=", ".join(part for part in told if part),
        remedy="" if fine else f"account_status is {answer.account_status}: see Ads Manager.",
    )


def _autopilot(settings: Settings) -> Finding:
    stopped = ", kill switch on: nothing is written" if settings.kill_switch else ""
    return Finding("autopilot", fine=True, found=f"{settings.autopilot.value}{stopped}")
