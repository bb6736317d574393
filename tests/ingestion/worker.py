"""One sync as a process of its own, to be killed: `python -m tests.ingestion.worker HOME URL`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.ingestion.syncing import ACCOUNT, TOKEN, days, home
from zyenta_ads_pipeline.ingestion.insights import sync_account
from zyenta_ads_pipeline.platforms.meta.client import MetaClient
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds


def main(folder: str, url: str, since: str, until: str, most_rows: str) -> None:
    async def run() -> None:
        with home(Path(folder), most_rows=int(most_rows)) as place:
            client = MetaClient(base_url=url, version="v26.0", token=TOKEN, max_wait=2)
            async with MetaAds(client) as meta:
                await sync_account(place.run("worker"), meta, ACCOUNT, days(since, until))

    asyncio.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
