"""What a person does with proposed changes on the command line: list, approve, reject, undo."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.text import Text

from zyenta_ads_pipeline.account_rules import may_write
from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES, undo
from zyenta_ads_pipeline.connections import outbox_of, store_of
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord


def list_changes(
    settings: Settings, accounts: Collection[str], states: Collection[ChangeState]
) -> RenderableType:
    """The changes in the outbox as a table, newest first."""
    with outbox_of(settings) as outbox:
        records = [
            record
            for record in outbox.find(states=states, newest_first=True)
            if not accounts or record.change.account_id in accounts
        ]
    if not records:
        return Text("No changes.")
    shown = table(
        "Changes", ("id", "state", "object", "change", "confidence", "reason", "last note")
    )
    for record in records:
        add(
            shown,
            record.id,
            record.state.value,
            record.change.object_name or record.change.object_id,
            change_in_words(record),
            f"{record.change.confidence:.0%}",
            record.change.reason,
            record.last_note,
        )
    return shown


def show_journal(settings: Settings, change_id: str) -> RenderableType:
    """Every step of one change: who, when, from which state to which, and what was said."""
    with outbox_of(settings) as outbox:
        record = outbox.get(change_id)
        entries = outbox.journal(change_id)
    name = record.change.object_name or record.change.object_id
    shown = table(
        f"{name}: {change_in_words(record)}. {record.change.reason}",
        ("when (UTC)", "state", "who", "note", "trace id"),
    )
    for entry in entries:
        add(
            shown,
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.to_state.value,
            entry.actor,
            entry.note,
            entry.trace_id,
        )
    return shown


def undo_change(settings: Settings, change_id: str, by: str) -> RenderableType:
    """Propose the old value of an applied change again; it is pushed like any other change."""
    with outbox_of(settings) as outbox:
        record = undo(outbox, change_id, actor=by, now=datetime.now(UTC))
    return Text(f"{record.id} proposed: {change_in_words(record)}. Approve it to push it.")


def approve_changes(settings: Settings, ids: Collection[str], by: str) -> RenderableType:
    """PROPOSED to APPROVED, all or none. Refused while the autopilot only watches the account or
    the campaign of one, unless a person asked for that change by hand."""
    with store_of(settings) as store:
        outbox = Outbox(store)
        require_approval(settings, store, [outbox.get(each) for each in ids])
        records = outbox.approve(ids, actor=by, now=datetime.now(UTC))
    return Text(f"{len(records)} approved. The push sensor writes them, or `zyenta push` now.")


def require_approval(settings: Settings, store: Store, records: Iterable[ChangeRecord]) -> None:
    """Raise `InputError` where the autopilot only watches what a change is about, so that its
    approval would write nothing."""
    about = {
        (record.change.account_id, record.change.campaign_id)
        for record in records
        if record.change.policy not in OWN_WISHES
    }
    for account_id, campaign_id in sorted(about):
        may_write(settings, account_id, campaign_id, store=store)


def reject_changes(
    settings: Settings, ids: Collection[str], by: str, reason: str
) -> RenderableType:
    """To REJECTED, all or none."""
    with outbox_of(settings) as outbox:
        records = outbox.reject(ids, actor=by, now=datetime.now(UTC), reason=reason)
    return Text(f"{len(records)} rejected.")


def change_in_words(record: ChangeRecord) -> str:
    """`daily budget $20.00 → $24.00`, or `ACTIVE → PAUSED`."""
    change = record.change
    if change.field is ChangeField.STATUS:
        return f"{change.old_value} → {change.new_value}"
    old, new = (
        show(to_major(int(value), change.currency), change.currency)
        for value in (change.old_value, change.new_value)
    )
    return f"daily budget {old} → {new}"
