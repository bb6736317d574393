"""Carrying approved changes to a platform, each written once and looked at afterwards.

The truth is in the outbox: a push may be killed at any moment, and the next one finds out on
the platform what had happened before it sends anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from zyenta_ads_pipeline.campaigns.halt import Halt
from zyenta_ads_pipeline.campaigns.lane import Lane, PushContext
from zyenta_ads_pipeline.campaigns.report import PushReport, PushRow
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

LEASE = timedelta(minutes=5)
"""How long a claim keeps others away; far longer than one write with its read-back."""
LOOK_AGAIN_SECONDS = 2.0
_PUSHABLE = (ChangeState.APPROVED, ChangeState.SENDING)


async def push_changes(
    platform: AdsPlatform,
    outbox: Outbox,
    *,
    guardrails: Guardrails | Callable[[str], Guardrails | None],
    owner: str,
    now: Callable[[], datetime],
    ids: Collection[str] | None = None,
    account_id: str | None = None,
    lease: timedelta = LEASE,
    look_again: float = LOOK_AGAIN_SECONDS,
    lanes: int = 4,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> PushReport:
    """Push the approved changes of `ids`, of one account, or (with neither) of all accounts.

    Each account has its own turn: first what an earlier push left in SENDING is reconciled,
    then its changes go in the order pauses, cuts, raises, activations. Up to `lanes` accounts
    take their turns side by side.

    `guardrails` is asked before each check and again right before each write, given the
    account's id: a kill switch turned meanwhile is obeyed. `owner` names this run in the
    journal and in its claims; `now` gives aware moments.

    A platform's errors end in the report, not in an exception: a rate limit stops its account,
    a dead token everything. Raises `InputError` for ids that do not exist or belong to another
    platform, and `StorageError` when the store fails; the other accounts finish first.
    """
    chosen = None if ids is None else frozenset(ids)
    named = _named(outbox, chosen, platform.name)
    if chosen is not None:
        accounts = {record.change.account_id for record in named if record.state in _PUSHABLE}
    elif account_id is not None:
        accounts = {account_number(account_id)}
    else:
        open_changes = outbox.find(platform=platform.name, states=_PUSHABLE)
        accounts = {record.change.account_id for record in open_changes}
    halt = Halt()
    shared = PushContext(
        platform=platform,
        outbox=outbox,
        guardrails=guardrails if callable(guardrails) else lambda _account: guardrails,
        owner=owner,
        now=now,
        lease=lease,
        look_again=look_again,
        sleep=sleep,
        halt=halt,
    )
    rows = [
        PushRow.of(record, f"It is {record.state.value}, so it is not sent.")
        for record in named
        if record.state not in _PUSHABLE
    ]
    for lane_rows in await _side_by_side(shared, sorted(accounts), chosen, lanes):
        rows += lane_rows
    return PushReport(tuple(rows), tuple(halt.lanes.values()))


def _named(outbox: Outbox, ids: frozenset[str] | None, platform: str) -> list[ChangeRecord]:
    if ids is None:
        return []
    records = [outbox.get(change_id) for change_id in sorted(ids)]
    for record in records:
        if record.change.platform != platform:
            raise InputError(
                f"Change {record.id} is for {record.change.platform}, not for {platform}.",
                "Push it with that platform's connection.",
            )
    return records


async def _side_by_side(
    shared: PushContext, accounts: list[str], ids: frozenset[str] | None, lanes: int
) -> list[list[PushRow]]:
    """All turns, each to its end; then the first failure that is not the platform's, if any."""
    places = asyncio.Semaphore(lanes)

    async def turn(account_id: str) -> list[PushRow]:
        async with places:
            return await Lane(shared, account_id).run(ids)

    ended = await asyncio.gather(*map(turn, accounts), return_exceptions=True)
    failures = [outcome for outcome in ended if isinstance(outcome, BaseException)]
    for other in failures[1:]:
        failures[0].add_note(f"Another account failed too: {other}")
    if failures:
        raise failures[0]
    return [outcome for outcome in ended if not isinstance(outcome, BaseException)]
