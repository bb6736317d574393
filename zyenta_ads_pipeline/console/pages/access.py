"""Who may come in: tokens, one-time links, and who is signed in now. For admins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from zyenta_ads_pipeline.console.desks.people import LONGEST_DAYS, LONGEST_NAME, link_path
from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import Visit
from zyenta_ads_pipeline.console.pages.words import ago, many, moment, refusal, words
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.errors import FieldsRefused, InputError

PATH = "/settings/access"


@dataclass(frozen=True)
class Shown:
    """A secret that this one answer shows: `words` say whose it is and what to do with it."""

    secret: str
    words: str


def routes(site: Site) -> list[Route]:
    """The page and its forms."""
    return [
        site.get(PATH, page),
        site.post(f"{PATH}/tokens", issue),
        site.post(f"{PATH}/tokens/{{id}}/revoke", revoke),
        site.post(f"{PATH}/links", link),
        site.post(f"{PATH}/links/{{id}}/end", end_link),
        site.post(f"{PATH}/sign-out", sign_out),
        *(
            site.get(f"{PATH}/{each}", back)
            for each in ("tokens", "tokens/{id}/revoke", "links", "links/{id}/end", "sign-out")
        ),
    ]


def page(visit: Visit) -> Response:
    """Tokens, links and sessions."""
    return _show(visit)


def back(visit: Visit) -> Response:
    """To the page, from where one of its forms was answered: the browser's address is that one
    then, and is loaded anew or come back to after signing in."""
    return visit.go(PATH)


def issue(visit: Visit) -> Response:
    """Make a token; the answer is the only time its secret is shown."""
    name, days, errors = visit.sent("name"), visit.sent("days"), {}
    if days and not (days.isdecimal() and 0 < int(days[:5]) <= LONGEST_DAYS):
        errors["days"] = f"Give whole days, 1 to {LONGEST_DAYS}, or leave it empty."
    role = _role(visit, errors)
    if not errors:
        try:
            made = visit.site.desks.people.issue(
                visit.person, name, role, int(days) if days else None
            )
        except FieldsRefused as error:
            errors = error.by_field
        except InputError as error:
            errors = {"name": str(error)}
        else:
            told = f"The token of {made.token.name}. It is shown this once; copy it now."
            return _show(visit, shown=Shown(made.secret, told))
    return _refused(visit, "token", errors)


def revoke(visit: Visit) -> Response:
    """End a token, its sessions, and the links for its name and by it."""
    try:
        token = visit.site.desks.people.revoke(visit.person, visit.request.path_params["id"])
    except InputError as error:
        return visit.go(f"{PATH}#tokens", str(error), kind="bad")
    return visit.go(f"{PATH}#tokens", f"The token {token.name} is revoked.")


def link(visit: Visit) -> Response:
    """Make a link that signs somebody in once; the answer is the only time it is shown."""
    errors: dict[str, str] = {}
    role = _role(visit, errors)
    if not errors:
        try:
            secret = visit.site.desks.people.link(visit.person, visit.sent("name"), role)
        except FieldsRefused as error:
            errors = error.by_field
        else:
            told = (
                f"The link for {visit.sent('name')}. It is shown this once and signs in once, "
                "within ten minutes. Send it to nobody else."
            )
            # The host that this page was asked by is one of the console's own names.
            return _show(visit, shown=Shown(visit.origin + link_path(secret), told))
    return _refused(visit, "link", errors)


def end_link(visit: Visit) -> Response:
    """End a link that nobody used yet."""
    try:
        ended = visit.site.desks.people.end_link(visit.person, visit.request.path_params["id"])
    except InputError as error:
        return visit.go(f"{PATH}#links", refusal(error), kind="bad")
    return visit.go(f"{PATH}#links", f"The link for {ended.name} is ended.")


def sign_out(visit: Visit) -> Response:
    """End every session of a name, and its links."""
    try:
        done = visit.site.desks.people.sign_out_all(visit.person, visit.sent("name"))
    except FieldsRefused as error:
        return _refused(visit, "sign-out", error.by_field)
    if done.sessions:
        return visit.go(f"{PATH}#sessions", f"{done.name} is signed out everywhere.")
    told = f"{done.name} was not signed in."
    if done.links:
        return visit.go(f"{PATH}#sessions", f"{told} {many(done.links, 'unused link')} ended.")
    if done.alike:
        told += f" Names are told apart by upper and lower case: there is {', '.join(done.alike)}."
    return visit.go(f"{PATH}#sessions", told, kind="warn")


def _role(visit: Visit, errors: dict[str, str]) -> Role:
    try:
        return Role(visit.sent("role"))
    except ValueError:
        errors["role"] = "Choose a role."
        return Role.VIEWER


def _refused(visit: Visit, form: str, errors: dict[str, str]) -> Response:
    told = {f"{form}-{field}": words for field, words in errors.items()}
    typed = {f"{form}-{field}": visit.sent(field) for field in ("name", "role", "days")}
    return _show(visit, 422, errors=told, typed=typed)


def _show(
    visit: Visit,
    status: int = 200,
    *,
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    shown: Shown | None = None,
) -> Response:
    return visit.site.show(
        visit,
        "access.html",
        status,
        tokens=_tokens(visit),
        links=_links(visit),
        sessions=_sessions(visit),
        roles=[each.value for each in Role],
        longest_name=LONGEST_NAME,
        longest_days=LONGEST_DAYS,
        errors=errors or {},
        typed=typed or {},
        shown=shown,
    )


def _tokens(visit: Visit) -> list[dict[str, Any]]:
    now = visit.site.now()
    return [
        {
            "id": each.id,
            "name": each.name,
            "role": words(each.role),
            "prefix": each.prefix,
            "made": f"{moment(each.created_at)} by {each.created_by}",
            "used": ago(each.last_used_at, now),
            "until": moment(each.expires_at) if each.expires_at else "until it is revoked",
            "good": each.is_good(now),
            "state": ("", "Revoked") if each.revoked_at else (
                ("good", "Good") if each.is_good(now) else ("", "Over")
            ),
            "own": each.id == visit.person.token_id,
        }
        for each in visit.site.desks.people.tokens(visit.person)
    ]  # fmt: skip


def _links(visit: Visit) -> list[dict[str, Any]]:
    return [
        {
            "id": each.id,
            "name": each.name,
            "role": words(each.role),
            "made": f"{moment(each.created_at)} by {each.created_by}",
            "until": moment(each.expires_at),
        }
        for each in visit.site.desks.people.links(visit.person)
    ]


def _sessions(visit: Visit) -> list[dict[str, Any]]:
    """Who is signed in, by name; the first of a name has the button that ends all of them."""
    now, before, found = visit.site.now(), "", []
    for each in sorted(visit.site.desks.people.sessions(visit.person), key=lambda one: one.name):
        found.append(
            {
                "name": each.name,
                "own": each.name == visit.person.name,
                "first": each.name != before,
                "role": words(each.role),
                "by": f"token {each.token}…" if each.token else "one-time link",
                "since": moment(each.created_at),
                "seen": ago(each.seen_at, now),
                "until": moment(each.ends_at),
            }
        )
        before = each.name
    return found
