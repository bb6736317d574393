"""The instructions that a model is given, as text files, a pair for each version.

A text that has been used is never edited: a new version is a new pair of files, since each
creative names the version that it was written with.
"""

from __future__ import annotations

from importlib.resources import files
from string import Template

VERSION = "concepts-1"


def system(version: str = VERSION) -> str:
    """The standing instructions of a version."""
    return _read(f"{version}.system.txt")


def user(version: str = VERSION, /, **values: str) -> str:
    """The task of a version with its values put in."""
    return Template(_read(f"{version}.user.txt")).substitute(values)


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
