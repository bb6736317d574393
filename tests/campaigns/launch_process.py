"""`python -m tests.campaigns.launch_process STORE URL TOKEN FOLDER CAMPAIGN`: one launch in a
process of its own, to be killed at any moment. Prints `begun` once it is under way."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from tests.campaigns.launching import Launching, connected
from zyenta_ads_pipeline.campaigns.launch import launch
from zyenta_ads_pipeline.sandbox.process import SandboxHandle
from zyenta_ads_pipeline.store.database import open_store


class _Address:
    """As much of a sandbox's handle as a launch asks for."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.config: Any = type("Config", (), {"token": token})


async def _run(made: Launching, campaign_id: str) -> None:
    async with made.platform() as platform:
        print("begun", flush=True)  # noqa: T201 - the parent waits for it
        place = made.place(platform, owner="to be killed", lease=timedelta(seconds=0))
        await launch(place, campaign_id)


def main(store_url: str, url: str, token: str, folder: str, campaign_id: str) -> None:
    """Launch it, to the end if nobody kills us."""
    sandbox = cast("SandboxHandle", _Address(url, token))
    store = open_store(store_url)
    asyncio.run(_run(Launching(store, sandbox, Path(folder), connected(sandbox)), campaign_id))


if __name__ == "__main__":
    main(*sys.argv[1:])
