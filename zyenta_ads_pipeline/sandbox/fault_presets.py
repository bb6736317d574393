"""Named faults: what the field's clients met, each a rule that can be used by its name."""

from __future__ import annotations

from typing import Any

_REPORT_START = {"kind": "report_start"}
_RESULT_PAGE = {"kind": "report_page"}
_ANY_INSIGHTS = {"path": "*/insights"}
_REDUCE = "Please reduce the amount of data you're asking for, then retry your request"


def _error(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    rule: dict[str, Any] = {"what": "error", "code": code}
    if subcode is not None:
        rule["subcode"] = subcode
    return rule | more


def _limit(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    words = {
        4: "Application request limit reached",
        17: "User request limit reached",
        613: "Calls to this api have exceeded the rate limit.",
    }
    text = words.get(code, "There have been too many calls. Wait a bit and try again.")
    return _error(code, subcode, message=f"(#{code}) {text}", **more)


PRESETS: dict[str, dict[str, Any]] = {
    # Rate limits.
    "rate_limit": _limit(17, 2446079, wait_seconds=60, is_transient=True),
    "rate_limit_on_job_post": _limit(17, 2446079, wait_seconds=60, is_transient=True)
    | _REPORT_START,
    "rate_limit_without_subcode": _limit(17),
    "too_many_calls": _limit(613),
    "too_many_calls_of_account": _limit(613, 1487742, wait_seconds=60),
    "too_many_writes": _limit(613, 5044001, write=True),
    "budget_changed_too_often": _limit(613, 1487632, write=True),
    "app_limit": _limit(4),
    "insights_platform_limit": _limit(4, 1504022, is_transient=True) | _ANY_INSIGHTS,
    "insights_throttle": _limit(80000, 2446079, wait_minutes=7) | _ANY_INSIGHTS,
    "management_throttle": _limit(80004, 2446079, wait_minutes=7),
    "whatsapp_throttle": _limit(80008),
    "catalog_throttle": _limit(80014),
    "http_429": {"what": "text", "status": 429, "body": "Too Many Requests"},
    # Passing trouble.
    "unknown_error": _error(1, message="An unknown error occurred", status=500),
    "temporary_error": _error(
        2,
        message="An unexpected error has occurred. Please retry your request later.",
        is_transient=True,
        status=500,
    ),
    "transient_unlisted": _error(99_999, message="Something went wrong", is_transient=True),
    "negative_code": _error(-2, message="Internal error"),
    "html_500": {"what": "html", "status": 500},
    "html_502": {"what": "html", "status": 502},
    "html_503": {"what": "html", "status": 503},
    "html_504": {"what": "html", "status": 504},
    "server_error_text": {"what": "text", "status": 500, "body": "Internal Server Error"},
    "service_unavailable_text": {"what": "text", "status": 200, "body": "Service Unavailable"},
    # Bodies that are not what they should be.
    "error_in_200": _error(2, message="Service temporarily unavailable", status=200),
    "commit_then_error_in_200": _error(
        2, message="Service temporarily unavailable", status=200, done=True
    ),
    "json_string_reply": {"what": "json", "body": "Service Unavailable"},
    "json_list_reply": {"what": "json", "body": []},
    "empty_reply": {"what": "empty"},
    "no_data": {"what": "no_data"},
    "success_false": {"what": "json", "body": {"success": False}, "write": True},
    "error_data_as_text": _error(
        100,
        1885272,
        message="Invalid parameter",
        error_data={"blame_field_specs": [["daily_budget"]]},
        error_data_as_text=True,
    ),
    "number_in_code": _error(1487901, message="Budget is too low"),
    # The connection.
    "drop": {"what": "drop"},
    "commit_then_drop": {"what": "drop", "done": True},
    "commit_then_500": {"what": "html", "status": 500, "done": True},
    "commit_then_502": {"what": "html", "status": 502, "done": True},
    "truncated": {"what": "truncated"},
    "slow_body": {"what": "slow_body", "seconds": 1},
    "slow_answer": {"what": "slow_answer", "seconds": 1},
    "wrong_version": {"what": "wrong_version", "version": "v25.0"},
    # Too much data.
    "reduce_on_result_page": _error(1, message=_REDUCE, status=500) | _RESULT_PAGE,
    "reduce_on_page": _error(1, message=_REDUCE, status=500) | {"method": "GET"} | _ANY_INSIGHTS,
    "too_many_rows_on_job_post": _error(
        100, 1487534, message="Invalid parameter", user_title="Too many rows", user_msg=_REDUCE
    )
    | _REPORT_START,
    "too_many_rows": _error(
        100, 1487534, message="Invalid parameter", user_title="Too many rows", user_msg=_REDUCE
    )
    | {"kind": "insights"},
    "sync_timeout_on_job_post": _error(100, 1504018, message="Query timed out") | _REPORT_START,
    "sync_timeout": _error(2, 1504038, message="Query timed out") | {"kind": "insights"},
    "insights_hiccup": _error(2, 1504044, message="Unknown error") | {"kind": "insights"},
    # Reports.
    "unknown_run_after_post": _error(
        100, 33, message="Unsupported get request. Object does not exist"
    )
    | {"kind": "report_status"},
    "result_not_ready": _error(
        2601,
        1815107,
        message="(#2601) Error accessing adreport job",
        user_title="Loading async query result failed",
        is_transient=True,
    )
    | _RESULT_PAGE,
    "job_failed": {"what": "report", "outcome": "failed", "code": -2, "subcode": 2490547},
    "job_too_large": {"what": "report", "outcome": "failed", "code": -3, "subcode": 1504045},
    "job_skipped": {"what": "report", "outcome": "skipped"},
    "job_stalled": {"what": "report", "outcome": "stalled", "percent": 40},
    # Lists.
    "short_page": {"what": "short_page"},
    "empty_page": {"what": "empty_page"},
    "cut_chain": {"what": "cut_chain"},
    "repeat_row": {"what": "repeat_row"},
    "late_object": {"what": "late_object", "seconds": 5},
    # Batches.
    "null_part": {"what": "null_part", "parts": [0]},
    "null_part_done": {"what": "null_part", "parts": [0], "done": True},
    # Tokens and rights.
    "expired_token": _error(190, 463, message="Error validating access token"),
    "revoked_token": _error(190, 467, message="Error validating access token"),
    "checkpointed_user": _error(190, 459, message="The user is in a blocking checkpoint"),
    "bad_signature": _error(104, message="Incorrect signature"),
    "no_permission": _error(10, message="(#10) Application does not have permission"),
    "no_access": _error(200, message="(#200) Permissions error"),
    "policy_block": _error(368, message="(#368) The action attempted has been deemed abusive"),
}
"""Each preset is a rule; keys beside `preset` override or narrow it."""
