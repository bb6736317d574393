"""The kill switches: thrown by any buyer, lifted by an admin."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from zyenta_ads_pipeline.console.api.declared import ADMIN, BUYER, acting, problems, router
from zyenta_ads_pipeline.console.api.entry import Me, TheDesks
from zyenta_ads_pipeline.console.api.shapes import Body, Moment, Shape
from zyenta_ads_pipeline.console.api.writing import Json, moment
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.domain.access import Person

routes = router("kill switch")
_Account = Annotated[str, Field(min_length=1, max_length=40)]


class Thrown(Shape):
    """A switch that is thrown; `accountId` null: for all accounts."""

    account_id: str | None
    by: str
    reason: str
    at: Moment


class Entry(Thrown):
    """One throw (`thrown`) or lift."""

    thrown: bool


class Switches(Shape):
    """What is stopped. `setOutside`: ZYENTA_KILL_SWITCH is set, which is not lifted here."""

    switches: list[Thrown]
    set_outside: bool
    stopped: str | None = Field(description="Why nothing is written to any account; null: it is.")


class History(Shape):
    """Every throw and lift, the newest first."""

    history: list[Entry]


class Changed(Switches):
    """What is stopped now."""

    success: bool
    message: str


class ThrowBody(Body):
    """What to stop, and why."""

    account_id: _Account | None = Field(None, description="Left out: all accounts.")
    reason: str = Field(min_length=1, max_length=1000, examples=["The shop is down."])


class LiftBody(Body):
    """What may go on."""

    account_id: _Account | None = Field(None, description="Left out: the stop of all accounts.")
    reason: str = Field("", max_length=1000)


@routes.get(
    "/kill-switch", response_model=Switches, responses=problems(), summary="See what is stopped"
)
def list_switches(me: Me, desks: TheDesks) -> Response:
    """Every kill switch that is thrown."""
    return Json(_standing(desks, me))


@routes.get(
    "/kill-switch/history",
    response_model=History,
    responses=problems(),
    summary="Read who stopped what",
)
def switch_history(me: Me, desks: TheDesks) -> Response:
    """Every throw and lift, the newest first."""
    found = [
        {
            "accountId": each.account_id,
            "thrown": each.thrown,
            "by": each.by,
            "reason": each.reason,
            "at": moment(each.at),
        }
        for each in desks.switches.history(me)
    ]
    return Json({"history": found})


@routes.post(
    "/kill-switch/throw",
    response_model=Changed,
    responses=acting(),
    openapi_extra=BUYER,
    summary="Stop all writing",
)
def throw_switch(body: ThrowBody, me: Me, desks: TheDesks) -> Response:
    """Stops all writing to an account, or to all, before the next write. Reading goes on."""
    desks.switches.throw(me, body.account_id, body.reason)
    return _told(desks, me, "Stopped")


@routes.post(
    "/kill-switch/lift",
    response_model=Changed,
    responses=acting(),
    openapi_extra=ADMIN,
    summary="Let writing go on",
)
def lift_switch(body: LiftBody, me: Me, desks: TheDesks) -> Response:
    """Lets an account, or all, go on. A stop of all is not lifted for one account."""
    lifted = desks.switches.lift(me, body.account_id, body.reason)
    return _told(desks, me, "Lifted" if lifted else "No such switch was thrown")


def _told(desks: Desks, me: Person, message: str) -> Response:
    return Json({"success": True, "message": message} | _standing(desks, me))


def _standing(desks: Desks, me: Person) -> dict[str, object]:
    return {
        "switches": [
            {
                "accountId": each.account_id,
                "by": each.by,
                "reason": each.reason,
                "at": moment(each.at),
            }
            for each in desks.switches.all(me)
        ],
        "setOutside": desks.switches.set_outside(),
        "stopped": desks.switches.stopped(me),
    }
