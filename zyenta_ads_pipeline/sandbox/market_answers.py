"""How what the market sells answers to budgets: curves, weekdays, fatigue, learning, limits.

Each budget holder (a campaign, or an ad set where those hold the budgets) has a curve of its own,
drawn from the market's seed and its id. These are the answers of the public benchmark's markets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from zyenta_ads_pipeline.sandbox.market_chance import chance_of, wobble
from zyenta_ads_pipeline.sandbox.response import Response

LEARNING_HOURS = 3 * 24
LEARNING_SALES = 0.8
"""What is sold of the usual while a holder learns."""
_LARGEST_QUIET_STEP = (1, 5)
"""A fifth of the day's first budget, as a fraction. An edit above it, by more than the minor unit
that shares of a budget are rounded by, starts learning."""
_ELASTICITIES = (0.4, 0.85)
_MOST = (2.5, 6.0)
"""The most a holder can spend on a day, as a multiple of its reference."""
_WEEKDAYS = (0.96, 0.95, 0.97, 1.0, 1.02, 1.06, 1.04)
"""What a dollar sells from Monday to Sunday."""
_DAY_SIGMA = 0.08
_TIRED = (0.0, 0.4)
"""How much of its pull an ad has lost once it is as tired as it gets."""
_TIRING = timedelta(days=60)
"""The time in which an ad gets about two thirds of the way there."""
_ORDER_SIGMA = 0.5


@dataclass(frozen=True)
class Answer:
    """One budget holder's answer. Amounts in minor units a day.

    At a spend of `reference` its ads sell what their returns say; `most` is all that it can spend,
    however large its budget.
    """

    response: Response
    reference: float
    most: float

    def worth(self, spend: float) -> float:
        """What a unit of money sells at a daily rate of `spend`, relative to the reference's."""
        relative = spend / self.reference
        return self.response.sales(relative) / relative


def answer_of(seed: int, holder: str, reference: float) -> Answer:
    """The answer of a budget holder."""
    chance = chance_of(seed, f"curve:{holder}", 0)
    family = "hill" if chance.random() < 0.5 else "power"
    elasticity = float(chance.uniform(*_ELASTICITIES))
    return Answer(
        Response(family, elasticity), reference, float(reference * chance.uniform(*_MOST))
    )


def demand(seed: int, holder: str, day: date) -> float:
    """What that day does to all sales of a holder: its weekday and its luck, 1 in the mean."""
    return _WEEKDAYS[day.weekday()] * wobble(seed, f"demand:{holder}", day.toordinal(), _DAY_SIGMA)


def freshness(seed: int, ad_id: str, age: timedelta) -> float:
    """What an ad still sells of what it sold at first: it tires along an exponential."""
    gone = -math.expm1(-max(age / _TIRING, 0.0))
    return 1.0 - _tired(seed, ad_id) * gone


@lru_cache(maxsize=4096)
def _tired(seed: int, ad_id: str) -> float:
    return float(chance_of(seed, f"tired:{ad_id}", 0).uniform(*_TIRED))


def order_factor(normal: float) -> float:
    """A sale's value relative to the mean order, lognormal, from a standard normal draw."""
    return math.exp(_ORDER_SIGMA * normal - _ORDER_SIGMA**2 / 2)


class Learning:
    """Which budget holders learn anew, since a day's edits went beyond a fifth of its budget."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[date, int]] = {}
        self._until: dict[str, datetime] = {}

    def edited(self, holder: str, old: int, new: int, moment: datetime, day: date) -> None:
        """Note an edit at a moment (UTC) of an account's day; amounts in minor units.

        Several edits of a day count together: what matters is the budget that the day began with.
        """
        if self._first.get(holder, (None, 0))[0] != day:
            self._first[holder] = (day, old)
        first = self._first[holder][1]
        part, whole = _LARGEST_QUIET_STEP
        if (abs(new - first) - 1) * whole > first * part:
            self._until[holder] = moment + timedelta(hours=LEARNING_HOURS)

    def sales(self, holder: str, moment: datetime) -> float:
        """What a holder sells of the usual at a moment (UTC)."""
        until = self._until.get(holder)
        return LEARNING_SALES if until is not None and moment < until else 1.0
