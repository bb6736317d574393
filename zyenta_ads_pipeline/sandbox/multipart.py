"""Bodies of the type multipart/form-data: fields and files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from zyenta_ads_pipeline.sandbox.graph_error import invalid

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_QUOTED = re.compile(r'(name|filename)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Upload:
    """One file as it was sent. `field` is the form's name for it, `name` the file's own."""

    field: str
    name: str
    content: bytes


def read_multipart(content_type: str, body: bytes) -> tuple[dict[str, str], list[Upload]]:
    """The fields as texts, and the files. Raises `GraphError` 100 for another form."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise invalid("A multipart body needs a boundary")
    mark = b"--" + (found[1] or found[2]).encode()
    # With a line break in front even the first boundary looks like all others.
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise invalid("The multipart body ends before its last boundary")
    fields: dict[str, str] = {}
    uploads: list[Upload] = []
    for piece in pieces[1:-1]:
        head, blank, content = piece.partition(b"\r\n\r\n")
        names = dict(_names(head.decode("utf-8", "replace")))
        if not blank or "name" not in names:
            raise invalid("A part of the multipart body has no name")
        if "filename" in names:
            uploads.append(Upload(names["name"], names["filename"], content))
        else:
            fields[names["name"]] = content.decode("utf-8", "replace")
    return fields, uploads


def _names(head: str) -> list[tuple[str, str]]:
    return [(match[1], re.sub(r"\\(.)", r"\1", match[2])) for match in _QUOTED.finditer(head)]
