"""One call as the client made it: version, path, token and parameters, from any spelling."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from zyenta_ads_pipeline.sandbox.graph_error import (
    GraphError,
    dead_version,
    invalid,
)
from zyenta_ads_pipeline.sandbox.multipart import Upload, read_multipart

VERSIONS = ("v25.0", "v26.0")
LATEST = VERSIONS[-1]
_NEVER_REPEATED = frozenset({"after", "before", "access_token", "appsecret_proof"})
_SILENT = ("pretty", "debug", "suppress_http_code", "locale", "include_headers")


@dataclass(frozen=True)
class RawCall:
    """A call as HTTP delivered it. `path` is decoded, `query` is not; `base_url` has no slash."""

    method: str
    path: str
    query: str = ""
    authorization: str = ""
    content_type: str = ""
    body: bytes = b""
    base_url: str = ""


@dataclass(frozen=True)
class Call:
    """A call to the Graph API, checked as far as its form goes.

    `params` holds query and body together, each value as the text that travelled; a JSON body's
    nested values are JSON texts. `token` is "" when none was sent; `token_in_query` tells whether
    `paging.next` may repeat it. `proof` is the `appsecret_proof` that came with it. `files` are
    those of a multipart body.
    """

    method: str
    version: str
    path: tuple[str, ...]
    params: dict[str, str]
    base_url: str
    token: str
    token_in_query: bool
    proof: str = ""
    query: tuple[tuple[str, str], ...] = field(default=())
    files: tuple[Upload, ...] = ()

    @property
    def is_batch(self) -> bool:
        """Whether this is a list of calls in one."""
        return self.method == "POST" and not self.path and "batch" in self.params

    def json(self, name: str) -> Any:
        """A parameter that must be JSON; a Python spelling such as `{'a': 1}` is refused."""
        text = self.params[name]
        try:
            return json.loads(text)
        except ValueError:
            raise invalid(f"Param {name} must be valid JSON, not {text[:80]!r}") from None

    def text_list(self, name: str) -> list[str] | None:
        """A parameter that is a JSON list of texts, or one bare word; None when it is absent."""
        text = self.params.get(name)
        if text is None or text == "":
            return None
        if text.replace("_", "").isalnum():
            return [text]
        value = self.json(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(f"Param {name} must be an array of strings")
        return value

    def flag_in(self, name: str, option: str) -> bool:
        """Whether a JSON list of options names `option`."""
        return option in (self.text_list(name) or [])

    def page_url(self, **cursor: str) -> str:
        """The address of another page of the same list."""
        pairs = [(k, v) for k, v in self.query if k not in _NEVER_REPEATED]
        if self.token_in_query:
            pairs.insert(0, ("access_token", self.token))
        pairs += cursor.items()
        return f"{self.base_url}/{self.version}/{'/'.join(self.path)}?{urlencode(pairs)}"


def read_call(raw: RawCall) -> Call:
    """A call from its raw parts. Raises `GraphError` for a wrong version or form.

    The token is read here and judged elsewhere. A batch alone may leave the version out.
    """
    pairs = parse_qsl(raw.query, keep_blank_values=True)
    params = dict(pairs)
    token_in_query = "access_token" in params
    in_body, files = _body_params(raw.content_type, raw.body)
    params.update(in_body)
    token = params.pop("access_token", "")
    scheme, _, bearer = raw.authorization.partition(" ")
    if scheme.lower() in ("bearer", "oauth"):
        token = bearer.strip() or token
    method = params.pop("method", raw.method).upper() if raw.method == "POST" else raw.method
    version, path = _version_and_path(raw.path, default=method == "POST" and "batch" in params)
    proof = params.pop("appsecret_proof", "")
    for name in _SILENT if "batch" not in params else _SILENT[:-1]:
        params.pop(name, None)
    if "date_format" in params:
        raise invalid("Param date_format is no longer supported")
    if "ids" in params:
        raise invalid("Looking up several objects by ids is no longer supported")
    return Call(
        method=method,
        version=version,
        path=path,
        params=params,
        base_url=raw.base_url,
        token=token,
        token_in_query=token_in_query,
        proof=proof,
        query=tuple(pairs),
        files=tuple(files),
    )


def _version_and_path(path: str, *, default: bool) -> tuple[str, tuple[str, ...]]:
    parts = tuple(part for part in path.split("/") if part)
    if not parts and default:
        return LATEST, ()
    if not parts or parts[0] not in VERSIONS:
        named = parts[0] if parts and parts[0][:1] == "v" and parts[0][1:2].isdigit() else ""
        raise dead_version(named)
    return parts[0], parts[1:]


def _body_params(content_type: str, body: bytes) -> tuple[dict[str, str], list[Upload]]:
    if not body:
        return {}, []
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return read_multipart(content_type, body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise GraphError(2500, "(#2500) The body is not UTF-8") from None
    if kind == "application/json":
        return _json_params(text), []
    if kind in ("application/x-www-form-urlencoded", ""):
        return dict(parse_qsl(text, keep_blank_values=True)), []
    raise invalid(f"The sandbox reads form, multipart and JSON bodies, not {kind}")


def _json_params(text: str) -> dict[str, str]:
    try:
        values = json.loads(text)
    except ValueError:
        raise invalid("The body is not valid JSON") from None
    if not isinstance(values, dict):
        raise invalid("A JSON body must be an object")
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}
