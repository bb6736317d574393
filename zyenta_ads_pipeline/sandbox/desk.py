"""Where a write is judged: the account it concerns, what that account owns, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.sandbox.asked import Asked, id_of, objects_in
from zyenta_ads_pipeline.sandbox.assets import AssetKind, asset_id
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects, Thing
from zyenta_ads_pipeline.sandbox.video_states import video_status
from zyenta_ads_pipeline.sandbox.write_errors import refused, wrong

_FIRST_ID = 120_250_000_000_000_000
_ID_STEP = 19
_FINAL = frozenset({"ARCHIVED", "DELETED"})


@dataclass(frozen=True)
class Desk:
    """One account at one moment. `minutes` is how long a review takes."""

    objects: Objects
    account: Thing
    now: datetime
    minutes: float

    @property
    def currency(self) -> str:
        """The account's currency."""
        return str(self.account.attributes["currency"])

    @property
    def timezone(self) -> str:
        """The account's time zone, an IANA name."""
        return str(self.account.attributes["timezone_name"])

    def reads(self, params: Mapping[str, str]) -> Asked:
        """Parameters, with times in the account's zone."""
        return Asked(params, self.timezone)

    def new_id(self, taken: int = 0) -> str:
        """An id that nothing has; `taken` are the ids that this write has taken already.

        Ids are far above 2^53: a client that makes numbers of them gets lost.
        """
        number = len(self.objects) + taken
        while self.objects.get(str(_FIRST_ID + _ID_STEP * number)) is not None:
            number += 1
        return str(_FIRST_ID + _ID_STEP * number)

    def own(self, kind: Kind, value: Any, name: str) -> Thing:
        """The account's object that a parameter names. Deleted ones too."""
        node_id = id_of(value, name)
        thing = self.objects.get(node_id)
        if thing is None or thing.kind is not kind or thing.account_id != self.account.id:
            raise wrong(name, f"Param {name}: no {kind.value} {node_id} in this ad account")
        return thing

    def is_final(self, thing: Thing) -> bool:
        """Whether it, or something above it, is archived or deleted."""
        return self.objects.effective_status(thing) in _FINAL

    def owns(self, kind: AssetKind, value: Any) -> bool:
        """Whether that is the id of the account's asset of a kind."""
        return str(value) == asset_id(kind, self.account.id)

    def check_image(self, value: Any, name: str) -> None:
        """Refuse an image hash that is not this account's, or whose image was deleted."""
        image = self.objects.get(f"{self.account.id}:{value}")
        if image is not None and image.status == "ACTIVE":
            return
        creatives = self.objects.below(self.account, Kind.CREATIVE) if image is None else []
        if all(each.attributes.get("image_hash") != value for each in creatives):
            raise wrong(name, f"Image hash {value!r} in param {name} is not of this ad account")

    def check_video(self, value: Any, name: str) -> None:
        """Refuse a video that is not this account's, or is not ready."""
        video = self.own(Kind.VIDEO, value, name)
        status = video_status(video, self.now)["video_status"]
        if status != "ready":
            raise refused(1885252, blame=name, because=f"Its status is {status}.")

    def labels(self, asked: Asked, taken: int) -> tuple[list[dict[str, str]] | None, list[Thing]]:
        """`adlabels` as they read back, and those among them that are new."""
        listed = asked.array("adlabels")
        if listed is None:
            return None, []
        shown: dict[str, dict[str, str]] = {}
        new: list[Thing] = []
        known = {each.name: each for each in self.objects.below(self.account, Kind.LABEL)}
        for item in objects_in(listed, "adlabels"):
            if "id" in item:
                label = self.own(Kind.LABEL, item["id"], "adlabels")
            elif isinstance(item.get("name"), str) and item["name"].strip():
                label = known.get(item["name"]) or self.label(item["name"], taken + len(new))
                if label.name not in known:
                    known[label.name] = label
                    new.append(label)
            else:
                raise wrong("adlabels", "Each of adlabels must have an id or a name")
            shown[label.id] = {"id": label.id, "name": label.name}
        return list(shown.values()), new

    def label(self, name: str, taken: int = 0) -> Thing:
        """A new label."""
        return self.thing(Kind.LABEL, name, taken=taken)

    def thing(self, kind: Kind, name: str, *, taken: int = 0, **values: Any) -> Thing:
        """A new object of the account, made now."""
        # The wire tells whole seconds; what is read back must not lie before a second of it.
        now = self.now.replace(microsecond=0)
        return Thing(
            kind=kind,
            id=values.pop("id", None) or self.new_id(taken),
            account_id=self.account.id,
            name=name,
            created_time=now,
            updated_time=now,
            **values,
        )


def touched(thing: Thing, now: datetime) -> datetime:
    """When a change at `now` is said to have been: always a second later than the last."""
    return max(now, thing.updated_time + timedelta(seconds=1))
