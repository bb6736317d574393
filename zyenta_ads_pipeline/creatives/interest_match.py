"""Which of the interests that a search gave are meant by a word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zyenta_ads_pipeline.domain.launch import Interest

_SAME, _QUALIFIED, _CONTAINED, _RELATED, _OTHER = range(5)
_TELLING = 4
"""Letters from which on a shared word says something."""


def best_of(found: Sequence[Interest], word: str) -> list[Interest]:
    """Those that are meant, best first: of that very name, of that name with a remark in brackets
    ("Coffee (drink)"), or with all its words in theirs; among equals the larger audience."""
    return _ranked(found, word, worst=_CONTAINED)


def nearest(found: Sequence[Interest], word: str) -> list[Interest]:
    """As `best_of`; where none is meant, those that share a telling word with it."""
    return best_of(found, word) or _ranked(found, word, worst=_RELATED)


def telling(name: str) -> list[str]:
    """The words of a name that say something by themselves, the longest three."""
    words = re.findall(r"\w+", name)
    said = dict.fromkeys(word for word in words if len(word) >= _TELLING)
    return sorted(said, key=len, reverse=True)[:3] if len(words) > 1 else []


def _ranked(found: Sequence[Interest], word: str, *, worst: int) -> list[Interest]:
    ranked = [(_rank(each.name, word), each) for each in found if each.valid and each.id]
    kept = [(rank, each) for rank, each in ranked if rank <= worst]
    kept.sort(key=lambda pair: (pair[0], -(pair[1].audience_size or 0), pair[1].name))
    return [each for _, each in kept]


def _rank(name: str, word: str) -> int:
    if name.casefold().strip() == word.casefold().strip():
        return _SAME
    bare = re.sub(r"\s*\([^()]*\)\s*$", "", name)
    ours, theirs = _stems(word), _stems(bare)
    if not ours:
        return _OTHER
    if ours == theirs:
        return _QUALIFIED
    if ours <= theirs:
        return _CONTAINED
    shared = {each for each in ours & theirs if len(each) >= _TELLING}
    return _RELATED if shared else _OTHER


def _stems(text: str) -> set[str]:
    """Words without case and plural."""
    words = re.findall(r"\w+", text.casefold())
    return {word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words}
