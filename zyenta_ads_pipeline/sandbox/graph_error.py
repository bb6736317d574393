"""Errors in Meta's envelope, with the codes that Meta uses for them."""

from __future__ import annotations

import json
from typing import Any

_DEAD_TOKENS = {
    458: "Error validating access token: The user has not authorized application.",
    459: "Error validating access token: The user is enrolled in a blocking, logged-in checkpoint",
    460: "Error validating access token: The session has been invalidated because the user "
    "changed their password or the session was changed for security reasons.",
    463: "Error validating access token: Session has expired.",
    464: "Error validating access token: Sessions for the user are not allowed because the user "
    "is not a confirmed user.",
    467: "Error validating access token: This is because the user logged out or revoked it.",
    492: "Error validating access token: The session is no longer valid.",
}
DEAD_TOKEN_SUBCODES = tuple(_DEAD_TOKENS)


class GraphError(Exception):
    """A refusal that the client sees as Meta's `{"error": {…}}`, nearly always with HTTP 400.

    `data` goes out as `error_data`, as an object or, `data_as_text`, as the JSON text of one;
    `blame` names the field at fault and makes such data. `type_name` is Meta's `type`.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        user_title: str | None = None,
        user_msg: str | None = None,
        blame: str | None = None,
        data: Any = None,
        data_as_text: bool = False,
        transient: bool = False,
        status: int = 400,
        type_name: str = "OAuthException",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.user_title = user_title
        self.user_msg = user_msg
        self.data = {"blame_field_specs": [[blame]]} if blame is not None else data
        self.data_as_text = data_as_text
        self.transient = transient
        self.status = status
        self.type_name = type_name

    def envelope(self, trace_id: str) -> dict[str, Any]:
        """The body of the reply; optional keys are left out when they say nothing."""
        error: dict[str, Any] = {
            "message": self.message,
            "type": self.type_name,
            "code": self.code,
        }
        if self.data is not None:
            error["error_data"] = json.dumps(self.data) if self.data_as_text else self.data
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.subcode is not None or self.transient:
            error["is_transient"] = self.transient
        if self.user_title is not None:
            error["error_user_title"] = self.user_title
        if self.user_msg is not None:
            error["error_user_msg"] = self.user_msg
        error["fbtrace_id"] = trace_id
        return {"error": error}


def invalid(message: str) -> GraphError:
    """A parameter that cannot be used."""
    return GraphError(100, f"(#100) {message}")


def not_played(what: str) -> GraphError:
    """Something that Meta has and this sandbox does not: said aloud, never answered wrongly."""
    return GraphError(100, f"(#100) The sandbox does not play {what} yet")


def unknown_field(name: str, node_type: str) -> GraphError:
    """A field that this kind of object does not have."""
    return invalid(f"Tried accessing nonexisting field ({name}) on node type ({node_type})")


def unknown_object(object_id: str, method: str) -> GraphError:
    """No object of that id, in Meta's words, which do not tell absence from lack of rights."""
    return GraphError(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation. "
        "Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        subcode=33,
    )


def bad_token() -> GraphError:
    """A token that nobody was given."""
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token")


def dead_token(subcode: int) -> GraphError:
    """A token that was good once; `subcode` says what became of it (463: expired)."""
    return GraphError(190, _DEAD_TOKENS[subcode], subcode=subcode)


def no_permission(account: str) -> GraphError:
    """An ad account that the token's user has no access to."""
    return GraphError(
        200,
        "(#200) Ad account owner has NOT granted ads_management or ads_read permission "
        f"({account})",
    )


def missing_token() -> GraphError:
    """A call without any token."""
    return GraphError(104, "An access token is required to request this resource.")


def dead_version(version: str) -> GraphError:
    """A version that does not answer ads calls, or none at all."""
    asked = f"version {version}" if version else "a call without a version"
    return GraphError(
        2635,
        f"(#2635) You are calling a deprecated version of the Ads API ({asked}). "
        "Please update to the latest version: v26.0.",
    )
