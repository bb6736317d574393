"""Throttles as Meta keeps them: four scores, the headers that tell them, the errors at 100 %.

Rules: Meta's rate-limiting pages (Marketing API and Graph API). All of it runs in real time,
which a test may push on: it is about the client's haste, not about the sandbox's days.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Collection

from zyenta_ads_pipeline.sandbox.throttle_errors import (
    account_blocked,
    app_blocked,
    platform_blocked,
    too_many_writes,
    use_case_blocked,
)
from zyenta_ads_pipeline.sandbox.windows import Lump, Window

READ_POINTS = 1
WRITE_POINTS = 3
DECAY_SECONDS = 300
HOUR = 3600
WRITES_A_SECOND = 100
FULL, LIMITED = "standard_access", "development_access"
TIERS = (FULL, LIMITED)
INSIGHTS, MANAGEMENT = "ads_insights", "ads_management"
USE_CASES = (INSIGHTS, MANAGEMENT)
LEVELS = ("account", "app", "insights_platform", *USE_CASES)
HEADERS = (
    "X-App-Usage",
    "X-Ad-Account-Usage",
    "X-Business-Use-Case-Usage",
    "X-FB-Ads-Insights-Throttle",
)

_LIMITED_CEILING = 60
_BLOCK_SECONDS = {FULL: 60, LIMITED: 300}
_QUOTAS = {  # calls an hour, and what each active ad adds
    FULL: {INSIGHTS: (190_000, 400), MANAGEMENT: (100_000, 40)},
    LIMITED: {INSIGHTS: (600, 400), MANAGEMENT: (300, 40)},
}
# Meta tells no budget of computing time; these are round figures of the sandbox's own.
_CPU_SECONDS_AN_HOUR = {FULL: 20_000.0, LIMITED: 200.0}
_CPU_SECONDS_A_CALL, _CPU_SECONDS_A_ROW = 0.02, 0.001
_TIME_PER_CPU = 1.5
_APP_CALLS_AN_HOUR = 200 * 1000
_PLATFORM_CALLS_AN_HOUR = 1_000_000


class Usage:
    """Scores by app, ad account and use case.

    `ceiling` is the account score at full access at which calls are blocked; limited access has
    60 at most. When a block is over, its score begins anew.
    """

    def __init__(self, ceiling: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ceiling = ceiling
        self._clock = clock
        self._pushed = 0.0
        self.tier = FULL
        self.left_out: frozenset[str] = frozenset()
        self._windows: dict[tuple[str, str], Window] = {}
        self._blocked_until: dict[str, float] = {}
        self._active_ads: dict[str, int] = {}

    def set_active_ads(self, account_id: str, number: int) -> None:
        """Tell how many ads of an account deliver: the hourly quotas grow with them."""
        self._active_ads[account_id] = number

    def count(self, account_id: str | None, *, write: bool, insights: bool = False) -> None:
        """Count a call. Raises `GraphError` 4, 17, 613, 80000 or 80004 when it is one too many."""
        now = self._now()
        self._window("app", "", HOUR).add(now, Lump(1, _CPU_SECONDS_A_CALL))
        if insights:
            self._window("insights_platform", "", HOUR).add(now, Lump(1))
        if account_id is None:
            self._refuse_app(insights=insights)
            return
        use_case = INSIGHTS if insights else MANAGEMENT
        self._window(use_case, account_id, HOUR).add(now, Lump(1, _CPU_SECONDS_A_CALL))
        self._refuse_app(insights=insights)
        self._refuse_account(account_id, WRITE_POINTS if write else READ_POINTS)
        if write:
            second = self._window("writes", account_id, 1)
            second.add(now, Lump(1))
            if second.total(now).calls > WRITES_A_SECOND:
                raise too_many_writes()
        if self._percent(use_case, account_id) >= 100:
            raise use_case_blocked(use_case)

    def spend(self, account_id: str | None, *, insights: bool, rows: int) -> None:
        """Charge the computing that an answer took, by the rows it holds."""
        cpu = Lump(0, rows * _CPU_SECONDS_A_ROW)
        now = self._now()
        self._window("app", "", HOUR).add(now, cpu)
        if account_id is not None:
            use_case = INSIGHTS if insights else MANAGEMENT
            self._window(use_case, account_id, HOUR).add(now, cpu)

    def headers(self, account_id: str | None, *, insights: bool) -> dict[str, str]:
        """The usage headers of a reply. Percentages of 0 to 100 and over.

        Waiting times are seconds in X-Ad-Account-Usage and minutes in
        X-Business-Use-Case-Usage, as Meta has them.
        """
        found: dict[str, object] = {"X-App-Usage": self._percentages("app", "")}
        if account_id is not None:
            seconds = self.reset_seconds(account_id)
            found["X-Ad-Account-Usage"] = {
                "acc_id_util_pct": round(self._percent("account", account_id), 2),
                "reset_time_duration": seconds,
                "ads_api_access_tier": self.tier,
            }
            found["X-Business-Use-Case-Usage"] = {
                account_id: [
                    self._use_case(use_case, account_id)
                    for use_case in USE_CASES
                    if (use_case == INSIGHTS) == insights or (use_case, account_id) in self._windows
                ]
            }
            if insights:
                found["X-FB-Ads-Insights-Throttle"] = {
                    "app_id_util_pct": round(self._percent("insights_platform", ""), 2),
                    "acc_id_util_pct": round(self._percent(INSIGHTS, account_id), 2),
                    "ads_api_access_tier": self.tier,
                }
        return {k: json.dumps(v) for k, v in found.items() if k not in self.left_out}

    def advance(self, seconds: float) -> None:
        """Push the throttles' own clock on."""
        self._pushed += seconds

    def set_level(self, level: str, account_id: str, percent: float) -> None:
        """Put one score at a percentage, as though calls had just been made."""
        window = self._window(level, account_id, DECAY_SECONDS if level == "account" else HOUR)
        window.clear()
        if level == "account":
            self._blocked_until.pop(account_id, None)
        window.add(self._now(), Lump(percent / 100 * self._quota(level, account_id)))

    def set_tier(self, tier: str) -> None:
        """Change the app's access tier: `standard_access` (full) or `development_access`."""
        self.tier = tier

    def leave_out(self, names: Collection[str]) -> None:
        """Send no header of these names from now on: all of them are optional."""
        self.left_out = frozenset(names)

    def reset_seconds(self, account_id: str) -> int:
        """Seconds until an account's block, or else its whole score, is gone."""
        now = self._now()
        window = self._score(account_id, now)
        if account_id in self._blocked_until:
            return math.ceil(self._blocked_until[account_id] - now)
        return math.ceil(window.seconds_until_empty(now))

    def _refuse_app(self, *, insights: bool) -> None:
        if self._percent("app", "") >= 100:
            raise app_blocked()
        if insights and self._percent("insights_platform", "") >= 100:
            raise platform_blocked()

    def _refuse_account(self, account_id: str, points: int) -> None:
        now = self._now()
        window = self._score(account_id, now)
        if account_id in self._blocked_until:
            raise account_blocked()
        window.add(now, Lump(points))
        if window.total(now).calls > self._quota("account", account_id):
            self._blocked_until[account_id] = now + _BLOCK_SECONDS[self.tier]
            raise account_blocked()

    def _score(self, account_id: str, now: float) -> Window:
        """The window of an account's score; a block that is over ends here, and its score."""
        window = self._window("account", account_id, DECAY_SECONDS)
        if self._blocked_until.get(account_id, math.inf) <= now:
            del self._blocked_until[account_id]
            window.clear()
        return window

    def _use_case(self, use_case: str, account_id: str) -> dict[str, object]:
        seconds = self._window(use_case, account_id, HOUR).seconds_until(
            self._now(), lambda total: self._worst(total, use_case, account_id) < 100
        )
        return {
            "type": use_case,
            **self._percentages(use_case, account_id),
            "estimated_time_to_regain_access": math.ceil(seconds / 60),
            "ads_api_access_tier": self.tier,
        }

    def _percentages(self, level: str, account_id: str) -> dict[str, int]:
        total = self._window(level, account_id, HOUR).total(self._now())
        cpu = 100 * total.cpu / _CPU_SECONDS_AN_HOUR[self.tier]
        return {
            "call_count": int(100 * total.calls / self._quota(level, account_id)),
            "total_cputime": int(cpu),
            "total_time": int(cpu * _TIME_PER_CPU),
        }

    def _percent(self, level: str, account_id: str) -> float:
        decay = DECAY_SECONDS if level == "account" else HOUR
        total = self._window(level, account_id, decay).total(self._now())
        return self._worst(total, level, account_id)

    def _worst(self, total: Lump, level: str, account_id: str) -> float:
        """The highest of a level's percentages; computing counts for the use cases alone."""
        calls = 100 * total.calls / self._quota(level, account_id)
        if level not in USE_CASES:
            return calls
        return max(calls, 100 * total.cpu * _TIME_PER_CPU / _CPU_SECONDS_AN_HOUR[self.tier])

    def _quota(self, level: str, account_id: str) -> float:
        if level == "account":
            return self._ceiling if self.tier == FULL else min(self._ceiling, _LIMITED_CEILING)
        if level == "app":
            return _APP_CALLS_AN_HOUR
        if level == "insights_platform":
            return _PLATFORM_CALLS_AN_HOUR
        base, each = _QUOTAS[self.tier][level]
        return base + each * self._active_ads.get(account_id, 0)

    def _window(self, level: str, account_id: str, seconds: int) -> Window:
        key = (level, account_id)
        if key not in self._windows:
            self._windows[key] = Window(seconds)
        return self._windows[key]

    def _now(self) -> float:
        return self._clock() + self._pushed
