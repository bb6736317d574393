"""Access tokens: which exist, what each may see and do, and what became of it."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from zyenta_ads_pipeline.sandbox.graph_error import (
    DEAD_TOKEN_SUBCODES,
    GraphError,
    bad_token,
    dead_token,
    missing_token,
    no_permission,
)

ALL = "*"
SCOPES = ("ads_management", "ads_read", "business_management", "pages_read_engagement",
          "pages_show_list")  # fmt: skip
_EXPIRED = 463
_MOMENTS = frozenset({"expires_at", "data_access_expires_at"})


@dataclass(frozen=True)
class Grant:
    """What one token may do. `accounts` are bare ids, or `ALL`.

    `dead` is the subcode of error 190 once it was killed. `expires_at` and
    `data_access_expires_at` are unix seconds of the sandbox's clock, 0 for never; at the former
    it dies of itself, the latter is only told.
    """

    accounts: frozenset[str]
    scopes: tuple[str, ...] = SCOPES
    dead: int | None = None
    expires_at: int = 0
    data_access_expires_at: int = 0

    def death(self, now: datetime) -> int | None:
        """The subcode of error 190 that it died of; None while it lives."""
        if self.dead is None and 0 < self.expires_at <= now.timestamp():
            return _EXPIRED
        return self.dead

    def sees(self, account_id: str) -> bool:
        """Whether an ad account is among those it was granted."""
        return ALL in self.accounts or account_id in self.accounts


class Tokens:
    """All tokens of one sandbox. Their states are not kept over a restart."""

    def __init__(
        self, grants: Mapping[str, tuple[str, ...]], *, app_id: str, app_secret: str | None
    ) -> None:
        """`grants` maps each token to its accounts, with or without `act_`, or `ALL`."""
        self.app_id = app_id
        self._app_secret = app_secret
        self._lock = threading.Lock()
        self._grants = {
            token: Grant(frozenset(account.removeprefix("act_") for account in accounts))
            for token, accounts in grants.items()
        }

    def check(self, token: str, proof: str, now: datetime) -> Grant:
        """What a token may do. Raises `GraphError` 104 or 190 for one that opens nothing."""
        if not token:
            raise missing_token()
        grant = self.known(token)
        if grant is None:
            raise bad_token()
        if self._app_secret is not None and proof:
            expected = hmac.new(self._app_secret.encode(), token.encode(), hashlib.sha256)
            if not hmac.compare_digest(expected.hexdigest(), proof):
                raise GraphError(104, "Invalid appsecret_proof provided in the API argument")
        if (subcode := grant.death(now)) is not None:
            raise dead_token(subcode)
        return grant

    def known(self, token: str) -> Grant | None:
        """The grant of a token, dead or alive; None for a token that nobody was given."""
        with self._lock:
            return self._grants.get(token)

    def is_app(self, token: str) -> bool:
        """Whether it is the app's own token, `APP_ID|APP_SECRET`."""
        return self._app_secret is not None and token == f"{self.app_id}|{self._app_secret}"

    def is_secret(self, app_id: str, secret: str) -> bool:
        """Whether these are the app's own id and secret."""
        return self.is_app(f"{app_id}|{secret}")

    def renewed(self, token: str, expires_at: int) -> None:
        """Give a token a new end, as an exchange does."""
        with self._lock:
            self._grants[token] = replace(self._grants[token], expires_at=expires_at)

    def change(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Kill, revive or restrict the tokens of an account; `ValueError` says what is wrong.

        `token_of` (an account) or `token`; then `state` ("valid" or "expired", with an optional
        `subcode`), `scopes`, `expires_at` or `data_access_expires_at`.
        """
        unknown = asked.keys() - {"token_of", "token", "state", "subcode", "scopes", *_MOMENTS}
        if unknown:
            raise ValueError(f"unknown {sorted(unknown)[0]}")
        changes = _changes(asked)
        with self._lock:
            chosen = self._chosen(asked)
            for token in chosen:
                self._grants[token] = replace(self._grants[token], **changes)
        return self.shown()

    def shown(self) -> list[dict[str, Any]]:
        """Every token's standing, by its accounts; the tokens themselves are not told."""
        with self._lock:
            return [
                {
                    "accounts": sorted(grant.accounts),
                    "scopes": list(grant.scopes),
                    "state": "valid" if grant.dead is None else "expired",
                    "subcode": grant.dead,
                    **{name: getattr(grant, name) for name in _MOMENTS},
                }
                for grant in self._grants.values()
            ]

    def _chosen(self, asked: Mapping[str, Any]) -> list[str]:
        if "token" in asked:
            if asked["token"] not in self._grants:
                raise ValueError("no such token")
            return [asked["token"]]
        account = str(asked.get("token_of", "")).removeprefix("act_")
        chosen = [token for token, grant in self._grants.items() if grant.sees(account)]
        if not account or not chosen:
            raise ValueError("token_of must name an account that a token may see")
        return chosen


def refuse_unseen(grant: Grant, account_id: str | None, *, named: bool, write: bool) -> bool:
    """Whether an object must look as if it did not exist, its account being hidden.

    Raises `GraphError` 200 where the account itself is `named`, and 294 for a write without the
    scope `ads_management`.
    """
    if account_id is not None and not grant.sees(account_id):
        if named:
            raise no_permission(f"act_{account_id}")
        return True
    needed = ("ads_management",) if write else ("ads_management", "ads_read")
    if account_id is not None and not set(needed) & set(grant.scopes):
        raise GraphError(
            294 if write else 200,
            f"(#{294 if write else 200}) Requires {needed[-1]} permission to manage the object",
        )
    return False


def _changes(asked: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "state" in asked:
        subcode = asked.get("subcode", _EXPIRED)
        if asked["state"] not in ("valid", "expired"):
            raise ValueError("state must be valid or expired")
        if subcode not in DEAD_TOKEN_SUBCODES:
            raise ValueError(f"subcode must be one of {list(DEAD_TOKEN_SUBCODES)}")
        changes["dead"] = None if asked["state"] == "valid" else subcode
    if "scopes" in asked:
        if not isinstance(asked["scopes"], list) or set(asked["scopes"]) - set(SCOPES):
            raise ValueError(f"scopes must be a list out of {list(SCOPES)}")
        changes["scopes"] = tuple(asked["scopes"])
    for name in _MOMENTS & asked.keys():
        if type(asked[name]) is not int or asked[name] < 0:
            raise ValueError(f"{name} must be unix seconds, or 0 for never")
        changes[name] = asked[name]
    if not changes:
        raise ValueError(f"give state, scopes, {' or '.join(sorted(_MOMENTS))}")
    return changes
