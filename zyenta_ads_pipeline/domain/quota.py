"""How much of a platform's quota is used: measured now and then, falling in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

AFTER_BLOCK = 75.0
"""Percent that counts as used, at most, once a block is over: the platform lets us in again."""


@dataclass(frozen=True)
class QuotaUse:
    """A quota as last measured: `percent` of it was used at `measured_at` (aware).

    It is taken to fall evenly to nothing over `decay_seconds`. Until `blocked_until` (aware) the
    platform answers nothing that counts against it.
    """

    percent: float
    measured_at: datetime
    decay_seconds: float
    blocked_until: datetime | None = None

    def percent_at(self, moment: datetime) -> float:
        """What is in use at `moment`, as far as this measurement tells; 0 or more."""
        age = max((moment - self.measured_at).total_seconds(), 0.0)
        left = self.percent * max(1 - age / self.decay_seconds, 0.0)
        block = self.blocked_until
        block_is_over = block is not None and self.measured_at < block <= moment
        return min(left, AFTER_BLOCK) if block_is_over else left

    def blocked_for(self, moment: datetime) -> float:
        """Seconds of a block that are left at `moment`; 0 if there is none."""
        if self.blocked_until is None:
            return 0.0
        return max((self.blocked_until - moment).total_seconds(), 0.0)

    def merged(self, other: QuotaUse) -> QuotaUse:
        """Both as one: the newer measurement, and the later end of a block.

        The order of merging does not matter, so that any process may do it.
        """
        newer = max(self, other, key=lambda use: (use.measured_at, use.percent, use.decay_seconds))
        blocks = [use.blocked_until for use in (self, other) if use.blocked_until is not None]
        return QuotaUse(
            newer.percent, newer.measured_at, newer.decay_seconds, max(blocks, default=None)
        )
