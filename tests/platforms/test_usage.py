"""The four usage headers, and what throttling errors shut."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import ErrorOrigin, RateLimited
from zyenta_ads_pipeline.platforms.meta.errors import error_from_reply
from zyenta_ads_pipeline.platforms.meta.usage import (
    INSIGHTS,
    MANAGEMENT,
    Measurement,
    blocked_scopes,
    measurements,
    scopes_of,
)

TIER = {"ads_api_access_tier": "standard_access"}


def headers(**told: Any) -> dict[str, str]:
    names = {
        "app": "x-app-usage",
        "account": "x-ad-account-usage",
        "business": "x-business-use-case-usage",
        "insights": "x-fb-ads-insights-throttle",
    }
    return {names[name]: json.dumps(value) for name, value in told.items()}


def by_scope(told: dict[str, str], account_id: str = "1") -> dict[str, Measurement]:
    return {found.scope: found for found in measurements(told, account_id)}


def test_each_header_measures_its_own_scope_in_its_own_unit() -> None:
    use = {"type": MANAGEMENT, "call_count": 95, "total_cputime": 20, "total_time": 97,
           "estimated_time_to_regain_access": 7, **TIER}  # fmt: skip
    found = by_scope(
        headers(
            app={"call_count": 28, "total_cputime": 25.5, "total_time": 3},
            account={"acc_id_util_pct": 100.5, "reset_time_duration": 42, **TIER},
            business={"1": [use]},
            insights={"app_id_util_pct": 0.2, "acc_id_util_pct": 10, **TIER},
        )
    )
    assert found == {
        "app": Measurement("app", 28, 3600),
        "app/ads_insights": Measurement("app/ads_insights", 0.2, 3600),
        "account/1": Measurement("account/1", 100.5, 300, 100 / 9000, 42),
        "account/1/ads_insights": Measurement("account/1/ads_insights", 10, 3600),
        "account/1/ads_management": Measurement(
            "account/1/ads_management", 97, 3600, 100 / 100_000, 7 * 60
        ),
    }


def test_each_app_has_scopes_of_its_own() -> None:
    told = headers(app={"call_count": 1}, insights={"app_id_util_pct": 2, "acc_id_util_pct": 3})
    found = {each.scope for each in measurements(told, "1", "7")}
    assert found == {"app:7", "app:7/ads_insights", "account/1/ads_insights"}
    assert found < set(scopes_of("1", INSIGHTS, "7"))
    assert blocked_scopes(throttled(4), "1", INSIGHTS, "7") == ("app:7",)
    assert blocked_scopes(throttled(4, 1504022), "1", INSIGHTS, "7") == ("app:7/ads_insights",)


def test_the_time_to_reset_counts_only_for_a_score_that_is_used_up() -> None:
    (found,) = measurements(
        headers(account={"acc_id_util_pct": 9.67, "reset_time_duration": 100}), "1"
    )
    assert (found.percent, found.blocked_seconds) == (9.67, 0)


def test_a_limited_app_has_sixty_points() -> None:
    tier = {"ads_api_access_tier": "development_access"}
    (found,) = measurements(headers(account={"acc_id_util_pct": 1, **tier}), "1")
    assert found.point == 100 / 60


def test_a_use_case_told_twice_counts_at_its_highest() -> None:
    uses = [{"type": INSIGHTS, "call_count": n} for n in (3, 80, 5)]
    found = by_scope(headers(business={"1": uses}, insights={"acc_id_util_pct": 50}))
    assert found["account/1/ads_insights"].percent == 80


def test_a_businesss_use_is_the_accounts_that_was_asked() -> None:
    told = headers(business={"999": [{"type": INSIGHTS, "call_count": 5}]})
    assert set(by_scope(told, "1")) == {"account/1/ads_insights"}
    assert set(by_scope(told, "")) == {"account/999/ads_insights"}
    other = headers(business={key: [{"type": INSIGHTS, "call_count": 5}] for key in ("1", "2")})
    assert set(by_scope(other, "1")) == {"account/1/ads_insights", "account/2/ads_insights"}


def test_of_an_unknown_account_only_what_names_it_is_kept() -> None:
    score = {"acc_id_util_pct": 50}
    assert measurements(headers(account=score, insights=score), "") == []
    named = headers(account=score, business={"7": [{"type": MANAGEMENT, "call_count": 1}]})
    assert set(by_scope(named, "")) == {"account/7", "account/7/ads_management"}


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(
            ["call_count", "total_time", "type", "acc_id_util_pct", "app_id_util_pct",
             "reset_time_duration", "estimated_time_to_regain_access", "1", "x" * 200]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=10,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(
            ["x-app-usage", "x-ad-account-usage", "x-business-use-case-usage",
             "x-fb-ads-insights-throttle"]
        ),
        odd.map(json.dumps) | st.text(),
    ),
    st.sampled_from(["", "1"]),
)  # fmt: skip
def test_whatever_the_headers_hold_is_read_or_left_out(told: dict[str, str], account: str) -> None:
    for found in measurements(told, account):
        assert 0 <= found.percent < math.inf
        assert 0 <= found.blocked_seconds <= 2 * 86_400
        assert len(found.scope) <= 120


def throttled(code: int | None, subcode: int | None = None) -> RateLimited:
    envelope = {"code": code, "error_subcode": subcode, "message": "No"}
    error = error_from_reply(envelope, request="GET /x", http_status=429, headers={})
    assert isinstance(error, RateLimited)
    return error


@pytest.mark.parametrize(
    ("code", "subcode", "scopes"),
    [
        (4, None, {"app"}),
        (341, None, {"app"}),
        (4, 1504022, {"app/ads_insights"}),
        (4, 1504039, {"app/ads_insights"}),
        (17, None, {"account/1"}),
        (17, 2446079, {"account/1"}),
        (613, None, {"account/1"}),
        (613, 1487742, {"account/1"}),
        (613, 5044001, {"account/1"}),
        (613, 1996, {"account/1"}),
        (613, 7777777, {"account/1"}),
        (80000, 2446079, {"account/1/ads_insights"}),
        (80004, None, {"account/1/ads_management", "account/1/ads_insights"}),
        (80014, None, {"account/1/ads_insights"}),
        (None, None, {"account/1"}),
        (613, 1487632, set()),
        (1487632, None, set()),
        (613, 1487225, set()),
        (17, 1885172, set()),
    ],
)
def test_an_error_shuts_what_it_is_about(
    code: int | None, subcode: int | None, scopes: set[str]
) -> None:
    found = set(blocked_scopes(throttled(code, subcode), "1", INSIGHTS))
    assert found == scopes
    assert not found or found & set(scopes_of("1", INSIGHTS))


def test_a_platform_wide_limit_of_insights_leaves_writing_alone() -> None:
    shut = blocked_scopes(throttled(4, 1504022), "1", INSIGHTS)
    assert not set(shut) & set(scopes_of("1", MANAGEMENT))


def test_an_error_without_any_number_shuts_the_account() -> None:
    bare = RateLimited("No", origin=ErrorOrigin(http_status=429), wait_seconds=60)
    assert blocked_scopes(bare, "", MANAGEMENT) == ("account/",)
