"""The kill switches: thrown and lifted."""

from __future__ import annotations

from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.ads import account_number
from zyenta_ads_pipeline.domain.errors import FieldProblem, FieldsRefused
from zyenta_ads_pipeline.store.switches import KillSwitches, Switch, SwitchEntry

LONGEST_REASON = 500
_ALL = "all"


class SwitchDesk:
    """Kill switches. Viewers look, buyers throw, admins lift. Every method takes the person
    first."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._switches = KillSwitches(office.store)

    def all(self, person: Person) -> list[Switch]:
        """Every switch that is thrown; first the one for all accounts."""
        return self._switches.all()

    def set_outside(self) -> bool:
        """Whether ZYENTA_KILL_SWITCH is set: that one cannot be lifted here."""
        return self._office.settings.kill_switch

    def stopped(self, person: Person, account_id: str | None = None) -> str | None:
        """Why nothing may be written to an account (None: to any), in words; None if it may."""
        if self.set_outside():
            return "ZYENTA_KILL_SWITCH is set: nothing is written to any account."
        return self._switches.stopped(account_id)

    def throw(self, person: Person, account_id: str | None, reason: str) -> Switch:
        """Stop all writing to an account, or with None to all. Buyer. `FieldsRefused` without a
        reason."""
        number = None if account_id is None else account_number(account_id)
        self._office.allow(person, Role.BUYER, "switch.throw", "switch", number or _ALL)
        if not reason.strip() or len(reason) > LONGEST_REASON:
            problem = FieldProblem(
                "reason",
                "A stop without a reason explains nothing to the others."
                if not reason.strip()
                else "The reason is too long.",
                f"Say in at most {LONGEST_REASON} letters why everything has to stop.",
            )
            raise FieldsRefused([problem])
        thrown = self._switches.throw(
            number, by=person.name, reason=reason.strip(), now=self._office.now()
        )
        self._office.note(person, "switch.throw", "switch", number or _ALL, {"reason": reason})
        return thrown

    def lift(self, person: Person, account_id: str | None, reason: str = "") -> bool:
        """Let an account, or with None all, go on. Admin. False when no such switch was thrown."""
        number = None if account_id is None else account_number(account_id)
        self._office.allow(person, Role.ADMIN, "switch.lift", "switch", number or _ALL)
        lifted = self._switches.lift(
            number, by=person.name, now=self._office.now(), reason=reason.strip()[:LONGEST_REASON]
        )
        if lifted:
            self._office.note(person, "switch.lift", "switch", number or _ALL, {"reason": reason})
        return lifted

    def history(self, person: Person) -> list[SwitchEntry]:
        """Every throw and lift, the newest first."""
        return self._switches.history()[::-1]
