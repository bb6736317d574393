"""Changes: listed, approved, edited, rejected, undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from zyenta_ads_pipeline.campaigns.by_hand import require_retry
from zyenta_ads_pipeline.campaigns.undo import require_undo
from zyenta_ads_pipeline.change_desk import require_approval
from zyenta_ads_pipeline.console.desks.ordering import require_going, require_value
from zyenta_ads_pipeline.console.desks.versions import require_version, version_of
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.campaign import AdCampaign
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused, InputError, Stale
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.change_pages import ChangePage, ChangePages, ChangeQuery
from zyenta_ads_pipeline.store.orders import Order, OrderKind, Orders, OrderState
from zyenta_ads_pipeline.store.outbox import Decision, Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord, JournalEntry

LONGEST_REASON = 500


@dataclass(frozen=True)
class Decided:
    """What became of a deciding on several changes: those that were moved now, those that stood so
    already, with who did it and when, and those that were left as they are, with why."""

    moved: Sequence[ChangeRecord]
    already: Sequence[AlreadyDecided]
    refused: Sequence[Refused] = ()


@dataclass(frozen=True)
class AlreadyDecided:
    """A change that stood as it was wanted before; `told` says so in a sentence."""

    record: ChangeRecord
    by: str
    at: datetime
    told: str


@dataclass(frozen=True)
class Refused:
    """A change that was not decided on, and why. `record` None: there is none of that id."""

    id: str
    record: ChangeRecord | None
    why: InputError


class ChangeDesk:
    """Changes. Viewers look; buyers decide. Every method takes the person first; raises
    `NotAllowed`, `NotThere` for an id that is not there, and `InputError`s with the remedy."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._outbox = Outbox(office.store)
        self._pages = ChangePages(office.store)
        self._orders = Orders(office.store)

    def page(self, person: Person, query: ChangeQuery) -> ChangePage:
        """A page of the outbox. `FieldsRefused` for a page or size that cannot be."""
        return self._pages.page(query)

    def get(self, person: Person, change_id: str) -> ChangeRecord:
        """One change."""
        return self._outbox.get(change_id)

    def version(self, record: ChangeRecord) -> str:
        """Its version, for `ETag`."""
        return version_of(record.id, record.updated_at)

    def journal(self, person: Person, change_id: str) -> list[JournalEntry]:
        """Every step and note of one change, in order."""
        self._outbox.get(change_id)
        return self._outbox.journal(change_id)

    def approve(
        self,
        person: Person,
        change_ids: Collection[str],
        expected: Mapping[str, str] | None = None,
    ) -> Decided:
        """Proposed → approved, each that can be; the sensor writes them. Buyer.

        What is approved already (also sending or applied) is no error: `Decided.already` says who
        did it. Refused is, with `TakenAlready`, what was decided otherwise or superseded, with
        `Stale` what is not as in `expected` (versions by id), with `InputError` what the autopilot
        only watches or a kill switch holds. One that is asked for alone raises what refuses it.
        """
        self._allow(person, "change.approve", change_ids)
        records, refused = self._seen(change_ids, expected, (ChangeState.PROPOSED,))
        held = self._held([each for each in records if each.state is ChangeState.PROPOSED])
        records = [each for each in records if each.id not in held]
        decision = self._outbox.decide(
            _moments(records, expected),
            ChangeState.APPROVED,
            actor=person.name,
            now=self._office.now(),
        )
        return self._decided(person, "change.approve", decision, refused | held)

    def reject(
        self,
        person: Person,
        change_ids: Collection[str],
        reason: str = "",
        expected: Mapping[str, str] | None = None,
    ) -> Decided:
        """Proposed or approved → rejected, each that can be, as `approve`. Buyer. What was approved
        since it was seen is `Stale`: a colleague's approval is not undone unseen. `FieldsRefused`
        for a reason that is too long."""
        self._allow(person, "change.reject", change_ids)
        reason = reason.strip()
        if len(reason) > LONGEST_REASON:
            problem = FieldProblem(
                "reason", "The reason is too long.", f"Say it in at most {LONGEST_REASON} letters."
            )
            raise FieldsRefused([problem])
        open_yet = (ChangeState.PROPOSED, ChangeState.APPROVED)
        records, refused = self._seen(change_ids, expected, open_yet)
        decision = self._outbox.decide(
            _moments(records, expected),
            ChangeState.REJECTED,
            actor=person.name,
            now=self._office.now(),
            note=reason,
        )
        detail = {"reason": reason} if reason else None
        return self._decided(person, "change.reject", decision, refused, detail)

    def edit(
        self,
        person: Person,
        change_id: str,
        new_value_minor: int,
        expected: str | None = None,
        *,
        approve: bool = True,
    ) -> ChangeRecord:
        """The buyer's own value in the place of a proposed budget: the proposal is superseded, and
        the new change is given back, approved (or proposed, with `approve=False`). Buyer.

        Both happen or none. Raises `FieldsRefused` for a value outside the account's caps and
        total, or that is not another one; `TakenAlready` for a change that is not proposed any
        more, `Stale` as `approve`, `InputError` for a change of a status.
        """
        office = self._office
        self._allow(person, "change.edit", [change_id])
        record = self._outbox.get(change_id)
        if record.state is ChangeState.PROPOSED:
            require_version(f"Change {change_id}", expected, self.version(record))
        if record.change.field is not ChangeField.DAILY_BUDGET:
            raise InputError(
                f"Change {change_id} sets a status, which has no amount to edit.",
                "Approve or reject it.",
            )
        require_value(office, record, new_value_minor)
        require_going(office, record.change.account_id)
        made = self._outbox.replace(
            record, str(new_value_minor), actor=person.name, now=office.now(), approve=approve
        )
        detail = {"new_value": str(new_value_minor), "was": record.change.new_value, "new": made.id}
        office.note(person, "change.edit", "change", change_id, detail)
        return made

    def undo(self, person: Person, change_id: str) -> Order:
        """Order an applied change, and those of the same act, to be taken back. Buyer. Raises
        `InputError` for one that cannot be undone, or while a kill switch holds its account."""
        self._allow(person, "change.undo", [change_id])
        record = self._outbox.get(change_id)
        require_undo(self._outbox, record)
        return self._order(person, record, OrderKind.UNDO)

    def retry(self, person: Person, change_id: str) -> Order:
        """Order an approved change that a person asked for by hand to be written now. Buyer."""
        self._allow(person, "change.retry", [change_id])
        record = self._outbox.get(change_id)
        require_retry(record)
        return self._order(person, record, OrderKind.RETRY)

    def order_state(self, person: Person, order_id: str) -> Order:
        """An order of `undo` or `retry` as it stands."""
        return self._orders.get(order_id)

    def campaign_of(self, person: Person, record: ChangeRecord) -> AdCampaign | None:
        """The campaign of ours that a change belongs to, without creatives; None: to none."""
        own = Campaigns(self._office.store).find(platform_campaign_id=record.change.campaign_id)
        return own[0] if own else None

    def orders_about(self, person: Person, record: ChangeRecord) -> list[Order]:
        """The open orders to take back or write a change, or another of the same act; the newest
        first."""
        found = self._orders.find(
            account_id=record.change.account_id,
            kinds=(OrderKind.UNDO, OrderKind.RETRY),
            states=(OrderState.WAITING, OrderState.WORKING),
        )
        named = {each.id: str(each.payload.get("change_id", "")) for each in found}
        changes = {each.id: each.change for each in self._outbox.find(ids=set(named.values()))}

        def concerns(own: str) -> bool:
            other = changes.get(own)
            return own == record.id or (
                other is not None
                and bool(other.decision_id)
                and other.decision_id == record.change.decision_id
                and other.campaign_id == record.change.campaign_id
            )

        return [each for each in found if concerns(named[each.id])]

    def undoable(self, records: Sequence[ChangeRecord]) -> frozenset[str]:
        """The ids of those that `undo` would take, for buttons."""
        written = [
            each.id
            for each in records
            if each.state is ChangeState.APPLIED and each.written_at is not None
        ]
        return frozenset(written) - self._outbox.overwritten(written)

    def _order(self, person: Person, record: ChangeRecord, kind: OrderKind) -> Order:
        office = self._office
        require_going(office, record.change.account_id)
        own = self.campaign_of(person, record)
        order, is_new = self._orders.ask(
            kind,
            campaign_id=own.id if own else None,
            account_id=record.change.account_id,
            payload={"change_id": record.id},
            by=person.name,
            now=office.now(),
        )
        if is_new:
            act = f"change.{kind.value}"
            office.note(person, act, "change", record.id, {"order": order.id})
        return order

    def _allow(self, person: Person, act: str, change_ids: Collection[str]) -> None:
        self._office.allow(person, Role.BUYER, act, "change", ", ".join(sorted(change_ids))[:500])

    def _seen(
        self,
        change_ids: Collection[str],
        expected: Mapping[str, str] | None,
        decidable: Collection[ChangeState],
    ) -> tuple[list[ChangeRecord], dict[str, InputError]]:
        """The changes that are there and, while they are in a state that can be decided on, as they
        were seen; and why the others cannot be taken."""
        wanted = list(dict.fromkeys(change_ids))
        if not wanted:
            raise FieldsRefused([FieldProblem("ids", "No change is named.", "Choose some.")])
        found = {each.id: each for each in self._outbox.find(ids=wanted)}
        records: list[ChangeRecord] = []
        refused: dict[str, InputError] = {}
        for own in wanted:
            try:
                record = found.get(own) or self._outbox.get(own)
                # What was settled meanwhile is told as such, which says more.
                if record.state in decidable:
                    self._require_seen(record, (expected or {}).get(own))
                records.append(record)
            except InputError as error:
                refused[own] = error
        return records, refused

    def _require_seen(self, record: ChangeRecord, seen: str | None) -> None:
        """Raise `Stale` unless it is as it was seen (None: whatever it is); of one that is approved
        it says by whom."""
        if record.state is ChangeState.APPROVED and seen not in (None, self.version(record)):
            step = self._step(record)
            raise Stale(
                f"Change {record.id} has changed since you looked at it: it was approved by "
                f"{step.actor} at {step.at:%Y-%m-%d %H:%M} UTC. It was left so.",
                "Look at it again, and reject it then if it is not to be written.",
            )
        require_version(f"Change {record.id}", seen, self.version(record))

    def _held(self, records: Sequence[ChangeRecord]) -> dict[str, InputError]:
        """Why proposals cannot be approved now: only watched, or held by a kill switch."""
        held: dict[str, InputError] = {}
        for account_id in sorted({each.change.account_id for each in records}):
            of_account = [each for each in records if each.change.account_id == account_id]
            try:
                require_approval(self._office.settings, self._office.store, of_account)
            except InputError:
                held |= self._watched(of_account)
            try:
                require_going(self._office, account_id)
            except InputError as error:
                held |= {each.id: error for each in of_account}
        return held

    def _watched(self, records: Sequence[ChangeRecord]) -> dict[str, InputError]:
        """Of an account's proposals those that are only watched, each with its reason."""
        watched: dict[str, InputError] = {}
        for record in records:
            try:
                require_approval(self._office.settings, self._office.store, [record])
            except InputError as error:
                watched[record.id] = error
        return watched

    def _decided(
        self,
        person: Person,
        act: str,
        decision: Decision,
        refused: Mapping[str, InputError],
        detail: Mapping[str, str] | None = None,
    ) -> Decided:
        for record in decision.moved:
            self._office.note(person, act, "change", record.id, detail)
        refused = {**refused, **decision.refused}
        if len(refused) == 1 and not decision.moved and not decision.already:
            raise next(iter(refused.values()))
        records = {each.id: each for each in self._outbox.find(ids=refused)} if refused else {}
        return Decided(
            decision.moved,
            [self._told(record) for record in decision.already],
            [Refused(own, records.get(own), why) for own, why in refused.items()],
        )

    def _told(self, record: ChangeRecord) -> AlreadyDecided:
        """Who approved or rejected it before, and when."""
        step = self._step(record)
        told = (
            f"Change {record.id} was {_wanted(record).value} already, by {step.actor} at "
            f"{step.at:%Y-%m-%d %H:%M} UTC."
        )
        return AlreadyDecided(record, step.actor, step.at, told)

    def _step(self, record: ChangeRecord) -> JournalEntry:
        """The step by which it was decided on."""
        journal, wanted = self._outbox.journal(record.id), _wanted(record)
        steps = [
            entry
            for entry in journal
            if entry.to_state is wanted and entry.from_state is ChangeState.PROPOSED
        ]
        return steps[0] if steps else journal[-1]


def _wanted(record: ChangeRecord) -> ChangeState:
    """What was decided about one that is decided: what has gone on since was approved."""
    rejected = record.state is ChangeState.REJECTED
    return ChangeState.REJECTED if rejected else ChangeState.APPROVED


def _moments(
    records: Sequence[ChangeRecord], expected: Mapping[str, str] | None
) -> Collection[str] | Mapping[str, datetime]:
    """What is decided on; as it was read, where it has to be as it was seen."""
    if expected:
        return {each.id: each.updated_at for each in records}
    return [each.id for each in records]
