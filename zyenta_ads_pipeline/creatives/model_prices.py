"""What a model's tokens cost: the table in `model_prices.toml`, and sums from it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class ModelPrice:
    """US dollars for a million tokens, read and written."""

    input: Decimal
    output: Decimal

    def micros(self, tokens_in: int, tokens_out: int) -> int:
        """The cost in millionths of a US dollar: tokens times dollars for a million of them."""
        cost = tokens_in * self.input + tokens_out * self.output
        return int(cost.to_integral_value(rounding=ROUND_HALF_EVEN))


def price_of(host: str, model: str) -> ModelPrice | None:
    """The list price of `model` at `host`, or None where it is not known."""
    prices = _table().get(host.lower(), {})
    plain = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model)
    found = prices.get(model) or prices.get(plain)
    return ModelPrice(Decimal(found[0]), Decimal(found[1])) if found else None


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    text = files(__package__ or "").joinpath("model_prices.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
