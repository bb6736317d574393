"""What the control endpoints have planned for reviews and videos; kept in the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.objects import Objects, Thing
from zyenta_ads_pipeline.sandbox.review import REVIEW_MINUTES
from zyenta_ads_pipeline.sandbox.state import State
from zyenta_ads_pipeline.sandbox.videos import VideoPlan

_VIDEOS, _MINUTES = "videos", "review_minutes"


class Plans:
    """How long reviews take, and how videos come out of their processing."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.videos = VideoPlan().changed(state.note(_VIDEOS) or {})
        minutes = state.note(_MINUTES)
        self.minutes = REVIEW_MINUTES if minutes is None else float(minutes)

    def desk(self, objects: Objects, account: Thing, now: datetime) -> Desk:
        """The desk at which a write to an account is judged."""
        return Desk(objects, account, now, self.minutes)

    def video_finished(self) -> None:
        """Cross the first planned outcome off."""
        if self.videos.next:
            self._keep(replace(self.videos, next=self.videos.next[1:]))

    def plan_videos(self, asked: Mapping[str, Any]) -> None:
        """Change the plan of videos; `ValueError` says what is wrong."""
        self._keep(self.videos.changed(asked))

    def plan_reviews(self, minutes: Any) -> None:
        """Change how long reviews take; `ValueError` when it is no number of minutes."""
        if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes < 0:
            raise ValueError("minutes must be a number from 0 on")
        self.minutes = float(minutes)
        self._state.keep_note(_MINUTES, self.minutes)

    def _keep(self, plan: VideoPlan) -> None:
        self.videos = plan
        self._state.keep_note(_VIDEOS, plan.as_json())
