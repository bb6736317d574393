"""How an invented campaign answers to its budget: the curves behind the market.

The public benchmark and the sandbox's market share them, so that what is measured there shows
here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    """Sales over spend, both relative to a reference day: 1 at 1, growing ever more slowly.

    `family` is "hill" (saturating, with exponent 1) or "power" (never full). `elasticity` is
    dlog(sales)/dlog(spend) at the reference, in (0, 1).
    """

    family: str
    elasticity: float

    def sales(self, spend: float) -> float:
        """Sales at `spend` times the reference spend, as a multiple of the reference's sales."""
        if spend <= 0:
            return 0.0
        if self.family == "power":
            return float(spend**self.elasticity)
        half = self.elasticity / (1 - self.elasticity)
        return spend * (1 + half) / (half + spend)
