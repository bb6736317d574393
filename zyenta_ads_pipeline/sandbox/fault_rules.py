"""Fault rules: which calls they concern, how often, and what is to go wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from zyenta_ads_pipeline.sandbox.fault_presets import PRESETS
from zyenta_ads_pipeline.sandbox.report_plan import read_outcome
from zyenta_ads_pipeline.sandbox.sight import KINDS, Sight

_NUMBER = (int, float)
_REPLACING = {"done": bool, "status": int}
OPTIONS: dict[str, dict[str, Any]] = {
    "error": {
        **_REPLACING, "code": int, "subcode": int, "message": str, "type": str,
        "user_title": str, "user_msg": str, "is_transient": bool, "error_data": object,
        "error_data_as_text": bool, "wait_seconds": _NUMBER, "wait_minutes": _NUMBER,
    },
    "html": _REPLACING,
    "text": _REPLACING | {"body": str},
    "json": _REPLACING | {"body": object},
    "empty": _REPLACING,
    "drop": {"done": bool},
    "truncated": {},
    "slow_body": {"seconds": _NUMBER},
    "slow_answer": {"seconds": _NUMBER},
    "wrong_version": {"version": str},
    "null_part": {"parts": list, "done": bool},
    "short_page": {},
    "empty_page": {},
    "cut_chain": {},
    "repeat_row": {},
    "no_data": {},
    "report": {
        "outcome": str, "code": int, "subcode": int, "message": str, "percent": int,
    },
    "late_object": {"seconds": _NUMBER},
    "random": {"names": list},
}  # fmt: skip
"""What can go wrong, each with its options and their types."""

_ONLY = {"null_part": "batch", "report": "report_start", "late_object": "create"}
_MATCHES: dict[str, Any] = {
    "method": str, "path": str, "kind": str, "level": str, "account": str, "page": int,
    "params": dict, "write": bool, "in_batch": bool, "limit_over": int,
}  # fmt: skip
_LIMITS: dict[str, Any] = {"times": int, "skip": int, "probability": _NUMBER, "seed": int}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call."""

    what: str
    options: Mapping[str, Any]


@dataclass
class Rule:
    """One rule of a plan, and how often it was met and used.

    `shown` is the rule as it was given. `times` None: always. `probability` is drawn anew for
    each call that matches, from the seed and the number of that call alone.
    """

    shown: Mapping[str, Any]
    match: Mapping[str, Any]
    fault: Fault
    times: int | None = None
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    choices: tuple[Rule, ...] = field(default=())
    matched: int = 0
    used: int = 0

    def matches(self, sight: Sight) -> bool:
        """Whether the rule concerns a call, however often it was used."""
        match = self.match
        if sight.kind != _ONLY.get(self.fault.what, sight.kind):
            return False
        return (
            match.get("method", sight.method).upper() == sight.method
            and match.get("kind", sight.kind) == sight.kind
            and match.get("page", sight.page) == sight.page
            and match.get("write", sight.write) == sight.write
            and match.get("in_batch", sight.in_batch) == sight.in_batch
            and match.get("level", sight.params.get("level")) == sight.params.get("level")
            and ("account" not in match or match["account"] == sight.account_id)
            and ("path" not in match or _path_fits(match["path"], sight))
            and all(sight.params.get(k) == v for k, v in match.get("params", {}).items())
            and ("limit_over" not in match or _limit(sight) > match["limit_over"])
        )

    def take(self, sight: Sight) -> Fault | None:
        """The fault for a call that matches; None where skip, times or chance spare it."""
        number = self.matched
        self.matched += 1
        if number < self.skip or (self.times is not None and self.used >= self.times):
            return None
        # A generator of its own for each call: the outcome does not hang on the order of draws.
        draw = random.Random(f"{self.seed}:{number}")  # noqa: S311 - chance, not a secret
        if draw.random() >= self.probability:
            return None
        fault = self.fault
        if self.choices:
            fitting = [choice for choice in self.choices if choice.matches(sight)]
            if not fitting:
                return None
            fault = draw.choice(fitting).fault
        self.used += 1
        return fault


def read_rule(given: Mapping[str, Any], number: int) -> Rule:
    """A rule from its JSON; `ValueError` says what is wrong with it."""
    values = dict(given)
    if "preset" in values:
        values = {**_preset(values.pop("preset")), **values}
    what = values.pop("what", None)
    if what not in OPTIONS:
        raise ValueError(f"rule {number}: what must be one of {', '.join(OPTIONS)}, not {what!r}")
    known = _MATCHES | _LIMITS | OPTIONS[what]
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"rule {number}: {what} has no {name}; it knows {', '.join(known)}")
        if not isinstance(value, known[name]) or (
            isinstance(value, bool) and known[name] in (int, _NUMBER)
        ):
            raise ValueError(f"rule {number}: {name} cannot be {value!r}")
    _check_values(values, number)
    match = {name: value for name, value in values.items() if name in _MATCHES}
    if "account" in match:
        match["account"] = match["account"].removeprefix("act_")
    options = {name: value for name, value in values.items() if name in OPTIONS[what]}
    limits = {name: value for name, value in values.items() if name in _LIMITS}
    choices = _choices(options, number) if what == "random" else ()
    if what == "report":
        read_outcome(options)
    if what == "error" and "code" not in options:
        raise ValueError(f"rule {number}: an error needs a code")
    return Rule(shown=given, match=match, fault=Fault(what, options), choices=choices, **limits)


def _check_values(values: Mapping[str, Any], number: int) -> None:
    if values.get("kind", KINDS[0]) not in KINDS:
        raise ValueError(f"rule {number}: kind must be one of {', '.join(KINDS)}")
    if not 100 <= values.get("status", 200) <= 599:
        raise ValueError(f"rule {number}: {values['status']} is no HTTP status")
    for name in ("times", "skip", "page", "limit_over", "seconds", "probability"):
        value = values.get(name, 0)
        if not 0 <= value < math.inf:
            raise ValueError(f"rule {number}: {name} cannot be {value}")
    for part in values.get("parts", []):
        if type(part) is not int or part < 0:
            raise ValueError(f"rule {number}: parts are numbers from 0 on, not {part!r}")


def _choices(options: Mapping[str, Any], number: int) -> tuple[Rule, ...]:
    names = options.get("names")
    if not names:
        raise ValueError(f"rule {number}: random needs the names of presets")
    return tuple(read_rule({"preset": name}, number) for name in names)


def _preset(name: Any) -> Mapping[str, Any]:
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}; there are {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def _path_fits(pattern: str, sight: Sight) -> bool:
    """Part by part: `<run>` and the like stand for a kind of object, `*` for any text."""
    parts = [part for part in pattern.split("/") if part]
    if len(parts) != len(sight.path):
        return False
    return all(
        wanted == f"<{sight.node}>" if wanted.startswith("<") else fnmatchcase(given, wanted)
        for wanted, given in zip(parts, sight.path, strict=True)
    )


def _limit(sight: Sight) -> int:
    text = sight.params.get("limit", "")
    return int(text) if text.isascii() and text.isdigit() else 25
