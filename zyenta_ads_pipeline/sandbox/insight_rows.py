"""The rows of insights as JSON texts, made from columns: a page costs a few microseconds a row.

All metrics are texts inside the JSON; a metric without a value has no key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from zyenta_ads_pipeline.domain.time import DateRange
from zyenta_ads_pipeline.sandbox.action_parts import ActionParts
from zyenta_ads_pipeline.sandbox.insight_metrics import Metrics, decimals_of, divided
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing

_STATS = frozenset({"actions", "action_values", "cost_per_action_type"})
_ROAS_TYPES = {
    "purchase_roas": "omni_purchase",
    "website_purchase_roas": "offsite_conversion.fb_pixel_purchase",
}
_LINK_LISTS = {
    "website_ctr": ("link_click", "inline_link_click_ctr"),
    "outbound_clicks": ("outbound_click", "inline_link_clicks"),
    "outbound_clicks_ctr": ("outbound_click", "inline_link_click_ctr"),
    "cost_per_outbound_click": ("outbound_click", "cost_per_inline_link_click"),
}
_ATTRIBUTES = {
    "objective": "campaign",
    "buying_type": "campaign",
    "optimization_goal": "adset",
    "attribution_setting": "adset",
}
_OWNERS = frozenset({"account", "campaign", "adset", "ad"})
_UNSAFE = r'["\\\x00-\x1f]'


def stat_columns(fields: Sequence[str], types: Sequence[str], windows: Sequence[str]) -> list[str]:
    """The columns of statistics that rows with these fields are made of."""
    columns: list[str] = []
    suffixes = ("", *(f"|{window}" for window in windows))
    if {"actions", "cost_per_action_type"} & set(fields):
        columns += [f"actions.{kind}{suffix}" for kind in types for suffix in suffixes]
    valued = types if "action_values" in fields else []
    if not valued:
        valued = [kind for name, kind in _ROAS_TYPES.items() if name in fields]
    return columns + [f"action_values.{kind}{suffix}" for kind in valued for suffix in suffixes]


@dataclass(frozen=True)
class RowMaker:
    """Makes rows with the wanted fields.

    `keys` are the breakdowns' columns, `types` the action types that the source knows, in its
    order; `windows` the attribution windows asked for besides the default; `parts` splits the
    items of statistics by action breakdowns, when any was asked for.
    """

    objects: Objects
    fields: Sequence[str]
    keys: Sequence[str]
    types: Sequence[str]
    windows: Sequence[str]
    parts: ActionParts | None = None

    def texts(self, metrics: Metrics, periods: Sequence[DateRange]) -> list[str]:
        """The rows, each a JSON object."""
        columns: list[pl.Series] = []
        shown: list[pl.Expr] = []
        for name in dict.fromkeys(self.fields):
            values = self._json(name, metrics)
            if values is not None:
                columns.append(values.alias(f"c{len(columns)}"))
                shown.append(pl.lit(f"{json.dumps(name)}:") + pl.col(columns[-1].name))
        dates = [f'"date_start":"{days.since}","date_stop":"{days.until}"' for days in periods]
        columns.append(pl.Series("dates", dates, pl.String).gather(metrics.rows["period"]))
        shown.append(pl.col("dates"))
        for name in self.keys:
            columns.append(_quoted(metrics.rows[name]).alias(f"c{len(columns)}"))
            shown.append(pl.lit(f"{json.dumps(name)}:") + pl.col(columns[-1].name))
        body = pl.concat_str(shown, separator=",", ignore_nulls=True)
        return pl.DataFrame(columns).select(pl.lit("{") + body + "}").to_series().to_list()

    def labels(self, name: str, rows: pl.DataFrame) -> list[str]:
        """An id or a name of each row, for sorting."""
        found = self._dimension(name, rows)
        return [""] * rows.height if found is None else [each or "" for each in found.to_list()]

    def _json(self, name: str, metrics: Metrics) -> pl.Series | None:
        """A field's values as JSON, null where there is none; None when no row has any."""
        if name in ("date_start", "date_stop"):
            return None
        found: pl.Series | None
        if name.partition("_")[0] in _OWNERS or name in _ATTRIBUTES:
            found = self._dimension(name, metrics.rows)
        elif name in _STATS or name in _ROAS_TYPES or name in _LINK_LISTS:
            return self._list(name, metrics)
        else:
            found = metrics.texts(name)
        return None if found is None else _quoted(found)

    def _list(self, name: str, metrics: Metrics) -> pl.Series | None:
        """A field that is a list of statistics."""
        if name in ("actions", "action_values") and self.parts is None:
            return self._stats(name, metrics.rows)
        if name in _STATS:
            return self._item_lists(name, metrics.rows)
        if name in _ROAS_TYPES:
            return self._roas(_ROAS_TYPES[name], metrics.rows)
        return _link_list(*_LINK_LISTS[name], metrics)

    def _dimension(self, name: str, rows: pl.DataFrame) -> pl.Series | None:
        """An id, a name or another trait of each row's object or of its parents, as texts."""
        if name.endswith("_id"):
            return rows[name] if name in rows.columns else None
        owner, _, attribute = name.partition("_")
        if name in _ATTRIBUTES:
            owner, attribute = _ATTRIBUTES[name], name
        if f"{owner}_id" not in rows.columns:
            return None
        ids = rows[f"{owner}_id"]
        told = {each: self._told(owner, each, attribute) for each in ids.unique().drop_nulls()}
        return ids.replace_strict(told, default=None, return_dtype=pl.String)

    def _told(self, owner: str, found: str, attribute: str) -> str | None:
        thing: Thing | None = self.objects.get(f"act_{found}" if owner == Kind.ACCOUNT else found)
        if thing is None:
            return None
        value = thing.name if attribute == "name" else thing.attributes.get(attribute)
        return None if value is None else str(value)

    def _keyed(self, column: str, rows: pl.DataFrame) -> list[tuple[str, str]]:
        """The keys of an item beside its type, each with its column, as far as they exist."""
        pairs = [("value", column), *((window, f"{column}|{window}") for window in self.windows)]
        return [(key, name) for key, name in pairs if name in rows.columns]

    def _stats(self, field: str, rows: pl.DataFrame) -> pl.Series | None:
        items: list[pl.Expr] = []
        for kind in self.types:
            pairs = self._keyed(f"{field}.{kind}", rows)
            if not pairs:
                continue
            values = [pl.lit(f'"{key}":"') + pl.col(name) + pl.lit('"') for key, name in pairs]
            inner = pl.concat_str(values, separator=",", ignore_nulls=True)
            opening = pl.lit(f'{{"action_type":{json.dumps(kind)},')
            something = pl.any_horizontal(pl.col(name).is_not_null() for _, name in pairs)
            items.append(pl.when(something).then(opening + inner + pl.lit("}")))
        if not items:
            return None
        joined = pl.concat_str(items, separator=",", ignore_nulls=True)
        listed = pl.when(joined.str.len_bytes() > 0).then(pl.lit("[") + joined + pl.lit("]"))
        return rows.select(listed.alias(field)).to_series()

    def _item_lists(self, name: str, rows: pl.DataFrame) -> pl.Series:
        """Lists whose items are computed row by row: costs, and items cut by action breakdowns."""
        costs = name == "cost_per_action_type"
        field = "actions" if costs else name
        spends = decimals_of(rows["spend"]) if costs and "spend" in rows.columns else None
        found: list[list[dict[str, str]]] = [[] for _ in range(rows.height)]
        for kind in self.types:
            columns = [(k, rows[c].to_list()) for k, c in self._keyed(f"{field}.{kind}", rows)]
            for row, items in enumerate(found):
                values = {key: texts[row] for key, texts in columns if texts[row] is not None}
                if costs:
                    items.extend(_priced(kind, values, None if spends is None else spends[row]))
                elif values and self.parts is not None:
                    items.extend(self.parts.cut(kind, values, rows.row(row, named=True)))
        return pl.Series(name, [_compact(items) if items else None for items in found], pl.String)

    def _roas(self, kind: str, rows: pl.DataFrame) -> pl.Series | None:
        if "spend" not in rows.columns:
            return None
        spends = decimals_of(rows["spend"])
        columns = [(k, rows[c].to_list()) for k, c in self._keyed(f"action_values.{kind}", rows)]
        found: list[str | None] = []
        for row, spend in enumerate(spends):
            item = {
                key: divided(Decimal(texts[row]), spend)
                for key, texts in columns
                if spend and texts[row] is not None
            }
            found.append(_compact([{"action_type": kind} | item]) if item else None)
        return pl.Series(kind, found, pl.String)


def _priced(kind: str, counts: dict[str, str], spend: Decimal | None) -> list[dict[str, str]]:
    """The cost of one action of a type; without spend or without any there is none."""
    if not spend:
        return []
    prices = {key: divided(spend, Decimal(n)) for key, n in counts.items() if Decimal(n)}
    return [{"action_type": kind} | prices] if prices else []


def _link_list(kind: str, metric: str, metrics: Metrics) -> pl.Series | None:
    texts = metrics.texts(metric)
    if texts is None:
        return None
    item = pl.lit(f'[{{"action_type":"{kind}","value":"') + pl.lit(texts) + pl.lit('"}]')
    return pl.select(pl.when(texts != "0").then(item)).to_series()


def _quoted(texts: pl.Series) -> pl.Series:
    """Texts as JSON strings; null stays null."""
    if texts.str.contains(_UNSAFE).any():
        return texts.map_elements(_compact, return_dtype=pl.String, skip_nulls=True)
    return '"' + texts + '"'


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
