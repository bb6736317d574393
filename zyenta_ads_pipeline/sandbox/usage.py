"""Call scores as Meta keeps them: headers that rise with each call, and the block at 100 %.

All of it runs in real time: it is about the client's haste, not about the sandbox's days.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict, deque
from collections.abc import Callable

from zyenta_ads_pipeline.sandbox.graph_error import GraphError

READ_POINTS = 1
WRITE_POINTS = 3
DECAY_SECONDS = 300
BLOCK_SECONDS = 60
_TIER = "standard_access"
_APP = "app"


class Usage:
    """Scores by ad account over the last 300 seconds, out of `ceiling` points."""

    def __init__(self, ceiling: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ceiling = ceiling
        self._clock = clock
        self._calls: dict[str, deque[tuple[float, int]]] = defaultdict(deque)
        self._scores: dict[str, int] = defaultdict(int)
        self._blocked_until: dict[str, float] = {}

    def count(self, account_id: str | None, *, write: bool) -> None:
        """Count a call; `GraphError` 17/2446079 once the account is over its ceiling."""
        now = self._clock()
        points = WRITE_POINTS if write else READ_POINTS
        for key in {_APP, account_id or _APP}:
            self._calls[key].append((now, points))
            self._scores[key] += points
        if account_id is None:
            return
        if now < self._blocked_until.get(account_id, 0):
            raise _blocked()
        if self._score(account_id) > self._ceiling:
            self._blocked_until[account_id] = now + BLOCK_SECONDS
            raise _blocked()

    def headers(self, account_id: str | None, *, insights: bool) -> dict[str, str]:
        """The usage headers of a reply. Percentages of 0 to 100 and over."""
        app = self._percent(_APP)
        found = {
            "X-App-Usage": json.dumps(
                {"call_count": round(app), "total_cputime": 0, "total_time": 0}
            )
        }
        if account_id is not None:
            own = self._percent(account_id)
            wait = self._wait(account_id)
            found["X-Ad-Account-Usage"] = json.dumps(
                {
                    "acc_id_util_pct": round(own, 2),
                    "reset_time_duration": wait,
                    "ads_api_access_tier": _TIER,
                }
            )
            found["X-Business-Use-Case-Usage"] = json.dumps(
                {
                    account_id: [
                        {
                            "type": "ads_insights" if insights else "ads_management",
                            "call_count": round(own),
                            "total_cputime": 0,
                            "total_time": 0,
                            "estimated_time_to_regain_access": -(-wait // 60),
                            "ads_api_access_tier": _TIER,
                        }
                    ]
                }
            )
            if insights:
                found["X-FB-Ads-Insights-Throttle"] = json.dumps(
                    {
                        "app_id_util_pct": round(app, 2),
                        "acc_id_util_pct": round(own, 2),
                        "ads_api_access_tier": _TIER,
                    }
                )
        return found

    def _score(self, key: str) -> int:
        calls, oldest = self._calls[key], self._clock() - DECAY_SECONDS
        while calls and calls[0][0] <= oldest:
            self._scores[key] -= calls.popleft()[1]
        return self._scores[key]

    def _percent(self, key: str) -> float:
        return 100 * self._score(key) / self._ceiling

    def _wait(self, account_id: str) -> int:
        """Seconds until an account's calls are answered again."""
        return max(0, round(self._blocked_until.get(account_id, 0) - self._clock()))


def _blocked() -> GraphError:
    return GraphError(
        17,
        "(#17) User request limit reached",
        subcode=2446079,
        transient=True,
        user_title="Too many API calls",
        user_msg="There have been too many calls from this ad-account. "
        "Please wait a bit and try again.",
    )
