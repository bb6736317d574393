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
from zyenta_ads_pipeline.domain.change import ChangeField, ChangeState
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused, InputError
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.change_pages import ChangePage, ChangePages, ChangeQuery
from zyenta_ads_pipeline.store.orders import Order, OrderKind, Orders
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord, JournalEntry

LONGEST_REASON = 500


@dataclass(frozen=True)
class Decided:
    """What became of a deciding on several changes: those that were moved now, and those that stood
    so already, with who did it and when."""

    moved: Sequence[ChangeRecord]
    already: Sequence[AlreadyDecided]


@dataclass(frozen=True)
class AlreadyDecided:
    """A change that stood as it was wanted before; `told` says so in a sentence."""

    record: ChangeRecord
    by: str
    at: datetime
    told: str


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
        """Proposed → approved, all of them or, with an error, none; the sensor writes them. Buyer.

        What is approved already (also sending or applied) is no error: `Decided.already` says who
        did it. Raises `TakenAlready` for one that was decided otherwise or superseded, `Stale`
        where `expected` (versions by id) is not what is there now, `InputError` while the
        autopilot only watches its account or campaign, or a kill switch holds it.
        """
        self._allow(person, "change.approve", change_ids)
        records = self._seen(change_ids, expected)
        settings, store = self._office.settings, self._office.store
        open_ones = [each for each in records if each.state is ChangeState.PROPOSED]
        require_approval(settings, store, open_ones)
        for account_id in sorted({each.change.account_id for each in open_ones}):
            require_going(self._office, account_id)
        decided = self._outbox.decide(
            {each.id: each.updated_at for each in records} if expected else change_ids,
            ChangeState.APPROVED,
            actor=person.name,
            now=self._office.now(),
        )
        return self._decided(person, "change.approve", *decided)

    def reject(
        self,
        person: Person,
        change_ids: Collection[str],
        reason: str,
        expected: Mapping[str, str] | None = None,
    ) -> Decided:
        """Proposed or approved → rejected, all or none, as `approve`. Buyer. `FieldsRefused`
        without a reason."""
        self._allow(person, "change.reject", change_ids)
        if not reason.strip() or len(reason) > LONGEST_REASON:
            raise FieldsRefused(
                [
                    FieldProblem(
                        "reason",
                        "A rejection without a reason teaches nobody."
                        if not reason.strip()
                        else "The reason is too long.",
                        f"Say in at most {LONGEST_REASON} letters why it should not be done.",
                    )
                ]
            )
        records = self._seen(change_ids, expected)
        decided = self._outbox.decide(
            {each.id: each.updated_at for each in records} if expected else change_ids,
            ChangeState.REJECTED,
            actor=person.name,
            now=self._office.now(),
            note=reason.strip(),
        )
        return self._decided(person, "change.reject", *decided, {"reason": reason.strip()})

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
        (record,) = self._seen([change_id], None if expected is None else {change_id: expected})
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
        own = Campaigns(office.store).find(platform_campaign_id=record.change.campaign_id)
        order, is_new = self._orders.ask(
            kind,
            campaign_id=own[0].id if own else None,
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
        self, change_ids: Collection[str], expected: Mapping[str, str] | None
    ) -> list[ChangeRecord]:
        """The changes as they stand, if they are as they were seen."""
        records = [self._outbox.get(each) for each in dict.fromkeys(change_ids)]
        if not records:
            raise FieldsRefused([FieldProblem("ids", "No change is named.", "Choose some.")])
        for record in records:
            seen = (expected or {}).get(record.id)
            # What was decided meanwhile is told as such, which says more.
            if record.state is ChangeState.PROPOSED:
                require_version(f"Change {record.id}", seen, self.version(record))
        return records

    def _decided(
        self,
        person: Person,
        act: str,
        moved: Sequence[ChangeRecord],
        already: Sequence[ChangeRecord],
        detail: Mapping[str, str] | None = None,
    ) -> Decided:
        for record in moved:
            self._office.note(person, act, "change", record.id, detail)
        return Decided(moved, [self._told(record) for record in already])

    def _told(self, record: ChangeRecord) -> AlreadyDecided:
        """Who approved or rejected it before, and when."""
        wanted = (
            ChangeState.REJECTED if record.state is ChangeState.REJECTED else ChangeState.APPROVED
        )
        steps = [
            entry
            for entry in self._outbox.journal(record.id)
            if entry.to_state is wanted and entry.from_state is ChangeState.PROPOSED
        ] or self._outbox.journal(record.id)[-1:]
        by, at = steps[0].actor, steps[0].at
        told = f"Change {record.id} was {wanted.value} already, by {by} at {at:%Y-%m-%d %H:%M} UTC."
        return AlreadyDecided(record, by, at, told)
