"""`/debug_token` and `/oauth/access_token`: what a token is, and a new end for one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, bad_token, dead_token, invalid
from zyenta_ads_pipeline.sandbox.reads import USER_ID
from zyenta_ads_pipeline.sandbox.tokens import ALL, Grant, Tokens

_LIFE = timedelta(days=60)


def read_token_call(call: Call, tokens: Tokens, now: datetime) -> dict[str, Any] | None:
    """The answer of a call about tokens; None when it is about something else.

    Raises `GraphError` for one that is not authorised.
    """
    if call.method == "GET" and call.path == ("debug_token",):
        return _debug_token(call, tokens, now)
    if call.path == ("oauth", "access_token"):
        return _exchange(call, tokens, now)
    return None


def _debug_token(call: Call, tokens: Tokens, now: datetime) -> dict[str, Any]:
    """Authorised by the app's own token, or by a token that lives. A dead input is no error."""
    if not tokens.is_app(call.token):
        tokens.check(call.token, call.proof, now)
    if "input_token" not in call.params:
        raise invalid("The parameter input_token is required")
    grant = tokens.known(call.params["input_token"])
    error = bad_token() if grant is None else None
    if grant is not None and (subcode := grant.death(now)) is not None:
        error = dead_token(subcode)
    data: dict[str, Any] = {"is_valid": error is None, "scopes": []}
    if grant is not None:
        data |= {
            "app_id": tokens.app_id,
            "type": "SYSTEM_USER",
            "application": "Sandbox",
            "expires_at": grant.expires_at,
            "data_access_expires_at": grant.data_access_expires_at,
            "issued_at": 0,
            "scopes": list(grant.scopes),
            "granular_scopes": _granular(grant),
            "user_id": USER_ID,
        }
    if error is not None:
        data["error"] = {"code": error.code, "message": error.message}
        if error.subcode is not None:
            data["error"]["subcode"] = error.subcode
    return {"data": data}


def _granular(grant: Grant) -> list[dict[str, Any]]:
    """Scopes with the accounts they are limited to; without a list they hold for all."""
    limits = {} if ALL in grant.accounts else {"target_ids": sorted(grant.accounts)}
    return [
        {"scope": scope} | (limits if scope.startswith("ads_") else {}) for scope in grant.scopes
    ]


def _exchange(call: Call, tokens: Tokens, now: datetime) -> dict[str, Any]:
    """`fb_exchange_token`: the same token with sixty more days; the app must prove itself."""
    if call.params.get("grant_type") != "fb_exchange_token":
        raise invalid("The sandbox plays grant_type=fb_exchange_token alone")
    app_id, secret = call.params.get("client_id", ""), call.params.get("client_secret", "")
    if not tokens.is_secret(app_id, secret):
        raise GraphError(1, "Error validating client secret.")
    token = call.params.get("fb_exchange_token", "")
    tokens.check(token, "", now)
    tokens.renewed(token, int((now + _LIFE).timestamp()))
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": int(_LIFE.total_seconds()),
    }
