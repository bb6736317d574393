"""What was made, read back and held against what was meant.

Meta does not give back what it was given: it adds defaults to a targeting, writes numbers as
texts, lists in another order, a link with a slash more, drops placements it has retired, and
may call the goal REACH by another name. None of that is a difference. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from zyenta_ads_pipeline.domain.launch import (
    AdSetSpec,
    AdSpec,
    CampaignSpec,
    CreativeSpec,
    Spec,
    StepKind,
)
from zyenta_ads_pipeline.platforms.meta.specs import params_of

FIELDS: dict[StepKind, str] = {
    StepKind.CAMPAIGN: "id,name,objective,status,daily_budget,lifetime_budget,bid_strategy,"
    "special_ad_categories,promoted_object",
    StepKind.ADSET: "id,name,campaign_id,status,daily_budget,lifetime_budget,bid_strategy,"
    "optimization_goal,billing_event,destination_type,promoted_object,targeting,created_time,"
    "start_time,end_time,dsa_beneficiary,dsa_payor",
    StepKind.CREATIVE: "id,name,object_story_spec,image_hash,product_set_id",
    StepKind.AD: "id,name,adset_id,status,creative{id}",
}
"""What is asked of an object to compare it."""

_SPECS: dict[StepKind, type[Spec]] = {
    StepKind.CAMPAIGN: CampaignSpec,
    StepKind.ADSET: AdSetSpec,
    StepKind.CREATIVE: CreativeSpec,
    StepKind.AD: AdSpec,
}
_NOUNS = {StepKind.ADSET: "ad set"}
_BUDGETS = ("daily_budget", "lifetime_budget")
_TIMES = frozenset({"start_time", "end_time"})
_NEVER_BACK = frozenset({"is_adset_budget_sharing_enabled"})
_SAME_GOAL = {"REACH": ("IMPRESSIONS",)}
_OWN_COPY = frozenset({"image_url"})
"""Meta keeps a copy of its own, under an address of its own."""
_STORIES = ("link_data", "video_data", "template_data", "photo_data", "text_data")
_WORDS = {
    "creative.id": "creative",
    "adset_id": "ad set",
    "campaign_id": "campaign",
    "object_story_spec.page_id": "page",
    "object_story_spec.instagram_user_id": "Instagram account",
    **{
        f"object_story_spec.{story}.{field}": word
        for story in _STORIES
        for field, word in (
            ("link", "link"),
            ("message", "primary text"),
            ("name", "headline"),
            ("title", "headline"),
            ("image_hash", "image"),
            ("video_id", "video"),
            ("call_to_action.type", "call to action"),
            ("call_to_action.value.link", "call to action's link"),
        )
    },
}
_NOTHING: tuple[Any, ...] = (None, "", [], {}, ())
_CLOCKS_APART = timedelta(minutes=2)


def differences(kind: StepKind, row: Mapping[str, Any], spec: object) -> list[str]:
    """In what an object differs from its spec, a sentence each; `row` has the `FIELDS`.

    Raises `TypeError` for a spec of another kind.
    """
    if not isinstance(spec, _SPECS[kind]):
        raise TypeError(f"a step {kind.value} has no {type(spec).__name__}")
    wanted = params_of(spec)
    if isinstance(spec, AdSpec):
        wanted["creative"] = {"id": spec.creative_id}
    if isinstance(spec, CreativeSpec):
        row = _with_image(row, wanted)
    found: list[tuple[str, Any, Any]] = []
    for field, value in wanted.items():
        if field not in _NEVER_BACK:
            found += _field_differences(field, value, row)
    for field in _BUDGETS if kind in (StepKind.CAMPAIGN, StepKind.ADSET) else ():
        if field not in wanted and row.get(field) not in (*_NOTHING, 0, "0"):
            found.append((field, None, row[field]))
    noun = _NOUNS.get(kind, kind.value)
    return [_sentence(noun, *each) for each in found]


def _field_differences(
    field: str, wanted: Any, row: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    got = row.get(field)
    if field in _TIMES:
        if not _same_time(field, wanted, got, row.get("created_time")):
            yield field, wanted, got
    elif field == "destination_type":
        if got not in (wanted, None, "UNDEFINED"):
            yield field, wanted, got
    elif field == "special_ad_categories":
        if got not in (wanted, ["NONE"], None):
            yield field, wanted, got
    elif field == "optimization_goal":
        if got != wanted and got not in _SAME_GOAL.get(wanted, ()):
            yield field, wanted, got
    else:
        yield from _unlike(field, wanted, got)


def _unlike(path: str, wanted: Any, got: Any) -> Iterator[tuple[str, Any, Any]]:
    """Where `got` lacks something of `wanted`; what it has besides does not count."""
    last = path.rpartition(".")[2]
    if last in _OWN_COPY or (wanted in _NOTHING and got in _NOTHING):
        return
    if isinstance(wanted, Mapping):
        if not isinstance(got, Mapping):
            yield path, wanted, got
            return
        for name, value in wanted.items():
            yield from _unlike(f"{path}.{name}", value, got.get(name))
    elif isinstance(wanted, list | tuple):
        if not isinstance(got, list) or not _same_list(last, wanted, got):
            yield path, wanted, got
    elif not _same_value(last, wanted, got):
        yield path, wanted, got


def _same_list(name: str, wanted: list[Any] | tuple[Any, ...], got: list[Any]) -> bool:
    """The same entries in any order. Of placements Meta may have dropped some."""
    left = list(wanted)
    for entry in got:
        match = next((each for each in left if _same_entry(name, each, entry)), None)
        if match is None:
            return False
        left.remove(match)
    return not left or name.endswith("_positions")


def _same_entry(name: str, wanted: Any, got: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(got, Mapping) and "id" in wanted:
        return _same_value("id", wanted["id"], got.get("id"))  # names are translated
    return not list(_unlike(name, wanted, got))


def _same_value(name: str, wanted: Any, got: Any) -> bool:
    if got is None:
        return False
    one, other = _text(wanted), _text(got)
    if name == "link":
        one, other = one.rstrip("/"), other.rstrip("/")
    if one == other:
        return True
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _same_time(field: str, wanted: str, got: Any, created: Any) -> bool:
    """The same moment; a start that was over when the object was made becomes that moment."""
    moments = _moment(wanted), _moment(got)
    if moments[0] is None or moments[1] is None:
        return False
    if field == "end_time":
        return moments[0] == moments[1]
    made = _moment(created)
    earliest, latest = moments[0], moments[0] if made is None else max(moments[0], made)
    return earliest - _CLOCKS_APART <= moments[1] <= latest + _CLOCKS_APART


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _with_image(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """A creative whose image, which Meta may tell at its top only, stands in its story."""
    story, image = row.get("object_story_spec"), row.get("image_hash")
    kind = next((name for name in _STORIES if name in wanted["object_story_spec"]), "")
    data = story.get(kind) if isinstance(story, Mapping) else None
    if not image or not isinstance(story, Mapping) or not isinstance(data, Mapping):
        return row
    return {**row, "object_story_spec": {**story, kind: {"image_hash": image, **data}}}


def _sentence(noun: str, path: str, wanted: Any, got: Any) -> str:
    field = f"The {noun}'s {_WORDS.get(path, path)}"
    if wanted is None:
        return f"{field} is {_shown(got)}, though it should have none."
    if got is None:
        return f"{field} is missing; it should be {_shown(wanted)}."
    return f"{field} is {_shown(got)}, not {_shown(wanted)}."


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return " ".join(str(value).split())
