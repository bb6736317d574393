"""`zyenta console`: the API and the pages, served."""

from __future__ import annotations

from typing import Annotated

import typer

from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.terminal import escaped, explained, out


def console(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on. Default: ZYENTA_CONSOLE_HOST, else 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port; 0 for any. Default: ZYENTA_CONSOLE_PORT, else 8003."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Processes that answer.")] = 1,
) -> None:
    """Serves the console and its API, until Ctrl-C.

    On this machine alone, unless told otherwise; the first start prints a link to sign in by. The
    handbook of the API is at /api/docs.
    """
    from zyenta_ads_pipeline.console import serving  # noqa: PLC0415 - loads the web framework

    with explained():
        settings = load_settings()
        at = serving.place(
            settings,
            settings.console_host if host is None else host,
            settings.console_port if port is None else port,
            workers,
        )
        serving.serve(settings, at, lambda words: out.print(escaped(words), soft_wrap=True))
