"""`zyenta store …`: the shops that advertise, with their products and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.terminal import explained, out

store_app = typer.Typer(
    no_args_is_help=True, help="The shops that advertise: their products and pictures."
)

StoreId = Annotated[str, typer.Argument(metavar="STORE", help="Id from `zyenta store list`.")]


@store_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The shop's name, as customers know it.")],
    niche: Annotated[str, typer.Option(help="What it sells, in a word or two: outdoor, fashion.")],
    domain: Annotated[str, typer.Option(help="Its web address, such as shop.example.com.")],
    country: Annotated[
        list[str], typer.Option(help="Country it sells to, such as DE; may be given several times.")
    ],
    currency: Annotated[str, typer.Option(help="Currency of its prices, such as EUR.")],
    store_id: Annotated[
        str | None, typer.Option("--id", help="Short id for commands. Default: from the name.")
    ] = None,
    age_min: Annotated[int, typer.Option(min=13, max=65, help="Youngest age of its buyers.")] = 18,
    age_max: Annotated[
        int, typer.Option(min=13, max=65, help="Oldest age; 65 means 65 and over.")
    ] = 65,
    interest: Annotated[
        list[str] | None,
        typer.Option(help="Word to find interests by; several times. Default: from the niche."),
    ] = None,
    advantage_audience: Annotated[
        bool, typer.Option("--advantage-audience", help="Let Meta go beyond these people.")
    ] = False,
) -> None:
    """Adds a shop. Nothing is asked of Meta yet; `zyenta connect` does that."""
    from zyenta_ads_pipeline import store_desk  # noqa: PLC0415

    with explained():
        shop = store_desk.new_store(
            name,
            store_id=store_id,
            niche=niche,
            domain=domain,
            countries=country,
            currency=currency,
            ages=(age_min, age_max),
            interests=interest or (),
            advantage_audience=advantage_audience,
        )
        out.print(store_desk.add_store(load_settings(), shop))


@store_app.command("list")
def list_() -> None:
    """Lists the shops, with what each has and whether it is connected."""
    from zyenta_ads_pipeline import store_desk  # noqa: PLC0415

    with explained():
        out.print(store_desk.list_stores(load_settings()))


@store_app.command("show")
def show(
    store: StoreId,
    products: Annotated[int, typer.Option(min=0, help="How many products to list.")] = 20,
) -> None:
    """Shows one shop: whom it sells to, its connection, its products in their order."""
    from zyenta_ads_pipeline import store_desk  # noqa: PLC0415

    with explained():
        out.print(store_desk.show_store(load_settings(), store, products))


@store_app.command("import")
def import_(
    store: StoreId,
    file: Annotated[Path, typer.Argument(help="Catalogue: CSV or JSON.")],
    pictures: Annotated[
        Path | None,
        typer.Option(help="Folder with the pictures, each named by its product's id: 17.webp."),
    ] = None,
) -> None:
    """Reads products and pictures from a catalogue. Reading it again renews them.

    Columns are known by their usual names (id or sku, title or name, description, price, category,
    brand, url, image, video). A row that cannot be used is told with its remedy, and the others are
    stored all the same; the exit is then 1.
    """
    from zyenta_ads_pipeline import store_desk  # noqa: PLC0415

    with explained():
        told, whole = store_desk.import_catalogue(load_settings(), store, file, pictures)
        out.print(told)
        if not whole:
            raise typer.Exit(1)
