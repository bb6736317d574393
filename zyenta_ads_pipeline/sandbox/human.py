"""What a person does in Meta's own tools: edits, verdicts of the review, issues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox.create_creative import story_of
from zyenta_ads_pipeline.sandbox.creates import review_log
from zyenta_ads_pipeline.sandbox.desk import touched
from zyenta_ads_pipeline.sandbox.object_views import FIELD_NAMES, review_feedback
from zyenta_ads_pipeline.sandbox.objects import LEVELS, STATUSES, Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.plans import Plans
from zyenta_ads_pipeline.sandbox.review import Review, submitted
from zyenta_ads_pipeline.sandbox.state import HUMAN, State, Write

_TEXTS = ("name", "status")
_AMOUNTS = ("daily_budget", "lifetime_budget")
_VERDICTS = ("approved", "disapproved", "pending")
_FEEDBACK = {"Advertising Standards": "The ad does not comply with Meta's advertising standards."}


@dataclass(frozen=True)
class Human:
    """Changes objects without the API's rules, and not as the client. `ValueError` says why not."""

    objects: Objects
    state: State
    plans: Plans

    def edit(self, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Set `fields` of the object `id`; null takes an attribute away. Gives what changed."""
        thing = self._thing(asked, "id")
        fields = asked.get("fields")
        if not isinstance(fields, dict) or not fields or asked.keys() - {"id", "fields"}:
            raise ValueError("give id and fields, an object")
        changed = thing
        for name, value in fields.items():
            changed = self._edited(changed, name, value)
        changed = replace(changed, updated_time=touched(thing, now))
        log = [
            Write(
                object=thing.node_id,
                field=name,
                old=_text(_value(thing, name)),
                new=_text(_value(changed, name)),
                at=now,
                accepted=True,
                author=HUMAN,
            )
            for name in fields
        ]
        if changed.creative_id != thing.creative_id:
            changed = replace(changed, review=self._review(changed, now))
            log += review_log([changed], now)
        self._keep(changed, log)
        return {"id": thing.node_id, "updated_time": changed.updated_time.isoformat()}

    def review(self, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Give a `verdict` on the ad `ad_id`, at once; or set the `minutes` that reviews take.

        `feedback` maps policies to texts. "pending" sends the ad into a review anew.
        """
        if asked.keys() - {"ad_id", "verdict", "feedback", "minutes"}:
            raise ValueError("give ad_id with verdict and perhaps feedback, or minutes")
        if "minutes" in asked:
            self.plans.plan_reviews(asked["minutes"])
        if "ad_id" not in asked:
            return self.reviews()
        ad = self._thing(asked, "ad_id")
        verdict, feedback = asked.get("verdict"), asked.get("feedback", _FEEDBACK)
        if ad.kind is not Kind.AD or verdict not in _VERDICTS:
            raise ValueError(f"give the id of an ad and a verdict out of {list(_VERDICTS)}")
        if not isinstance(feedback, dict) or not feedback:
            raise ValueError("feedback must map policies to texts")
        if verdict == "pending":
            review = self._review(ad, now)
        else:
            review = Review(now, now, feedback if verdict == "disapproved" else {}).at(now)
        changed = replace(ad, review=review)
        self._keep(changed, review_log([changed], now))
        return self.reviews()

    def reviews(self) -> dict[str, Any]:
        """How long reviews take, and every ad that was reviewed here or is in review."""
        ads = [
            {
                "ad_id": ad.id,
                "state": ad.review.state or "APPROVED",
                "ends": ad.review.ends.isoformat(),
                "feedback": review_feedback(ad),
            }
            for account in self.objects.accounts()
            for ad in self.objects.below(account, Kind.AD)
            if ad.review is not None
        ]
        return {"minutes": self.plans.minutes, "ads": ads}

    def issues(self, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Set the `issues` of the campaign, ad set or ad `id`; an empty list takes them away."""
        thing = self._thing(asked, "id")
        listed = asked.get("issues")
        if thing.kind not in LEVELS or not isinstance(listed, list):
            raise ValueError("give the id of a campaign, ad set or ad, and a list of issues")
        if not all(isinstance(item, dict) for item in listed):
            raise ValueError("each of issues must be an object")
        rows = [_issue(thing, number, item) for number, item in enumerate(listed)]
        without = {k: v for k, v in thing.attributes.items() if k != "issues_info"}
        changed = replace(thing, attributes=without | ({"issues_info": rows} if rows else {}))
        self._keep(replace(changed, updated_time=touched(thing, now)), [])
        return {"id": thing.id, "issues_info": rows}

    def _edited(self, thing: Thing, name: str, value: Any) -> Thing:
        if name in _TEXTS:
            if not isinstance(value, str) or (name == "status" and value not in STATUSES):
                raise ValueError(f"{name} cannot be {value!r}")
            return replace(thing, name=value) if name == "name" else replace(thing, status=value)
        if name in _AMOUNTS:
            if value is not None and (type(value) is not int or value < 0):
                raise ValueError(f"{name} must be whole minor units or null")
            if name == "daily_budget":
                return replace(thing, daily_budget=value)
            return replace(thing, lifetime_budget=value)
        if name == "creative" and thing.kind is Kind.AD:
            creative = self.objects.get(str(value))
            if creative is None or creative.kind is not Kind.CREATIVE:
                raise ValueError(f"there is no creative {value}")
            return replace(thing, creative_id=creative.id)
        if name not in FIELD_NAMES[thing.kind] or name in ("id", "account_id"):
            raise ValueError(f"a {thing.kind.value} has no field {name} to set")
        merged = thing.attributes | {name: value}
        return replace(thing, attributes={k: v for k, v in merged.items() if v is not None})

    def _review(self, ad: Thing, now: datetime) -> Review:
        creative = self.objects.parent(ad, Kind.CREATIVE)
        story = {} if creative is None else story_of(creative)
        return submitted(story, now, self.plans.minutes)

    def _thing(self, asked: Mapping[str, Any], name: str) -> Thing:
        thing = self.objects.get(str(asked.get(name)))
        if thing is None:
            raise ValueError(f"{name} must be the id of an object")
        return thing

    def _keep(self, thing: Thing, log: list[Write]) -> None:
        self.state.record(log, [thing])
        self.objects.replace(thing)


def _issue(thing: Thing, number: int, item: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `issues_info` with Meta's keys, as far as they are not given filled in."""
    level = {Kind.CAMPAIGN: "CAMPAIGN", Kind.ADSET: "AD_SET", Kind.AD: "AD"}[thing.kind]
    return {
        "level": level,
        "error_code": 1815869,
        "error_summary": "Issue",
        "error_message": "This has an issue that keeps it from delivering.",
        "error_type": "HARD_ERROR",
        "mid": f"{thing.id}.{number}",
        **item,
    }


def _value(thing: Thing, name: str) -> Any:
    if name == "creative":
        return thing.creative_id
    return getattr(thing, name) if hasattr(thing, name) else thing.attributes.get(name)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
