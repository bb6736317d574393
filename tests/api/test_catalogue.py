"""Stores, products and media over the API."""

from __future__ import annotations

import json
from io import BytesIO

from PIL import Image

from tests.api.home import API, Home
from tests.api.test_problems import checked
from zyenta_ads_pipeline.console.api import catalogue_shapes as shapes
from zyenta_ads_pipeline.console.guard import MOST_BODY
from zyenta_ads_pipeline.domain.access import Role

CSV = "id,title,price,url\n101,Trail Shoes,89.90,/products/101\n102,,9.90,/products/102\n"


def test_stores_are_listed_with_what_they_are_connected_to(home: Home) -> None:
    with home.client(Role.VIEWER) as client:
        reply = client.get(f"{API}/stores")
        (one,) = shapes.Stores.model_validate(reply.json()).stores
        assert (one.id, one.products, one.media) == ("shop", 2, 1)
        assert one.connections[0].account_id == "101"
        assert "sandbox-token" not in reply.text
        assert client.get(f"{API}/stores/shop").json() == reply.json()["stores"][0]
        told = checked(client.get(f"{API}/stores/none"), 404)
    assert told["errors"][0]["field"] == "store_id"


def test_a_store_is_added_by_an_admin(home: Home) -> None:
    body = {"name": "Trail Shop", "domain": "trail.example.com", "niche": "outdoor",
            "countries": ["DE"], "currency": "EUR"}  # fmt: skip
    with home.client(Role.ADMIN) as client:
        made = client.post(f"{API}/stores", json=body)
        assert made.status_code == 201, made.text
        assert client.get(made.headers["location"]).json()["id"] == "trail-shop"
        wrong = checked(client.post(f"{API}/stores", json=body | {"domain": "no domain"}), 422)
        assert [each["field"] for each in wrong["errors"]] == ["domain"]


def test_a_catalogue_is_taken_as_csv_json_and_a_form(home: Home) -> None:
    address = f"{API}/stores/shop/products"
    with home.client() as client:
        table = client.post(address, content=CSV, headers={"Content-Type": "text/csv"})
        assert table.status_code == 200, table.text
        told = shapes.Import.model_validate(table.json())
        assert (told.products, told.new_products) == (1, 1)
        assert not told.success
        assert told.refused[0].row == 3
        assert told.refused[0].remedy
        rows = [{"id": "103", "title": "Tent", "price": "219.00", "url": "/products/103"}]
        listed = client.post(address, json=rows)
        assert listed.json()["newProducts"] == 1, listed.text
        form = client.post(address, files={"file": ("catalogue.json", json.dumps(rows))})
        assert form.json()["products"] == 1, form.text
        assert form.json()["newProducts"] == 0
        found = client.get(address, params={"search": "tent"}).json()
    (product,) = shapes.Products.model_validate(found).products
    assert (product.id, product.price) == ("103", 219.0)


def test_a_large_catalogue_is_taken(home: Home) -> None:
    rows = [{"id": f"x{n}", "title": "Tent " + "y" * 250, "price": "1"} for n in range(4000)]
    text = json.dumps(rows)
    assert len(text) > MOST_BODY
    with home.client() as client:
        reply = client.post(
            f"{API}/stores/shop/products",
            content=text,
            headers={"Content-Type": "application/json"},
        )
    assert reply.json()["products"] == 4000, reply.text


def test_what_is_no_catalogue_is_told(home: Home) -> None:
    address = f"{API}/stores/shop/products"
    with home.client() as client:
        checked(client.post(address, content=b"x", headers={"Content-Type": "image/png"}), 415)
        checked(client.post(address, files={"other": ("a.csv", CSV)}), 422)
        checked(
            client.post(address, content="{", headers={"Content-Type": "application/json"}), 422
        )


def test_a_picture_is_uploaded_and_shown(home: Home) -> None:
    content = BytesIO()
    Image.new("RGB", (1080, 1080), (10, 120, 200)).save(content, "PNG")
    address = f"{API}/stores/shop/media"
    with home.client() as client:
        sent = {"file": ("tent.png", content.getvalue())}
        made = client.post(address, files=sent, data={"product_id": "p1", "alt": "A tent"})
        assert made.status_code == 201, made.text
        asset = shapes.Media.model_validate(made.json())
        assert (asset.product_id, asset.width, asset.alt) == ("p1", 1080, "A tent")
        assert "/" not in asset.source
        again = client.post(address, files=sent, data={"product_id": "p1", "alt": "A tent"})
        assert again.json()["id"] == asset.id
        assert asset.href is not None
        shown = client.get(asset.href)
        assert shown.headers["content-type"] in ("image/png", "image/jpeg")
        assert shown.headers["x-content-type-options"] == "nosniff"
        listed = shapes.MediaList.model_validate(client.get(address).json())
        assert asset.id in {each.id for each in listed.media}
        checked(client.post(address, files={"file": ("a.png", b"no picture")}), 422)
        checked(client.post(address, data={"alt": "nothing"}), 422)
