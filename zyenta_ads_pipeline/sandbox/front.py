"""The front door: from a raw call to a reply. Tokens, faults, batches, and the log of calls."""

from __future__ import annotations

import uuid
from typing import Any

from zyenta_ads_pipeline.sandbox.batch import read_batch, run_batch
from zyenta_ads_pipeline.sandbox.call import LATEST, VERSIONS, Call, RawCall, read_call
from zyenta_ads_pipeline.sandbox.call_log import CallLog
from zyenta_ads_pipeline.sandbox.fault_play import play, real_cursor
from zyenta_ads_pipeline.sandbox.faults import Faults
from zyenta_ads_pipeline.sandbox.graph import NO_MEDDLING, Graph, Meddling, Refused
from zyenta_ads_pipeline.sandbox.graph_error import GraphError
from zyenta_ads_pipeline.sandbox.reply import Reply
from zyenta_ads_pipeline.sandbox.sight import PageBook, Sight, kind_of_call
from zyenta_ads_pipeline.sandbox.token_calls import read_token_call
from zyenta_ads_pipeline.sandbox.tokens import Tokens


class Front:
    """Answers calls for one graph. Safe to call from threads."""

    def __init__(self, graph: Graph, tokens: Tokens) -> None:
        self.graph = graph
        self.tokens = tokens
        self.faults = Faults()
        self.log = CallLog()
        self._pages = PageBook()

    def answer(self, raw: RawCall, *, in_batch: bool = False) -> Reply:
        """The reply to a call, or to a part of a batch; a refusal is a reply too."""
        try:
            call = real_cursor(read_call(raw))
        except GraphError as error:
            version = next((part for part in raw.path.split("/") if part in VERSIONS), LATEST)
            reply = self._refusal(error, _headers(version), self.graph.app_usage())
            path = tuple(part for part in raw.path.split("/") if part)
            odd = Sight("malformed", raw.method, path, "", {}, None, in_batch=in_batch)
            self.log.add(odd, reply.status, None)
            return reply
        sight = self._sight(call, in_batch=in_batch)
        reply, fault = self._played(call, sight)
        self._pages.note(call, sight.page, reply)
        self.log.add(sight, None if reply.lost else reply.status, fault)
        return reply

    def _played(self, call: Call, sight: Sight) -> tuple[Reply, str | None]:
        """The reply, and what went wrong with it by the fault plan, if anything did."""
        chosen = self.faults.choose(sight)
        if chosen is None:
            return self._work(call), None
        fault, rule = chosen
        reply, applied = play(fault, call, sight, self._work)
        if not applied:
            self.faults.give_back(rule)
        return reply, fault.what if applied else None

    def _work(self, call: Call, meddling: Meddling = NO_MEDDLING) -> Reply:
        """Do what is asked, as far as a fault lets it."""
        headers = _headers(call.version)
        try:
            if call.is_batch:
                if meddling.error is not None:
                    raise meddling.error
                parts = self._batch(call, meddling.skipped)
                return Reply(200, headers | self.graph.app_usage(), parts)
            about_tokens = read_token_call(call, self.tokens, self.graph.now())
            if about_tokens is not None:
                return Reply(200, headers | self.graph.app_usage(), about_tokens)
            grant = self.tokens.check(call.token, call.proof, self.graph.now())
            answer = self.graph.answer(call, grant, meddling)
        except GraphError as error:
            return self._refusal(error, headers, self.graph.app_usage())
        except Refused as refused:
            return self._refusal(refused.error, headers, refused.headers)
        return Reply(200, headers | answer.headers, answer.body)

    def _batch(self, call: Call, skipped: frozenset[int]) -> list[dict[str, Any] | None]:
        if call.token:
            self.tokens.check(call.token, call.proof, self.graph.now())
        parts = read_batch(call, self.graph.objects)
        return run_batch(call, parts, lambda raw: self.answer(raw, in_batch=True), skipped)

    def _sight(self, call: Call, *, in_batch: bool) -> Sight:
        node = self.graph.kind_of(call.path[0]) if call.path else ""
        page, previous = self._pages.find(call)
        return Sight(
            kind=kind_of_call(call, node),
            method=call.method,
            path=call.path,
            node=node,
            params=call.params,
            account_id=self.graph.account_of(call),
            page=page,
            previous=previous,
            in_batch=in_batch,
        )

    def _refusal(self, error: GraphError, headers: dict[str, str], usage: dict[str, str]) -> Reply:
        body = error.envelope(headers["x-fb-trace-id"])
        return Reply(error.status, headers | usage, body)


def _headers(version: str) -> dict[str, str]:
    return {
        "facebook-api-version": version,
        "x-fb-trace-id": "A" + uuid.uuid4().hex[:22],
        "x-fb-request-id": "B" + uuid.uuid4().hex[:22],
        "Cache-Control": "private, no-cache, no-store, must-revalidate",
        "Pragma": "no-cache",
    }
