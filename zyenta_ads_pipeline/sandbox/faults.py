"""The fault plan of one sandbox: an ordered list of rules. It is not kept over a restart."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from zyenta_ads_pipeline.sandbox.fault_rules import Fault, Rule, read_rule
from zyenta_ads_pipeline.sandbox.sight import Sight


class Faults:
    """Decides for each call whether something goes wrong. Safe to call from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def set(self, given: Sequence[Mapping[str, Any]]) -> None:
        """Replace all rules; `ValueError` says what is wrong, and then nothing has changed."""
        rules = [read_rule(item, number) for number, item in enumerate(given)]
        with self._lock:
            self._rules = rules

    def choose(self, sight: Sight) -> tuple[Fault, Rule] | None:
        """The first rule that has a fault for this call, with that fault."""
        with self._lock:
            for rule in self._rules:
                if rule.matches(sight) and (fault := rule.take(sight)) is not None:
                    return fault, rule
        return None

    def give_back(self, rule: Rule) -> None:
        """Undo a use that the reply left no room for, such as a last page that has no next."""
        with self._lock:
            rule.used -= 1

    def shown(self) -> Sequence[dict[str, Any]]:
        """Each rule as it was given, with how many calls matched and how often it was used."""
        with self._lock:
            return [
                {"rule": rule.shown, "matched": rule.matched, "used": rule.used}
                for rule in self._rules
            ]
