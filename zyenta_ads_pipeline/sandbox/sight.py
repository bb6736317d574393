"""A call as fault rules and the call log see it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zyenta_ads_pipeline.sandbox.call import Call
from zyenta_ads_pipeline.sandbox.reply import Reply
from zyenta_ads_pipeline.sandbox.wire import RowTexts

KINDS = (
    "batch", "object", "list", "insights", "report_start", "report_status", "report_page",
    "update", "create", "search", "token", "user", "malformed",
)  # fmt: skip
_HEADS = {"debug_token": "token", "oauth": "token", "me": "user", "search": "search"}
_REMEMBERED = 4096


@dataclass(frozen=True)
class Sight:
    """What is known of a call before it is answered.

    `node` is the kind of its first path part (`account`, `run`, `me`, …); `account_id` has no
    prefix; `page` counts the pages of one list from 1; `previous` is the last row of the page
    before.
    """

    kind: str
    method: str
    path: tuple[str, ...]
    node: str
    params: Mapping[str, str]
    account_id: str | None
    page: int = 1
    previous: Any = None
    in_batch: bool = False

    @property
    def write(self) -> bool:
        """Whether it changes something on the platform; starting a report does not."""
        return self.kind in ("update", "create")


def kind_of_call(call: Call, node: str) -> str:
    """One of `KINDS`; `node` is the kind of the call's first path part."""
    if call.is_batch:
        return "batch"
    head, edge = [*call.path, "", ""][:2]
    if head in _HEADS:
        return _HEADS[head]
    if call.method != "GET":
        return "report_start" if edge == "insights" else "create" if edge else "update"
    if node == "run":
        return "report_page" if edge else "report_status"
    return {"": "object", "insights": "insights"}.get(edge, "list")


class PageBook:
    """Which page of its list each cursor leads to, as far as it was given out lately.

    Safe to call from threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[tuple[object, ...], tuple[int, Any]] = OrderedDict()

    def find(self, call: Call) -> tuple[int, Any]:
        """The number of the page that a call asks for, and the last row of the page before."""
        after = call.params.get("after", "")
        with self._lock:
            return self._pages.get((*_list(call), after), (1, None)) if after else (1, None)

    def note(self, call: Call, number: int, reply: Reply) -> None:
        """Remember where the page's cursor leads."""
        if not reply.is_page or "next" not in (paging := reply.body.get("paging", {})):
            return
        key = (*_list(call), paging["cursors"]["after"])
        rows = rows_of(reply.body)
        with self._lock:
            self._pages[key] = (number + 1, rows[-1] if rows else None)
            self._pages.move_to_end(key)
            if len(self._pages) > _REMEMBERED:
                self._pages.popitem(last=False)


def rows_of(body: Mapping[str, Any]) -> Sequence[Any]:
    """A page's rows, as values or as JSON texts, whichever it holds."""
    data = body["data"]
    return data.texts if isinstance(data, RowTexts) else data


def _list(call: Call) -> tuple[object, ...]:
    """What makes two calls pages of one list."""
    same = frozenset(
        (name, value) for name, value in call.params.items() if name not in ("after", "limit")
    )
    return (call.path, same)
