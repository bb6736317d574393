"""The renderer's SVG with all left out that draws nothing: half as large, the same picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", SVG)

TOLD = "told: "
"""How a mark's description begins that is to stand in the picture, shown when it is pointed at."""

_NOTHING = ("M0,0h0v0h0Z", "")
_SAYS_NOTHING = {
    "opacity": "1",
    "fill-opacity": "1",
    "stroke-opacity": "1",
    "stroke-width": "1",
    "transform": "translate(0,0)",
    "font-weight": "normal",
    "x2": "0",
    "y2": "0",
    "pointer-events": "none",
}
"""Attributes whose value is the default, or, of the last, of no use in a still picture."""
_INHERITED = (
    "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray",
    "stroke-linecap", "text-anchor", "font-size", "font-weight",
)  # fmt: skip
_LONG = re.compile(r"-?\d*\.\d{2,}(e-?\d+)?")
_DOT = re.compile(
    r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0(?:Z)?|"
    r"M0,([\d.]+)A\2,\2,0,1,1,0,-\2A\2,\2,0,1,1,0,\2(?:Z)?"
)
_PLACES = ("d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "r")


def slimmed(svg: str, font: str) -> str:
    """`svg` without empty paths, repeated fonts, defaults and needless digits.

    `font` is the family that stands on every text; it is said once.
    """
    root = ET.fromstring(svg)  # noqa: S314 - drawn here, not given by others
    root.set("font-family", font)
    _slim(root, font)
    return ET.tostring(root, encoding="unicode")


def _slim(element: ET.Element, font: str) -> None:
    for child in list(element):
        if _draws_nothing(child):
            element.remove(child)
            continue
        for name, value in _SAYS_NOTHING.items():
            if child.get(name) == value and not (name in ("x2", "y2") and child.tag != _LINE):
                del child.attrib[name]
        if child.get("font-family") == font:
            del child.attrib["font-family"]
        _told(child)
        _rounded(child)
        _dot(child)
        _slim(child, font)
        if child.tag == _GROUP:
            _said_once(child)
            if not len(child):
                element.remove(child)


_GROUP, _PATH, _LINE, _CIRCLE = (f"{{{SVG}}}{name}" for name in ("g", "path", "line", "circle"))


def _draws_nothing(element: ET.Element) -> bool:
    if element.get("display") == "none":
        return True
    if element.tag != _PATH:
        return False
    unseen = element.get("fill") is None and element.get("stroke") is None
    guide = "background" in element.get("class", "").split() and unseen
    return element.get("d", "") in _NOTHING or guide


def _said_once(group: ET.Element) -> None:
    """What every mark of a group says, said by the group."""
    marks = list(group)
    if len(marks) < 2 or any(each.tag == _GROUP for each in marks):
        return
    for name in _INHERITED:
        values = {each.get(name) for each in marks}
        if len(values) == 1 and (value := values.pop()) is not None:
            group.set(name, value)
            for each in marks:
                del each.attrib[name]


def _told(element: ET.Element) -> None:
    """Roles and descriptions out: they do nothing inside of a picture. What is told stays."""
    words = element.get("aria-label", "")
    for name in [each for each in element.attrib if each == "role" or each.startswith("aria-")]:
        del element.attrib[name]
    if words.startswith(TOLD):
        title = ET.Element(f"{{{SVG}}}title")
        title.text = words.removeprefix(TOLD)
        element.insert(0, title)


def _rounded(element: ET.Element) -> None:
    for name in _PLACES:
        value = element.get(name)
        if value and "." in value:
            element.set(name, _LONG.sub(_short, value))


def _short(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")


def _dot(element: ET.Element) -> None:
    """A circle that was written as a path."""
    found = _DOT.fullmatch(element.get("d", "")) if element.tag == _PATH else None
    if found:
        element.tag = _CIRCLE
        del element.attrib["d"]
        element.set("r", found[1] or found[2])
