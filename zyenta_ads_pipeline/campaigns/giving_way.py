"""What was asked for earlier gives way to what a person asks for now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import InputError, Transient
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord


def give_way(
    outbox: Outbox,
    field: ChangeField,
    wanted: Mapping[str, tuple[str, bool]],
    *,
    actor: str,
    now: datetime,
) -> list[ChangeRecord]:
    """Reject approved changes that would later write something else than is wanted; those rejected.

    `wanted` has the value by object, and whether the platform shows it already: then nothing of
    ours is in the way of the earlier change, whoever asked for it. Else only a person's own
    earlier wish gives way; the autopilot's is told as an obstacle. Raises `Transient` while one
    is being sent: what it writes must be known first.
    """
    contrary = [
        record
        for object_id in wanted
        for record in outbox.find(
            object_id=object_id, states=[ChangeState.APPROVED, ChangeState.SENDING]
        )
        if record.change.field is field and record.change.new_value != wanted[object_id][0]
    ]
    sending = [each for each in contrary if each.state is ChangeState.SENDING]
    rejected = [
        each
        for each in contrary
        if wanted[each.change.object_id][1] or each.change.policy in OWN_WISHES
    ]
    try:
        if sending:
            raise _busy(sending[0].id)
        if rejected:
            ids = [each.id for each in rejected]
            outbox.reject(ids, actor=actor, reason="Otherwise asked for by hand.", now=now)
    except InputError:  # it has moved on since it was looked at
        raise _busy(rejected[0].id) from None
    return rejected


def _busy(change_id: str) -> Transient:
    return Transient(
        f"Change {change_id} to the same object is being written just now.",
        "Try again in a minute.",
    )
