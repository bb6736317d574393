"""An ad platform kept in one JSON file, so that it outlives a killed process. For faults only."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.store.samples import NOW
from zyenta_ads_pipeline.domain.ads import AdAccount, AdCreative, AdObject, Level
from zyenta_ads_pipeline.domain.errors import NotFound
from zyenta_ads_pipeline.domain.insights import Report
from zyenta_ads_pipeline.platforms.base import (
    Capabilities,
    InsightsPage,
    ReportStatus,
    TokenStatus,
    WriteReceipt,
)

_NO_INSIGHTS = "a push reads no insights"


@dataclass(frozen=True)
class Fault:
    """What goes wrong at one call: `error` is raised, with or without the write being done."""

    error: Exception | None = None
    effect: bool = False
    ignored: bool = False
    """Acknowledged, but nothing is changed."""
    before: Callable[[], None] = lambda: None


class FakePlatform:
    """Implements `AdsPlatform`. `asked` lists every call as (method, object)."""

    name = "meta"
    capabilities = Capabilities(insights=False, budgets=True, statuses=True, launch=False)

    def __init__(self, path: Path, timezone: str = "Europe/Berlin", currency: str = "EUR") -> None:
        self.path = path
        self.timezone = timezone
        self.currency = currency
        self.asked: list[tuple[str, str]] = []
        self.faults: dict[tuple[str, str], list[Fault]] = defaultdict(list)
        self.lag: dict[str, list[str | None]] = defaultdict(list)
        """Old values that the next reads of an object still show."""
        if not path.exists():
            self._save({"objects": {}, "writes": []})

    def add(
        self,
        object_id: str,
        *,
        budget: int | None = 10_000,
        status: str = "ACTIVE",
        account_id: str = "1",
        level: Level = Level.ADSET,
        campaign_id: str = "",
    ) -> None:
        state = self._load()
        state["objects"][object_id] = {
            "level": level.value,
            "account_id": account_id,
            "status": status,
            "daily_budget": budget,
            "campaign_id": campaign_id or (object_id if level is Level.CAMPAIGN else "9"),
        }
        self._save(state)

    def edit(self, object_id: str, **values: object) -> None:
        """What somebody else does in the platform's own interface."""
        state = self._load()
        state["objects"][object_id].update(values)
        self._save(state)

    def remove(self, object_id: str) -> None:
        state = self._load()
        del state["objects"][object_id]
        self._save(state)

    def fail(self, method: str, object_id: str, *faults: Fault | Exception) -> None:
        """The next calls of `method` for the object, each with one of `faults`."""
        made = [fault if isinstance(fault, Fault) else Fault(fault) for fault in faults]
        self.faults[method, object_id] += made

    @property
    def writes(self) -> list[list[str]]:
        """Every write that was done, in order: object, field, value."""
        found: list[list[str]] = self._load()["writes"]
        return found

    def budget(self, object_id: str) -> int | None:
        value: int | None = self._load()["objects"][object_id]["daily_budget"]
        return value

    async def server_time(self) -> datetime:
        return NOW

    async def account(self, account_id: str) -> AdAccount:
        self._enter("account", account_id)
        return AdAccount(account_id, "Shop", self.currency, self.timezone, 1, 100, NOW)

    async def ad_objects(self, account_id: str) -> list[AdObject]:
        self._enter("ad_objects", account_id)
        objects = self._load()["objects"]
        return [self._object(i) for i, o in objects.items() if o["account_id"] == account_id]

    @property
    def calls(self) -> int:
        return len(self.asked)

    async def creatives(self, account_id: str) -> list[AdCreative]:
        raise AssertionError("a push reads no creatives")

    async def objects_by_id(
        self, account_id: str, level: Level, ids: Sequence[str]
    ) -> dict[str, AdObject | None]:
        raise AssertionError("a push reads objects one by one")

    async def touched_objects(self, account_id: str, since: datetime) -> list[str]:
        raise AssertionError("a push reads no activities")

    async def read_page(self, report: Report, *, limit: int, after: str | None) -> InsightsPage:
        raise AssertionError(_NO_INSIGHTS)

    async def start_report(self, report: Report) -> str:
        raise AssertionError(_NO_INSIGHTS)

    async def report_status(self, run_id: str, account_id: str) -> ReportStatus:
        raise AssertionError(_NO_INSIGHTS)

    async def report_page(
        self, run_id: str, report: Report, *, limit: int, after: str | None
    ) -> InsightsPage:
        raise AssertionError(_NO_INSIGHTS)

    def decoded(
        self, report: Report, body: bytes, *, observed_at: datetime, request: str
    ) -> InsightsPage:
        raise AssertionError(_NO_INSIGHTS)

    async def token_status(self) -> TokenStatus:
        raise AssertionError("a push does not look at its token")

    async def read_object(self, object_id: str, level: Level) -> AdObject:
        self._enter("read_object", object_id)
        found = self._object(object_id)
        assert found.level is level
        return found

    async def set_daily_budget(self, object_id: str, minor: int) -> WriteReceipt:
        return self._write("set_daily_budget", object_id, "daily_budget", minor)

    async def set_status(self, object_id: str, status: str) -> WriteReceipt:
        return self._write("set_status", object_id, "status", status)

    def _enter(self, method: str, object_id: str) -> Fault:
        self.asked.append((method, object_id))
        queue = self.faults[method, object_id]
        fault = queue.pop(0) if queue else Fault()
        fault.before()
        if fault.error is not None and not fault.effect:
            raise fault.error
        return fault

    def _write(self, method: str, object_id: str, field: str, value: int | str) -> WriteReceipt:
        fault = self._enter(method, object_id)
        if not fault.ignored:
            state = self._load()
            state["objects"][object_id][field] = value
            state["writes"].append([object_id, field, str(value)])
            self._save(state)
        if fault.error is not None:
            raise fault.error
        return WriteReceipt({"success": True}, f"trace-{len(self.writes)}")

    def _object(self, object_id: str) -> AdObject:
        stored = self._load()["objects"].get(object_id)
        if stored is None:
            raise NotFound(f"There is no object {object_id}.")
        budget = stored["daily_budget"]
        if self.lag[object_id]:
            shown = self.lag[object_id].pop(0)
            budget = None if shown is None else int(shown)
        return AdObject(
            level=Level(stored["level"]),
            id=object_id,
            account_id=stored["account_id"],
            name=f"Ad set {object_id}",
            status=stored["status"],
            effective_status=stored["status"],
            campaign_id=stored["campaign_id"],
            daily_budget=budget,
        )

    def _load(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.read_text())
        return found

    def _save(self, state: object) -> None:
        # In one piece: a killed process must not leave half a platform behind.
        aside = self.path.with_suffix(".new")
        aside.write_text(json.dumps(state))
        aside.replace(self.path)
