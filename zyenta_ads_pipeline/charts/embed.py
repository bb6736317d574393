"""Pictures inside Markdown, which is how the Dagster UI shows them."""

from __future__ import annotations

from base64 import b64encode


def markdown_picture(svg: str, alt: str) -> str:
    """A Markdown image that carries the SVG itself, as a data URI; `alt` says what it shows."""
    words = alt.replace("[", "(").replace("]", ")").replace("\n", " ")
    return f"![{words}](data:image/svg+xml;base64,{b64encode(svg.encode()).decode()})"
