"""`zyenta store` as a buyer uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faces.buyer import Buyer, settle


@pytest.fixture
def buyer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Buyer:
    return settle(None, tmp_path, monkeypatch)


def test_a_store_is_added_listed_shown_and_filled(buyer: Buyer) -> None:
    assert "zyenta store add" in buyer.does("store", "list")
    added = buyer.does(
        "store", "add", "Trail Shop!", "--niche", "outdoor", "--domain", "HTTPS://Trail.example.com/",
        "--country", "de", "--country", "AT,CH", "--currency", "eur", "--interest", "Hiking",
        "--age-max", "45", "--advantage-audience",
    )  # fmt: skip
    assert "Store trail-shop added" in added
    file, pictures = buyer.catalogue()
    read = buyer.does("store", "import", "trail-shop", str(file), "--pictures", str(pictures))
    assert "Products: 3 read, 3 new, 0 changed" in read
    assert "Pictures and videos: 3 read, 3 new" in read
    assert "Every row was taken" in read
    again = buyer.does("store", "import", "trail-shop", str(file), "--pictures", str(pictures))
    assert "Products: 3 read, 0 new, 0 changed, 3 as before" in again
    listed = buyer.does("store", "list")
    for words in ("trail-shop", "trail.example.com", "DE, AT, CH", "EUR", "nothing yet"):
        assert words in listed
    shown = buyer.does("store", "show", "trail-shop", "--products", "2")
    for words in ("18 to 45", "Hiking", "beyond these people", "The first 2 products", "89.90 EUR"):
        assert words in shown
    assert "Basecamp" not in shown


def test_refused_rows_are_told_with_their_remedies_and_the_others_stored(buyer: Buyer) -> None:
    buyer.does("store", "add", "Trail", "--niche", "outdoor", "--domain", "t.example.com",
               "--country", "DE", "--currency", "EUR")  # fmt: skip
    file, pictures = buyer.catalogue("104,Free Cap,A cap,gratis,Outdoor,", "101,Twin,Text,5,,")
    told = buyer.fails("store", "import", "trail", str(file), "--pictures", str(pictures))
    assert "Products: 3 read, 3 new" in told
    assert "2 rows were not taken" in told
    assert "'gratis'" in told
    assert "already in row" in told
    assert "The other rows are stored" in told
    assert "Storm Shell" in buyer.does("store", "show", "trail")
    assert "is not a file" in buyer.fails("store", "import", "trail", "absent.csv")
    assert "no store 'nobody'" in buyer.fails("store", "import", "nobody", str(file))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--country", "UK"), "GB"),
        (("--country", "Germany"), "ISO 3166"),
        (("--country", "DE", "--currency", "XXX"), "one that Meta bills in"),
        (("--country", "DE", "--domain", "my shop"), "shop.example.com"),
        (("--country", "DE", "--age-min", "50", "--age-max", "30"), "hold nobody"),
        (("--country", "DE", "--id", "My Shop"), "cannot be a store's id"),
    ],
)
def test_what_cannot_be_a_store_is_refused(buyer: Buyer, more: tuple[str, ...], told: str) -> None:
    usual = {"--niche": "outdoor", "--domain": "t.example.com", "--currency": "EUR"}
    rest = [word for name, value in usual.items() if name not in more for word in (name, value)]
    assert told in buyer.fails("store", "add", "Trail", *rest, *more)
    assert "No stores yet" in buyer.does("store", "list")


def test_a_store_is_added_once(buyer: Buyer) -> None:
    command = ("store", "add", "Trail", "--niche", "outdoor", "--domain", "t.example.com",
               "--country", "DE", "--currency", "EUR")  # fmt: skip
    buyer.does(*command)
    assert "already" in buyer.fails(*command)
