"""Errors in Meta's envelope, with the codes that Meta uses for them."""

from __future__ import annotations

import json
from typing import Any


class GraphError(Exception):
    """A refusal that the client sees as Meta's `{"error": {…}}`, nearly always with HTTP 400."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        user_title: str | None = None,
        user_msg: str | None = None,
        blame: str | None = None,
        data_as_text: bool = False,
        transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.user_title = user_title
        self.user_msg = user_msg
        self.blame = blame
        self.data_as_text = data_as_text
        self.transient = transient

    def envelope(self, trace_id: str) -> dict[str, Any]:
        """The body of the reply; optional keys are left out when they say nothing."""
        error: dict[str, Any] = {
            "message": self.message,
            "type": "OAuthException",
            "code": self.code,
        }
        if self.blame is not None:
            data = {"blame_field_specs": [[self.blame]]}
            error["error_data"] = json.dumps(data) if self.data_as_text else data
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
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
    """A token that is not the one the sandbox was started with."""
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token")


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
