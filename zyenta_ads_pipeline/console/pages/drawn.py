"""Charts for the pages: a broad one and one for phones, and the table behind both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from zyenta_ads_pipeline.charts.creative_tests import creative_test_svg, creative_test_table
from zyenta_ads_pipeline.charts.embed import inline_svg
from zyenta_ads_pipeline.charts.forecast import forecast_svg, forecast_table
from zyenta_ads_pipeline.charts.rows import Rows
from zyenta_ads_pipeline.charts.series import SeriesMetric, series_svg, series_table
from zyenta_ads_pipeline.console.numbers import Numbers
from zyenta_ads_pipeline.console.numbers_shown import LEARNING, NotKnown, Series
from zyenta_ads_pipeline.domain.money import to_major


@dataclass(frozen=True)
class Drawn:
    """A chart as the templates show it."""

    title: str
    broad: Markup
    narrow: Markup
    words: str
    table: Rows | None


def over_time(series: Series, metric: SeriesMetric) -> Drawn | None:
    """Spend with what it brought, day by day; None where no day is known."""
    if not series.days:
        return None
    frame, currency = series.frame(), series.currency
    name = "ROAS" if metric == "roas" else "Revenue"
    title = f"Spend and {name} a day"
    uncertain = sum(each.uncertain for each in series.days)
    words = (
        f"The newest {uncertain} days are shaded: purchases are still coming in, so the line shows "
        "what is expected, with the range that holds 80 % of outcomes."
        if uncertain
        else ""
    )

    def draw(narrow: bool) -> str:
        return series_svg(frame, currency=currency, metric=metric, narrow=narrow)

    return _both(title, draw, words, series_table(frame, currency=currency, metric=metric))


def of_test(numbers: Numbers, platform_campaign_id: str, metric: str) -> Drawn | None:
    """How the creatives of a test fared; None where nothing was tested."""
    days = numbers.test_days(platform_campaign_id)
    if days.is_empty():
        return None

    def draw(narrow: bool) -> str:
        return creative_test_svg(days, metric=metric, narrow=narrow)

    return _both("Creative test", draw, "", creative_test_table(days, metric=metric))


def of_forecast(
    numbers: Numbers, platform_campaign_id: str, *, days: int, current: int, asked: int
) -> Drawn | None:
    """What budgets around today's would sell; None where no curve is known."""
    found = numbers.outlooks(
        platform_campaign_id, days=days, current_minor=current, asked_minor=asked
    )
    if isinstance(found, NotKnown):
        return None
    budget = float(to_major(asked, found.currency))

    def draw(narrow: bool) -> str:
        return forecast_svg(
            found.points,
            currency=found.currency,
            days=days,
            today=found.today,
            asked=budget,
            narrow=narrow,
        )

    table = forecast_table(
        found.points, currency=found.currency, days=days, today=found.today, asked=budget
    )
    return _both("Purchases expected at each daily budget", draw, LEARNING, table)


def _both(title: str, draw: Callable[[bool], str], words: str, table: Rows | None) -> Drawn:
    said = words or "The same numbers stand in the table below."
    broad, narrow = (
        Markup(inline_svg(draw(each), title, said))  # noqa: S704 - drawn by our own charts
        for each in (False, True)
    )
    return Drawn(title, broad, narrow, words, table)
