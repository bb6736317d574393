"""Choosing what to play: a market, ad days, or saved insights pages."""

from __future__ import annotations

from datetime import datetime

from zyenta_ads_pipeline.sandbox.clock import real_now
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.market import Market
from zyenta_ads_pipeline.sandbox.page_file import holds_pages
from zyenta_ads_pipeline.sandbox.replay import Replay
from zyenta_ads_pipeline.sandbox.saved_pages import SavedPages
from zyenta_ads_pipeline.sandbox.source import Source
from zyenta_ads_pipeline.sandbox.state import State


def open_source(config: SandboxConfig, state: State, born: datetime) -> Source:
    """The source of a configuration; `born` is the sandbox's time at its first start.

    Raises `InputError` when the replay cannot be used.
    """
    if config.replay is None:
        return Market(
            seed=config.seed,
            days=config.days,
            accounts=config.accounts,
            born=born,
            writes=lambda: [write for _, write in state.writes()],
        )
    if holds_pages(config.replay):
        return SavedPages(config.replay)
    return Replay(config.replay, real_now())
