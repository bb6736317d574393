"""Charts inside of pages and of Markdown, which is how the Dagster UI shows them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256

from zyenta_ads_pipeline.charts.kept import MOST_KEPT
from zyenta_ads_pipeline.charts.slim import SVG
from zyenta_ads_pipeline.charts.style import AXIS, GRID, INK, QUIET

_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_INKS = {INK: None, QUIET: "0.8", AXIS: "0.5", GRID: "0.15"}
"""What is written in the page's own colour, and how strongly."""


def markdown_picture(svg: str, alt: str) -> str:
    """A Markdown image that carries the SVG itself, as a data URI; `alt` says what it shows."""
    words = alt.replace("[", "(").replace("]", ")").replace("\n", " ")
    return f"![{words}](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})"


@lru_cache(maxsize=MOST_KEPT)
def inline_svg(svg: str, title: str, description: str) -> str:
    """`svg` (drawn by this room) to stand in an HTML page: safe text, nothing to be escaped.

    An image with the name `title` and the text `description`; its class is `chart`. Its ground is
    the page's, its writing has the colour and the font of the element around it. It needs no style
    sheet, holds no style of its own (so that `style-src 'self'` allows it), and its ids do not meet
    those of another chart on the page.
    """
    root = ET.fromstring(svg)  # noqa: S314 - drawn here, not given by others
    own = "c" + sha256(f"{title}\0{description}\0{svg}".encode()).hexdigest()[:10]
    ground = root.find(f"{{{SVG}}}rect")
    if ground is not None and ground.get("fill") == "white":
        root.remove(ground)
    for element in root.iter():
        _in_page(element, own)
    size = {name: root.get(name, "") for name in ("width", "height", "viewBox")}
    root.attrib = {
        "class": "chart",
        "role": "img",
        "aria-labelledby": f"{own}-t",
        "aria-describedby": f"{own}-d",
        **size,
    }
    for place, (name, words) in enumerate((("title", title), ("desc", description))):
        told = ET.Element(f"{{{SVG}}}{name}", {"id": f"{own}-{name[0]}"})
        told.text = words
        root.insert(place, told)
    text = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return text.replace(f' xmlns="{SVG}"', "", 1)


def _in_page(element: ET.Element, own: str) -> None:
    for name in ("class", "font-family", "style", "stroke-miterlimit"):
        element.attrib.pop(name, None)
    for name, value in list(element.attrib.items()):
        if name == "id":
            element.set(name, f"{own}-{value}")
        elif "url(#" in value:
            element.set(name, _REFERENCE.sub(rf"url(#{own}-\1)", value))
        elif name.endswith("href") and value.startswith("#"):
            element.set(name, f"#{own}-{value[1:]}")
        elif name in ("fill", "stroke") and value in _INKS:
            element.set(name, "currentColor")
            strength = _INKS[value]
            if strength is not None and f"{name}-opacity" not in element.attrib:
                element.set(f"{name}-opacity", strength)
