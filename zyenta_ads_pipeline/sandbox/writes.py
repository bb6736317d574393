"""POST and DELETE of objects: names, statuses, budgets and the rest, under Meta's rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.domain.money import show, to_major
from zyenta_ads_pipeline.sandbox.asked import LONGEST_NAME
from zyenta_ads_pipeline.sandbox.budgets import minimum_daily_budget
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.changes import BUDGETS, UPDATABLE, change
from zyenta_ads_pipeline.sandbox.create_creative import LONGEST_NAME as LONGEST_CREATIVE_NAME
from zyenta_ads_pipeline.sandbox.creates import review_log, wants_validation_only
from zyenta_ads_pipeline.sandbox.desk import touched
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, invalid, not_played
from zyenta_ads_pipeline.sandbox.objects import LEVELS, STATUSES, Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.param_names import COMMON, refuse_other
from zyenta_ads_pipeline.sandbox.plans import Plans
from zyenta_ads_pipeline.sandbox.state import State, Write
from zyenta_ads_pipeline.sandbox.write_errors import wrong

_BUDGET_CHANGES_AN_HOUR = 4
_FINAL_SUBCODES = {Kind.CAMPAIGN: 1487566, Kind.ADSET: 1487056, Kind.AD: 1885088}
_CREATIVE_STATUSES = ("ACTIVE", "DELETED")


@dataclass(frozen=True)
class Writer:
    """Changes objects, and logs every attempt whether it is accepted or refused."""

    objects: Objects
    state: State
    plans: Plans

    def update(self, call: Call, thing: Thing, now: datetime) -> dict[str, Any]:
        """`POST /{id}`: all of the fields or none. Raises `GraphError`."""
        if thing.kind not in UPDATABLE:
            raise not_played(f"writing to a {thing.kind.value}")
        asked = {name: text for name, text in call.params.items() if name not in COMMON}
        account = self.objects.account(thing.account_id)
        if not wants_validation_only(call, self.plans.desk(self.objects, account, now)):
            return self._logged(thing, asked, now)
        self._changed(thing, asked, now)
        return {"success": True}

    def delete(self, thing: Thing, now: datetime) -> dict[str, Any]:
        """`DELETE /{id}`: the status becomes DELETED; the object stays readable by id."""
        if thing.kind is Kind.ACCOUNT:
            raise not_played("writing to an account")
        return self._logged(thing, {"status": "DELETED"}, now)

    def _logged(self, thing: Thing, asked: Mapping[str, str], now: datetime) -> dict[str, Any]:
        try:
            changed = self._changed(thing, asked, now)
        except GraphError as error:
            code = f"{error.code}/{error.subcode}" if error.subcode else str(error.code)
            error.data_as_text = len(self.state.writes(thing.node_id)) % 2 == 1
            self.state.record(_writes(thing, None, asked, now, error=code))
            raise
        if changed[0] != thing:
            changed[0] = replace(changed[0], updated_time=touched(thing, now))
        log = _writes(thing, changed[0], asked, now, error=None)
        fresh = [each for each in changed if self._in_new_review(each)]
        self.state.record([*log, *review_log(fresh, now)], changed)
        for each in changed:
            if self.objects.get(each.node_id) is None:
                self.objects.add(each)
            elif self.objects.get(each.node_id) != each:
                self.objects.replace(each)
        return {"success": True}

    def _in_new_review(self, thing: Thing) -> bool:
        before = self.objects.get(thing.node_id)
        return before is not None and thing.review != before.review

    def _changed(self, thing: Thing, asked: Mapping[str, str], now: datetime) -> list[Thing]:
        """The object with the new values first; `GraphError` when Meta would refuse them."""
        deleting = asked.keys() == {"status"} and asked["status"] == "DELETED"
        if not deleting:
            refuse_other(thing.kind, frozenset(asked), UPDATABLE[thing.kind])
        if not asked:
            raise invalid(
                f"No parameter to write; one of {', '.join(sorted(UPDATABLE[thing.kind]))}"
            )
        changed = thing
        if "name" in asked:
            changed = replace(changed, name=_name(thing.kind, asked["name"]))
        if "status" in asked:
            changed = replace(changed, status=self._status(thing, asked["status"]))
        for name in BUDGETS:
            if name in asked:
                self._refuse_if_final(thing)
                changed = self._with_budget(changed, name, asked[name], now)
        if not asked.keys() - {"name", "status", *BUDGETS}:
            return [changed]
        self._refuse_if_final(thing)
        desk = self.plans.desk(self.objects, self.objects.account(thing.account_id), now)
        return change(changed, desk.reads(asked), desk)

    def _status(self, thing: Thing, wanted: str) -> str:
        allowed = STATUSES if thing.kind in LEVELS else _CREATIVE_STATUSES
        if wanted not in allowed:
            raise wrong("status", f"Param status must be one of {{{', '.join(allowed)}}}")
        if wanted == "DELETED" and thing.kind is Kind.CREATIVE:
            self._refuse_if_used(thing)
        final = self.objects.effective_status(thing)
        if wanted in (thing.status, "DELETED"):
            return wanted
        if final in ("DELETED", "ARCHIVED"):
            raise self._final(thing, final)
        return wanted

    def _refuse_if_used(self, creative: Thing) -> None:
        for ad in self.objects.below(self.objects.account(creative.account_id), Kind.AD):
            if ad.creative_id == creative.id and ad.status != "DELETED":
                raise wrong("status", f"The creative is used by ad {ad.id} and cannot be deleted")

    def _refuse_if_final(self, thing: Thing) -> None:
        final = self.objects.effective_status(thing)
        if final in ("DELETED", "ARCHIVED"):
            raise self._final(thing, final)

    def _final(self, thing: Thing, status: str) -> GraphError:
        word = {Kind.CAMPAIGN: "campaign", Kind.ADSET: "ad set"}.get(thing.kind, thing.kind.value)
        return GraphError(
            100,
            "Invalid parameter",
            subcode=_FINAL_SUBCODES.get(thing.kind),
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
        )

    def _too_low(self, thing: Thing, name: str, least: str) -> GraphError:
        return GraphError(
            100,
            "Invalid parameter",
            subcode=1885272,
            user_title="Budget is too low",
            user_msg=f"The budget must be at least {least} a day.",
            blame=name,
        )


def _writes(
    thing: Thing, changed: Thing | None, asked: Mapping[str, str], now: datetime, error: str | None
) -> list[Write]:
    """The log of an update, a line for each field; `changed` is None when it was refused."""
    return [
        Write(
            object=thing.node_id,
            field=name,
            old=_value(thing, name),
            new=text if changed is None else _value(changed, name),
            at=now,
            accepted=changed is not None,
            error=error,
        )
        for name, text in asked.items()
    ]


def _value(thing: Thing, name: str) -> str | None:
    """A field as a text: attributes that are more than that as JSON."""
    if name == "creative":
        return thing.creative_id
    value = getattr(thing, name) if hasattr(thing, name) else thing.attributes.get(name)
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _name(kind: Kind, text: str) -> str:
    longest = LONGEST_CREATIVE_NAME if kind is Kind.CREATIVE else LONGEST_NAME
    if not text.strip() or len(text) > longest:
        raise wrong("name", f"Param name must have 1 to {longest} characters")
    return text


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise wrong(name, f"Param {name} must be an integer in the currency's smallest unit")
    return int(text)
