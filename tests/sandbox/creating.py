"""A client's creates with everything right, from which tests leave something out."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from tests.sandbox.conftest import Client

BROAD = {
    "geo_locations": {"countries": ["US"]},
    "targeting_automation": {"advantage_audience": 1},
}
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(1000)


def png(width: int = 1080, height: int = 1080, shade: int = 0) -> bytes:
    """A real PNG of one shade of grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\x00" + bytes([shade]) * width) * height
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


class Maker:
    """Makes objects in one sandbox; each method takes what is to differ, None leaves it out."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.account = client.account
        account = client.account
        self.page = client.get(f"{account}/promote_pages")["data"][0]["id"]
        self.pixel = client.get(f"{account}/adspixels")["data"][0]["id"]

    def campaign_fields(self, **other: Any) -> dict[str, Any]:
        return _with(
            other,
            name="Shoes | sales",
            objective="OUTCOME_SALES",
            special_ad_categories=[],
            status="PAUSED",
            is_adset_budget_sharing_enabled=False,
        )

    def campaign(self, **other: Any) -> str:
        return str(
            self.client.post(f"{self.account}/campaigns", **self.campaign_fields(**other))["id"]
        )

    def adset_fields(self, campaign_id: str, **other: Any) -> dict[str, Any]:
        return _with(
            other,
            name="Runners",
            campaign_id=campaign_id,
            status="PAUSED",
            daily_budget=2000,
            billing_event="IMPRESSIONS",
            optimization_goal="OFFSITE_CONVERSIONS",
            destination_type="WEBSITE",
            promoted_object={"pixel_id": self.pixel, "custom_event_type": "PURCHASE"},
            targeting=BROAD,
        )

    def adset(self, campaign_id: str, **other: Any) -> str:
        fields = self.adset_fields(campaign_id, **other)
        return str(self.client.post(f"{self.account}/adsets", **fields)["id"])

    def image(self, shade: int = 0) -> str:
        content = base64.b64encode(png(shade=shade)).decode()
        answer = self.client.post(f"{self.account}/adimages", bytes=content)
        return str(answer["images"]["bytes"]["hash"])

    def story(self, **link_data: Any) -> dict[str, Any]:
        action = {"type": "SHOP_NOW", "value": {"link": "https://shop.example/shoes"}}
        data = _with(
            link_data,
            link="https://shop.example/shoes",
            message="Light on the trail, firm on the rock.",
            name="Ridge shoe",
            call_to_action=action,
        )
        return {"page_id": self.page, "link_data": data}

    def creative(self, **other: Any) -> str:
        fields = _with(other, name="Ridge shoe | still", object_story_spec=self.story())
        return str(self.client.post(f"{self.account}/adcreatives", **fields)["id"])

    def ad(self, adset_id: str, creative_id: str, **other: Any) -> str:
        fields = _with(
            other, name="Ad", adset_id=adset_id, status="PAUSED",
            creative={"creative_id": creative_id},
        )  # fmt: skip
        return str(self.client.post(f"{self.account}/ads", **fields)["id"])

    def tree(self, **campaign: Any) -> tuple[str, str, str, str]:
        """Campaign, ad set, creative and ad, all paused."""
        campaign_id = self.campaign(**campaign)
        adset_id, creative_id = self.adset(campaign_id), self.creative()
        return campaign_id, adset_id, creative_id, self.ad(adset_id, creative_id)


def codes(error: dict[str, Any]) -> tuple[int, int | None]:
    """Code and subcode of a refusal."""
    return error["code"], error.get("error_subcode")


def _with(other: dict[str, Any], **usual: Any) -> dict[str, Any]:
    return {name: value for name, value in (usual | other).items() if value is not None}
