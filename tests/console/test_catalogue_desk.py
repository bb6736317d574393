"""Stores, catalogues and uploads; accounts and their health."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.console.desk_home import ADA, EVA, NOW, VIC, acts
from tests.store.campaign_samples import launched
from tests.store.samples import budget
from zyenta_ads_pipeline.console.desks.catalogue import NewStore
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.campaign import CampaignStatus
from zyenta_ads_pipeline.domain.change import Autopilot
from zyenta_ads_pipeline.domain.errors import (
    FieldsRefused,
    NotAllowed,
    NotThere,
    TakenAlready,
)
from zyenta_ads_pipeline.domain.quota import QuotaUse
from zyenta_ads_pipeline.domain.shop import MediaAsset, MediaKind
from zyenta_ads_pipeline.store.alerts import Alerts
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.outbox import Outbox
from zyenta_ads_pipeline.store.shops import Shops
from zyenta_ads_pipeline.store.usage import UsageLedger

GOOD = NewStore(name="Nordic Lamps", domain="https://lamps.example.com/", niche="lamps")
CSV = b"id,title,price,image\np9,Lamp,49.90,\np10,,1,\n"


def picture(colour: str = "red", kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (1080, 1080), colour).save(made, kind)
    return made.getvalue()


def test_an_admin_adds_a_store(desks: Desks, office: Office) -> None:
    made = desks.catalogue.add_store(ADA, GOOD)
    assert (made.id, made.domain, made.currency) == ("nordic-lamps", "lamps.example.com", "USD")
    assert desks.catalogue.store(VIC, made.id).shop == made
    lines = desks.catalogue.stores(VIC)
    assert [(each.shop.id, each.products, each.media) for each in lines] == [
        ("shop", 3, 0),
        ("nordic-lamps", 0, 0),
    ]
    assert [each.account_id for each in lines[0].connections] == ["101"]
    assert desks.catalogue.connections(VIC)[0].has_token
    with pytest.raises(TakenAlready):
        desks.catalogue.add_store(ADA, GOOD)
    with pytest.raises(NotAllowed):
        desks.catalogue.add_store(EVA, GOOD)
    assert acts(office) == [("ada", "store.add", False), ("eva", "store.add", True)]


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"name": " "}, {"name"}),
        ({"domain": "no domain", "currency": "XXX"}, {"domain", "currency"}),
        ({"countries": ("Germany",), "id": "A B"}, {"countries", "id"}),
        ({"age_min": 40, "age_max": 20}, {"age_min"}),
        ({"age_min": 5}, {"age_min"}),
        ({"name": "äöü"}, {"id"}),
    ],
)
def test_each_field_of_a_store_that_cannot_be_is_named(
    desks: Desks, wrong: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desks.catalogue.add_store(ADA, replace(GOOD, **wrong))
    assert {each.field for each in refused.value.problems} == fields


def test_a_catalogue_is_imported_and_what_is_wrong_is_told(desks: Desks, office: Office) -> None:
    done = desks.catalogue.import_products(EVA, "shop", CSV, "catalogue.csv")
    assert (done.products, done.new_products, len(done.refused)) == (1, 1, 1)
    assert (done.refused[0].row, "title" in done.refused[0].what) == (3, True)
    again = desks.catalogue.import_products(EVA, "shop", CSV, "catalogue.csv")
    assert (again.new_products, again.changed_products) == (0, 0)
    rows = [{"id": "p11", "title": "Lamp", "price": "9.90", "image": "../../etc/passwd"}]
    told = desks.catalogue.import_products(EVA, "shop", json.dumps(rows).encode(), "x.json")
    assert (told.products, len(told.refused)) == (0, 1)
    for content, name in ((b"", "a.csv"), (b"\xff\xfe\x00", "a.csv"), (b"[1,", "a.json")):
        with pytest.raises(FieldsRefused) as refused:
            desks.catalogue.import_products(EVA, "shop", content, name)
        assert refused.value.problems[0].field == "file"
        assert "/tmp" not in str(refused.value)  # noqa: S108
    with pytest.raises(NotAllowed):
        desks.catalogue.import_products(VIC, "shop", CSV, "catalogue.csv")
    with pytest.raises(NotThere):
        desks.catalogue.import_products(EVA, "nowhere", CSV, "catalogue.csv")


def test_products_come_in_pages(desks: Desks) -> None:
    page = desks.catalogue.products(VIC, "shop", size=2)
    assert ([each.id for each in page.rows], page.total_rows, page.pages) == (["p1", "p2"], 3, 2)
    assert [each.id for each in desks.catalogue.products(VIC, "shop", page=9, size=2).rows] == [
        "p3"
    ]
    assert desks.catalogue.products(VIC, "shop", text="CANDLE P2").total_rows == 1
    assert desks.catalogue.products(VIC, "shop", text="%").total_rows == 0
    with pytest.raises(NotThere):
        desks.catalogue.products(VIC, "nowhere")
    with pytest.raises(FieldsRefused):
        desks.catalogue.products(VIC, "shop", page=0)


def test_a_picture_is_uploaded_and_shown(desks: Desks, office: Office) -> None:
    content = picture()
    asset = desks.catalogue.upload_media(
        EVA, "shop", content, "../../evil name.png", product_id="p1", alt="A lamp"
    )
    assert (asset.kind, asset.width, asset.product_id) == (MediaKind.IMAGE, 1080, "p1")
    assert asset.content_hash
    kept = Path(asset.source)
    assert kept.parent == office.settings.home.absolute() / "media" / "shop"
    again = desks.catalogue.upload_media(EVA, "shop", content, "b.png", product_id="p1")
    assert again.id == asset.id
    assert [each.id for each in desks.catalogue.media(VIC, "shop")] == [asset.id]
    assert desks.catalogue.media_content(VIC, asset.id) == (content, "image/png")
    assert desks.catalogue.products(VIC, "shop").media["p1"][0].id == asset.id
    kept.unlink()
    with pytest.raises(NotThere):
        desks.catalogue.media_content(VIC, asset.id)
    named = f"id,title,price,image\np1,Lamp,9.90,{kept.name}\n".encode()
    kept.write_bytes(content)
    done = desks.catalogue.import_products(EVA, "shop", named, "c.csv")
    assert (done.products, done.media, done.refused) == (1, 1, ())


@pytest.mark.parametrize(
    ("content", "more", "field"),
    [
        (b"", {}, "file"),
        (b"<svg onload=alert(1)>", {}, "file"),
        (b"\x89PNG\r\n\x1a\n broken", {}, "file"),
        (None, {"product_id": "p9"}, "product_id"),
    ],
)
def test_what_meta_would_not_take_is_not_kept(
    desks: Desks, office: Office, content: bytes | None, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desks.catalogue.upload_media(
            EVA, "shop", picture() if content is None else content, "a.png", **more
        )
    assert [each.field for each in refused.value.problems] == [field]
    assert str(office.settings.home) not in str(refused.value)
    assert desks.catalogue.media(VIC, "shop") == []
    folder = office.settings.home / "media" / "shop"
    assert list(folder.glob("*")) == []


def test_only_pictures_of_this_machine_are_shown(desks: Desks, office: Office) -> None:
    secret = office.settings.home / "secret.key"
    assets = [
        MediaAsset("a1", "shop", MediaKind.IMAGE, "https://example.com/a.png"),
        MediaAsset("a2", "shop", MediaKind.IMAGE, str(secret)),
        MediaAsset("a3", "shop", MediaKind.VIDEO, str(secret)),
    ]
    Shops(office.store).put_media(assets, NOW)
    for asset in assets:
        with pytest.raises(NotThere):
            desks.catalogue.media_content(VIC, asset.id)
    with pytest.raises(NotThere):
        desks.catalogue.media_content(VIC, "nothing")


def test_an_account_tells_how_it_fares(desks: Desks, office: Office) -> None:
    (before,) = desks.accounts.all(VIC)
    assert (before.account_id, before.name, before.currency) == ("101", "Lumen ads", "EUR")
    assert (before.has_token, before.synced_at, before.quota_percent) == (True, None, None)
    assert not before.is_well
    made = launched(office.store, platform_campaign_id="9001")
    campaigns = Campaigns(office.store)
    for status in (CampaignStatus.PENDING_REVIEW, CampaignStatus.ACTIVE):
        campaigns.move(made.id, status, reason="", actor="t", now=NOW)
    Outbox(office.store).propose([replace(budget(), account_id="101")], actor="p", now=NOW)
    Alerts(office.store).raise_once("token:act_101", "dead", "renew it", "101")
    Alerts(office.store).raise_once("token:act_9", "dead", "renew it", "9")
    now = office.now()
    ledger = UsageLedger(office.store, office.settings.graph_url)
    ledger.store({
        "account/101": QuotaUse(20.0, now, 3600.0),
        "account/101/ads_management": QuotaUse(81.0, now, 3600.0, now + timedelta(hours=1)),
        "account/9": QuotaUse(99.0, now, 3600.0),
    })  # fmt: skip
    desks.switches.throw(EVA, "101", "fire")
    health = desks.accounts.get(VIC, "act_101")
    assert (health.campaigns, health.active, health.proposed) == (1, 1, 1)
    assert [each.told for each in health.alerts] == ["dead"]
    assert len(desks.accounts.alerts(VIC)) == 2
    assert health.quota_percent == pytest.approx(81.0, abs=0.5)
    assert health.blocked_until == now + timedelta(hours=1)
    assert "fire" in (health.stopped or "")
    assert health.autopilot is Autopilot.APPROVE
    assert health.stores == ("shop",)
    with pytest.raises(NotThere):
        desks.accounts.get(VIC, "102")
