"""Numbers over time, decisions, tests and forecasts: what the lake says, as declared."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.api.home import API, Home, added
from tests.api.test_problems import checked
from tests.campaigns.budget_lake import LAST_DAY, small_lake
from tests.console.test_numbers import decided, put
from zyenta_ads_pipeline.console.api import metric_shapes as shapes
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.campaign import AdCampaign, CampaignStatus
from zyenta_ads_pipeline.lake.decision_tables import BUDGET_DECISIONS


@pytest.fixture
def own(home: Home) -> AdCampaign:
    """A campaign that the lake knows days of."""
    lake = small_lake(Path(home.settings.lake_location).parent)
    put(lake, BUDGET_DECISIONS, decided(0), decided(1, hold="Changed yesterday."))
    return added(home.store, "Ten", platform_id="10")


def test_the_days_of_a_campaign(home: Home, own: AdCampaign) -> None:
    with home.client(Role.VIEWER) as client:
        reply = client.get(f"{API}/campaigns/{own.id}/metrics")
        assert reply.status_code == 200, reply.text
        series = shapes.SeriesShape.model_validate(reply.json())
        assert len(series.days) == 4
        assert series.until == LAST_DAY.isoformat()
        assert (series.days[-1].spend, series.days[-1].roas) == (50, 3)
        assert series.total is not None
        assert series.total.spend == 200
        since = LAST_DAY - timedelta(days=1)
        some = client.get(f"{API}/campaigns/{own.id}/metrics", params={"since": since.isoformat()})
        assert len(some.json()["days"]) == 2


def test_a_range_that_is_none_names_its_field(home: Home, own: AdCampaign) -> None:
    with home.client(Role.VIEWER) as client:
        for given in (
            {"since": "2026-11-18", "until": "2026-11-17"},
            {"since": "2020-01-01"},
            {"since": "yesterday"},
        ):
            reply = client.get(f"{API}/campaigns/{own.id}/metrics", params=given)
            assert checked(reply, 422)["errors"][0]["field"] == "since"


def test_what_is_not_known_is_empty(home: Home) -> None:
    draft = next(each for each in home.campaigns if each.status is CampaignStatus.DRAFT)
    with home.client(Role.VIEWER) as client:
        for each in (draft, home.campaigns[1]):
            days = client.get(f"{API}/campaigns/{each.id}/metrics").json()
            assert shapes.SeriesShape.model_validate(days).days == []
            told = client.get(
                f"{API}/campaigns/{each.id}/forecast", params={"daily_budget": 60}
            ).json()
            forecast = shapes.ForecastShape.model_validate(told)
            assert not forecast.known
            assert forecast.reason
            tests = client.get(f"{API}/campaigns/{each.id}/tests").json()
            assert shapes.Tests.model_validate(tests).creatives == []
        account = client.get(f"{API}/accounts/act_101/metrics").json()
        assert shapes.SeriesShape.model_validate(account).days == []
        checked(client.get(f"{API}/accounts/act_999/metrics"), 404)
        checked(client.get(f"{API}/campaigns/nothing/metrics"), 404)


def test_decisions_come_with_their_reasons(home: Home, own: AdCampaign) -> None:
    with home.client(Role.VIEWER) as client:
        reply = client.get(f"{API}/campaigns/{own.id}/decisions")
    assert reply.status_code == 200, reply.text
    found = shapes.Decisions.model_validate(reply.json()).decisions
    assert [each.hold for each in found] == ["", "Changed yesterday."]
    assert found[0].reason == "It returns more."
    assert found[0].confidence == 0.8
