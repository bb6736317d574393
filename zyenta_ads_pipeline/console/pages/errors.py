"""Pages for what went wrong: what it was, that nothing is lost, and where to go on."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from zyenta_ads_pipeline.console.pages.site import Site
from zyenta_ads_pipeline.console.pages.visit import Visit, own_path

_TITLES = {
    400: ("warn", "This could not be read"),
    401: ("lock", "Please sign in"),
    403: ("lock", "This is not open to you"),
    404: ("search", "There is nothing here"),
    405: ("warn", "This address does not take that"),
    409: ("sync", "It has changed meanwhile"),
    412: ("sync", "It has changed meanwhile"),
    413: ("warn", "That is too large"),
    422: ("warn", "This cannot be done as asked"),
    429: ("clock", "Too many tries"),
    500: ("warn", "Something broke on our side"),
    503: ("clock", "Not reachable at the moment"),
}
_REMEDIES = {
    404: "It may have been removed, or the address has a slip of the pen.",
    405: "Open the page from the menu, and use its buttons.",
    409: "Look at the page as it is now, and decide anew.",
    412: "Look at the page as it is now, and decide anew.",
    500: "Nothing you typed was sent to Meta by this. Try it again; if it stays, the log of the "
    "console says more.",
}
_PLAIN = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Error</title></head>'
    "<body><main><h1>Something broke on our side</h1><p>Try it again in a moment.</p>"
    '<p><a href="/campaigns">Campaigns</a></p></main></body></html>'
)


def error_page(request: Request, status: int, what: str, remedy: str = "") -> Response:
    """The page for an error, with the person's own frame if that can be had.

    A 500 does not say what broke: that is for the log.
    """
    site: Site | None = getattr(request.app.state, "pages", None)
    if site is None:
        return HTMLResponse(_PLAIN, status_code=status)
    picture, title = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    values = {
        "status": status,
        "picture": picture,
        "title": title,
        "what": "" if status == 500 else what,
        "remedy": remedy or _REMEDIES.get(status, ""),
    }
    try:
        visit = site.visit(request)
        back, named = _back(visit, status)
        return site.show(visit, "error.html", status, back=back, back_words=named, **values)
    except Exception:
        # The store itself may be what broke: then a page without anybody's name is left.
        try:
            visit = Visit(site, request, None)
            return site.show(visit, "error.html", status, back="", back_words="", **values)
        except Exception:
            return HTMLResponse(_PLAIN, status_code=status)


def _back(visit: Visit, status: int) -> tuple[str, str]:
    """Where to go on: the page that the form stood on, or this one once more."""
    if visit.request.method == "POST":
        referred = visit.request.headers.get("referer", "")
        host = visit.request.headers.get("host", "")
        _, found, path = referred.partition(f"//{host}")
        return (own_path(path), "Back to the page") if found else ("", "")
    if status >= 500 or status == 429:
        return visit.path, "Try again"
    return "", ""
