"""Decisions that stand by themselves, each under its campaign's own limits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import polars as pl

from zyenta_ads_pipeline.optimizer.allocation_cases import LIMITS, Limit
from zyenta_ads_pipeline.optimizer.allocation_notes import Words
from zyenta_ads_pipeline.optimizer.bounds import LEARNING_STEP, Bounds, step_bounds


class Passed(NamedTuple):
    """One campaign's budget, in minor units, and what held it back."""

    amount: int
    limit: Limit
    note: str


class _Campaign(NamedTuple):
    """One campaign with its bounds, minor units. `cap` is None where there is none; `low` and
    `high` are what the step leaves of floor and cap."""

    current: int
    floor: int
    cap: int | None
    low: int
    high: int
    low_limit: Limit
    high_limit: Limit
    step: Decimal | None
    hold: str | None
    locked: bool

    @property
    def beyond_step(self) -> Limit:
        """FLOOR or CAP when that one lies outside the step and wins, else NONE."""
        one = self.low == self.high and self.low_limit is self.high_limit
        return self.low_limit if one else Limit.NONE


def pass_through(part: pl.DataFrame, bounds: Bounds, words: Words) -> Iterator[Passed]:
    """Each campaign's own decision under its bounds, in the order of `part`."""
    new_budgets = part["new_budget"].to_list()
    for i, (new_budget, hold, locked) in enumerate(
        zip(new_budgets, part["hold"].to_list(), part["locked"].to_list(), strict=True)
    ):
        low_limit, high_limit = LIMITS[bounds.low_limit[i]], LIMITS[bounds.high_limit[i]]
        narrow = Limit.LEARNING_DOWN is low_limit or Limit.LEARNING_UP is high_limit
        campaign = _Campaign(
            int(bounds.current[i]),
            int(bounds.floor[i]),
            int(bounds.cap[i]) if bounds.cap[i] >= 0 else None,
            int(bounds.low[i]),
            int(bounds.high[i]),
            low_limit,
            high_limit,
            LEARNING_STEP if narrow else words.limits.max_step,
            hold,
            bool(locked),
        )
        yield _passed(campaign, new_budget, words)


def _passed(one: _Campaign, decided: Decimal | None, words: Words) -> Passed:
    if one.locked or one.hold is not None:
        limit = Limit.LOCKED if one.locked else Limit.HELD
        return Passed(one.current, limit, words.pinned(one.current, one.hold, locked=one.locked))
    if decided is None:
        note = "Maintained."
        if one.current < one.floor:
            note = f"Maintained, though below its floor of {words.show(one.floor)}."
        elif one.cap is not None and one.current > one.cap:
            note = f"Maintained, though above its cap of {words.show(one.cap)}."
        return Passed(one.current, Limit.NONE, note)
    wanted = Fraction(decided) * words.offset
    if wanted <= one.current < one.floor:
        # A floor is there to keep a campaign alive, not to raise one that is to be cut.
        return Passed(one.current, Limit.FLOOR, words.below_floor(one.floor))
    if words.limits.no_raises and wanted > one.current:
        return Passed(one.current, Limit.NO_RAISES, words.no_raises())
    low, high = one.low, one.high
    if one.beyond_step is Limit.FLOOR and one.step is not None:
        low, high = one.current, int(step_bounds([one.current], one.step)[1][0])
    if one.high_limit is Limit.DELIVERY:
        high = max(high, one.current)  # what is not spent is not raised; nobody asked for a cut
    amount = min(max(round(wanted), low), high)  # round() of a Fraction is half to even
    limit = _held_back(one, amount, wanted)
    if limit is Limit.DELIVERY:
        return Passed(amount, limit, words.delivery(amount, one.current))
    note = words.limit(limit, one.current, one.floor, one.cap, beyond_step=one.beyond_step)
    return Passed(amount, limit, note or "As decided.")


def _held_back(one: _Campaign, amount: int, wanted: Fraction) -> Limit:
    """What kept the amount from what was wanted.

    A decision that only rounding carried past a bound was not held back by it: what is less than
    one minor unit beyond is not worth a word.
    """
    if one.beyond_step is not Limit.NONE and amount != wanted:
        return Limit.STEP_UP if one.beyond_step is Limit.FLOOR else one.beyond_step
    if amount - wanted >= 1:
        return one.low_limit
    if amount - wanted <= -1:
        return one.high_limit
    return Limit.NONE
