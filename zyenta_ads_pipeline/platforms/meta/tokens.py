"""The token in use: what Meta says of it, and a new lifetime for it.

Both calls carry the token itself, and one the app's secret, as a parameter: it travels in a form's
body, so that it is in no URL and no log.
Source: Graph API, "debug_token"; Marketing API, "System users".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from zyenta_ads_pipeline.domain.errors import AuthenticationFailed, IncompleteData, InputError
from zyenta_ads_pipeline.platforms.base import RenewedToken, TokenStatus
from zyenta_ads_pipeline.platforms.meta.batch import read_each, relative_url
from zyenta_ads_pipeline.platforms.meta.client import HIDDEN, MetaClient, Purpose
from zyenta_ads_pipeline.platforms.meta.header_values import number
from zyenta_ads_pipeline.platforms.meta.replies import Reply, decoded

_TOKEN = Purpose("token")


async def token_status(client: MetaClient) -> TokenStatus:
    """What Meta says of the token; a dead one is an answer, not an error.

    `debug_token` is asked as a part of a batch, whose address travels in the form's body.
    """
    url = relative_url("debug_token", {"input_token": client.token})
    try:
        (part,) = (await read_each(client, {"": url}, _TOKEN)).values()
    except AuthenticationFailed as error:
        return TokenStatus(False, (), None, None, "", "", problem=error.what)
    data = part.body.get("data") if part is not None else None
    if part is None or not isinstance(data, dict):
        raise IncompleteData(
            "Meta's answer about the token has no data.", "Run `zyenta doctor` again."
        )
    return _token_status(data, part)


async def renewed_token(client: MetaClient) -> RenewedToken:
    """The token with a new lifetime of sixty days; repeating it is harmless.

    Raises `InputError` without the app's id and secret.
    """
    if not (client.app_id and client.app_secret):
        raise InputError(
            "A token is renewed with the app's id and secret, which are not set.",
            "Set META_APP_ID and META_APP_SECRET, as the app's dashboard shows them.",
        )
    reply = await client.read(
        "oauth/access_token",
        {
            "method": "GET",
            "grant_type": "fb_exchange_token",
            "client_id": client.app_id,
            "client_secret": client.app_secret,
            "fb_exchange_token": client.token,
            "set_token_expires_in_60_days": "true",
        },
        purpose=_TOKEN,
        decode=decoded,
        method="POST",
    )
    token = reply.body.get("access_token")
    if not isinstance(token, str) or not token:
        raise IncompleteData(
            "Meta's answer to the renewal of the token holds no token.",
            "The one in use goes on; renew it again.",
        )
    if token == HIDDEN:  # the client hides the token in use wherever Meta repeats it
        token = client.token
    seconds = number(reply.body.get("expires_in"))
    return RenewedToken(token, reply.at + timedelta(seconds=seconds) if seconds else None)


def _token_status(data: Mapping[str, Any], reply: Reply) -> TokenStatus:
    scopes, error = data.get("scopes"), data.get("error")
    return TokenStatus(
        valid=data.get("is_valid") is True,
        scopes=tuple(str(scope) for scope in scopes) if isinstance(scopes, list) else (),
        expires_at=_unix(data, "expires_at", reply),
        data_expires_at=_unix(data, "data_access_expires_at", reply),
        app_id=str(data.get("app_id", "")),
        user_id=str(data.get("user_id", "")),
        kind=str(data.get("type", "")),
        problem=str(error.get("message", "")) if isinstance(error, dict) else "",
    )


def _unix(data: Mapping[str, Any], field: str, reply: Reply) -> datetime | None:
    """A moment in seconds since 1970; 0 means never."""
    value = data.get(field) or 0
    try:
        seconds = int(value)
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (TypeError, ValueError, OverflowError, OSError):
        raise IncompleteData(
            f"Meta's answer to {reply.request} has {field} {value!r}, which is no moment.",
            "Run `zyenta doctor` again.",
        ) from None
