"""The errors of calls that come too often, in Meta's codes."""

from __future__ import annotations

from zyenta_ads_pipeline.sandbox.graph_error import GraphError

USE_CASE_CODES = {"ads_insights": 80000, "ads_management": 80004}


def account_blocked() -> GraphError:
    """An ad account's score is over its ceiling."""
    return GraphError(
        17,
        "(#17) User request limit reached",
        subcode=2446079,
        transient=True,
        user_title="Too many API calls",
        user_msg="There have been too many calls from this ad-account. "
        "Please wait a bit and try again.",
    )


def use_case_blocked(use_case: str) -> GraphError:
    """An account's hour of one business use case is used up."""
    code = USE_CASE_CODES[use_case]
    return GraphError(
        code,
        f"(#{code}) There have been too many calls to this ad-account. Wait a bit and try again. "
        "For more info, please refer to "
        "https://developers.facebook.com/docs/graph-api/overview/rate-limiting.",
        subcode=2446079,
        user_title="Ad Account Has Too Many API Calls",
        user_msg="There have been too many calls from this ad-account. "
        "Please wait a bit and try again.",
    )


def app_blocked() -> GraphError:
    """The app's own hour is used up."""
    return GraphError(4, "(#4) Application request limit reached", transient=True)


def platform_blocked() -> GraphError:
    """The insights platform as a whole is busy."""
    return GraphError(
        4,
        "(#4) Application request limit reached",
        subcode=1504022,
        transient=True,
        user_title="There have been too many calls to this api in a short period of time",
        user_msg="There have been too many calls to the ads insights API from this app. "
        "Please wait a bit and try again.",
    )


def too_many_writes() -> GraphError:
    """More than a hundred creates and edits in one second."""
    return GraphError(
        613,
        "(#613) Calls to this api have exceeded the rate limit.",
        subcode=5044001,
        user_title="Too many changes at once",
        user_msg="Please slow down, and try again in a few seconds.",
    )
