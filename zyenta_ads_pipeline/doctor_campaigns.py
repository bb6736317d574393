"""What `zyenta doctor` looks at for campaigns: connections and their tokens, the key that seals
them, kill switches, and who writes the texts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from zyenta_ads_pipeline.account_rules import bounds_of, rules_of
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.connections import accounts_of, connect_meta, store_of, vault_of
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import ZyentaError
from zyenta_ads_pipeline.domain.money import plain
from zyenta_ads_pipeline.domain.shop import PlatformConnection
from zyenta_ads_pipeline.drafting import writer_of
from zyenta_ads_pipeline.ingestion.canary import Finding, State, failed, token_finding
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.store.connections import Connections
from zyenta_ads_pipeline.store.switches import KillSwitches

_MOST_ASKED = 20
"""Connections whose token Meta is asked about; two calls each."""
_PATIENCE = 60.0
_SOON = timedelta(days=7)


def known_accounts(settings: Settings) -> tuple[list[str], dict[str, str]]:
    """The ad accounts to look at, and the stored tokens of those that have one.

    Where the store or its key is of no use, another line tells; then those of the settings.
    """
    try:
        with store_of(settings) as store:
            tokens = Connections(store, vault_of(settings)).tokens()
        return accounts_of(settings), tokens
    except ZyentaError:
        return list(settings.ad_account_ids), {}


async def connection_findings(settings: Settings) -> tuple[list[Finding], int]:
    """A line for each connected store, with the calls that took. Of more than twenty stores the
    rest is told as not asked about."""
    try:
        with store_of(settings) as store:
            found = Connections(store, vault_of(settings)).all()
    except ZyentaError as error:
        return [failed("connections", error)], 0
    if not found:
        remedy = "Only for campaigns of your own: `zyenta store add`, then `zyenta connect`."
        return [Finding("connections", State.OK, "none", remedy)], 0
    asked = [_ask(settings, each) for each in found[:_MOST_ASKED]]
    answers = await asyncio.gather(*asked)
    lines = [line for line, _ in answers]
    if (rest := len(found) - _MOST_ASKED) > 0:
        lines.append(Finding("connections", State.OK, f"{rest} more were not asked about"))
    return lines, sum(calls for _, calls in answers)


def campaign_findings(settings: Settings) -> list[Finding]:
    """The key of the vault, the kill switches, and who writes the texts; no calls."""
    return [_vault(settings), *_switches(settings), _writer(settings)]


def rule_findings(settings: Settings, accounts: Sequence[str]) -> list[Finding]:
    """How far the autopilot goes, and each account's policy and limits as they are read; one line
    for all where no file says otherwise."""
    stopped = ", kill switch on: nothing is written" if settings.kill_switch else ""
    found = [Finding("autopilot", State.OK, f"{settings.autopilot.value}{stopped}")]
    own_file = settings.accounts_file is not None
    for account in accounts if own_file else accounts[:1]:
        what = f"act_{account} rules" if own_file else "rules"
        try:
            found.append(Finding(what, State.OK, _in_words(rules_of(settings, account))))
        except ZyentaError as error:
            found.append(failed(what, error))
    return found


def may_write(settings: Settings, accounts: Sequence[str]) -> bool:
    """Whether changes to one of the accounts may be written, so that a token has to allow it."""
    try:
        positions = [bounds_of(settings, each).autopilot for each in accounts]
    except ZyentaError:  # `rule_findings` tells of it
        positions = []
    return any(each is not Autopilot.WATCH for each in positions or [settings.autopilot])


def _in_words(rules: AccountRules) -> str:
    total = "no total" if rules.total is None else f"total {plain(rules.total)} a day"
    step = "no step" if rules.max_step is None else f"step {float(rules.max_step * 100):g} %"
    own = f", {len(rules.campaigns)} campaigns with rules of their own" if rules.campaigns else ""
    return (
        f"{rules.policy.name} for {rules.goal.value}, {total}, {step}, "
        f"autopilot {rules.autopilot.value}{own}"
    )


async def _ask(settings: Settings, connection: PlatformConnection) -> tuple[Finding, int]:
    what = f"store {connection.store_id}"
    try:
        deadline = time.monotonic() + _PATIENCE
        platform = connect_meta(settings, connection.account_id, deadline=deadline)
    except ZyentaError as error:
        return failed(what, error), 0
    async with platform:
        try:
            status = await platform.token_status()
            now = await platform.server_time() if status.valid else datetime.now(UTC)
        except ZyentaError as error:
            return failed(what, error), platform.calls
    writes = may_write(settings, [connection.account_id])
    line = token_finding(what, status, now=now, app_id=settings.app_id, writes=writes)
    found = f"act_{connection.account_id} {connection.account_name}: token {line.found}"
    remedy = line.remedy
    if line.state is State.WARN and status.expires_at and status.expires_at - now < _SOON:
        remedy = f"zyenta connect --renew {connection.store_id}"
    elif line.state is State.NO:
        remedy = f"Give it a new token: zyenta connect {connection.store_id}"
    return Finding(what, line.state, found, remedy), platform.calls


def _vault(settings: Settings) -> Finding:
    """Can every stored token be read with the key that there is?"""
    what = "vault key"
    where = "ZYENTA_SECRET_KEY" if settings.secret_key else f"{settings.home / 'secret.key'}"
    try:
        with store_of(settings) as store:
            sealed = len(Connections(store, vault_of(settings)).tokens())
    except ZyentaError as error:
        return failed(what, error)
    return Finding(what, State.OK, f"{where}, opens {sealed} stored tokens")


def _switches(settings: Settings) -> Sequence[Finding]:
    what = "kill switches"
    try:
        with store_of(settings) as store:
            thrown = KillSwitches(store).all()
    except ZyentaError as error:
        return [failed(what, error)]
    if not thrown:
        return [Finding(what, State.OK, "none thrown")]
    lines = []
    for each in thrown:
        where = f"act_{each.account_id}" if each.account_id else "every account"
        option = f" --account act_{each.account_id}" if each.account_id else ""
        found = f"{where} is stopped by {each.by} since {each.at:%Y-%m-%d %H:%M} UTC: {each.reason}"
        lines.append(Finding(what, State.WARN, found, f"zyenta resume{option}"))
    return lines


def _writer(settings: Settings) -> Finding:
    what = "ad texts"
    if settings.openai_api_key is None and settings.openai_base_url is None:
        remedy = "Set OPENAI_API_KEY to have a language model write them."
        return Finding(what, State.OK, "written by templates", remedy)
    where = settings.openai_base_url or "OpenAI"
    return Finding(what, State.OK, f"written by {writer_of(settings).model}, at {where}; not asked")
