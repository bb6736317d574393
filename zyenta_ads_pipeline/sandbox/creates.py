"""Creates: objects and media that a client makes, all or nothing, and logged either way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.create_ad import make_ad_as_asked
from zyenta_ads_pipeline.sandbox.create_adset import make_adset_as_asked
from zyenta_ads_pipeline.sandbox.create_campaign import make_campaign_as_asked
from zyenta_ads_pipeline.sandbox.create_creative import make_creative_as_asked
from zyenta_ads_pipeline.sandbox.desk import Desk
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.images import delete_image, upload_images
from zyenta_ads_pipeline.sandbox.object_views import ObjectViews
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.param_names import COMMON, PLAYED, refuse_other
from zyenta_ads_pipeline.sandbox.plans import Plans
from zyenta_ads_pipeline.sandbox.selection import parse_fields
from zyenta_ads_pipeline.sandbox.state import REVIEWER, State, Write
from zyenta_ads_pipeline.sandbox.videos import upload_video
from zyenta_ads_pipeline.sandbox.write_errors import wrong

Maker = Callable[[Asked, Desk], list[Thing]]
_OPTIONS = ("validate_only", "include_recommendations", "synchronous_ad_review")


def _make_label(asked: Asked, desk: Desk) -> list[Thing]:
    """A label; one name, one label."""
    refuse_other(Kind.LABEL, frozenset(asked.params), PLAYED[Kind.LABEL])
    asked.need("name")
    name = asked.text("name") or ""
    known = [each for each in desk.objects.below(desk.account, Kind.LABEL) if each.name == name]
    return known[:1] or [desk.label(name)]


MAKERS: dict[str, tuple[Kind, Maker]] = {
    "campaigns": (Kind.CAMPAIGN, make_campaign_as_asked),
    "adsets": (Kind.ADSET, make_adset_as_asked),
    "ads": (Kind.AD, make_ad_as_asked),
    "adcreatives": (Kind.CREATIVE, make_creative_as_asked),
    "adlabels": (Kind.LABEL, _make_label),
}
"""By edge of an account: what is made there, and who makes it."""


@dataclass(frozen=True)
class Creator:
    """Makes objects in one state."""

    objects: Objects
    state: State
    plans: Plans

    def create(
        self, call: Call, account: Thing, edge: str, now: datetime, late: float
    ) -> dict[str, Any]:
        """`POST /act_X/{edge}` for an edge in `MAKERS`. Raises `GraphError`.

        The edges show the new objects only after `late` seconds.
        """
        kind, make = MAKERS[edge]
        desk = self.plans.desk(self.objects, account, now)
        only_validate = wants_validation_only(call, desk)
        params = {name: text for name, text in call.params.items() if name not in COMMON}
        try:
            things = make(desk.reads(params), desk)
        except GraphError as error:
            if not only_validate:
                self._log_refusal(error, account, kind, now)
            raise
        if only_validate:
            return {"success": True}
        made = next(each for each in things if each.kind is kind)
        self.store(things, now)
        if late:
            for each in things:
                self.objects.hide(each, now, late)
        return ObjectViews(self.objects, call, now).show(
            made, parse_fields(call.params.get("fields", ""))
        )

    def upload(self, call: Call, account: Thing, edge: str, now: datetime) -> dict[str, Any]:
        """`POST` of images and videos. Raises `GraphError`."""
        desk = self.plans.desk(self.objects, account, now)
        kind = Kind.IMAGE if edge == "adimages" else Kind.VIDEO
        try:
            if kind is Kind.IMAGE:
                things, answer = upload_images(call, desk)
                self.store(things, now)
                return answer
            step = upload_video(call, desk, self.plans.videos)
        except GraphError as error:
            self._log_refusal(error, account, kind, now)
            raise
        self.store([step.video], now)
        if step.finished:
            self.plans.video_finished()
        return step.answer

    def delete_image(self, call: Call, account: Thing, now: datetime) -> dict[str, Any]:
        """`DELETE /act_X/adimages?hash=`."""
        image = delete_image(call, self.plans.desk(self.objects, account, now))
        self.state.record(
            [Write(image.node_id, "status", "ACTIVE", image.status, now, accepted=True)], [image]
        )
        self.objects.replace(image)
        return {"success": True}

    def store(self, things: Sequence[Thing], now: datetime) -> None:
        """Keep objects, new or changed; new ones are logged."""
        new = [each for each in things if self.objects.get(each.node_id) is None]
        log = [Write(each.node_id, "create", None, each.kind.value, now, accepted=True)
               for each in new]  # fmt: skip
        self.state.record([*log, *review_log(new, now)], things)
        for each in things:
            if each in new:
                self.objects.add(each)
            else:
                self.objects.replace(each)

    def _log_refusal(self, error: GraphError, account: Thing, kind: Kind, now: datetime) -> None:
        """Note a refused create. Meta sends `error_data` now as an object, now as a text."""
        error.data_as_text = len(self.state.writes(account.node_id)) % 2 == 1
        code = f"{error.code}/{error.subcode}" if error.subcode else str(error.code)
        refusal = Write(
            account.node_id, "create", None, kind.value, now, accepted=False, error=code
        )
        self.state.record([refusal])


def wants_validation_only(call: Call, desk: Desk) -> bool:
    """Whether nothing is to be stored. Raises `GraphError` 100 for an unknown option."""
    options = desk.reads(call.params).texts("execution_options", _OPTIONS) or []
    if "synchronous_ad_review" in options and "validate_only" not in options:
        raise wrong("execution_options", "synchronous_ad_review needs validate_only")
    return "validate_only" in options


def review_log(things: Sequence[Thing], now: datetime) -> list[Write]:
    """From when on reviewed ads may run, for those who deliver: an ISO time, or "" for never."""
    return [
        Write(
            object=each.node_id,
            field="review",
            old=None,
            new="" if each.review.approved_at is None else each.review.approved_at.isoformat(),
            at=now,
            accepted=True,
            author=REVIEWER,
        )
        for each in things
        if each.review is not None
    ]
