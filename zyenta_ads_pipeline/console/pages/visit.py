"""One visit to a page: who it is, what was sent, and the answer."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from zyenta_ads_pipeline.console.desks.people import SignedIn
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.domain.errors import NotSignedIn

if TYPE_CHECKING:
    from zyenta_ads_pipeline.console.pages.site import Site

DOOR = "zyenta_door"
"""Proves, before there is a session, that a form came from our own page."""
SAID = "zyenta_said"
FRAGMENT = "X-Fragment"
_MOST_SAID = 2700
"""Bytes of what is said once: in Base64, with its name, below the 4096 that a browser keeps."""


class Forged(Exception):
    """A form without the token of this session: from another site, or from an older page."""


@dataclass(frozen=True)
class Flash:
    """What is said once on the next page. `kind` is `good`, `warn` or `bad`."""

    kind: str
    words: str
    href: str = ""
    link: str = ""


@dataclass
class Visit:
    """A request to a page, with all that answering it needs."""

    site: Site
    request: Request
    signed: SignedIn | None
    form: FormData | None = None
    said: list[Flash] = field(default_factory=list)
    _door: str = ""

    @property
    def person(self) -> Person:
        """Who it is. Raises `NotSignedIn`."""
        if self.signed is None:
            raise NotSignedIn("Nobody is signed in.", "Sign in.")
        return self.signed.person

    @property
    def buyer(self) -> bool:
        """Whether the person may act on campaigns and changes."""
        return self.person.may(Role.BUYER)

    @property
    def admin(self) -> bool:
        """Whether the person may set rules and give out tokens."""
        return self.person.may(Role.ADMIN)

    @property
    def path(self) -> str:
        """The address without the host, with its query."""
        url = self.request.url
        return url.path + (f"?{url.query}" if url.query else "")

    @property
    def origin(self) -> str:
        """The address that the console was reached by: `https://ads.example.com`."""
        return f"{self.request.url.scheme}://{self.request.url.netloc}"

    @property
    def where(self) -> str:
        """The address that the request comes from."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def fragment(self) -> str:
        """The part of the page that is wanted; empty: all of it."""
        return self.request.headers.get(FRAGMENT, "")

    def given(self, name: str, default: str = "") -> str:
        """A value of the address's query."""
        return self.request.query_params.get(name, default)

    def page_number(self) -> int:
        """The page that is asked for; 1 for what is none."""
        text = self.given("page", "1")
        return int(text) if text.isdecimal() and 0 < len(text) < 7 and int(text) else 1

    def sent(self, name: str, default: str = "") -> str:
        """A value of the form, without spaces around it."""
        value = self.form.get(name, default) if self.form else default
        return value.strip() if isinstance(value, str) else default

    def all_sent(self, name: str) -> list[str]:
        """Every value of one name in the form."""
        found = self.form.getlist(name) if self.form else []
        return [value for value in found if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """A file of the form; None where none was chosen."""
        value = self.form.get(name) if self.form else None
        return value if isinstance(value, UploadFile) and value.filename else None

    @property
    def csrf(self) -> str:
        """What every form has to carry: bound to the session, or before there is one to a cookie
        of its own."""
        if self.signed is not None:
            return self.signed.csrf
        if not self._door:
            self._door = self.request.cookies.get(DOOR) or secrets.token_urlsafe(24)
        return sha256(f"door:{self._door}".encode()).hexdigest()

    def require_own_form(self) -> None:
        """Raise `Forged` unless the form came from a page of ours in this session."""
        if not self.from_here:
            raise Forged
        if self.signed is None and DOOR not in self.request.cookies:
            raise Forged
        if not hmac.compare_digest(self.sent("csrf").encode(), self.csrf.encode()):
            raise Forged

    @property
    def from_here(self) -> bool:
        """Whether the browser says that the form stood on a page of ours; old ones say nothing."""
        headers = self.request.headers
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == headers.get("host")

    @property
    def secure(self) -> bool:
        """Whether it came by https."""
        return self.request.url.scheme == "https"

    def put_cookie(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        """For this host and for the browser alone."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def finish(self, response: Response) -> Response:
        """Send the cookies that belong to the page."""
        if self._door and self.request.cookies.get(DOOR) != self._door:
            self.put_cookie(response, DOOR, self._door, None)
        return response

    def go(
        self, url: str, words: str = "", *, kind: str = "good", href: str = "", link: str = ""
    ) -> Response:
        """On to another page, where something is said once."""
        response = RedirectResponse(url, status_code=303)
        if words:
            value = base64.urlsafe_b64encode(_said(kind, words, href, link)).decode()
            self.put_cookie(response, SAID, value, 60)
        return response

    def heard(self) -> list[Flash]:
        """What an earlier answer wanted to be said now."""
        value = self.request.cookies.get(SAID)
        if not value:
            return []
        try:
            told = json.loads(base64.urlsafe_b64decode(value.encode()))
            return [Flash(*(str(part) for part in each)) for each in told][:3]
        except (ValueError, TypeError, binascii.Error):
            return []


def _said(kind: str, words: str, href: str, link: str) -> bytes:
    """What is said once, its words cut to what fits into a cookie."""
    kept = words
    while True:
        told = json.dumps([[kind, kept, href, link]], ensure_ascii=False).encode(errors="replace")
        over = len(told) - _MOST_SAID
        if over <= 0:
            return told
        if len(kept) <= 1:
            kept, href, link = words, "", ""  # an address of that length is none of ours
            continue
        kept = kept[: max(0, len(kept) - 1 - max(1, over // 4))] + "…"


def own_path(text: str, default: str = "/campaigns") -> str:
    """An address to go back to, if it is one of ours; never another host's."""
    if not text.startswith("/") or text.startswith(("//", "/\\")) or "\\" in text:
        return default
    if any(ord(each) < 32 for each in text):
        return default
    parts = urlsplit(text)
    return default if parts.netloc or parts.scheme or parts.path.startswith("/sign-") else text


def with_query(path: str, values: Mapping[str, Any]) -> str:
    """An address with what is not empty as its query."""
    kept = [
        (name, each)
        for name, value in values.items()
        for each in (value if isinstance(value, list | tuple) else [value])
        if each not in ("", None)
    ]
    return f"{path}?{urlencode(kept)}" if kept else path
