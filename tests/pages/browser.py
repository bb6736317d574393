"""A browser without JavaScript: it reads forms off a page, fills them in and sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from tests.api.home import Home
from zyenta_ads_pipeline.domain.access import Role

ORIGIN = "http://localhost"
_EMPTY = {"input", "img", "meta", "link", "br", "hr"}


@dataclass
class Form:
    """A form as it stands on a page: what would be sent, and the buttons with their values."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    words: str = ""

    def set(self, **values: Any) -> Form:
        """Fill in; a list for several of one name."""
        for name, value in values.items():
            many = isinstance(value, Sequence) and not isinstance(value, str)
            self.fields[name] = [str(each) for each in value] if many else [str(value)]
        return self


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.by_id: dict[str, Form] = {}
        self.strays: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._form: Form | None = None
        self._select = ""
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._form)
            if "id" in given:
                self.by_id[given["id"]] = self._form
        elif tag == "select":
            self._select, self._options = given.get("name", ""), []
        elif tag == "option":
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag in ("input", "button") and given.get("name") and "disabled" not in given:
            self._take(tag, given)

    def _take(self, tag: str, given: dict[str, str]) -> None:
        name, value = given["name"], given.get("value", "")
        if tag == "button":
            if self._form is not None:
                self._form.buttons.append((name, value))
            return
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio") and "checked" not in given:
            return
        if kind == "file":
            return
        if "form" in given:
            self.strays.append((given["form"], name, value))
        elif self._form is not None:
            self._form.fields.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select" and self._form is not None and self._options:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            self._form.fields[self._select] = [(chosen or [self._options[0][0]])[0]]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(" ".join(data.split()))
            if self._form is not None:
                self._form.words += f" {data.strip()}"


class Page:
    """A page that was answered."""

    def __init__(self, reply: Any) -> None:
        self.status = reply.status_code
        self.html = reply.text
        self.url = str(reply.url)
        self.headers = reply.headers
        reader = _Reader()
        reader.feed(reply.text)
        for form_id, name, value in reader.strays:
            reader.by_id[form_id].fields.setdefault(name, []).append(value)
        self.forms = reader.forms
        self.text = " ".join(reader.words)
        self.ids = reader.ids
        self.tags = reader.tags

    @property
    def path(self) -> str:
        """The address without the host."""
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def form(self, action: str, **having: str) -> Form:
        """The first form of an action, with these values in it."""
        for each in self.forms:
            if each.action.split("#")[0] == action and all(
                value in each.fields.get(name, []) for name, value in having.items()
            ):
                return each
        actions = [each.action for each in self.forms]
        raise AssertionError(f"no form {action} {having} among {actions}: {self.text[:600]}")

    def has_form(self, action: str, **having: str) -> bool:
        """Whether there is such a form."""
        try:
            return bool(self.form(action, **having))
        except AssertionError:
            return False


class Browser:
    """One person's browser."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.client = home.client(None)
        self.client.follow_redirects = True

    def open(self, path: str, **headers: str) -> Page:
        """Look at a page."""
        return Page(self.client.get(path, headers=headers))

    def send(
        self,
        form: Form,
        *,
        button: tuple[str, str] | None = None,
        files: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """Send a form, as pressing its button does."""
        data: dict[str, Any] = {name: values for name, values in form.fields.items() if values}
        if button is not None:
            data[button[0]] = button[1]
        url = urljoin(ORIGIN, form.action)
        sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        if form.method == "get":
            return Page(self.client.get(url, params=data))
        return Page(self.client.post(url, data=data, files=files, headers=sent))

    def sign_in(self, role: Role = Role.BUYER) -> Browser:
        """Sign in by the form."""
        form = self.open("/sign-in").form("/sign-in")
        page = self.send(form.set(token=self.home.tokens[role]))
        assert page.path == "/campaigns", page.text
        return self
