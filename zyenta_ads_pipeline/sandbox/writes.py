"""POST and DELETE of objects: names, statuses and budgets, under Meta's rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.sandbox.budgets import minimum_daily_budget
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid, not_played
from zyenta_ads_pipeline.sandbox.objects import STATUSES, Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.state import State, Write

BUDGETS = ("daily_budget", "lifetime_budget")
FIELDS = ("status", "name", *BUDGETS)
_WITHOUT_EFFECT = frozenset({"execution_options", "fields", "format"})
_WRITABLE = (Kind.CAMPAIGN, Kind.ADSET, Kind.AD)
_LONGEST_NAME = 400
_BUDGET_CHANGES_AN_HOUR = 4
_FINAL_SUBCODES = {Kind.CAMPAIGN: 1487566, Kind.ADSET: 1487056, Kind.AD: 1885088}


@dataclass(frozen=True)
class Writer:
    """Changes objects, and logs every attempt whether it is accepted or refused."""

    objects: Objects
    state: State

    def update(self, call: Call, thing: Thing, now: datetime) -> dict[str, Any]:
        """`POST /{id}`: all of the fields or none. Raises `GraphError`."""
        asked = {name: call.params[name] for name in FIELDS if name in call.params}
        if not call.flag_in("execution_options", "validate_only"):
            return self._logged(call, thing, asked, now)
        self._changed(call, thing, asked, now)
        return {"success": True}

    def delete(self, call: Call, thing: Thing, now: datetime) -> dict[str, Any]:
        """`DELETE /{id}`: the status becomes DELETED; the object stays readable by id."""
        return self._logged(call, thing, {"status": "DELETED"}, now)

    def _logged(
        self, call: Call, thing: Thing, asked: dict[str, str], now: datetime
    ) -> dict[str, Any]:
        try:
            changed = self._changed(call, thing, asked, now)
        except GraphError as error:
            code = f"{error.code}/{error.subcode}" if error.subcode else str(error.code)
            self.state.record(self._writes(thing, asked, now, error=code), None)
            raise
        if changed != thing:
            changed = replace(changed, updated_time=now)
        self.state.record(self._writes(thing, asked, now, error=None), changed)
        if changed != thing:
            self.objects.replace(changed)
        return {"success": True}

    def _writes(
        self, thing: Thing, asked: dict[str, str], now: datetime, error: str | None
    ) -> list[Write]:
        return [
            Write(
                object=thing.node_id,
                field=name,
                old=_text(getattr(thing, name)),
                new=value if error is not None else _text(_parsed(name, value)),
                at=now,
                accepted=error is None,
                error=error,
            )
            for name, value in asked.items()
        ]

    def _changed(self, call: Call, thing: Thing, asked: dict[str, str], now: datetime) -> Thing:
        """The object with the new values; `GraphError` when Meta would refuse them."""
        if thing.kind not in _WRITABLE:
            raise not_played(f"writing to a {thing.kind.value}")
        unknown = sorted(call.params.keys() - set(FIELDS) - _WITHOUT_EFFECT)
        if unknown and call.method != "DELETE":
            raise not_played(f"writing the parameter {unknown[0]}")
        if not asked:
            raise invalid(f"No parameter to write; the sandbox plays {', '.join(FIELDS)}")
        changed = thing
        if "name" in asked:
            changed = replace(changed, name=_name(asked["name"]))
        if "status" in asked:
            changed = replace(changed, status=self._status(thing, asked["status"]))
        for name in BUDGETS:
            if name in asked:
                self._refuse_if_final(thing)
                changed = self._with_budget(changed, name, asked[name], now)
        return changed

    def _status(self, thing: Thing, wanted: str) -> str:
        if wanted not in STATUSES:
            raise invalid(f"Param status must be one of {{{', '.join(STATUSES)}}}")
        final = self.objects.effective_status(thing)
        if wanted in (thing.status, "DELETED"):
            return wanted
        if final in ("DELETED", "ARCHIVED"):
            raise self._final(thing, final)
        return wanted

    def _refuse_if_final(self, thing: Thing) -> None:
        final = self.objects.effective_status(thing)
        if final in ("DELETED", "ARCHIVED"):
            raise self._final(thing, final)

    def _final(self, thing: Thing, status: str) -> GraphError:
        word = {Kind.CAMPAIGN: "campaign", Kind.ADSET: "ad set", Kind.AD: "ad"}[thing.kind]
        return GraphError(
            100,
            "Invalid parameter",
            subcode=_FINAL_SUBCODES[thing.kind],
            user_title=f"The {word} is {status.lower()}",
            user_msg=f"A {word} that is {status.lower()}, or belongs to something that is, cannot "
            "be reactivated or edited.",
        )

    def _with_budget(self, thing: Thing, name: str, text: str, now: datetime) -> Thing:
        held = thing.daily_budget if name == "daily_budget" else thing.lifetime_budget
        amount = _whole(name, text)
        if held is None:
            raise self._wrong_level(thing, name)
        currency = self.objects.account(thing.account_id).attributes["currency"]
        least = minimum_daily_budget(currency)
        if amount < least:
            raise self._too_low(thing, name, show(to_major(least, currency), currency))
        if amount != held and self._recent_changes(thing, now) >= _BUDGET_CHANGES_AN_HOUR:
            raise GraphError(
                613,
                "(#613) Calls to this api have exceeded the rate limit.",
                subcode=1487632,
                user_title="Budget changed too often",
                user_msg="A budget can be changed at most 4 times in an hour. "
                "Please wait an hour and try again.",
            )
        if name == "daily_budget":
            return replace(thing, daily_budget=amount)
        return replace(thing, lifetime_budget=amount)

    def _recent_changes(self, thing: Thing, now: datetime) -> int:
        hour_ago = now - timedelta(hours=1)
        return sum(
            write.changes and write.field in BUDGETS and write.at > hour_ago
            for _, write in self.state.writes(thing.node_id)
        )

    def _wrong_level(self, thing: Thing, name: str) -> GraphError:
        if thing.daily_budget is not None or thing.lifetime_budget is not None:
            held = "daily_budget" if thing.daily_budget is not None else "lifetime_budget"
            message = f"This object holds a {held}; it cannot be given a {name}."
        elif thing.kind is Kind.ADSET:
            message = "The campaign holds the budget; set it there, not on its ad sets."
        elif thing.kind is Kind.CAMPAIGN:
            message = "The ad sets hold the budgets; set them there, not on the campaign."
        else:
            message = "An ad holds no budget; set it on its ad set or campaign."
        return GraphError(
            100,
            "Invalid parameter",
            subcode=1885621,
            user_title="The budget is on another level",
            user_msg=message,
            blame=name,
            data_as_text=self._as_text(thing),
        )

    def _too_low(self, thing: Thing, name: str, least: str) -> GraphError:
        return GraphError(
            100,
            "Invalid parameter",
            subcode=1885272,
            user_title="Budget is too low",
            user_msg=f"The budget must be at least {least} a day.",
            blame=name,
            data_as_text=self._as_text(thing),
        )

    def _as_text(self, thing: Thing) -> bool:
        """Meta sends `error_data` now as an object, now as a text: so every second time."""
        return len(self.state.writes(thing.node_id)) % 2 == 1


def _name(text: str) -> str:
    if not text.strip() or len(text) > _LONGEST_NAME:
        raise invalid(f"Param name must have 1 to {_LONGEST_NAME} characters")
    return text


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise invalid(f"Param {name} must be an integer in the currency's smallest unit")
    return int(text)


def _parsed(name: str, text: str) -> str | int:
    return int(text) if name in BUDGETS else text


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
