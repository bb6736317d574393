"""What a launch looks up: interests, product catalogues, and how an ad's review went.

Source: Marketing API, "Targeting search", "Business", "Ad campaign group", "Adgroup".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import IncompleteData, PermissionDenied
from zyenta_ads_pipeline.domain.launch import AdReview, CampaignReview, Interest
from zyenta_ads_pipeline.platforms.base import Catalogue
from zyenta_ads_pipeline.platforms.meta.client import MetaClient, Purpose
from zyenta_ads_pipeline.platforms.meta.header_values import json_object, number
from zyenta_ads_pipeline.platforms.meta.objects import STATUSES, told
from zyenta_ads_pipeline.platforms.meta.replies import Reply

_SEARCH = Purpose("search")
_IDS_PER_CALL = 50
_PER_PAGE = 100
_CAMPAIGN_REVIEW = "id,status,configured_status,effective_status,issues_info"
_AD_REVIEW = f"{_CAMPAIGN_REVIEW},name,adset_id,ad_review_feedback"


async def search_interests(client: MetaClient, query: str, limit: int) -> list[Interest]:
    """Interests by a word, as Meta ranks them."""
    params = {"type": "adinterest", "q": query, "limit": str(limit)}
    reply = await client.get("search", params, _SEARCH)
    return [_interest(row, reply, valid=True) for row in _rows(reply)][:limit]


async def valid_interests(client: MetaClient, ids: Sequence[str]) -> list[Interest]:
    """Interests by their ids, in their order; one that Meta does not name is not valid."""
    found: dict[str, Interest] = {}
    asked = list(dict.fromkeys(ids))
    for start in range(0, len(asked), _IDS_PER_CALL):
        some = asked[start : start + _IDS_PER_CALL]
        params = {"type": "adinterestvalid", "interest_fbid_list": some}
        reply = await client.get("search", params, _SEARCH)
        for row in _rows(reply):
            if row.get("id"):
                interest = _interest(row, reply, valid=row.get("valid") is True)
                found[interest.id] = interest
    return [found.get(each, Interest(each, "", valid=False)) for each in asked]


async def catalogues(client: MetaClient, account_id: str) -> list[Catalogue]:
    """The product catalogues of the account's business; none where it belongs to no business."""
    purpose = Purpose("catalogues", account_id)
    try:
        account = await client.get(f"act_{account_id}", {"fields": "business"}, purpose)
        business = account.body.get("business")
        if not isinstance(business, dict):
            return []
        edge = f"{told(business, 'id', account)}/owned_product_catalogs"
        return [
            Catalogue(own, name, await _named(client, f"{own}/product_sets", purpose))
            for own, name in await _named(client, edge, purpose)
        ]
    except PermissionDenied as error:
        raise PermissionDenied(
            error.what,
            "Give the token the permissions business_management and catalog_management, or sell "
            "without a catalogue.",
            origin=error.origin,
        ) from error


async def campaign_review(client: MetaClient, account_id: str, campaign_id: str) -> CampaignReview:
    """A campaign and all its ads that Meta lists, of whatever status."""
    purpose = Purpose("review", account_id)
    reply = await client.get(campaign_id, {"fields": _CAMPAIGN_REVIEW}, purpose)
    params = {"fields": _AD_REVIEW, "effective_status": list(STATUSES[Level.AD])}
    ads: list[AdReview] = []
    seen = reply.at
    pages = client.pages(f"{campaign_id}/ads", params, limit=_PER_PAGE, purpose=purpose)
    async for page in pages:
        ads += [_ad_review(row, page) for row in page.body["data"]]
        seen = page.at
    return CampaignReview(
        campaign_id=campaign_id,
        configured_status=_configured(reply.body, reply),
        effective_status=told(reply.body, "effective_status", reply),
        issues=_issues(reply.body.get("issues_info")),
        ads=ads,
        observed_at=seen,
    )


def _ad_review(row: Mapping[str, Any], reply: Reply) -> AdReview:
    return AdReview(
        ad_id=told(row, "id", reply),
        ad_set_id=told(row, "adset_id", reply),
        name=str(row.get("name", "")),
        configured_status=_configured(row, reply),
        effective_status=told(row, "effective_status", reply),
        feedback=_feedback(row.get("ad_review_feedback")),
        issues=_issues(row.get("issues_info")),
    )


def _configured(row: Mapping[str, Any], reply: Reply) -> str:
    return str(row.get("configured_status") or told(row, "status", reply))


def _issues(value: Any) -> tuple[str, ...]:
    """What Meta says is wrong, a sentence each, every one once."""
    issues = (
        [issue for issue in value if isinstance(issue, dict)] if isinstance(value, list) else []
    )
    return tuple(dict.fromkeys(_issue(issue) for issue in issues))


def _issue(issue: Mapping[str, Any]) -> str:
    words = [str(issue[name]) for name in ("error_summary", "error_message") if issue.get(name)]
    text = ": ".join(dict.fromkeys(words)).rstrip(".") or "Meta names an issue without a text"
    return f"{text} (code {issue['error_code']})." if issue.get("error_code") else f"{text}."


def _feedback(value: Any) -> dict[str, str]:
    """Policy to text; what concerns one placement only carries its name."""
    told_of = json_object(value) if isinstance(value, str) else value
    if not isinstance(told_of, dict):
        return {}
    found = dict(_texts(told_of.get("global")))
    placements = told_of.get("placement_specific")
    for placement, policies in placements.items() if isinstance(placements, dict) else ():
        for policy, text in _texts(policies):
            if found.get(policy) != text:
                found[f"{policy} ({placement})"] = text
    return found


def _texts(policies: Any) -> Iterator[tuple[str, str]]:
    if isinstance(policies, dict):
        for policy, text in policies.items():
            yield str(policy), "; ".join(map(str, text)) if isinstance(text, list) else str(text)


def _interest(row: Mapping[str, Any], reply: Reply, *, valid: bool) -> Interest:
    sizes = (row.get(name) for name in ("audience_size", "audience_size_lower_bound"))
    size = next((found for found in map(number, sizes) if found is not None), None)
    return Interest(
        id=told(row, "id", reply),
        name=str(row.get("name", "")),
        audience_size=None if size is None else int(size),
        topic=str(row.get("topic") or ""),
        valid=valid,
    )


def _rows(reply: Reply) -> list[Mapping[str, Any]]:
    rows = reply.body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise IncompleteData(f"The answer to {reply.request} has no list of rows.", "Ask it again.")
    return rows


async def _named(client: MetaClient, path: str, purpose: Purpose) -> list[tuple[str, str]]:
    """Id and name of everything on an edge."""
    replies = client.pages(path, {"fields": "id,name"}, limit=_PER_PAGE, purpose=purpose)
    return [
        (told(row, "id", reply), str(row.get("name", "")))
        async for reply in replies
        for row in reply.body["data"]
    ]
