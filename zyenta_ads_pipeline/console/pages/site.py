"""What all pages share: the office's desks, the templates, and how a visit is answered."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, Template
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from zyenta_ads_pipeline import __version__
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.desks.people import SESSION_COOKIE
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.console.pages import words
from zyenta_ads_pipeline.console.pages.packed import Part, page_of
from zyenta_ads_pipeline.console.pages.pictures import LOGO, icon, static
from zyenta_ads_pipeline.console.pages.visit import (
    FRAGMENT,
    SAID,
    Flash,
    Forged,
    Visit,
    own_path,
    with_query,
)
from zyenta_ads_pipeline.domain.access import Person
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.domain.errors import NotSignedIn
from zyenta_ads_pipeline.store.change_pages import ChangePages

Act = Callable[[Visit], Response]
Keep = Callable[[Visit], str]
"""The page, as its address, on which a form that could not be taken stands again, filled in."""

LARGEST_FORM = 200 * 1024 * 1024
_FIELDS = 3000
_KNOWN_FROM = 1_000_000
"""Bytes from which nothing is read of who is not signed in."""
_FORGET = 5.0
_NOT_KEPT = {"Vary": f"{FRAGMENT}, Cookie", "Cache-Control": "no-store"}
_WARN_BEFORE = timedelta(minutes=5)
_LINKS = (
    ("/campaigns", "Campaigns"),
    ("/changes", "Changes"),
    ("/accounts", "Accounts"),
    ("/catalogue", "Catalogue"),
    ("/settings", "Settings"),
)

_ALSO = {"/campaigns": "/requests/", "/accounts": "/runs/"}
"""Pages that belong to those of the navigation."""


@dataclass(frozen=True)
class Link:
    """A page in the navigation."""

    href: str
    words: str
    here: bool
    count: int = 0


@dataclass(frozen=True)
class Banner:
    """What stands over every page while it lasts."""

    kind: str
    words: str
    more: str = ""
    href: str = ""
    link: str = ""


@dataclass(frozen=True)
class Frame:
    """What stands around a page's own part."""

    person: Person | None
    csrf: str
    path: str
    links: list[Link]
    banners: list[Banner]
    flashes: list[Flash]
    until: datetime | None
    ending: str
    dagster: str
    fresh: datetime | None


class Site:
    """The pages of one office. Its templates are compiled once."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.desks = Desks(office)
        self.numbers = office.numbers
        self._changes = ChangePages(office.store)
        self._waiting: tuple[float, int] = (0.0, 0)
        self.templates = Environment(
            loader=PackageLoader("zyenta_ads_pipeline.console"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self.templates.filters |= {
            "words": words.words,
            "moment": words.moment,
            "day": words.day,
            "money": words.money,
            "ratio": words.ratio,
            "percent": words.percent,
            "whole": words.whole,
            "sure": words.sure,
        }
        self.templates.globals |= {
            "icon": icon,
            "static": static,
            "logo": LOGO,
            "product_version": __version__,
        }
        self.templates.globals["ui"] = self.templates.get_template("parts.html").module

    def now(self) -> datetime:
        """The present moment."""
        return self.office.now()

    def get(self, path: str, act: Act, *, open_to_all: bool = False) -> Route:
        """A page to look at."""
        return Route(path, self._looking(act, open_to_all), methods=["GET"])

    def post(
        self, path: str, act: Act, *, open_to_all: bool = False, keep: Keep | None = None
    ) -> Route:
        """What a form does. `keep`: where it stands again when the session is over."""
        return Route(path, self._sending(act, open_to_all, keep), methods=["POST"])

    def show(self, visit: Visit, template: str, status: int = 200, /, **values: Any) -> Response:
        """A page, or the one part of it that is asked for."""
        found = self.templates.get_template(template)
        if visit.fragment and visit.fragment in found.blocks and status < 300:
            return self._part(visit, found, values)
        html = found.render(frame=self._frame(visit), **values)
        response = page_of(visit.request, html, _apart(values), status, _NOT_KEPT)
        if SAID in visit.request.cookies:
            response.delete_cookie(SAID, path="/", httponly=True, samesite="lax")
        return visit.finish(response)

    def _part(self, visit: Visit, template: Template, values: dict[str, Any]) -> Response:
        frame = Frame(
            visit.signed.person if visit.signed else None,
            visit.csrf,
            visit.path,
            [],
            [],
            [],
            None,
            "",
            self.office.settings.dagster_url,
            None,
        )
        context = template.new_context({"frame": frame, **values})
        html = "".join(template.blocks[visit.fragment](context))
        headers = {FRAGMENT: visit.fragment, **_NOT_KEPT}
        return page_of(visit.request, html, _apart(values), 200, headers)

    def _frame(self, visit: Visit) -> Frame:
        signed = visit.signed
        here = visit.request.url.path
        person = signed.person if signed else None
        links = [
            Link(
                href,
                name,
                here == href or here.startswith((f"{href}/", _ALSO.get(href, f"{href}/"))),
                self._proposed() if href == "/changes" and person else 0,
            )
            for href, name in _LINKS
        ]
        left = signed.expires_at - self.now() if signed else None
        return Frame(
            person=person,
            csrf=visit.csrf,
            path=visit.path if visit.request.method == "GET" else here,
            links=links if person else [],
            banners=self._banners(person) if person else [],
            flashes=[*visit.said, *visit.heard()],
            until=signed.expires_at if signed else None,
            ending="within minutes" if left is not None and left < _WARN_BEFORE else "",
            dagster=self.office.settings.dagster_url,
            fresh=self.numbers.freshness().written_at if person else None,
        )

    def _proposed(self) -> int:
        """Changes that wait, as counted some seconds ago at most."""
        counted, count = self._waiting
        if time.monotonic() - counted > _FORGET:
            count = self._changes.count(ChangeState.PROPOSED)
            self._waiting = time.monotonic(), count
        return count

    def forget_counts(self) -> None:
        """Count anew: something was decided."""
        self._waiting = 0.0, 0

    def _banners(self, person: Person) -> list[Banner]:
        found = []
        if self.desks.switches.set_outside():
            found.append(
                Banner(
                    "bad",
                    "ZYENTA_KILL_SWITCH is set:",
                    "nothing is written to any account until the settings say otherwise.",
                )
            )
        for switch in self.desks.switches.all(person):
            where = f"account {switch.account_id}" if switch.account_id else "every account"
            told = f"Thrown by {switch.by}, {words.moment(switch.at)}: {switch.reason}."
            found.append(
                Banner("bad", f"Writing to {where} is stopped.", told, "/settings#stop", "See it")
            )
        reach = self.desks.runs.reach()
        if not reach.up:
            found.append(
                Banner(
                    "warn",
                    reach.told or "Dagster does not answer.",
                    "Everything can be looked at and asked for; it is carried out once Dagster "
                    "runs again.",
                )
            )
        return found

    def visit(self, request: Request) -> Visit:
        """A request with whoever its cookie belongs to."""
        return Visit(self, request, self.desks.people.session(request.cookies.get(SESSION_COOKIE)))

    def _looking(self, act: Act, open_to_all: bool) -> Callable[[Request], Awaitable[Response]]:
        def answer(request: Request) -> Response:
            visit = self.visit(request)
            if visit.signed is None and not open_to_all:
                if visit.fragment:
                    return Response(status_code=401)
                return visit.go(with_query("/sign-in", {"next": own_path(visit.path, "")}))
            return visit.finish(act(visit))

        async def handle(request: Request) -> Response:
            return await run_in_threadpool(answer, request)

        return handle

    def _sending(
        self, act: Act, open_to_all: bool, keep: Keep | None
    ) -> Callable[[Request], Awaitable[Response]]:
        def answer(visit: Visit) -> Response:
            try:
                visit.require_own_form()
                if not open_to_all:
                    _ = visit.person
                return visit.finish(act(visit))
            except (Forged, NotSignedIn) as error:
                if open_to_all and isinstance(error, NotSignedIn):
                    raise
                if open_to_all and visit.from_here:
                    back = keep(visit) if keep is not None else "/campaigns"
                    told = "That page was too old. Do it once more."
                    return visit.finish(visit.go(back, told, kind="warn"))
                return self._not_taken(visit, keep)

        async def handle(request: Request) -> Response:
            size = request.headers.get("content-length", "")
            if not size.isdecimal() or int(size) > LARGEST_FORM:
                raise HTTPException(413, "What was sent is too large: 200 MB are the most.")
            if int(size) > _KNOWN_FROM and await run_in_threadpool(self._unknown, request):
                url = with_query("/sign-in", {"next": "/catalogue", "over": "1"})
                return RedirectResponse(url, status_code=303)
            form = await request.form(max_files=20, max_fields=_FIELDS)

            def answered() -> Response:
                visit = self.visit(request)
                visit.form = form
                return answer(visit)

            try:
                return await run_in_threadpool(answered)
            finally:
                await form.close()

        return handle

    def _unknown(self, request: Request) -> bool:
        return self.desks.people.session(request.cookies.get(SESSION_COOKIE)) is None

    def _not_taken(self, visit: Visit, keep: Keep | None) -> Response:
        """A form that came without a session, or from a page of an older one: nothing was done."""
        if not visit.from_here:
            raise HTTPException(403, "This form was sent from another site. Nothing was done.")
        back = own_path(visit.sent("back") or _referred(visit), "/campaigns")
        if keep is not None:
            back = keep(visit)
        if visit.signed is None:
            kept = "1" if keep is not None else ""
            url = with_query("/sign-in", {"next": back, "kept": kept, "over": "1"})
            return visit.finish(visit.go(url))
        more = "What you had typed is still here; check it and send it again." if keep else (
            "The page is shown as it is now; do it again if it is still wanted."
        )  # fmt: skip
        told = f"Nothing was done: the page was from an older session. {more}"
        return visit.finish(visit.go(back, told, kind="warn"))


def _apart(values: Mapping[str, Any]) -> Part | None:
    return next((each for each in values.values() if isinstance(each, Part)), None)


def _referred(visit: Visit) -> str:
    """The page that the form stood on, as the browser tells it."""
    referred = visit.request.headers.get("referer", "")
    host = visit.request.headers.get("host", "")
    _, found, path = referred.partition(f"//{host}")
    return path if found else ""
