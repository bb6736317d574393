"""`zyenta alerts`: what only a person can mend, with the remedy beside it."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from zyenta_ads_pipeline.connections import alerts_of
from zyenta_ads_pipeline.settings import Settings
from zyenta_ads_pipeline.showing import add, table


def list_alerts(settings: Settings) -> RenderableType:
    """The open alerts as a table, the oldest first; moments in UTC."""
    with alerts_of(settings) as alerts:
        found = alerts.open()
    if not found:
        return Text("No alerts: nothing waits for a person.")
    told = settings.alert_address() is not None
    shown = table("Open alerts", ("since (UTC)", "last seen", "about", "what", "remedy", "posted"))
    for alert in found:
        add(
            shown,
            f"{alert.raised_at:%Y-%m-%d %H:%M}",
            f"{alert.last_seen_at:%Y-%m-%d %H:%M}",
            alert.key,
            alert.told,
            alert.remedy,
            "yes" if alert.delivered_at else ("not yet" if told else "no webhook"),
        )
    return shown
