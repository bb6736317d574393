"""Plays a fault: makes the reply that the client gets instead of the right one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from zyenta_ads_pipeline.sandbox.batch import LARGEST_BATCH
from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.fault_rules import Fault
from zyenta_ads_pipeline.sandbox.graph import NO_MEDDLING, Meddling
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.reply import Delivery, Reply
from zyenta_ads_pipeline.sandbox.sight import Sight, rows_of
from zyenta_ads_pipeline.sandbox.throttle_errors import USE_CASE_CODES
from zyenta_ads_pipeline.sandbox.wire import RowTexts

Work = Callable[[Call, Meddling], Reply]
_USE_CASES = {code: name for name, code in USE_CASE_CODES.items()} | {
    80001: "pages", 80002: "instagram", 80003: "custom_audience", 80005: "leadgen",
    80006: "messenger", 80008: "whatsapp", 80009: "catalog_management", 80014: "catalog_batch",
}  # fmt: skip
_HTML = (
    '<!DOCTYPE html>\n<html lang="en"><head><title>Error</title></head>'
    "<body><h1>Sorry, something went wrong.</h1></body></html>\n"
)
_EMPTY_CURSOR = "QVFIU"


def play(fault: Fault, call: Call, sight: Sight, work: Work) -> tuple[Reply, bool]:
    """The reply, and whether the fault found room in it.

    `work` does what the call asks; a replacing fault leaves it out unless the work is to be
    `done` behind the client's back.
    """
    if fault.what in _REPLACING:
        return _replaced(fault, call, sight, work), True
    if fault.what == "null_part":
        return _with_null_parts(fault, call, work)
    if fault.what == "report":
        return work(call, Meddling(report_ending=dict(fault.options))), True
    if fault.what == "late_object":
        made = work(call, Meddling(late=float(fault.options.get("seconds", 5.0))))
        return made, isinstance(made.body, dict) and "id" in made.body
    reply = work(call, NO_MEDDLING)
    if fault.what in _DELIVERED:
        return _DELIVERED[fault.what](reply, fault.options), True
    changed = _changed_page(fault, call, sight, reply, work) if reply.is_page else None
    return (reply, False) if changed is None else (changed, True)


def real_cursor(call: Call) -> Call:
    """The call without the cursors that empty pages put around the real one."""
    after = call.params.get("after", "")
    while after.startswith(_EMPTY_CURSOR):
        try:
            after = base64.urlsafe_b64decode(after.removeprefix(_EMPTY_CURSOR)).decode()
        except (binascii.Error, ValueError):
            return call
        params = {name: value for name, value in call.params.items() if name != "after"}
        call = replace(call, params=params | ({"after": after} if after else {}))
    return call


def _replaced(fault: Fault, call: Call, sight: Sight, work: Work) -> Reply:
    options = fault.options
    if fault.what == "error":
        error = _graph_error(options)
        reply = work(call, NO_MEDDLING if options.get("done") else Meddling(error))
        body = error.envelope(reply.headers["x-fb-trace-id"])
        headers = {**reply.headers, **_waiting(options, sight.account_id)}
        return Reply(error.status, headers, body)
    reply = work(call, NO_MEDDLING) if options.get("done") else Reply(200, {}, b"")
    if fault.what == "drop":
        return replace(reply, delivery=Delivery(drop=True))
    text, media_type, status = _BAD_BODIES[fault.what]
    if "body" in options:
        text = json.dumps(options["body"]) if fault.what == "json" else options["body"]
    return Reply(options.get("status", status), reply.headers, text.encode(), media_type)


_BAD_BODIES = {
    "html": (_HTML, "text/html", 502),
    "text": ("Service Unavailable", "text/plain", 500),
    "json": ('"Service Unavailable"', "application/json", 200),
    "empty": ("", "application/json", 200),
}
_REPLACING = frozenset({"error", "drop", *_BAD_BODIES})


def _graph_error(options: Mapping[str, Any]) -> GraphError:
    code = options["code"]
    return GraphError(
        code,
        options.get("message", f"(#{code}) A fault of the sandbox's plan"),
        subcode=options.get("subcode"),
        user_title=options.get("user_title"),
        user_msg=options.get("user_msg"),
        data=options.get("error_data"),
        data_as_text=options.get("error_data_as_text", False),
        transient=options.get("is_transient", False),
        status=options.get("status", 400),
        type_name=options.get("type", "OAuthException"),
    )


def _waiting(options: Mapping[str, Any], account_id: str | None) -> dict[str, str]:
    """The usage headers that go with a rate limit: seconds by account, minutes by use case."""
    tier = {"ads_api_access_tier": "standard_access"}
    full = {"call_count": 100, "total_cputime": 25, "total_time": 25}
    code = options["code"]
    if code == 4:
        return {
            "X-App-Usage": json.dumps(full),
            "X-FB-Ads-Insights-Throttle": json.dumps(
                {"app_id_util_pct": 100, "acc_id_util_pct": 10, **tier}
            ),
        }
    if account_id is None:
        return {}
    if "wait_seconds" in options:
        value = {"acc_id_util_pct": 100, "reset_time_duration": options["wait_seconds"], **tier}
        return {"X-Ad-Account-Usage": json.dumps(value)}
    if "wait_minutes" in options:
        row = {"type": _USE_CASES.get(code, "ads_management"), **full,
               "estimated_time_to_regain_access": options["wait_minutes"], **tier}  # fmt: skip
        return {"X-Business-Use-Case-Usage": json.dumps({account_id: [row]})}
    return {}


def _with_null_parts(fault: Fault, call: Call, work: Work) -> tuple[Reply, bool]:
    parts = fault.options.get("parts")
    nulls = frozenset(parts if parts is not None else range(LARGEST_BATCH))
    reply = work(call, NO_MEDDLING if fault.options.get("done") else Meddling(skipped=nulls))
    if not isinstance(reply.body, list):
        return reply, False
    body = [None if index in nulls else part for index, part in enumerate(reply.body)]
    return replace(reply, body=body), any(index in nulls for index in range(len(body)))


def _changed_page(fault: Fault, call: Call, sight: Sight, reply: Reply, work: Work) -> Reply | None:
    """The page with the fault in it; None when it has no room for it."""
    if fault.what == "empty_page":
        return _emptied(call, reply)
    if fault.what == "short_page":
        return _shortened(call, reply, work)
    return _PAGES[fault.what](reply, sight)


def _emptied(call: Call, reply: Reply) -> Reply | None:
    """A page without rows that leads to the page that was asked for."""
    if not rows_of(reply.body):
        return None
    given = dict(call.query).get("after", "")
    after = _EMPTY_CURSOR + base64.urlsafe_b64encode(given.encode()).decode()
    paging = {"cursors": {"before": after, "after": after}, "next": call.page_url(after=after)}
    return replace(reply, body={"data": [], "paging": paging})


def _shortened(call: Call, reply: Reply, work: Work) -> Reply | None:
    """The first half of the page's rows, with a `next` that leads to the rest."""
    rows = len(rows_of(reply.body))
    if rows < 2:
        return None
    again = work(replace(call, params=call.params | {"limit": str(rows // 2)}), NO_MEDDLING)
    shorter = again.is_page and len(rows_of(again.body)) < rows
    return again if shorter and "next" in again.body.get("paging", {}) else None


def _cut_chain(reply: Reply, _sight: Sight) -> Reply | None:
    if "next" not in reply.body.get("paging", {}):
        return None
    return replace(reply, body={k: v for k, v in reply.body.items() if k != "paging"})


def _repeat_row(reply: Reply, sight: Sight) -> Reply | None:
    if sight.previous is None:
        return None
    rows = [sight.previous, *rows_of(reply.body)]
    texts = isinstance(reply.body["data"], RowTexts)
    return replace(reply, body=reply.body | {"data": RowTexts(rows) if texts else rows})


def _no_data(reply: Reply, _sight: Sight) -> Reply | None:
    return replace(reply, body={k: v for k, v in reply.body.items() if k != "data"})


_PAGES: dict[str, Callable[[Reply, Sight], Reply | None]] = {
    "cut_chain": _cut_chain,
    "repeat_row": _repeat_row,
    "no_data": _no_data,
}
_DELIVERED: dict[str, Callable[[Reply, Mapping[str, Any]], Reply]] = {
    "truncated": lambda reply, _: replace(reply, delivery=Delivery(cut=True)),
    "slow_body": lambda reply, options: replace(
        reply, delivery=Delivery(spread=options.get("seconds", 1.0))
    ),
    "slow_answer": lambda reply, options: replace(
        reply, delivery=Delivery(wait=options.get("seconds", 1.0))
    ),
    "wrong_version": lambda reply, options: replace(
        reply,
        headers={**reply.headers, "facebook-api-version": options.get("version", "v25.0")},
    ),
}
