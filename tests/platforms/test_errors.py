"""Every row of Meta's error tables, with the class it must become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyenta_ads_pipeline.domain.errors import (
    AuthenticationFailed,
    DuplicateObject,
    NotFound,
    ObjectRateLimited,
    PermissionDenied,
    PlatformError,
    PolicyBlocked,
    RateLimited,
    TooMuchData,
    Transient,
    ValidationRefused,
)
from zyenta_ads_pipeline.platforms.meta.errors import error_from_reply, heals_once

Row = tuple[int, int | None]

# General: Marketing API, "Error reference"; Graph API, "Handling errors".
GENERAL: dict[Row, type[PlatformError]] = {
    (-1, None): Transient,
    (-2, 1): Transient,
    (1, None): Transient,
    (1, 99): ValidationRefused,
    (2, None): Transient,
    (3, None): PermissionDenied,
    (4, None): RateLimited,
    (4, 1504022): RateLimited,
    (4, 1504039): RateLimited,
    (10, None): PermissionDenied,
    (17, None): RateLimited,
    (17, 2446079): RateLimited,
    (17, 1885172): RateLimited,
    (32, None): RateLimited,
    (100, None): ValidationRefused,
    (100, 4242424): ValidationRefused,
    (100, 33): NotFound,
    (100, 1487534): TooMuchData,
    (102, None): AuthenticationFailed,
    (104, None): AuthenticationFailed,
    (190, None): AuthenticationFailed,
    **{(190, n): AuthenticationFailed for n in (458, 459, 460, 463, 464, 467, 492)},
    (200, None): PermissionDenied,
    (299, None): PermissionDenied,
    (294, None): PermissionDenied,
    (200, 1870034): PermissionDenied,
    (200, 1870047): PermissionDenied,
    (341, None): RateLimited,
    (368, None): PolicyBlocked,
    (352, None): ValidationRefused,
    (382, None): ValidationRefused,
    (351, None): ValidationRefused,
    (389, None): Transient,  # worth one more try
    (6000, None): Transient,
    (6001, None): Transient,
    (506, None): DuplicateObject,
    (613, None): RateLimited,
    (613, 1487742): RateLimited,
    (613, 5044001): RateLimited,
    (613, 1487632): ObjectRateLimited,
    (613, 1487225): RateLimited,
    (613, 1996): RateLimited,
    (803, None): NotFound,
    (900, None): ValidationRefused,
    (2500, None): ValidationRefused,
    (2635, None): ValidationRefused,
    (2641, None): ValidationRefused,
    (3018, None): ValidationRefused,
    (5000, None): Transient,
    (1609005, None): ValidationRefused,
    (100, 1609005): ValidationRefused,
}
BUSINESS_USE_CASES: dict[Row, type[PlatformError]] = {
    (code, None): RateLimited
    for code in (80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014, 80099)
}
# Insights: Marketing API, "Insights: error codes".
INSIGHTS: dict[Row, type[PlatformError]] = {
    (100, 1504018): TooMuchData,
    (2, 1504038): TooMuchData,
    (2, 1504041): ValidationRefused,
    (2, 1504042): ValidationRefused,
    (2, 1504043): Transient,
    (2, 1504044): Transient,
    (-2, 2490547): Transient,
    (-3, 1504045): TooMuchData,
    (100, 3191001): PermissionDenied,
}
# Writes: all final, but what exists already or is blocked.
WRITES: dict[Row, type[PlatformError]] = {
    **{
        (100, n): ValidationRefused
        for n in (
            *(1885272, 1885650, 1487901, 1885621, 2446307, 2238055, 2446149, 4834011),  # budget
            *(1885204, 2490487, 1815857, 1885737),  # bid
            *(1487033, 1487007),  # dates
            *(1487056, 1487566, 1885088, 1487990),  # state
            *(2490408, 1815430, 1885014, 3260011, 2446383, 2446509, 1487929, 1487831, 1487678),
            *(2695, 3955009),  # goal and destination
            *(1487756, 1487079, 1815433, 1870199, 1870165, 1487694, 1870227, 1870188, 1870189),
            *(1870196, 2909034),  # targeting
            *(1885183, 1885557, 1885029, 1815199, 1815629, 1373054, 3858258, 1885878, 1885923),
            *(1487411, 1487202, 2446211, 1443048),  # creative
            *(3858079, 3858152, 3858081, 3858634, 3858636, 2708008, 1870090, 1870092),  # rules
            *(2490427, 2490468, 1363037, 2446289),  # review, video, settings of the account
        )
    },
    (100, 3858798): DuplicateObject,
    (100, 1404163): PolicyBlocked,
    (100, 1404078): PolicyBlocked,
    (100, 2859015): PolicyBlocked,
}
# What other clients of the API were seen to meet.
SEEN: dict[Row, type[PlatformError]] = {
    (80004, 2446079): RateLimited,
    (80007, None): RateLimited,
    (80008, None): RateLimited,
    (960, None): Transient,
    (2601, 1815107): Transient,
    (1, 1504018): TooMuchData,
    (2, 1487534): TooMuchData,
    (17, 1487632): ObjectRateLimited,
    (4, 1487742): RateLimited,
}
# The seven-digit number stands in `code` itself at times.
IN_CODE: dict[Row, type[PlatformError]] = {
    (1487901, None): ValidationRefused,
    (1487534, None): TooMuchData,
    (1504018, None): TooMuchData,
    (1504038, None): TooMuchData,
    (1504045, None): TooMuchData,
    (1504041, None): ValidationRefused,
    (1504043, None): Transient,
    (1487742, None): RateLimited,
    (1487632, None): ObjectRateLimited,
    (2446079, None): RateLimited,
    (5044001, None): RateLimited,
    (1504022, None): RateLimited,
    (3191001, None): PermissionDenied,
    (1404163, None): PolicyBlocked,
    (3858798, None): DuplicateObject,
    (2490547, None): Transient,
}
ROWS = {**GENERAL, **BUSINESS_USE_CASES, **INSIGHTS, **WRITES, **SEEN, **IN_CODE}


def error(code: object, subcode: object = None, http: int = 400, **more: Any) -> PlatformError:
    reply = {"message": "No", "code": code, **more}
    if subcode is not None:
        reply["error_subcode"] = subcode
    return error_from_reply(reply, request="GET /x", http_status=http, headers={})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_each_row_of_metas_tables_becomes_its_class(row: Row) -> None:
    code, subcode = row
    for http in (200, 400, 403, 500):
        for more in ({}, {"is_transient": False}, {"is_transient": True}):
            found = error(code, subcode, http, **more)
            assert type(found) is ROWS[row], (http, more)
            assert found.remedy
            assert (found.origin.code, found.origin.subcode) == (code, subcode)
    assert type(error(str(code), None if subcode is None else str(subcode))) is ROWS[row]


@pytest.mark.parametrize(
    ("http", "more", "kind"),
    [
        (400, {}, ValidationRefused),
        (400, {"is_transient": True}, Transient),
        (429, {}, RateLimited),
        (500, {}, Transient),
        (503, {"is_transient": False}, Transient),
        (403, {}, ValidationRefused),
    ],
)
@pytest.mark.parametrize("code", [None, "none", 4711, 20_000])
def test_of_an_unknown_code_is_transient_then_http_decide(
    code: object, http: int, more: dict[str, Any], kind: type[PlatformError]
) -> None:
    assert type(error(code, http=http, **more)) is kind


@given(st.integers(200, 299))
def test_the_whole_range_of_200_is_permission(code: int) -> None:
    assert type(error(code)) is PermissionDenied


@given(
    st.dictionaries(
        st.sampled_from(
            ["message", "code", "error_subcode", "is_transient", "error_data", "fbtrace_id",
             "error_user_title", "error_user_msg", "type"]
        ),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
        | st.dictionaries(st.text(), st.text(), max_size=2),
    ),
    st.sampled_from([200, 400, 404, 429, 500, 503]),
    st.dictionaries(
        st.sampled_from(["x-ad-account-usage", "x-business-use-case-usage", "x-fb-trace-id"]),
        st.text(),
    ),
)  # fmt: skip
def test_any_envelope_becomes_some_typed_error(
    reply: dict[str, Any], http: int, headers: dict[str, str]
) -> None:
    found = error_from_reply(reply, request="GET /x", http_status=http, headers=headers)
    assert isinstance(found, PlatformError)
    assert found.what.startswith("Meta refused GET /x: ")
    if isinstance(found, RateLimited):
        assert found.wait_seconds is not None
        assert found.wait_seconds > 0


def test_only_some_codes_are_worth_one_more_try_only() -> None:
    once = {code for code in range(7000) if heals_once(error(code))}
    assert once == {1, 389, 5000, 6000, 6001}


def test_remedies_of_dead_versions_and_old_days_name_the_way_out() -> None:
    assert "META_API_VERSION" in error(2635).remedy
    assert "37 months" in error(3018).remedy
    assert "META_ACCESS_TOKEN" in error(190, 463).remedy


def test_a_user_whom_meta_has_stopped_has_to_log_in_and_needs_no_new_token() -> None:
    for subcode in (459, 464):
        assert "log in" in error(190, subcode).remedy


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_a_number_of_the_table_is_not_called_unknown(row: Row) -> None:
    assert "not in our table" not in error(*row).what


@pytest.mark.parametrize("code", [4711, 20_000, None])
def test_an_unknown_number_is_recorded_as_such(code: object) -> None:
    assert f"(code {code}, which is not in our table of errors)" in error(code).what


def test_a_text_asks_for_less_where_no_number_does() -> None:
    words = "Please reduce the amount of data you're asking for, then retry your request"
    assert type(error(1, http=500, message=words)) is TooMuchData
    assert type(error(190, message=words)) is AuthenticationFailed


GENERAL_REMEDY = error(100).remedy


@pytest.mark.parametrize(
    "subcode",
    [sub for (_, sub), kind in WRITES.items() if kind is ValidationRefused and sub is not None],
)
def test_a_refused_write_comes_with_a_remedy_of_its_own(subcode: int) -> None:
    unexplained = {2446211, 1443048, 2446289}  # what Meta means by these is not known
    assert (error(100, subcode).remedy == GENERAL_REMEDY) is (subcode in unexplained)
    assert error(subcode).remedy == error(100, subcode).remedy


def test_a_refusal_tells_metas_words_the_field_and_the_remedy() -> None:
    found = error(
        100,
        1885272,
        error_user_title="Budget is too low",
        error_user_msg="Your budget must be at least $1.00.",
        error_data={"blame_field_specs": [["daily_budget"]]},
    )
    assert str(found) == (
        "Meta refused GET /x: No; Budget is too low; Your budget must be at least $1.00; field "
        "daily_budget (code 100/1885272). Raise the daily budget to at least what Meta names, or "
        "take fewer creatives."
    )


def test_a_short_number_under_a_token_error_is_no_other_remedy() -> None:
    assert error(190, 351).remedy == error(190).remedy
