"""Small drawings for the pages, and the files that every page needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

from markupsafe import Markup

_ICONS = {
    "arrow": '<path d="M19 12H5m6-6-6 6 6 6"/>',
    "bolt": '<path d="M13 2 4 14h7l-1 8 9-12h-7z"/>',
    "check": '<path d="m4 12 5 5L20 6"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5m0-9v.01"/>',
    "lock": '<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "out": '<path d="M14 4h6v6m0-6-9 9m7 1v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5"/>',
    "pause": '<path d="M8 5v14M16 5v14"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4 21c1-5 4-7 8-7s7 2 8 7"/>',
    "play": '<path d="M7 4v16l13-8z"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "rocket": '<path d="M12 3c4 2 6 6 5 11l-2 2H9l-2-2C6 9 8 5 12 3zM9 16l-1 5 4-2 4 2-1-5"/>',
    "search": '<circle cx="11" cy="11" r="7"/><path d="m16 16 5 5"/>',
    "box": '<path d="m12 3 8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9"/>',
    "list": '<path d="M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01"/>',
    "picture": '<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m3 16 5-5 5 5 3-3 5 5"/>',
    "sync": '<path d="M20 11a8 8 0 0 0-14-5L4 8m0-4v4h4M4 13a8 8 0 0 0 14 5l2-2m0 4v-4h-4"/>',
    "stop": '<path d="M8 3h8l5 5v8l-5 5H8l-5-5V8z"/><path d="M12 8v5m0 3v.01"/>',
    "warn": '<path d="M12 4 2 20h20zM12 10v4m0 3v.01"/>',
}
_LOGO = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" '
    'fill="#0a58b5"/><path d="M9 9h14L10 23h13" fill="none" stroke="#fff" stroke-width="3.4" '
    'stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
LOGO = Markup(_LOGO)  # noqa: S704 - a constant
_KINDS = {
    "style.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@cache
def icon(name: str) -> Markup:
    """One drawing, hidden from those who listen: words stand beside it."""
    return Markup(  # noqa: S704 - constants
        f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{_ICONS[name]}</svg>'
    )


@dataclass(frozen=True)
class StaticFile:
    """A file as it is served; `mark` names its content in its address."""

    content: bytes
    kind: str
    mark: str


@cache
def static_files() -> dict[str, StaticFile]:
    """All of them, by their names."""
    found = {}
    folder = resources.files("zyenta_ads_pipeline.console") / "static"
    for name, kind in _KINDS.items():
        content = (folder / name).read_bytes()
        found[name] = StaticFile(content, kind, sha256(content).hexdigest()[:10])
    return found


@cache
def static(name: str) -> str:
    """The address of a file, which is another one once its content is."""
    return f"/static/{static_files()[name].mark}/{name}"
