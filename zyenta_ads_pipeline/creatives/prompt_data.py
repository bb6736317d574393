"""The data that a model is shown, and the schema of what it may answer.

Everything from outside travels as JSON between marks, with `<` and `>` escaped: no product text can
close the mark that encloses it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from zyenta_ads_pipeline.creatives.writers import Brief, storable
from zyenta_ads_pipeline.domain import money
from zyenta_ads_pipeline.domain.creative import (
    HEADLINE_CHARACTERS,
    TEXT_CHARACTERS,
    Angle,
    Rejection,
)
from zyenta_ads_pipeline.domain.shop import Product

LONGEST_DESCRIPTION = 800
LONGEST_TEXT = 200
"""Characters of a text that are sent to the model; a longer one costs more than it tells."""
_REJECTIONS_SHOWN = 12


def shop_data(brief: Brief) -> str:
    """The shop and its products as a model reads them."""
    return _escaped(
        {
            "shop": _short(brief.store.name),
            "sells": _short(brief.store.niche),
            "products": [
                _product(number, each, brief.store.currency)
                for number, each in enumerate(brief.products, 1)
            ],
        }
    )


def _product(number: int, product: Product, currency: str) -> dict[str, object]:
    told: dict[str, object] = {
        "product": number,
        "title": _short(product.title),
        "brand": _short(product.brand),
        "category": _short(product.category),
        "description": _short(product.description, LONGEST_DESCRIPTION),
    }
    if product.price_minor > 0 and product.currency == currency:
        told["price"] = money.show(money.to_major(product.price_minor, currency), currency)
    return {name: value for name, value in told.items() if value}


def earlier_texts(brief: Brief, rejected: Sequence[Rejection]) -> str:
    """Texts in use, and the last refused ones with their reasons."""
    return _escaped(
        {
            "taken": [
                {"headline": each.headline, "primary_text": each.primary_text}
                for each in brief.taken
            ],
            "refused": [
                {
                    "angle": _short(each.angle),
                    "headline": _short(each.headline),
                    "primary_text": _short(each.description),
                    "cta": _short(each.call_to_action),
                    "reason": each.reason[: 2 * LONGEST_TEXT],
                }
                for each in rejected[-_REJECTIONS_SHOWN:]
            ],
        }
    )


def answer_schema(brief: Brief, wanted: Sequence[Angle]) -> Mapping[str, Any]:
    """The JSON schema of an answer, in the strict form that servers enforce."""
    text = {"type": "string"}
    fields: dict[str, Any] = {
        "angle": {"type": "string", "enum": list(dict.fromkeys(each.value for each in wanted))},
        "headline": {**text, "description": f"at most {HEADLINE_CHARACTERS} characters"},
        "primary_text": {**text, "description": f"at most {TEXT_CHARACTERS} characters"},
        "visual": text,
        "cta": {"type": "string", "enum": list(brief.calls_to_action)},
        "emotion": text,
        "product": {"type": "integer", "enum": list(range(len(brief.products) + 1))},
    }
    concept = {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    return {
        "name": "concepts",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"concepts": {"type": "array", "items": concept}},
            "required": ["concepts"],
            "additionalProperties": False,
        },
    }


def _short(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, or its first whole words; this is what a model reads, never what an ad says."""
    if len(text) <= longest:
        return text
    return text[:longest].rpartition(" ")[0] or text[:longest]


def _escaped(value: object) -> str:
    written = storable(json.dumps(value, ensure_ascii=False, indent=1))
    return written.replace("<", "\\u003c").replace(">", "\\u003e")
