"""Action breakdowns: one item of a statistic cut into several that add up to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from zyenta_ads_pipeline.sandbox.amounts import decimal_text, whole
from zyenta_ads_pipeline.sandbox.shares import parts_of

_DEVICES = (("iphone", 0.44), ("android_smartphone", 0.41), ("desktop", 0.15))
_DESTINATIONS = (("shop.tarnfell.example", 0.8), ("tarnfell.example", 0.2))
PLAYED = ("action_type", "action_device", "action_destination", "action_target_id")
"""The action breakdowns that are played; `action_type` is always there."""


@dataclass(frozen=True)
class ActionParts:
    """The cut by the asked action breakdowns besides `action_type`; the same for every row.

    The target is the row's own object, so that it names but does not cut.
    """

    names: tuple[str, ...]

    def cut(
        self, kind: str, values: Mapping[str, str], row: Mapping[str, Any]
    ) -> list[dict[str, str]]:
        """The items of one action type; `values` are its texts by key, `value` and windows."""
        cells = list(product(*(self._choices(name, row) for name in self.names)))
        weights: list[float] = []
        for cell in cells:
            weight = 1.0
            for _, share in cell:
                weight *= share
            weights.append(weight)
        columns = {key: _cut_text(text, weights) for key, text in values.items()}
        items: list[dict[str, str]] = []
        for number, cell in enumerate(cells):
            mine = {key: texts[number] for key, texts in columns.items() if texts[number]}
            if mine:
                named = dict(zip(self.names, (label for label, _ in cell), strict=True))
                items.append({"action_type": kind} | named | mine)
        return items

    def _choices(self, name: str, row: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        if name == "action_device":
            return _DEVICES
        if name == "action_destination":
            return _DESTINATIONS
        finest = next(
            str(row[column])
            for column in ("ad_id", "adset_id", "campaign_id", "account_id")
            if row.get(column) is not None
        )
        return ((finest, 1.0),)


def _cut_text(text: str, weights: list[float]) -> list[str]:
    """The parts of an amount as texts; an empty one where a part is nothing."""
    value, decimals = whole(text)
    if len(weights) == 1 or not value:
        return [text] + [""] * (len(weights) - 1)
    return [decimal_text(part, decimals) if part else "" for part in parts_of(value, weights)]
