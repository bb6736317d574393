"""Stores, products, media and uploads, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.store.campaign_samples import LATER, NOW, opened, picture, product, shop
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.shop import MediaKind
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.shops import Shops


@pytest.fixture
def shops(store: Store) -> Shops:
    return Shops(opened(store))


def test_a_store_is_kept_as_it_was_given(shops: Shops) -> None:
    assert shops.get("shop") == shop()
    other = shop("other", created_at=LATER, countries=["US"], currency="USD", interests=())
    shops.add(other)
    assert shops.all() == [shop(), replace(other, countries=("US",))]


def test_a_store_is_changed_but_for_its_beginning(shops: Shops) -> None:
    shops.update(shop(name="Lumina", created_at=LATER, advantage_audience=True))
    assert shops.get("shop") == shop(name="Lumina", advantage_audience=True)


def test_stores_that_cannot_be(shops: Shops) -> None:
    with pytest.raises(InputError, match="There is a store 'shop' already"):
        shops.add(shop(name="another"))
    for call in (shops.get, shops.products, shops.media):
        with pytest.raises(InputError, match="There is no store 'gone'"):
            call("gone")
    with pytest.raises(InputError, match="There is no store 'gone'"):
        shops.update(shop("gone"))
    with pytest.raises(InputError, match="XXX"):
        shops.add(shop("third", currency="XXX"))
    assert shops.get("shop") == shop()


def test_products_are_counted_as_new_changed_or_neither(shops: Shops) -> None:
    first = [product("p2"), product("p1", title='Ünï "quoted", 100 %'), product("p10")]
    assert shops.put_products(first, NOW) == (3, 0)
    assert shops.put_products(first, LATER) == (0, 0)
    changed = product("p2", price_minor=1990, position=99)
    assert shops.put_products([first[1], changed, product("p3")], LATER) == (1, 1)
    assert shops.products("shop") == [first[1], product("p3"), first[2], changed]
    assert shops.products("shop", ["p2", "p1"]) == [first[1], changed]


def test_a_product_belongs_to_its_own_store(shops: Shops) -> None:
    shops.add(shop("other"))
    mine, theirs = product(), product(store_id="other", title="Another thing")
    assert shops.put_products([mine, theirs], NOW) == (2, 0)
    assert shops.products("shop") == [mine]
    assert shops.products("other") == [theirs]


def test_of_a_product_given_twice_the_last_counts(shops: Shops) -> None:
    assert shops.put_products([product(title="old"), product(title="new")], NOW) == (1, 0)
    assert [each.title for each in shops.products("shop")] == ["new"]


def test_products_that_cannot_be(shops: Shops) -> None:
    with pytest.raises(InputError, match="There is no store 'gone'"):
        shops.put_products([product(), product("p2", store_id="gone")], NOW)
    with pytest.raises(InputError, match="XXX"):
        shops.put_products([product(currency="XXX")], NOW)
    assert shops.products("shop") == []
    shops.put_products([product()], NOW)
    with pytest.raises(InputError, match="'p8', 'p9'"):
        shops.products("shop", ["p9", "p1", "p8"])


def test_a_large_catalogue(shops: Shops) -> None:
    many = [product(f"p{number}") for number in range(1, 2001)]
    assert shops.put_products(many, NOW) == (2000, 0)
    assert shops.put_products([*many[:-1], replace(many[-1], brand="x")], LATER) == (0, 1)
    assert len(shops.products("shop", [each.id for each in many])) == 2000


def test_two_imports_at_once_add_each_product_once(shops: Shops) -> None:
    counts: list[tuple[int, int]] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        counts.append(shops.put_products([product(f"p{number}") for number in range(20)], NOW))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [(0, 0)] * 3 + [(20, 0)]


def test_media_come_in_the_order_of_arrival(shops: Shops) -> None:
    shops.put_products([product("p1"), product("p2")], NOW)
    film = picture("a-film", kind=MediaKind.VIDEO, product_id="p2")
    media = [picture("z", product_id="p1"), film, picture("m", alt="all of it")]
    assert shops.put_media(media, NOW) == (3, 0)
    assert shops.put_media([picture("b")], LATER) == (1, 0)
    assert shops.put_media(media, LATER) == (0, 0)
    assert shops.media("shop") == [*media, picture("b")]
    assert shops.media("shop", ["p2", "p1"]) == media[:2]
    assert shops.media("shop", []) == []
    assert shops.media_asset("a-film") == film


def test_what_was_seen_of_media_stays_while_the_source_does(shops: Shops) -> None:
    shops.put_media([picture()], NOW)
    seen = picture(
        mime="image/jpeg", width=1080, height=1350, bytes=5_000_000_000, content_hash="f"
    )
    assert shops.inspected(seen) == seen
    assert shops.put_media([picture()], LATER) == (0, 0)
    assert shops.media_asset("m1") == seen
    assert shops.put_media([picture(alt="lit")], LATER) == (0, 1)
    assert shops.media_asset("m1") == replace(seen, alt="lit")
    moved = picture(source="https://lumen.example/new.jpg")
    assert shops.put_media([moved], LATER) == (0, 1)
    assert shops.media_asset("m1") == moved
    assert shops.inspected(seen) == moved  # seen of the old file, too late


def test_media_that_cannot_be(shops: Shops) -> None:
    with pytest.raises(InputError, match="no product 'p7'"):
        shops.put_media([picture(), picture("m2", product_id="p7")], NOW)
    assert shops.media("shop") == []
    shops.put_media([picture()], NOW)
    shops.add(shop("other"))
    with pytest.raises(InputError, match="belongs to store 'shop'"):
        shops.put_media([picture(store_id="other")], NOW)
    for call in (shops.media_asset, lambda asset_id: shops.inspected(picture(asset_id))):
        with pytest.raises(InputError, match="There is no media asset 'm9'"):
            call("m9")


def test_an_upload_is_known_once_for_each_account_and_content(shops: Shops) -> None:
    assert shops.uploaded("101", "abc") is None
    shops.remember_upload("101", "abc", "hash-1", NOW)
    shops.remember_upload("102", "abc", "hash-2", NOW)
    assert (shops.uploaded("101", "abc"), shops.uploaded("102", "abc")) == ("hash-1", "hash-2")
    shops.remember_upload("101", "abc", "hash-3", LATER)
    assert shops.uploaded("101", "abc") == "hash-3"
    assert shops.uploaded("101", "abd") is None
