"""Ad accounts: how each fares, what ails it and how to mend that, and reading Meta now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.dagster_link import DagsterDown
from zyenta_ads_pipeline.console.desks.accounts import AccountHealth
from zyenta_ads_pipeline.console.desks.runs import RunLine
from zyenta_ads_pipeline.console.pages.launches import Step
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import Visit
from zyenta_ads_pipeline.console.pages.words import AUTOPILOT, ago, day, moment, words
from zyenta_ads_pipeline.domain.errors import InputError

PATH = "/accounts"
_SOON = timedelta(days=7)
_RUNS = {
    "waiting": ("", "Waiting"),
    "running": ("info", "Running"),
    "done": ("good", "Done"),
    "failed": ("bad", "Failed"),
    "cancelled": ("", "Cancelled"),
}
_STEPS = {
    "waiting": ("", ""),
    "running": ("info", "…"),
    "done": ("good", "✓"),
    "failed": ("bad", "!"),
    "skipped": ("", "-"),
}


@dataclass(frozen=True)
class AccountCard:
    """One account as it is shown."""

    id: str
    name: str
    look: str
    state: str
    alerts: Sequence[tuple[str, str, str]]
    stopped: str
    quota: float | None
    quota_told: str
    facts: Sequence[tuple[str, str]]
    ads_manager: str
    proposed: int


def routes(site: Site) -> list[Route]:
    """Accounts, and runs."""
    return [
        site.get(PATH, page),
        site.post(f"{PATH}/sync", sync),
        site.get("/runs/{id}", run),
    ]


def page(visit: Visit) -> Response:
    """All accounts, the alerts of none, and the newest runs."""
    desk = visit.site.desks
    accounts = desk.accounts.all(visit.person)
    own = {each.account_id for each in accounts}
    now = visit.site.now()
    recent = desk.runs.recent(visit.person, 8)
    return visit.site.show(
        visit,
        "accounts.html",
        accounts=[_card(each, now) for each in accounts],
        alerts=[
            (each.told, each.remedy, ago(each.raised_at, now))
            for each in desk.accounts.alerts(visit.person)
            if each.account_id not in own
        ],
        runs=[_run(each, now) for each in recent.runs],
        up=recent.reach.up,
        told=recent.reach.told,
        live=any(each.is_open for each in recent.runs),
        may=visit.buyer,
    )


def sync(visit: Visit) -> Response:
    """Read Meta now, for one account or all."""
    accounts = [each for each in visit.all_sent("account") if each]
    try:
        started = visit.site.desks.runs.sync_now(
            visit.person, accounts, decide=bool(visit.sent("decide"))
        )
    except (DagsterDown, InputError) as error:
        return visit.go(PATH, str(error), kind="bad")
    return visit.go(f"/runs/{started}")


def run(visit: Visit) -> Response:
    """How far a run is; its part `progress` is asked for again while it goes on."""
    own = visit.request.path_params["id"]
    try:
        state = visit.site.desks.runs.state(visit.person, own)
    except DagsterDown as error:
        return visit.site.show(
            visit, "run.html", run=None, path=f"/runs/{own}", problem=str(error), steps=[]
        )
    steps = [
        Step(*_STEPS.get(each.state, ("", "")), words(each.name), each.state, _took(each))
        for each in state.steps
    ]
    return visit.site.show(
        visit,
        "run.html",
        run=_run(state.run, visit.site.now()),
        path=f"/runs/{own}",
        live=state.run.is_open,
        steps=steps,
        done=state.done,
        total=max(1, len(state.steps)),
        error=state.error,
        problem="",
    )


def _took(step: Any) -> str:
    if step.started_at is None or step.ended_at is None:
        return ""
    return f"{(step.ended_at - step.started_at).total_seconds():.1f} seconds"


def _run(line: RunLine, now: datetime) -> dict[str, Any]:
    look, state = _RUNS.get(line.state, ("", words(line.state)))
    took = ""
    if line.started_at is not None and line.ended_at is not None:
        took = f"{(line.ended_at - line.started_at).total_seconds():.0f} s"
    return {
        "id": line.id,
        "job": words(line.job),
        "look": look,
        "state": state,
        "days": line.days,
        "when": ago(line.started_at, now) if line.started_at else "not begun",
        "took": took,
        "url": line.url,
    }


def _card(account: AccountHealth, now: datetime) -> AccountCard:
    look, state = ("good", "Well") if account.is_well else ("warn", "Needs a look")
    if not account.has_token:
        look, state = "bad", "No token"
    elif account.stopped:
        look, state = "bad", "Stopped"
    elif account.synced_at is None and not account.alerts:
        look, state = "", "Never read"
    quota = account.quota_percent
    until = account.token_until
    token = "" if until is None else day(until.date())
    if until is not None and until - now < _SOON:
        token += ": renew it soon"
    blocked = account.blocked_until
    facts = [
        ("Last read", ago(account.synced_at, now)),
        ("Newest day", account.newest_day or "none yet"),
        ("Campaigns", f"{account.campaigns:,}, {account.active:,} active"),
        ("Autopilot", AUTOPILOT[account.autopilot][0]),
        ("Time zone", account.timezone),
        ("Currency", account.currency),
        ("Stores", ", ".join(account.stores)),
        ("Token ends", token),
        ("Meta wants no calls until", moment(blocked) if blocked and blocked > now else ""),
    ]
    return AccountCard(
        id=account.account_id,
        name=account.name or f"act_{account.account_id}",
        look=look,
        state=state,
        alerts=[(each.told, each.remedy, ago(each.raised_at, now)) for each in account.alerts],
        stopped=account.stopped or "",
        quota=None if quota is None else round(quota, 1),
        quota_told="" if quota is None else f"{quota:.0f}% used, seen {ago(account.quota_at, now)}",
        facts=[(name, value) for name, value in facts if value],
        ads_manager="https://adsmanager.facebook.com/adsmanager/manage/campaigns"
        f"?act={account.account_id}",
        proposed=account.proposed,
    )
