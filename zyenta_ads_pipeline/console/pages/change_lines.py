"""Changes as the pages show them: before and after, why, how sure, and what may be done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from zyenta_ads_pipeline.campaigns.launch_plan import own_name
from zyenta_ads_pipeline.console.pages.visit import Visit
from zyenta_ads_pipeline.console.pages.words import CHANGES, ago, moment, money, sure, words
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.money import plain, to_major
from zyenta_ads_pipeline.store.records import ChangeRecord


@dataclass(frozen=True)
class ChangeView:
    """One change. `can_*` are for this person, as it stands now."""

    id: str
    name: str
    level: str
    what: str
    was: str
    now: str
    move: str
    reason: str
    more: str
    """What follows the first sentence of the reason."""
    forecast: str
    confidence: str
    sure: str
    policy: str
    look: str
    state: str
    note: str
    when: str
    at: str
    campaign_id: str
    campaign_name: str
    account_id: str
    version: str
    edit: str
    currency: str
    known: Sequence[tuple[str, str]]
    can_decide: bool
    can_reject: bool
    can_edit: bool
    can_undo: bool


_SHOWN = {
    "spend": "Spend",
    "purchases": "Purchases",
    "conversions": "Conversions",
    "revenue": "Revenue",
    "purchase_value": "Revenue",
    "roas": "ROAS",
    "cpa": "CPA",
    "days_running": "Days running",
}


def change_rows(visit: Visit, records: Sequence[ChangeRecord]) -> list[ChangeView]:
    """Records of the outbox with the words for them."""
    undoable = visit.site.desks.changes.undoable(records) if visit.buyer else frozenset()
    return [change_row(visit, each, undoable) for each in records]


def change_row(
    visit: Visit,
    record: ChangeRecord,
    undoable: Collection[str],
    campaign_id: str | None = None,
    campaign_name: str | None = None,
) -> ChangeView:
    """A record of the outbox with the words for it. `undoable` holds the ids that may be undone."""
    change = record.change
    look, state = CHANGES[record.state]
    budget = change.field is ChangeField.DAILY_BUDGET
    was, now = (_value(each, change.field, change.currency) for each in _ends(record))
    proposed = record.state is ChangeState.PROPOSED
    first, dot, more = change.reason.partition(". ")
    return ChangeView(
        id=record.id,
        name=shown_name(record),
        level={"adset": "Ad set"}.get(str(change.level.value), words(change.level.value)),
        what="Daily budget" if budget else "Status",
        was=was,
        now=now,
        move=_move(record) if budget else "",
        reason=first + dot.strip(),
        more=more,
        forecast=_forecast(record),
        confidence=sure(change.confidence),
        sure=_sure(change.confidence),
        policy=words(change.policy),
        look=look,
        state=state,
        note="" if record.last_note == change.reason else record.last_note,
        when=ago(record.updated_at, visit.site.now()),
        at=moment(record.updated_at),
        campaign_id=campaign_id or "",
        campaign_name=campaign_name or "",
        account_id=change.account_id,
        version=visit.site.desks.changes.version(record),
        edit=plain(to_major(int(change.new_value), change.currency)) if budget else "",
        currency=change.currency,
        known=_known(record),
        can_decide=visit.buyer and proposed,
        can_reject=visit.buyer and record.state in (ChangeState.PROPOSED, ChangeState.APPROVED),
        can_edit=visit.buyer and proposed and budget,
        can_undo=visit.buyer and record.id in undoable,
    )


def shown_name(record: ChangeRecord) -> str:
    """What a change is about, by name; by its id where it has none."""
    return own_name(record.change.object_name) or record.change.object_id


def _ends(record: ChangeRecord) -> tuple[str, str]:
    return record.change.old_value, record.change.new_value


def _value(text: str, field: ChangeField, currency: str) -> str:
    if field is ChangeField.DAILY_BUDGET and text.lstrip("-").isdecimal():
        return money(int(text), currency)
    return words(text.lower())


def _move(record: ChangeRecord) -> str:
    old, new = _ends(record)
    if not (old.isdecimal() and new.isdecimal()) or not int(old):
        return ""
    return f"{Decimal(int(new) - int(old)) / int(old):+.0%}"


def _sure(confidence: Decimal) -> str:
    if confidence >= Decimal("0.9"):
        return "very sure"
    if confidence >= Decimal("0.7"):
        return "fairly sure"
    return "not sure"


def _forecast(record: ChangeRecord) -> str:
    """What it is expected to change, where the decision said so."""
    known = record.change.metrics
    try:
        ends = [
            Decimal(str(known[f"{name}_change_{end}"]))
            for name in ("purchases", "value")
            for end in ("low", "high")
        ]
    except (KeyError, ArithmeticError):
        return ""
    low, high = (f"{each:+,.1f}" for each in ends[:2])
    least, most = (f"{each:+,.0f}" for each in ends[2:])
    return (
        f"{low} to {high} purchases a week, worth {least} to {most} {record.change.currency} "
        "(80 % of outcomes)"
    )


def _known(record: ChangeRecord) -> list[tuple[str, str]]:
    """What was known when it was decided, and what it is expected to bring."""
    currency = record.change.currency
    found = []
    for name, value in record.change.metrics.items():
        if value in (None, "") or name not in _SHOWN:
            continue
        found.append((_SHOWN[name], _metric(name, str(value), currency)))
    return found


def _metric(name: str, value: str, currency: str) -> str:
    try:
        number = Decimal(value)
    except ArithmeticError:
        return value
    if name in ("spend", "revenue", "purchase_value", "cpa"):
        return f"{number:,.2f} {currency}"
    if name == "roas":
        return f"{number:.2f}x"
    return f"{number:,.1f}".removesuffix(".0")
