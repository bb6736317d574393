"""Changes found in SENDING: looked up on the platform before anything is sent again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from zyenta_ads_pipeline.campaigns.halt import PLATFORM_ERRORS, Halt
from zyenta_ads_pipeline.campaigns.live import in_words, live_value
from zyenta_ads_pipeline.campaigns.report import PushRow
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import NotFound
from zyenta_ads_pipeline.platforms.base import AdsPlatform
from zyenta_ads_pipeline.store.outbox import ClaimLost, Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord


async def reconcile(
    platform: AdsPlatform,
    outbox: Outbox,
    account_id: str,
    *,
    actor: str,
    now: Callable[[], datetime],
    halt: Halt | None = None,
) -> list[PushRow]:
    """Settle the account's interrupted changes by what the platform shows; sends nothing.

    The new value: APPLIED. The old one: APPROVED again, once the lease is over. Any other, or
    an object that is gone: CONFLICT or FAILED, once the lease is over; until then the run that
    holds the change may still write, so it is left alone.
    """
    halt = halt or Halt()
    rows = []
    for record in outbox.find(
        platform=platform.name, account_id=account_id, states=[ChangeState.SENDING]
    ):
        if halt.reason(account_id):
            rows.append(PushRow.of(record, f"Not looked up: {halt.reason(account_id)}"))
            continue
        rows.append(await _settle(platform, outbox, record, actor=actor, now=now, halt=halt))
    return rows


async def _settle(
    platform: AdsPlatform,
    outbox: Outbox,
    record: ChangeRecord,
    *,
    actor: str,
    now: Callable[[], datetime],
    halt: Halt,
) -> PushRow:
    change = record.change
    shown: str | None
    try:
        shown = live_value(await platform.read_object(change.object_id, change.level), change.field)
    except NotFound as error:
        shown, words = None, f"The object is not there any more: {error}"
    except PLATFORM_ERRORS as error:
        halt.hear(change.account_id, error)
        until = halt.until(change.account_id, now())
        record = outbox.postpone(record.id, until=until, now=now())
        return PushRow.of(record, f"Could not be looked up, so it stays: {error}")
    moment = now()
    if shown == change.new_value:
        to_state, words = (
            ChangeState.APPLIED,
            f"Recognised after an interrupted push: the platform shows "
            f"{in_words(shown, change)}. It was not written again.",
        )
    elif record.lease_until is not None and moment < record.lease_until:
        return PushRow.of(
            record,
            f"Held by {record.claimed_by} until {record.lease_until:%H:%M:%S} UTC; left alone.",
        )
    elif shown == change.old_value:
        to_state, words = (
            ChangeState.APPROVED,
            f"An interrupted push did not arrive: the platform still shows "
            f"{in_words(shown, change)}. It may be sent again.",
        )
    elif shown is not None:
        to_state, words = (
            ChangeState.CONFLICT,
            f"After an interrupted push the platform shows {in_words(shown, change)}, neither "
            f"the old value nor the new one: somebody else changed it.",
        )
    else:
        to_state = ChangeState.FAILED
    try:
        settled = outbox.finish(
            record,
            to_state,
            actor=actor,
            now=moment,
            note=words,
            written=to_state is not ChangeState.APPROVED,
        )
    except ClaimLost:
        return PushRow.of(outbox.get(record.id), "Another run settled it at the same time.")
    return PushRow.of(settled, words)
