"""Meta as an `AdsLauncher`: makes campaigns, ad sets, creatives and ads, and looks after them.

A create is sent once. Whether one whose reply was lost took effect is found out by the token in
its name, never by sending it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import (
    ErrorOrigin,
    IncompleteData,
    NotFound,
    UnknownOutcome,
    ValidationRefused,
)
from zyenta_ads_pipeline.domain.launch import (
    AdSetSpec,
    AdSpec,
    CampaignReview,
    CampaignSpec,
    Created,
    CreativeSpec,
    Interest,
    Spec,
    StepKind,
)
from zyenta_ads_pipeline.platforms.base import (
    Catalogue,
    RenewedToken,
    VideoStatus,
    WriteReceipt,
)
from zyenta_ads_pipeline.platforms.meta import lookups, readback, tokens, uploads
from zyenta_ads_pipeline.platforms.meta.client import MetaClient, Purpose
from zyenta_ads_pipeline.platforms.meta.objects import EDGES, STATUSES, told
from zyenta_ads_pipeline.platforms.meta.replies import Reply, decoded
from zyenta_ads_pipeline.platforms.meta.specs import params_of
from zyenta_ads_pipeline.platforms.meta.usage import WRITE_POINTS

_EDGES: dict[StepKind, str] = {
    StepKind.CAMPAIGN: EDGES[Level.CAMPAIGN],
    StepKind.ADSET: EDGES[Level.ADSET],
    StepKind.AD: EDGES[Level.AD],
    StepKind.CREATIVE: "adcreatives",
}
_LEVELS: dict[StepKind, Level] = {
    StepKind.CAMPAIGN: Level.CAMPAIGN,
    StepKind.ADSET: Level.ADSET,
    StepKind.AD: Level.AD,
}
_FOUND_PER_PAGE = 100


class MetaLauncher:
    """The half of `MetaAds` that makes things. Its calls spend what is kept for writes."""

    def __init__(self, client: MetaClient) -> None:
        self._client = client
        self._owners: dict[str, str] = {}
        """The account of each object read or made alone, so that its writes are charged to it."""

    async def create_campaign(
        self, account_id: str, spec: CampaignSpec, *, validate_only: bool = False
    ) -> Created:
        """Make a campaign, PAUSED. Sent once; with `validate_only` nothing is made."""
        return await self._create(account_id, StepKind.CAMPAIGN, spec, validate_only)

    async def create_ad_set(
        self, account_id: str, spec: AdSetSpec, *, validate_only: bool = False
    ) -> Created:
        """Make an ad set, PAUSED, in a campaign that exists: also to have it validated."""
        return await self._create(account_id, StepKind.ADSET, spec, validate_only)

    async def create_ad_creative(
        self, account_id: str, spec: CreativeSpec, *, validate_only: bool = False
    ) -> Created:
        """Make a creative of media that this account has."""
        return await self._create(account_id, StepKind.CREATIVE, spec, validate_only)

    async def create_ad(
        self, account_id: str, spec: AdSpec, *, validate_only: bool = False
    ) -> Created:
        """Make an ad, PAUSED, of an ad set and a creative that exist."""
        return await self._create(account_id, StepKind.AD, spec, validate_only)

    async def find_by_token(self, account_id: str, kind: StepKind, token: str) -> str | None:
        """The id of the object that Meta lists with the token in its name; None if there is none.

        Deleted objects are not listed. A list may lag some seconds behind a create: look twice
        before anything is sent again. Raises `IncompleteData` when there are several.
        """
        if kind is StepKind.IMAGE:
            return None  # it has no name of ours, and is the same one however often it is sent
        if kind is StepKind.VIDEO:
            return await self.find_video(account_id, token)
        params: dict[str, Any] = {"fields": "id,name"}
        if kind in _LEVELS:
            params["effective_status"] = list(STATUSES[_LEVELS[kind]])
        named = {"filtering": [{"field": "name", "operator": "CONTAIN", "value": token}]}
        path = f"act_{account_id}/{_EDGES[kind]}"
        try:
            ids = await self._ids_named(account_id, path, params | named, token)
        except ValidationRefused:
            if kind is not StepKind.CREATIVE:
                raise
            # Filtering creatives is not documented: where it is refused, all of them are read.
            ids = await self._ids_named(account_id, path, params, token)
        if len(ids) > 1:
            raise IncompleteData(
                f"act_{account_id} has {len(ids)} objects with {token} in their name on its edge "
                f"{_EDGES[kind]}: {', '.join(ids)}.",
                "Delete all but one of them in Ads Manager.",
            )
        return ids[0] if ids else None

    async def differences(self, kind: StepKind, object_id: str, spec: object) -> list[str]:
        """Read an object back and tell, a sentence each, in what it differs from its spec."""
        reply = await self._client.read(
            object_id,
            {"fields": readback.FIELDS[kind]},
            purpose=Purpose("read-back", self._owners.get(object_id, ""), reserve=True),
            decode=decoded,
            again_on=(NotFound,),  # Meta may not know it yet right after its making
        )
        return readback.differences(kind, reply.body, spec)

    async def delete(self, object_id: str) -> WriteReceipt:
        """Delete an object for good. Sent once."""
        reply = await self._client.delete(object_id, self._writing(self._owners.get(object_id, "")))
        return WriteReceipt(reply.body, reply.trace_id)

    async def upload_image(self, account_id: str, content: bytes, name: str) -> str:
        """Upload an image; gives its hash. The same content gives the same hash: repeatable."""
        return await uploads.upload_image(self._client, account_id, content, name)

    async def upload_video(self, account_id: str, content: bytes, name: str) -> str:
        """Upload a video in chunks under the title `name`; gives its id.

        Raises `UnknownOutcome` when its end may or may not have happened: `find_video` tells.
        """
        return await uploads.upload_video(self._client, account_id, content, name)

    async def find_video(self, account_id: str, token: str) -> str | None:
        """The id of an uploaded video whose title contains the token."""
        return await uploads.find_video(self._client, account_id, token)

    async def video_status(self, video_id: str) -> VideoStatus:
        """Whether a video can be used, and once it can, a picture that Meta made of it."""
        return await uploads.video_status(self._client, video_id)

    async def search_interests(self, query: str, *, limit: int = 25) -> list[Interest]:
        """Interests by a word."""
        return await lookups.search_interests(self._client, query, limit)

    async def validate_interests(self, ids: Sequence[str]) -> list[Interest]:
        """What Meta says of interests by their ids, in their order."""
        return await lookups.valid_interests(self._client, ids)

    async def review(self, account_id: str, campaign_id: str) -> CampaignReview:
        """The campaign's and its ads' status, issues and review feedback."""
        return await lookups.campaign_review(self._client, account_id, campaign_id)

    async def catalogues(self, account_id: str) -> list[Catalogue]:
        """Product catalogues that the account's business owns; none without a business."""
        return await lookups.catalogues(self._client, account_id)

    async def renewed_token(self) -> RenewedToken:
        """The token in use with a new lifetime of 60 days; needs the app's id and secret."""
        return await tokens.renewed_token(self._client)

    async def _create(
        self, account_id: str, kind: StepKind, spec: Spec, validate_only: bool
    ) -> Created:
        path, params = f"act_{account_id}/{_EDGES[kind]}", params_of(spec)
        if validate_only:
            reply = await self._client.read(
                path,
                params | {"execution_options": ["validate_only"]},
                purpose=Purpose("validation", account_id, reserve=True, points=WRITE_POINTS),
                decode=decoded,
                method="POST",
            )
            if reply.body.get("success") is False:
                raise ValidationRefused(
                    f"Meta answered the validation of {reply.request} with success: false.",
                    "Look in Ads Manager whether the account may advertise.",
                    origin=ErrorOrigin(request=reply.request, trace_id=reply.trace_id),
                )
            return Created("", reply.trace_id, reply.body)
        reply = await self._client.post(path, params, self._writing(account_id))
        made = _id_of(reply)
        self._owners[made] = account_id
        return Created(made, reply.trace_id, reply.body)

    async def _ids_named(
        self, account_id: str, path: str, params: Mapping[str, Any], token: str
    ) -> list[str]:
        """Ids of what is on an edge with the token in its name, whatever the filter let through."""
        replies = self._client.pages(
            path,
            params,
            limit=_FOUND_PER_PAGE,
            purpose=Purpose("look-up", account_id, reserve=True),
        )
        ids = [
            told(row, "id", reply)
            async for reply in replies
            for row in reply.body["data"]
            if token in str(row.get("name", ""))
        ]
        return list(dict.fromkeys(ids))

    async def _write(self, object_id: str, values: Mapping[str, str]) -> WriteReceipt:
        owner = self._owners.get(object_id, "")
        reply = await self._client.post(object_id, values, self._writing(owner))
        return WriteReceipt(reply.body, reply.trace_id)

    def _writing(self, account_id: str) -> Purpose:
        return Purpose("write", account_id, reserve=True, points=WRITE_POINTS)


def _id_of(reply: Reply) -> str:
    """The id of what was made; without one it is not known whether anything was."""
    made = reply.body.get("id")
    if not made:
        raise UnknownOutcome(
            f"Meta's answer to {reply.request} has no id, so it is not known what was made.",
            "It is looked up by the token in its name before anything is sent again.",
            origin=ErrorOrigin(request=reply.request, trace_id=reply.trace_id),
        )
    return str(made)
