"""Catalogues: what columns and prices mean, and that each row is a product or refused."""

from __future__ import annotations

import csv
import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.creatives import catalogue, catalogue_files
from zyenta_ads_pipeline.creatives.catalogue import Imported, read_products
from zyenta_ads_pipeline.creatives.catalogue_prices import read_price
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.domain.money import CURRENCY_OFFSETS, decimals
from zyenta_ads_pipeline.domain.shop import MediaKind, ShopStore

STORE = ShopStore(
    id="store-1", name="Fjord", niche="outdoor", domain="shop.example", countries=["DE"],
    currency="EUR", created_at=datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip
MANY = [f"https://x.example/{n}" for n in range(21)]
ESHOP = Path(__file__).parents[2].parent / "shared" / "data" / "eshop"


def from_csv(folder: Path, text: str | bytes, name: str = "products.csv") -> Imported:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_products(path, store=STORE)


def from_json(folder: Path, data: object) -> Imported:
    return from_csv(folder, json.dumps(data), "products.json")


def told(result: Imported) -> list[str]:
    return [str(each) for each in result.refused]


def test_a_catalogue_of_columns_by_any_usual_name(tmp_path: Path) -> None:
    result = from_csv(
        tmp_path,
        "SKU;Name;Product Description;Selling_Price;Currency;Product Type;Vendor;Link;Image Link\n"
        'B-1;Boots;"Warm &amp; dry";129,90;eur;Clothing > Shoes;Fjord;/p/b-1;https://x.example/1.jpg\n',
    )
    (product,) = result.products
    assert result.refused == [] == result.notes
    assert (product.id, product.store_id, product.title) == ("B-1", "store-1", "Boots")
    assert (product.description, product.brand) == ("Warm & dry", "Fjord")
    assert (product.price_minor, product.currency) == (12990, "EUR")
    assert product.category == "Clothing > Shoes"
    assert product.url == "https://shop.example/p/b-1"
    (asset,) = result.media
    assert (asset.kind, asset.source) == (MediaKind.IMAGE, "https://x.example/1.jpg")
    assert (asset.product_id, asset.store_id, asset.alt) == ("B-1", "store-1", "Boots")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_common_delimiter_and_line_end(
    tmp_path: Path, delimiter: str, encoding: str, end: str
) -> None:
    rows = [["id", "title", "price"], ["1", f'A "b"{delimiter} c', "29.90"], ["2", "Ö", "5"]]
    with (tmp_path / "a.csv").open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    result = read_products(tmp_path / "a.csv", store=STORE)
    assert [(each.title, each.price_minor) for each in result.products] == [
        (" ".join(f'A "b"{delimiter} c'.split()), 2990),
        ("Ö", 500),
    ]
    assert [each.position for each in result.products] == [0, 1]


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    result = from_csv(
        tmp_path,
        "sep=,\n\nid,title,description,price\n"
        '1,Boots,"two\nlines",10\n'
        "\n"
        ",,,\n"
        "2,Hat,,free\n"
        "1,Boots again,,10\n"
        "3,A, comma,10,x\n",
    )
    assert result.products[0].description == "two\nlines"
    assert [each.row for each in result.refused] == [6, 7, 8]
    assert told(result) == [
        "Row 6: price: 'free' is not one amount. Write it like 29.90 or 29.90 EUR.",
        "Row 7: The id '1' is already in row 3. "
        "Give each product an id of its own, or delete one of the two.",
        "Row 8: It has 5 cells, and the header has 4 columns. "
        "Put texts that contain the delimiter into double quotes.",
    ]


def test_rows_of_json_count_from_one_and_numbers_are_exact(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"products": [{"Id": 7, "Name": "A", "sellingPrice": 8.2},'
        ' 5, {"id": "x", "title": "B", "price": 19.99, "currency": "XXX"},'
        ' {"id": "y", "title": "C", "price": 29.990000000000002},'
        ' {"id": "z", "title": "D", "price": true}, {"id": 1.5, "title": "E", "price": 1}]}'
    )
    result = read_products(tmp_path / "a.json", store=STORE)
    assert [(each.id, each.price_minor) for each in result.products] == [("7", 820), ("y", 2999)]
    assert [each.row for each in result.refused] == [2, 3, 5, 6]
    assert "'XXX' is not one that Meta bills in" in told(result)[1]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"title": "A", "price": 1}, "There is no id."),
        ({"id": "a b", "title": "A", "price": 1}, "id is 'a b', which cannot be an id."),
        ({"id": "a", "price": 1}, "There is no title."),
        ({"id": "a", "title": "<b> </b>", "price": 1}, "There is no title."),
        ({"id": "a", "title": "A"}, "There is no price."),
        ({"id": "a", "title": "A", "price": ""}, "There is no price."),
        ({"id": "a", "title": "A", "price": -5}, "price '-5': A price cannot be negative."),
        ({"id": "a", "title": "A", "price": "-5 €"}, "price: '-5 €' is negative."),
        ({"id": "a", "title": "A", "price": 0}, "A price cannot be zero."),
        ({"id": "a", "title": "A", "price": 1e300}, "A price cannot be too high."),
        ({"id": "a", "title": "A", "price": [1]}, "price is '[1]', which is no price."),
        ({"id": "a", "title": "A", "price": "5 EUR", "currency": "USD"}, "row's currency is USD"),
        ({"id": "a", "title": ["A", 1], "price": 1}, "title is \"['A', 1]\", which is no text."),
        ({"id": "a", "title": "A" * 301, "price": 1}, "title has 301 characters, more than 300."),
        ({"id": "a", "title": "\ud800", "price": 1}, "holds half a character"),
        ({"id": "a", "title": "A", "price": 1, "url": "ftp://x/y"}, "not an address on the web"),
        ({"id": "a", "title": "A", "price": 1, "url": "www.x.example"}, "not an address"),
        ({"id": "a", "title": "A", "price": 1, "url": "https://a:b@x.example"}, "password"),
        ({"id": "a", "title": "A", "price": 1, "image": "no.jpg"}, "there is no such file"),
        ({"id": "a", "title": "A", "price": 1, "image": 5}, "names no file and no address"),
        ({"id": "a", "title": "A", "price": 1, "image": "file:///etc/passwd"}, "not an address"),
        (
            {"id": "a", "title": "A", "price": 1, "images": MANY},
            "more than 20",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, row: dict[str, object], said: str) -> None:
    result = from_json(tmp_path, [row])
    assert (result.products, result.media) == ([], [])
    (refused,) = result.refused
    assert said in refused.what
    assert refused.row == 1
    assert refused.remedy.endswith(".")
    assert ":b@" not in str(refused)


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("€ 29,90", 2990, "EUR"), ("29.90 EUR", 2990, "EUR"), ("eur 29.9", 2990, "EUR"),
        ("29,9", 2990, "EUR"), ("29", 2900, "EUR"), ("29,- €", 2900, "EUR"), (".99", 99, "EUR"),
        ("1.299,00 €", 129900, "EUR"), ("1,299.00", 129900, "EUR"), ("1 299,50", 129950, "EUR"),
        ("1\u202f299,50 €", 129950, "EUR"), ("CHF 1'299.50", 129950, "CHF"),
        ("1.234.567,89", 123456789, "EUR"), ("29.9000", 2990, "EUR"), ("0.990", 99, "EUR"),
        ("1,29,900.00 INR", 12990000, "INR"), ("¥1,200", 1200, "JPY"), ("1200.00 HUF", 1200, "HUF"),
        ("£9.99", 999, "GBP"), ("US$5.20", 520, "USD"), ("R$ 5,00", 500, "BRL"),
    ],
)  # fmt: skip
def test_prices_as_shops_write_them(text: str, minor: int, currency: str) -> None:
    usual = "JPY" if text.startswith("¥") else "EUR"
    assert read_price(text, stated=None, usual=usual) == (minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "1.299", "1,299 €", "29.905", "$5", "kr 5", "-1", "−1 €", "10-20", "10 20", "1.2.3",  # noqa: RUF001
        "1e5", "٣", "abc", "EUR", "5 EUR USD", "5 XXX", "0", "0.00", "1234.567", "0.001",
        "9" * 200, " " * 70 + "5", "NaN", "Infinity", "1250.50 HUF",
    ],
)  # fmt: skip
def test_prices_that_say_nothing_or_two_things(text: str) -> None:
    with pytest.raises(InputError):
        read_price(text, stated=None, usual="EUR")


def test_a_shared_sign_means_the_stores_currency() -> None:
    assert read_price("$5", stated=None, usual="CAD") == (500, "CAD")
    assert read_price("$5", stated="AUD", usual="EUR") == (500, "AUD")
    assert read_price("5", stated="$", usual="USD") == (500, "USD")
    with pytest.raises(InputError, match="several currencies"):
        read_price("5", stated="$", usual="EUR")


@given(st.integers(1, 10**12 - 1), st.sampled_from(sorted(CURRENCY_OFFSETS)), st.randoms())
def test_every_amount_comes_back_whole(minor: int, currency: str, chance: random.Random) -> None:
    places = decimals(currency)
    amount = Decimal(minor).scaleb(-places)
    english = f"{amount:,.{places}f}"
    german = english.translate(str.maketrans(",.", ".,"))
    written: list[str | Decimal] = [amount, f"{amount:f} {currency}"]
    if places or minor < 1000:
        written += [f"{english} {currency}", f"{currency} {german}", german.replace(".", " ")]
    value = chance.choice(written)
    assert read_price(value, stated=currency, usual="EUR") == (minor, currency)


texts = st.text(st.characters(codec="utf-8"), max_size=12)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.one_of(st.sampled_from(["1", "2", "a.b"]), texts),
            "title": texts,
            "price": st.one_of(st.sampled_from(["5", "29,90 €", "1.299", "-1"]), texts),
            "link": st.one_of(st.just(""), st.just("/a"), texts),
            "image": st.one_of(st.just(""), texts),
        }
    ),
    max_size=8,
)


@given(rows, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_each_csv_row_is_a_product_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], sep: str, end: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        names = ["id", "title", "price", "link", "image"]
        writer = csv.DictWriter(
            file, names, delimiter=sep, lineterminator=end, quoting=csv.QUOTE_ALL
        )
        writer.writeheader()
        writer.writerows(rows)
    result = read_products(path, store=STORE)
    filled = sum(any(value.strip() for value in row.values()) for row in rows)
    _holds(result, filled)


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.lists(st.text(max_size=5), max_size=2),
    st.dictionaries(st.sampled_from(["src", "url", "x"]), st.text(max_size=5), max_size=2),
)  # fmt: skip
objects = st.dictionaries(
    st.sampled_from(["id", "Id", "title", "Name", "price", "currency", "image", "url", "type"]),
    values,
)


@given(st.lists(st.one_of(values, objects), max_size=8))
def test_each_json_entry_is_a_product_or_refused(
    tmp_path_factory: pytest.TempPathFactory, entries: list[object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "entries.json"
    path.write_text(json.dumps(entries))
    _holds(read_products(path, store=STORE), len(entries))


def _holds(result: Imported, filled: int) -> None:
    assert len(result.products) + len(result.refused) == filled
    numbers = [each.row for each in result.refused]
    assert len(set(numbers)) == len(numbers)
    ids = [each.id for each in result.products]
    assert len(set(ids)) == len(ids)
    assert all(each.price_minor > 0 and each.title for each in result.products)
    assert {each.product_id for each in result.media} <= set(ids)
    assert len({each.id for each in result.media}) == len(result.media)
    for each in result.products:
        each.title.encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column for id, title, price"),
        (b"a,b\n1,2\n", "its columns are 'a', 'b'"),
        (b"id,title\n1,2\n", "no column for price"),
        (b'id,title,price\n1,A,5\n2,"B,5\n3,C,5\n', "Row 3 of .* .line 3. cannot be read"),
        (b'id,title,price\n1,"5" screen,5\n', "Row 2 of .* .line 2. cannot be read"),
        ("id,title,price\n1,Ö,5\n".encode("latin-1"), "not UTF-8 text .line 2."),
        (b"PK\x03\x04\xff\xfe", "not UTF-8"),
        (b"[1", "is not JSON"),
        (b'{"a": 1}', "holds no list of products"),
        (b'[{"price": NaN}]', "is not JSON: NaN is no number"),
        (b'[{"price": 1e-99999999999999999999}]', "no number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "is not JSON"),
    ],
)
def test_files_that_cannot_be_read_as_a_whole(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        from_csv(tmp_path, content)


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="is not a file"):
        read_products(tmp_path, store=STORE)
    monkeypatch.setattr(catalogue, "MOST_ROWS", 2)
    text = "id,title,price\n1,A,5\n\n2,B,5\n"
    assert len(from_csv(tmp_path, text).products) == 2
    with pytest.raises(InputError, match="more than 2 rows"):
        from_csv(tmp_path, text + "3,C,5\n")
    monkeypatch.setattr(catalogue_files, "LARGEST_FILE", 10)
    with pytest.raises(InputError, match="is larger than"):
        from_csv(tmp_path, text)


def test_markup_becomes_text(tmp_path: Path) -> None:
    html = "<p>Warm<br/>and <b>dry</b></p><style>p {}</style> size &lt;5 <3 <![x<script>alert()"
    result = from_json(
        tmp_path, [{"id": "1", "title": "A\x00\tB", "price": 1, "Body (HTML)": html}]
    )
    assert result.products[0].description == "Warm\nand dry\nsize <5 <3 <![x"
    assert result.products[0].title == "A B"


def test_pictures_lie_beside_the_catalogue_or_in_the_folder(tmp_path: Path) -> None:
    shop, pics = tmp_path / "shop", tmp_path / "pics"
    (shop / "img").mkdir(parents=True)
    pics.mkdir()
    for path in (shop / "img/1.jpg", pics / "2.webp", pics / "2.mp4", tmp_path / "out.jpg"):
        path.write_bytes(b"x")
    (shop / "link.jpg").symlink_to(tmp_path / "out.jpg")
    (shop / "a.json").write_text(
        json.dumps(
            [
                {"id": "1", "title": "A", "price": 1,
                 "images": ["img\\1.jpg", "//cdn.example/1.jpg?v=2", {"src": "https://x.example/b"}],
                 "video": "https://x.example/c.mp4"},
                {"id": "2", "title": "B", "price": 1},
                {"id": "3", "title": "C", "price": 1},
                {"id": "4", "title": "D", "price": 1, "image": "../out.jpg"},
                {"id": "5", "title": "E", "price": 1, "image": "link.jpg"},
                {"id": "6", "title": "F", "price": 1, "image": str(tmp_path / "out.jpg")},
                {"id": "7", "title": "G", "price": 1, "image": "2.webp"},
                {"id": "8", "title": "H", "price": 1,
                 "image": "https://x.example/a,b.jpg, https://x.example/c.jpg|https://x.example/a,b.jpg"},
            ]
        )
    )  # fmt: skip
    result = read_products(shop / "a.json", store=STORE, pictures=pics)
    found = [(each.product_id, each.kind.value, each.source) for each in result.media]
    assert found == [
        ("1", "image", str(shop / "img/1.jpg")),
        ("1", "image", "https://cdn.example/1.jpg?v=2"),
        ("1", "image", "https://x.example/b"),
        ("1", "video", "https://x.example/c.mp4"),
        ("2", "video", str(pics / "2.mp4")),
        ("2", "image", str(pics / "2.webp")),
        ("7", "image", str(pics / "2.webp")),
        ("8", "image", "https://x.example/a,b.jpg"),
        ("8", "image", "https://x.example/c.jpg"),
    ]
    assert [each.row for each in result.refused] == [4, 5, 6]
    assert result.notes == [f"Row 3: there is no picture of product 3 in {pics}."]
    shop.rename(tmp_path / "moved")
    again = read_products(tmp_path / "moved/a.json", store=STORE, pictures=pics)
    assert [each.id for each in again.media] == [each.id for each in result.media]
    with pytest.raises(InputError, match="no folder"):
        read_products(tmp_path / "moved/a.json", store=STORE, pictures=tmp_path / "none")


def test_a_whole_shop() -> None:
    if not ESHOP.is_dir():
        pytest.skip(f"{ESHOP} is absent")
    result = read_products(ESHOP / "catalog.json", store=STORE, pictures=ESHOP / "pics")
    assert (len(result.products), len(result.media)) == (101, 101)
    assert (result.refused, result.notes) == ([], [])
    assert result.products[0].price_minor == 10999
    assert {each.category for each in result.products} >= {"Footwear", "Ski/boarding"}
