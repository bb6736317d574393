"""The fields of one insights row, computed from its sums. All metrics are texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox.facts import Sums, exact_sum, sum_text
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing

_SIX_DECIMALS = Decimal("0.000001")
_COUNTS = frozenset({"impressions", "clicks", "inline_link_clicks", "reach"})
_STATS = frozenset({"actions", "action_values", "cost_per_action_type"})
_ROAS_TYPES = {
    "purchase_roas": "omni_purchase",
    "website_purchase_roas": "offsite_conversion.fb_pixel_purchase",
}


@dataclass(frozen=True)
class RowMaker:
    """Makes rows at one level with the wanted fields.

    `windows` are the attribution windows asked for besides the default; `stats` the action
    types that the source knows, in the order in which it lists them.
    """

    objects: Objects
    level: Level
    fields: Sequence[str]
    stats: Sequence[str]
    windows: Sequence[str]
    audience: dict[str, int]

    def row(self, sums: Sums, period: DateRange) -> dict[str, Any]:
        """The row; a metric without a value has no key."""
        shown: dict[str, Any] = {}
        for name in self.fields:
            value = self._value(name, sums)
            if value is not None:
                shown[name] = value
        shown["date_start"] = period.since.isoformat()
        shown["date_stop"] = period.until.isoformat()
        return shown

    def number(self, name: str, sums: Sums) -> Decimal | None:
        """A metric as a number, for filters and sorting; None when it has none."""
        value = self._plain(name, sums)
        return None if value is None else Decimal(value)

    def _value(self, name: str, sums: Sums) -> Any:
        if name in ("date_start", "date_stop"):
            return None
        if name.partition("_")[0] in ("account", "campaign", "adset", "ad") or name in _ATTRIBUTES:
            return self.dimension(name, sums)
        return self._metric(name, sums)

    def dimension(self, name: str, sums: Sums) -> Any:
        """An id, a name or another trait of the row's object or of its parents."""
        if name.endswith("_id"):
            return sums.values.get(name)
        owner, _, attribute = name.partition("_")
        if name in _ATTRIBUTES:
            owner, attribute = _ATTRIBUTES[name], name
        thing = self._thing(owner, sums)
        if thing is None:
            return None
        return thing.name if attribute == "name" else thing.attributes.get(attribute)

    def _thing(self, owner: str, sums: Sums) -> Thing | None:
        found = sums.values.get(f"{owner}_id")
        if found is None:
            return None
        return self.objects.get(f"act_{found}" if owner == Kind.ACCOUNT else str(found))

    def _metric(self, name: str, sums: Sums) -> Any:
        if name in _STATS:
            return self._stats(name, sums)
        if name in _ROAS_TYPES:
            return self._roas(_ROAS_TYPES[name], sums)
        if name in _LINK_LISTS:
            kind, metric = _LINK_LISTS[name]
            value = self._plain(metric, sums)
            return [{"action_type": kind, "value": value}] if value not in (None, "0") else None
        return self._plain(name, sums)

    def _plain(self, name: str, sums: Sums) -> str | None:
        if name == "spend":
            return sum_text(sums.texts("spend") or ["0"]) if "spend" in sums.values else None
        if name in _COUNTS:
            count = self._reach(sums) if name == "reach" else sums.count(name)
            return None if count is None else str(count)
        return self._ratio(name, sums)

    def _reach(self, sums: Sums) -> int | None:
        """People reached: every day and object reaches partly the same ones."""
        people = self.audience.get(str(sums.values["account_id"]))
        impressions = sums.count("impressions")
        if people is None or impressions is None:
            return None
        return min(impressions, math.ceil(people * -math.expm1(-impressions / people)))

    def _ratio(self, name: str, sums: Sums) -> str | None:
        if name not in _RATIOS:
            return None
        over, under, factor = _RATIOS[name]
        top, bottom = self._quantity(over, sums), self._quantity(under, sums)
        if top is None or not bottom:
            return None
        return _divided(top * factor, bottom)

    def _quantity(self, name: str, sums: Sums) -> Decimal | None:
        if name == "spend":
            return exact_sum(sums.texts("spend"))
        count = self._reach(sums) if name == "reach" else sums.count(name)
        return None if count is None else Decimal(count)

    def _stats(self, name: str, sums: Sums) -> list[dict[str, str]] | None:
        """A list of action statistics; costs need a spend."""
        column = "actions" if name == "cost_per_action_type" else name
        per = exact_sum(sums.texts("spend")) if column != name else None
        if per is not None and not per:
            return None
        found: list[dict[str, str]] = []
        for kind in self.stats:
            item: dict[str, str] = {"action_type": kind}
            for key, suffix in [("value", ""), *((w, f"|{w}") for w in self.windows)]:
                texts = sums.texts(f"{column}.{kind}{suffix}")
                if not texts:
                    continue
                if per is None:
                    item[key] = sum_text(texts)
                elif count := exact_sum(texts):
                    item[key] = _divided(per, count)
            if len(item) > 1:
                found.append(item)
        return found or None

    def _roas(self, kind: str, sums: Sums) -> list[dict[str, str]] | None:
        spend = exact_sum(sums.texts("spend"))
        item: dict[str, str] = {"action_type": kind}
        for key, suffix in [("value", ""), *((w, f"|{w}") for w in self.windows)]:
            texts = sums.texts(f"action_values.{kind}{suffix}")
            if texts and spend:
                item[key] = _divided(exact_sum(texts), spend)
        return [item] if len(item) > 1 else None


_ATTRIBUTES = {
    "objective": "campaign",
    "buying_type": "campaign",
    "optimization_goal": "adset",
    "attribution_setting": "adset",
}
_RATIOS: dict[str, tuple[str, str, int]] = {
    "ctr": ("clicks", "impressions", 100),
    "cpc": ("spend", "clicks", 1),
    "cpm": ("spend", "impressions", 1000),
    "cpp": ("spend", "reach", 1000),
    "frequency": ("impressions", "reach", 1),
    "inline_link_click_ctr": ("inline_link_clicks", "impressions", 100),
    "cost_per_inline_link_click": ("spend", "inline_link_clicks", 1),
}
"""Numerator, denominator, factor."""
_LINK_LISTS = {
    "website_ctr": ("link_click", "inline_link_click_ctr"),
    "outbound_clicks": ("outbound_click", "inline_link_clicks"),
    "outbound_clicks_ctr": ("outbound_click", "inline_link_click_ctr"),
    "cost_per_outbound_click": ("outbound_click", "cost_per_inline_link_click"),
}
METRICS = frozenset({"impressions", "clicks", "inline_link_clicks", "spend", "reach", *_RATIOS})
"""The metrics that are plain numbers: those that filters and sorting can use."""


def _divided(top: Decimal, bottom: Decimal) -> str:
    with localcontext() as context:
        context.prec = 100
        return str((top / bottom).quantize(_SIX_DECIMALS, rounding=ROUND_HALF_UP))
