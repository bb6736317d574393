"""`zyenta campaign undo` and `retry`: what came of them, for the terminal."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from zyenta_ads_pipeline.agent import AdsAgent
from zyenta_ads_pipeline.campaign_desk import changes_in_table
from zyenta_ads_pipeline.campaigns.by_hand import Rewritten
from zyenta_ads_pipeline.settings import Settings


@dataclass(frozen=True)
class Written:
    """What a writing came to."""

    shown: RenderableType
    applied: bool


async def undo_now(settings: Settings, change_id: str, by: str) -> Written:
    """Write back what was there before an applied change. Raises as `AdsAgent.undo`."""
    return _shown(await AdsAgent(settings, actor=by).undo(change_id))


async def retry_now(settings: Settings, change_id: str, by: str) -> Written:
    """Write an approved change of a person's own. Raises as `AdsAgent.retry`."""
    return _shown(await AdsAgent(settings, actor=by).retry(change_id))


def _shown(done: Rewritten) -> Written:
    shown = Group(Text(done.told), changes_in_table(done.changes, done.campaign_name))
    return Written(shown, done.applied)
