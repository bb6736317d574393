"""`zyenta doctor`: is everything in place? A line each, with the remedy beside it."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console

from zyenta_ads_pipeline.connections import alerts_of, connect_meta
from zyenta_ads_pipeline.doctor_campaigns import (
    campaign_findings,
    connection_findings,
    known_accounts,
    may_write,
    rule_findings,
)
from zyenta_ads_pipeline.domain.ads import AdAccount
from zyenta_ads_pipeline.domain.errors import AuthenticationFailed, ZyentaError
from zyenta_ads_pipeline.ingestion.canary import (
    Finding,
    State,
    accepted_queries,
    account_finding,
    failed,
    page_and_pixel,
    token_finding,
)
from zyenta_ads_pipeline.ingestion.rates import read_rates
from zyenta_ads_pipeline.lake.lake import Lake
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.settings import SUPPORTED_VERSIONS, Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.database import open_store

_STYLES = {State.OK: "", State.WARN: "yellow", State.NO: "red"}
_MUCH_USED = 75.0
"""Percent of a quota from which reads are slowed down."""
_PATIENCE = 60.0
"""Seconds that doctor sits out a quota; what cannot be asked by then is told as such."""


def examine(settings: Settings, out: Console) -> bool:
    """Print all findings; True when none is wrong. Some may still be worth a look."""
    meta = asyncio.run(_ask(settings))
    connections, calls = asyncio.run(connection_findings(settings))
    findings = [
        _looked("home folder", lambda: _writable(settings.home)),
        _looked("lake", lambda: _lake(settings)),
        _looked("store", lambda: _store(settings)),
        *meta.findings,
        *connections,
        *campaign_findings(settings),
        _rates(settings, meta.currencies),
        _webhook(settings),
        *_alerts(settings),
        *rule_findings(settings, meta.accounts),
    ]
    shown = table("zyenta doctor", ("", "what", "found", "remedy"))
    for finding in findings:
        style = _STYLES[finding.state]
        add(shown, finding.state.value, finding.what, finding.found, finding.remedy, style=style)
    out.print(shown)
    out.print(f"{meta.calls + calls} calls to {settings.graph_url}.", highlight=False)
    return all(finding.state is not State.NO for finding in findings)


def _looked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, State.OK, look())
    except ZyentaError as error:
        return failed(what, error)
    except OSError as error:
        return Finding(what, State.NO, str(error), "Choose another ZYENTA_HOME, or its rights.")


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


@dataclass(frozen=True)
class _Meta:
    """What Meta answered: findings in the order they are shown, the accounts' currencies, how many
    calls it took, and which accounts there are."""

    findings: Sequence[Finding]
    currencies: frozenset[str]
    calls: int
    accounts: Sequence[str] = ()


async def _ask(settings: Settings) -> _Meta:
    """All questions to Meta, token by token. Bounded: see docs/operations.md."""
    accounts, stored = known_accounts(settings)
    groups, findings = _by_token(settings, accounts, stored)
    asked = await asyncio.gather(*(_ask_with(settings, *group) for group in groups.items()))
    if not accounts:
        remedy = "Set META_AD_ACCOUNT_IDS to act_…, separated by commas, or connect a store."
        findings.append(Finding("ad accounts", State.NO, "none configured", remedy))
    findings = [finding for one in asked for finding in one.findings] + findings
    return _Meta(
        findings,
        frozenset[str]().union(*(one.currencies for one in asked)),
        sum(one.calls for one in asked),
        accounts,
    )


def _by_token(
    settings: Settings, accounts: Sequence[str], stored: Mapping[str, str]
) -> tuple[dict[str, list[str]], list[Finding]]:
    """The accounts by the token they use (in words), and those that have none.

    Without any account the common token is still looked at.
    """
    groups: dict[str, list[str]] = {}
    findings: list[Finding] = []
    words: dict[str, str] = {}
    for account in accounts or (None,):
        named = account in settings.account_tokens
        own = named or account in stored
        try:
            kept = None if named else stored.get(account or "")
            token = kept or settings.token(account)
        except ZyentaError as error:
            findings.append(failed("token" if account is None else f"act_{account}", error))
            continue
        name = words.setdefault(token, f"token of act_{account}" if own else "token")
        groups.setdefault(name, []).extend([] if account is None else [account])
    return groups, findings


async def _ask_with(settings: Settings, name: str, accounts: list[str]) -> _Meta:
    """Everything that one token is asked for: itself, its accounts, and one account's queries."""
    first = accounts[0] if accounts else None
    try:
        platform = _connected(settings, first)
    except ZyentaError as error:
        return _Meta([failed("Meta", error)], frozenset(), 0)
    async with platform:
        try:
            now = await platform.server_time()
        except ZyentaError as error:
            about = name if isinstance(error, AuthenticationFailed) else _where(settings)
            lines = [failed(about, error)]
            lines += [
                Finding(f"act_{account}", State.NO, f"not asked: see {about}")
                for account in accounts
            ]
            return _Meta(lines, frozenset(), platform.calls)
        others, calls = await _other_versions(settings, first)
        findings = [_version(settings, platform), *others]
        writes = may_write(settings, accounts)
        findings.append(await _token(settings, name, platform, now, writes=writes))
        known, lines = await _accounts(settings, name, platform, accounts)
        findings += lines
        if known:
            findings += await accepted_queries(platform, known[0], settings.breakdowns)
        currencies = frozenset(one.currency for one in known)
        return _Meta(findings, currencies, platform.calls + calls)


def _connected(settings: Settings, account: str | None) -> MetaAds:
    return connect_meta(settings, account, deadline=time.monotonic() + _PATIENCE)


def _where(settings: Settings) -> str:
    return "sandbox" if settings.is_sandbox else "Meta"


def _version(settings: Settings, platform: MetaAds) -> Finding:
    what = _where(settings)
    asked, answered = settings.api_version, platform.answered_version
    if answered not in (None, asked):
        remedy = f"Set META_API_VERSION={answered}, if the fields below are taken."
        found = f"{settings.graph_url} answers as {answered} though {asked} was asked"
        return Finding(what, State.WARN, found, remedy)
    return Finding(what, State.OK, f"{settings.graph_url}, {asked}")


async def _other_versions(settings: Settings, account: str | None) -> tuple[list[Finding], int]:
    """Do the other versions that we speak answer as well, so that one can move in time?

    With the calls that took.
    """
    found, calls = [], 0
    for version in SUPPORTED_VERSIONS:
        if version == settings.api_version:
            continue
        what = f"version {version}"
        other = _connected(settings.model_copy(update={"api_version": version}), account)
        try:
            async with other:
                await other.server_time()
        except ZyentaError as error:
            found.append(failed(what, error, State.WARN))
        else:
            answered = other.answered_version or version
            told = "answers too" if answered == version else f"is answered as {answered}"
            found.append(Finding(what, State.OK, told))
        calls += other.calls
    return found, calls


async def _token(
    settings: Settings, name: str, platform: MetaAds, now: datetime, *, writes: bool
) -> Finding:
    try:
        status = await platform.token_status()
    except ZyentaError as error:
        return failed(name, error, State.WARN)
    return token_finding(name, status, now=now, app_id=settings.app_id, writes=writes)


async def _accounts(
    settings: Settings, name: str, platform: MetaAds, accounts: Sequence[str]
) -> tuple[list[AdAccount], list[Finding]]:
    """The accounts that answered, and the lines of all."""

    async def one(account_id: str) -> tuple[AdAccount | None, list[Finding]]:
        try:
            account = await platform.account(account_id)
            own = account_id in {*settings.account_tokens, *known_accounts(settings)[1]}
            line = account_finding(
                account,
                token="its own token" if own else "",
                used=_used(platform, account_id),
            )
        except ZyentaError as error:
            return None, [failed(f"act_{account_id}", error)]
        return account, [line, *await page_and_pixel(platform, account_id)]

    answers = await asyncio.gather(*(one(account) for account in accounts))
    known = [account for account, _ in answers if account is not None]
    return known, [line for _, lines in answers for line in lines]


def _used(platform: MetaAds, account_id: str) -> str:
    """How much of the quotas that count for an account is used, as far as this product knows."""
    used = platform.percent_used(account_id)
    slowed = ", reading is slowed down" if used >= _MUCH_USED else ""
    return f"{used:.0f} % of its calls used{slowed}"


def _rates(settings: Settings, currencies: frozenset[str]) -> Finding:
    what, into = "exchange rates", settings.reporting_currency
    if into is None:
        return Finding(what, State.OK, "not used: each account in its own currency")
    needed = currencies - {into}
    if settings.rates_file is None:
        if not needed:
            return Finding(what, State.OK, f"none needed into {into}")
        remedy = "Set ZYENTA_RATES_FILE."
        return Finding(what, State.WARN, f"no file for {', '.join(sorted(needed))}", remedy)
    try:
        rates = read_rates(settings.rates_file, into)
    except ZyentaError as error:
        return failed(what, error)
    if lacking := needed - set(rates["currency"]):
        remedy = "Add them; amounts of these accounts stay empty in reporting currency."
        found = f"{settings.rates_file} has none for {', '.join(sorted(lacking))}"
        return Finding(what, State.WARN, found, remedy)
    newest = max(rates["date"].to_list(), default=None)
    found = f"{settings.rates_file}, {rates.height} into {into}, newest {newest or 'none'}"
    return Finding(what, State.OK, found)


def _webhook(settings: Settings) -> Finding:
    if settings.alert_webhook is None:
        return Finding("alert webhook", State.OK, "none: alerts are in the log and below")
    if settings.alert_address() is None:
        found = "set; what happens on a sandbox is not posted"
        return Finding("alert webhook", State.OK, found)
    return Finding("alert webhook", State.OK, "set")


def _alerts(settings: Settings) -> list[Finding]:
    try:
        with alerts_of(settings) as alerts:
            found = alerts.open()
    except ZyentaError as error:
        return [failed("alerts", error)]
    if not found:
        return [Finding("alerts", State.OK, "none open")]
    return [
        Finding(
            f"alert {alert.key}",
            State.WARN,
            f"since {alert.raised_at:%Y-%m-%d %H:%M} UTC: {alert.told}",
            alert.remedy,
        )
        for alert in found
    ]
