"""One account's turn in a push: its approved changes, one after the other, each sent once."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from zyenta_ads_pipeline.campaigns.halt import HALTS, PLATFORM_ERRORS, REFUSALS, Halt
from zyenta_ads_pipeline.campaigns.live import (
    Commitments,
    in_words,
    live_value,
    push_order,
    raises_spending,
    send,
)
from zyenta_ads_pipeline.campaigns.reconcile import reconcile
from zyenta_ads_pipeline.campaigns.report import PushRow
from zyenta_ads_pipeline.campaigns.undo import OWN_WISHES, UNDO_POLICY
from zyenta_ads_pipeline.domain.ads import AdAccount, AdObject, Level
from zyenta_ads_pipeline.domain.change import ChangeState, ProposedChange
from zyenta_ads_pipeline.domain.errors import ObjectRateLimited, Unreachable
from zyenta_ads_pipeline.domain.time import day_start, zone
from zyenta_ads_pipeline.optimizer.change_limits import WEEK_DAYS, BudgetMove, Moved, moved
from zyenta_ads_pipeline.optimizer.guardrail_check import check
from zyenta_ads_pipeline.optimizer.guardrails import Guardrails, Rule, Verdict, VerdictKind
from zyenta_ads_pipeline.platforms.base import AdsPlatform, WriteReceipt
from zyenta_ads_pipeline.store.outbox import ClaimLost, Outbox
from zyenta_ads_pipeline.store.records import ChangeRecord

_NEVER = frozenset({Rule.INVALID, Rule.LOCKED, Rule.MINIMUM, Rule.CAP, Rule.STEP})
"""Rules on the absolute value itself: it passes later only if somebody changes the limits."""
_ON_THE_SUM = frozenset({Rule.DAY_CHANGE, Rule.WEEK_GROWTH})
"""Rules that ask for the sum of the account's budgets only where its parts do not answer."""
_OF_MANY = _ON_THE_SUM | {Rule.TOTAL, Rule.CAMPAIGN_CAP}
DECIDED_WITHIN = timedelta(days=1)
"""A change decided longer ago is not sent: what it was decided on is no longer true."""
_GONE = frozenset({"ARCHIVED", "DELETED"})
_OPEN = frozenset({ChangeState.APPROVED, ChangeState.SENDING})


@dataclass(frozen=True)
class PushContext:
    """What all lanes of one push share. `now` gives aware moments; `look_again` is seconds."""

    platform: AdsPlatform
    outbox: Outbox
    guardrails: Callable[[str], Guardrails | None]
    owner: str
    now: Callable[[], datetime]
    lease: timedelta
    look_again: float
    sleep: Callable[[float], Awaitable[None]]
    halt: Halt


@dataclass
class Lane:
    """The turn of one account; `run` it once."""

    shared: PushContext
    account_id: str
    rows: list[PushRow] = field(default_factory=list)
    _committed: Commitments | None = None
    _committed_error: str = ""

    async def run(self, ids: frozenset[str] | None) -> list[PushRow]:
        """Reconcile, then push the account's approved changes (of `ids`, if given)."""
        at = self.shared
        self.rows += await reconcile(
            at.platform, at.outbox, self.account_id, actor=at.owner, now=at.now, halt=at.halt
        )
        waiting = at.outbox.find(
            platform=at.platform.name,
            account_id=self.account_id,
            states=[ChangeState.APPROVED],
            ids=ids,
        )
        waiting.sort(key=lambda record: push_order(record.change))  # stable: else the oldest first
        account = await self._read_account() if waiting else None
        for record in waiting:
            if account is None or at.halt.reason(self.account_id):
                self._not_tried(record)
            else:
                await self._push(record, account)
        return self.rows

    async def _read_account(self) -> AdAccount | None:
        at = self.shared
        if at.halt.reason(self.account_id):
            return None
        try:
            return await at.platform.account(self.account_id)
        except PLATFORM_ERRORS as error:
            at.halt.hear(self.account_id, error)
            if not at.halt.reason(self.account_id):
                at.halt.stop(self.account_id, f"The account could not be read: {error}")
            return None

    async def _push(self, record: ChangeRecord, account: AdAccount) -> None:
        change = record.change
        if change.policy != UNDO_POLICY and self.shared.now() - change.decided_at > DECIDED_WITHIN:
            words = (
                f"Decided on {change.decided_at:%Y-%m-%d %H:%M} UTC, more than a day ago, so it "
                "is not sent: the next decision takes its place."
            )
            self._close(record, ChangeState.FAILED, words)
            return
        try:
            live = await self.shared.platform.read_object(change.object_id, change.level)
        except REFUSALS as error:
            self.shared.halt.hear(self.account_id, error)
            self._close(record, ChangeState.FAILED, f"The object could not be read: {error}")
            return
        except PLATFORM_ERRORS as error:
            self.shared.halt.hear(self.account_id, error)
            self._hold_back(record, f"The object could not be read, nothing was sent: {error}")
            return
        if misfit := _misfit(record, live, account):
            self._close(record, ChangeState.FAILED, misfit)
            return
        verdict = await self._verdict(record, live, account)
        if self.shared.halt.reason(self.account_id):
            self._hold_back(record, f"Nothing was sent: {self.shared.halt.reason(self.account_id)}")
        elif verdict.kind is VerdictKind.OK:
            await self._write(record, live)
        elif verdict.kind is VerdictKind.ALREADY:
            if held := self._claim(record, verdict.reason):
                words = f"{verdict.reason} Nothing was written."
                self._finish(held, ChangeState.APPLIED, words)
        elif verdict.kind is VerdictKind.CONFLICT:
            self._close(record, ChangeState.CONFLICT, verdict.reason)
        elif self._hopeless(verdict, live):
            self._close(record, ChangeState.FAILED, verdict.reason)
        else:
            self._hold_back(record, verdict.reason, verdict.retry_after)

    async def _verdict(self, record: ChangeRecord, live: AdObject, account: AdAccount) -> Verdict:
        at, change = self.shared, record.change
        rails = at.guardrails(self.account_id)
        wished = change.policy in OWN_WISHES
        if rails is not None and wished:
            # A person's own word, such as to have back what was there: that may be longer than a
            # step (25 % up after 20 % down) and on the same day.
            rails = rails.for_a_person()
        total = await self._total(record, live, rails)
        others = await self._others(record, live, rails)
        verdict = self._ask(record, live, account, rails, total, others)
        if verdict.rule in _ON_THE_SUM and self._committed is None:
            await self._read_commitments()
            if self._committed is not None:
                self._committed.see(live)
                total = self._committed.total(change)
                verdict = self._ask(record, live, account, rails, total, others)
        if verdict.rule in _OF_MANY and self._committed_error:
            return dataclasses.replace(verdict, reason=f"{verdict.reason} {self._committed_error}")
        return verdict

    def _ask(
        self,
        record: ChangeRecord,
        live: AdObject,
        account: AdAccount,
        rails: Guardrails | None,
        total: int | None,
        others: int | None,
    ) -> Verdict:
        at, change = self.shared, record.change
        local = at.now().astimezone(zone(account.timezone))
        midnight = day_start(local.date(), account.timezone)
        today = at.outbox.budget_decisions(
            change.campaign_id, since=midnight, except_decision=change.decision_id
        )
        return check(
            change,
            live_value=live_value(live, change.field),
            live_status=self._live_status(live),
            changes_last_hour=at.outbox.budget_writes(
                change.object_id, since=local - timedelta(hours=1)
            ),
            changes_today=0 if change.policy in OWN_WISHES else today,
            committed_total_minor=total,
            now=local,
            guardrails=rails,
            moved=self._moved(change, local, account),
            campaign_others_minor=others,
        )

    def _moved(self, change: ProposedChange, local: datetime, account: AdAccount) -> Moved:
        """What our writes of today and of this week have done to the account's budgets."""
        first = local.date() - timedelta(days=WEEK_DAYS - 1)
        written = self.shared.outbox.written_budgets(
            self.account_id, since=day_start(first, account.timezone)
        )
        taken_back = {each.change.metrics.get("undoes") for each in written}
        moves = [
            BudgetMove(
                object_id=each.change.object_id,
                old_minor=int(each.change.old_value),
                new_minor=int(each.change.new_value),
                at=each.written_at or local,
                by_hand=each.change.policy in OWN_WISHES or each.id in taken_back,
            )
            for each in written
        ]
        return moved(
            moves,
            change.object_id,
            midnight=day_start(local.date(), account.timezone),
            running=None if self._committed is None else self._committed.running_ids(),
        )

    async def _total(
        self, record: ChangeRecord, live: AdObject, rails: Guardrails | None
    ) -> int | None:
        """The account's committed sum, asked for only when a rule will need it."""
        wanted = rails is not None and rails.max_total_minor is not None
        if wanted and raises_spending(record.change) and self._committed is None:
            await self._read_commitments()
        if self._committed is None:
            return None
        self._committed.see(live)
        return self._committed.total(record.change)

    async def _others(
        self, record: ChangeRecord, live: AdObject, rails: Guardrails | None
    ) -> int | None:
        """The campaign's other budgets, asked for only where its own cap needs them: a campaign
        that holds its budget itself has no others."""
        own = None if rails is None else rails.campaigns.get(record.change.campaign_id)
        if own is None or own.cap_minor is None or live.level is Level.CAMPAIGN:
            return 0
        if raises_spending(record.change) and self._committed is None:
            await self._read_commitments()
        return None if self._committed is None else self._committed.others(record.change)

    async def _read_commitments(self) -> None:
        at = self.shared
        if self._committed_error:
            return
        try:
            self._committed = Commitments(await at.platform.ad_objects(self.account_id))
        except PLATFORM_ERRORS as error:
            at.halt.hear(self.account_id, error)
            self._committed_error = str(error)
            return
        for other in at.outbox.find(account_id=self.account_id, states=[ChangeState.SENDING]):
            self._committed.assume(other.change)

    def _live_status(self, live: AdObject) -> str:
        if self._committed is not None and live.status == "ACTIVE":
            return "ACTIVE" if self._committed.running(live) else "CAMPAIGN_PAUSED"
        return live.status

    def _hopeless(self, verdict: Verdict, live: AdObject) -> bool:
        """Whether waiting cannot help, so that the way is free for a new decision."""
        if verdict.rule is Rule.OBJECT_GONE:
            return live.status.upper() in _GONE
        if verdict.rule in (Rule.TOTAL, Rule.CAMPAIGN_CAP):
            # A cut still open may make room; without one, these numbers do not fit any more.
            held_back = any(row.state in _OPEN for row in self.rows)
            return not (held_back or self._committed_error)
        return verdict.rule in _NEVER

    async def _write(self, record: ChangeRecord, live: AdObject) -> None:
        at, change = self.shared, record.change
        seen = in_words(live_value(live, change.field), change)
        wanted = in_words(change.new_value, change)
        held = self._claim(record, f"Sending {wanted}; the platform shows {seen}.")
        if held is None:
            return
        rails = at.guardrails(self.account_id)
        if rails is None or rails.kill_switch:
            self._finish(held, ChangeState.APPROVED, "The kill switch is on: nothing was sent.")
            return
        if at.halt.everything:
            self._finish(held, ChangeState.APPROVED, f"Nothing was sent: {at.halt.everything}")
            return
        if not at.outbox.holds(held, now=at.now()):
            self._say(at.outbox.get(held.id), "The claim ran out before the write: nothing sent.")
            return
        self._assume(change)
        try:
            receipt = await send(at.platform, change)
        except HALTS as error:
            at.halt.hear(self.account_id, error)
            words = f"Nothing was written: {error}"
            self._finish(held, ChangeState.APPROVED, words, retry_after=_after(error, at.now()))
        except Unreachable as error:
            self._see(live)
            self._finish(held, ChangeState.APPROVED, f"Nothing was sent: {error}")
        except REFUSALS as error:
            self._see(live)
            at.halt.hear(self.account_id, error)
            self._finish(held, ChangeState.FAILED, f"The platform refused it: {error}")
        except PLATFORM_ERRORS as error:
            await self._look_after(held, error)
        else:
            await self._read_back(held, receipt)

    async def _read_back(self, held: ChangeRecord, receipt: WriteReceipt) -> None:
        """The platform has acknowledged the write: does it also show it?"""
        change = held.change
        wanted = in_words(change.new_value, change)
        try:
            shown = await self._shown(held)
            if shown != change.new_value:
                await self.shared.sleep(self.shared.look_again)
                shown = await self._shown(held)
        except PLATFORM_ERRORS as error:
            self.shared.halt.hear(self.account_id, error)
            words = f"Written and acknowledged, but it could not be read back yet: {error}"
            self._remark(held, words, receipt)
            return
        if shown == change.new_value:
            words = f"Applied: the platform shows {wanted}."
            self._finish(held, ChangeState.APPLIED, words, receipt=receipt, written=True)
            return
        words = (
            f"The platform acknowledged {wanted} but shows {in_words(shown, change)}. "
            "It is not sent again."
        )
        self._finish(held, ChangeState.FAILED, words, receipt=receipt, written=True)

    async def _look_after(self, held: ChangeRecord, outcome: Exception) -> None:
        """The write may or may not have happened: look, twice, and never send again here."""
        change = held.change
        try:
            shown = await self._shown(held)
            if shown != change.new_value:
                await self.shared.sleep(self.shared.look_again)
                shown = await self._shown(held)
        except PLATFORM_ERRORS as error:
            self.shared.halt.hear(self.account_id, error)
            self._remark(held, f"Sent with an unknown outcome ({outcome}), and not seen: {error}")
            return
        if shown == change.new_value:
            words = (
                f"Recognised: the outcome was unknown ({outcome}), and the platform shows "
                f"{in_words(shown, change)}."
            )
            self._finish(held, ChangeState.APPLIED, words, written=True)
            return
        self._remark(
            held,
            f"Sent with an unknown outcome ({outcome}); the platform shows "
            f"{in_words(shown, change)}. It is looked up again when the claim is over.",
        )

    async def _shown(self, held: ChangeRecord) -> str:
        change = held.change
        live = await self.shared.platform.read_object(change.object_id, change.level)
        value = live_value(live, change.field)
        if value == change.new_value:
            self._see(live)
        return value

    def _see(self, live: AdObject) -> None:
        if self._committed is not None:
            self._committed.see(live)

    def _assume(self, change: ProposedChange) -> None:
        if self._committed is not None:
            self._committed.assume(change)

    def _claim(self, record: ChangeRecord, words: str) -> ChangeRecord | None:
        at = self.shared
        held = at.outbox.claim(record.id, owner=at.owner, lease=at.lease, now=at.now(), note=words)
        if held is None:
            self._say(at.outbox.get(record.id), "Another run took or settled it meanwhile.")
        return held

    def _finish(
        self,
        held: ChangeRecord,
        to_state: ChangeState,
        words: str,
        *,
        receipt: WriteReceipt | None = None,
        written: bool = False,
        retry_after: datetime | None = None,
    ) -> None:
        at, now = self.shared, self.shared.now()
        again = to_state is ChangeState.APPROVED
        try:
            record = at.outbox.finish(
                held,
                to_state,
                actor=at.owner,
                now=now,
                note=words,
                reply=receipt.reply if receipt else None,
                trace_id=receipt.trace_id if receipt else "",
                written=written,
                retry_after=(retry_after or at.halt.until(self.account_id, now)) if again else None,
            )
        except ClaimLost:
            self._remark(held, f"{words} Another run had settled the change by then.", receipt)
        else:
            self._say(record, words)

    def _remark(self, held: ChangeRecord, words: str, receipt: WriteReceipt | None = None) -> None:
        at = self.shared
        record = at.outbox.note(
            held.id,
            actor=at.owner,
            now=at.now(),
            note=words,
            reply=receipt.reply if receipt else None,
            trace_id=receipt.trace_id if receipt else "",
        )
        self._say(record, words)

    def _close(self, record: ChangeRecord, to_state: ChangeState, words: str) -> None:
        at = self.shared
        closed = at.outbox.close(record.id, to_state, actor=at.owner, now=at.now(), note=words)
        if closed is None:
            self._say(at.outbox.get(record.id), "Another run took or settled it meanwhile.")
        else:
            self._say(closed, words)

    def _hold_back(
        self, record: ChangeRecord, words: str, retry_after: datetime | None = None
    ) -> None:
        """Leave it APPROVED, with a note unless the journal's last one says the same."""
        at, now = self.shared, self.shared.now()
        until = retry_after or at.halt.until(self.account_id, now)
        if words == record.last_note:
            record = at.outbox.postpone(record.id, until=until, now=now)
        else:
            record = at.outbox.note(
                record.id, actor=at.owner, now=now, note=words, retry_after=until
            )
        self._say(record, words)

    def _not_tried(self, record: ChangeRecord) -> None:
        """The turn is over: it waits as long as the platform asks of the account."""
        at, now = self.shared, self.shared.now()
        until = at.halt.until(self.account_id, now)
        record = at.outbox.postpone(record.id, until=until, now=now)
        self._say(record, f"Not tried: {at.halt.reason(self.account_id)}")

    def _say(self, record: ChangeRecord, words: str) -> None:
        self.rows.append(PushRow.of(record, words))


def _after(error: Exception, now: datetime) -> datetime | None:
    """When an object that has its own limit may be tried again; None for other errors."""
    if isinstance(error, ObjectRateLimited) and error.wait_seconds is not None:
        return now + timedelta(seconds=error.wait_seconds)
    return None


def _misfit(record: ChangeRecord, live: AdObject, account: AdAccount) -> str:
    """Why the change cannot be meant for this object; empty if it can."""
    change = record.change
    if live.account_id != change.account_id:
        return f"The object belongs to account {live.account_id}, not {change.account_id}."
    if account.currency != change.currency:
        return f"The change is in {change.currency}, the account in {account.currency}."
    return ""
