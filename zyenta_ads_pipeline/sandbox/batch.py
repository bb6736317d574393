"""Batches: up to fifty calls in one, each with a reply of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus, urlencode, urlsplit

from zyenta_ads_pipeline.sandbox.call import Call, RawCall
from zyenta_ads_pipeline.sandbox.graph_error import GraphError, not_played
from zyenta_ads_pipeline.sandbox.objects import Kind, Objects
from zyenta_ads_pipeline.sandbox.reply import Reply

LARGEST_BATCH = 50
_KEYS = {"method", "relative_url", "body", "name", "depends_on", "omit_response_on_success",
         "headers", "access_token", "include_headers"}  # fmt: skip
_REFERENCE = re.compile(r"\{result=([^:{}]+):\$((?:\.[A-Za-z0-9_*]+|\[[0-9*]+\])+)\}")
_STEP = re.compile(r"\.([A-Za-z0-9_*]+)|\[([0-9*]+)\]")


@dataclass(frozen=True)
class Part:
    """One call of a batch. `needs` are the names of the parts that must have succeeded."""

    method: str
    relative_url: str
    body: str
    name: str | None
    needs: frozenset[str]
    omit: bool | None


def read_batch(call: Call, objects: Objects) -> list[Part]:
    """The parts of a batch. Raises `GraphError` for one that Meta refuses as a whole."""
    listed = call.json("batch")
    if not isinstance(listed, list) or not listed:
        raise _refused("Param batch must be a non-empty JSON array of calls")
    if len(listed) > LARGEST_BATCH:
        raise _refused(f"Too many requests in batch message. Maximum batch size is {LARGEST_BATCH}")
    parts = [_part(item) for item in listed]
    names = [part.name for part in parts if part.name is not None]
    if len(names) != len(set(names)):
        raise _refused("Two calls of a batch carry the same name")
    for part in parts:
        if not part.needs <= set(names):
            raise _refused(f"A call depends on {sorted(part.needs - set(names))[0]!r}, unknown")
    _refuse_siblings(parts, objects)
    return parts


def run_batch(
    call: Call,
    parts: Sequence[Part],
    answer: Callable[[RawCall], Reply],
    skipped: frozenset[int],
) -> list[dict[str, Any] | None]:
    """The replies in request order; null for a part that did not finish, or is left out.

    Parts run one after another, those depended on first. Those in `skipped` are not run.
    """
    bodies: dict[str, Any] = {}
    found: list[dict[str, Any] | None] = [None] * len(parts)
    include_headers = call.params.get("include_headers", "true").lower() not in ("false", "0")
    named = {name for part in parts for name in part.needs}
    for index in _order(parts):
        part = parts[index]
        if index in skipped or not part.needs <= bodies.keys():
            continue
        reply = answer(_raw(call, part, bodies))
        if reply.lost:
            continue
        text = reply.content().decode()
        succeeded = reply.status == 200
        if succeeded and part.name is not None:
            bodies[part.name] = _json_or_none(text)
        if succeeded and (part.omit if part.omit is not None else part.name in named):
            continue
        shown: dict[str, Any] = {"code": reply.status}
        if include_headers:
            headers = {"Content-Type": reply.media_type, **reply.headers}
            shown["headers"] = [{"name": k, "value": v} for k, v in headers.items()]
        found[index] = shown | {"body": text}
    return found


def _part(item: Any) -> Part:
    if not isinstance(item, dict) or not isinstance(item.get("relative_url"), str):
        raise _refused("Each call of a batch must be an object with a relative_url")
    if "attached_files" in item:
        raise not_played("uploads in batches (attached_files)")
    unknown = sorted(item.keys() - _KEYS)
    if unknown:
        raise not_played(f"{unknown[0]} of a call in a batch")
    body = item.get("body", "")
    if not isinstance(body, str):
        raise _refused("The body of a call in a batch must be a URL-encoded string")
    needs = item.get("depends_on") or []
    needs = [needs] if isinstance(needs, str) else needs
    text = f"{unquote_plus(item['relative_url'])} {unquote_plus(body)}"
    used = [match[1] for match in _REFERENCE.finditer(text)]
    if "access_token" in item:
        body += f"{'&' if body else ''}{urlencode({'access_token': item['access_token']})}"
    return Part(
        method=str(item.get("method", "GET")).upper(),
        relative_url=item["relative_url"],
        body=body,
        name=item.get("name"),
        needs=frozenset([*needs, *used]),
        omit=item.get("omit_response_on_success"),
    )


def _refuse_siblings(parts: Sequence[Part], objects: Objects) -> None:
    """Meta neither makes nor changes several ad sets of one campaign in one batch."""
    campaigns: set[str] = set()
    for part in parts:
        campaign_id = _campaign_of(part, objects)
        if campaign_id is None:
            continue
        if campaign_id in campaigns:
            raise _refused(
                f"A batch may not contain several ad sets of the same campaign ({campaign_id})"
            )
        campaigns.add(campaign_id)


def _campaign_of(part: Part, objects: Objects) -> str | None:
    """The campaign whose ad set a part makes or changes, as it is written; None for others."""
    path = [name for name in urlsplit(part.relative_url).path.split("/") if name]
    path = path[1:] if path and path[0].startswith("v") else path
    if part.method == "GET" or not path:
        return None
    if path[1:] == ["adsets"] and part.method == "POST":
        return dict(parse_qsl(part.body)).get("campaign_id")
    thing = objects.get(path[0]) if len(path) == 1 else None
    return thing.campaign_id if thing is not None and thing.kind is Kind.ADSET else None


def _order(parts: Sequence[Part]) -> list[int]:
    """The parts so that each comes after those it needs. Raises `GraphError` for a circle."""
    waiting = list(range(len(parts)))
    done: list[int] = []
    known: set[str] = set()
    while waiting:
        ready = [index for index in waiting if parts[index].needs <= known]
        if not ready:
            raise _refused("The calls of a batch depend on each other in a circle")
        done += ready
        known |= {name for index in ready if (name := parts[index].name) is not None}
        waiting = [index for index in waiting if index not in ready]
    return done


def _raw(call: Call, part: Part, bodies: Mapping[str, Any]) -> RawCall:
    """A part as a call of its own; the batch's token and version hold where it has none."""
    url = urlsplit(part.relative_url)
    path = [name for name in _filled(unquote(url.path), bodies).split("/") if name]
    if not path or not re.fullmatch(r"v\d+\.\d+", path[0]):
        path.insert(0, call.version)
    query, body = ([(name, _filled(value, bodies)) for name, value in
                    parse_qsl(text, keep_blank_values=True)]
                   for text in (url.query, part.body))  # fmt: skip
    bearer = ""
    if call.token and "access_token" not in dict([*query, *body]):
        if call.token_in_query:
            query.append(("access_token", call.token))
        else:
            bearer = f"Bearer {call.token}"
        if call.proof:
            query.append(("appsecret_proof", call.proof))
    return RawCall(
        method=part.method,
        path="/" + "/".join(path),
        query=urlencode(query),
        authorization=bearer,
        content_type="application/x-www-form-urlencoded",
        body=urlencode(body).encode(),
        base_url=call.base_url,
    )


def _filled(text: str, bodies: Mapping[str, Any]) -> str:
    """`{result=NAME:$.path}` replaced by what that part answered, lists joined by commas."""

    def value(match: re.Match[str]) -> str:
        found = [bodies[match[1]]]
        for step in _STEP.finditer(match[2]):
            found = [each for item in found for each in _below(item, step[1] or step[2])]
        return ",".join(each if isinstance(each, str) else json.dumps(each) for each in found)

    return _REFERENCE.sub(value, text)


def _below(item: Any, step: str) -> list[Any]:
    if step == "*":
        return list(item.values()) if isinstance(item, dict) else list(item or [])
    if isinstance(item, dict):
        return [item[step]] if step in item else []
    if isinstance(item, list) and step.isdigit() and int(step) < len(item):
        return [item[int(step)]]
    return []


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _refused(message: str) -> GraphError:
    return GraphError(100, f"(#100) {message}", type_name="GraphBatchException")
