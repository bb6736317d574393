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

_NEW_MARKET = {"seed": 7, "days": 60, "accounts": 1}


def open_source(config: SandboxConfig, state: State, born: datetime) -> Source:
    """The source of a configuration; `born` is the sandbox's time at its first start.

    Raises `InputError` when the replay cannot be used.
    """
    if config.replay is None:
        return Market(
            **_market_options(config, state),
            born=born,
            writes=lambda: [write for _, write in state.writes()],
            made=state.things,
        )
    if holds_pages(config.replay):
        return SavedPages(config.replay)
    return Replay(config.replay, real_now())


def _market_options(config: SandboxConfig, state: State) -> dict[str, int]:
    """What was asked for, else what the state was made with, else the defaults."""
    made = state.identity() or {}
    asked = {"seed": config.seed, "days": config.days, "accounts": config.accounts}
    return {
        name: made.get(name, default) if asked[name] is None else int(asked[name] or 0)
        for name, default in _NEW_MARKET.items()
    }
