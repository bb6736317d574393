"""Saved insights pages: served as they are, with every gap in the chain told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import START, Client
from tests.sandboxes import run_sandbox
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.cursors import offset_cursor
from zyenta_ads_pipeline.sandbox.page_chain import PageChain
from zyenta_ads_pipeline.sandbox.page_file import read_pages

DAYS = {"since": "2026-10-01", "until": "2026-10-04"}
Page = dict[str, Any]


def offsets(number: int) -> tuple[str, str]:
    return offset_cursor(3 * number), offset_cursor(3 * number + 2)


def repeating(number: int) -> tuple[str, str]:
    return f"cursor{number}", f"cursor{number + 1}"


def plain_base64(number: int) -> tuple[str, str]:
    first, last = (base64.b64encode(str(n).encode()).decode() for n in (3 * number, 3 * number + 2))
    return first, last


def plain_numbers(number: int) -> tuple[str, str]:
    return str(3 * number), str(3 * number + 2)


def pages(cursors: Callable[[int], tuple[str, str]] = offsets, count: int = 4) -> list[Page]:
    found: list[Page] = []
    for number in range(count):
        before, after = cursors(number)
        paging: Page = {"cursors": {"before": before, "after": after}}
        link = "https://graph.facebook.com/v26.0/act_77/insights?access_token=X&limit=3"
        if number < count - 1:
            paging["next"] = f"{link}&after={after}"
        if number > 0:
            paging["previous"] = f"{link}&before={before}"
        rows = [
            {
                "account_id": "77", "campaign_id": "5", "campaign_name": "Kept", "adset_id": "6",
                "ad_id": f"80{ad}", "impressions": "10", "clicks": "1", "spend": f"{ad}.25",
                "actions": [{"action_type": "purchase", "value": "1", "7d_click": "1"}],
                "date_start": f"2026-10-0{number + 1}", "date_stop": f"2026-10-0{number + 1}",
                "extra": {"kept": True},
            }
            for ad in range(3)
        ]  # fmt: skip
        found.append({"data": rows, "paging": paging})
    return found


@contextmanager
def playing(tmp_path: Path, content: Any) -> Iterator[Client]:
    file = tmp_path / "pages.json"
    file.write_text(json.dumps(content))
    config = SandboxConfig(state=tmp_path / "state", port=0, replay=file, start=START, frozen=True)
    with run_sandbox(config) as sandbox:
        yield Client(sandbox)


def walk(client: Client, **params: Any) -> list[Page]:
    query: Page = {"level": "ad", "time_increment": "1", "time_range": DAYS} | params
    found = [client.get("act_77/insights", **query)]
    while "next" in found[-1]["paging"]:
        query["after"] = found[-1]["paging"]["cursors"]["after"]
        found.append(client.get("act_77/insights", **query))
    return found


def test_pages_come_back_as_they_are_and_the_rest_is_derived(tmp_path: Path) -> None:
    with playing(tmp_path, pages()) as client:
        assert client.http.get("/_sandbox/health").json()["source"] == "pages"
        assert walk(client) == pages()
        statuses = [{"field": "ad.effective_status", "operator": "IN", "value": ["ACTIVE"]}]
        assert walk(client, filtering=statuses) == pages()
        narrow = walk(client, time_range={"since": "2026-10-02", "until": "2026-10-03"})
        assert [len(page["data"]) for page in narrow] == [0, 3, 3, 0]
        assert narrow[0]["paging"] == pages()[0]["paging"]
        total = client.get("act_77/insights", time_range=DAYS, fields="spend,actions")["data"][0]
        assert total["spend"] == "15.00"
        assert total["actions"] == [{"action_type": "purchase", "value": "12"}]
        by_campaign = client.every("act_77/campaigns", fields="name,daily_budget")
        assert by_campaign == [{"name": "Kept", "daily_budget": "400", "id": "5"}]
        account = client.get("act_77", fields="currency,timezone_name")
        assert (account["currency"], account["timezone_name"]) == ("USD", "UTC")
        error = client.refused("act_77/insights", level="ad", time_increment="1",
                               time_range=DAYS, after="foreign")  # fmt: skip
        assert error["code"] == 100


@pytest.mark.parametrize("cursors", [offsets, repeating, plain_base64, plain_numbers])
@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_page_cut_out_is_never_papered_over(
    tmp_path: Path, cursors: Callable[[int], tuple[str, str]], cut: int
) -> None:
    whole = pages(cursors)
    file = tmp_path / "pages.json"
    file.write_text(json.dumps(whole[:cut] + whole[cut + 1 :]))
    chain = PageChain(read_pages(file))
    assert chain.gap is not None
    assert chain.whole == cut
    assert PageChain(read_pages(_lines(tmp_path, whole))).gap is None


def test_offsets_without_before_still_count(tmp_path: Path) -> None:
    whole = pages()
    for page in whole:
        del page["paging"]["cursors"]["before"]
        page["paging"].pop("previous", None)
    assert PageChain(read_pages(_lines(tmp_path, whole))).gap is None
    chain = PageChain(read_pages(_lines(tmp_path, whole[:1] + whole[2:])))
    assert (chain.whole, chain.gap is not None) == (1, True)


def test_opaque_cursors_are_no_evidence(tmp_path: Path) -> None:
    whole = pages(lambda number: (f"QVFI{number}x", f"QVFI{number}y"))
    assert PageChain(read_pages(_lines(tmp_path, whole))).gap is None


def _lines(tmp_path: Path, content: list[Page]) -> Path:
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(json.dumps(page) + "\n" for page in content))
    return path


def test_the_call_for_the_missing_page_gets_an_error(tmp_path: Path) -> None:
    whole = pages()
    with playing(tmp_path, whole[:2] + whole[3:]) as client:
        assert "page after page 2" in client.http.get("/_sandbox/health").json()["warnings"][0]
        query: Page = {"level": "ad", "time_increment": "1", "time_range": DAYS}
        first = client.get("act_77/insights", **query)
        second = client.get("act_77/insights", **query, after=first["paging"]["cursors"]["after"])
        assert second == whole[1]
        error = client.refused("act_77/insights", **query,
                               after=second["paging"]["cursors"]["after"])  # fmt: skip
        assert error["code"] == 100
        assert "no stored page" in error["message"]
        assert client.refused("act_77/insights", time_range=DAYS)["code"] == 100


def test_a_missing_next_in_the_middle_does_not_look_like_the_end(tmp_path: Path) -> None:
    broken = pages()
    del broken[1]["paging"]["next"]
    file = tmp_path / "pages.json"
    file.write_text(json.dumps(broken))
    chain = PageChain(read_pages(file))
    assert (chain.whole, chain.gap is not None) == (1, True)


@pytest.mark.parametrize(
    "content",
    [[], {"data": 5}, [{"data": [5]}], [{"data": []}], [{"data": [{"spend": "1"}]}], [5],
     [{"data": [{"account_id": "1", "date_start": "2026-13-01", "date_stop": "2026-13-01"}]}],
     [{"data": [{"account_id": "1", "date_start": "2026-10-01", "date_stop": "2026-10-01",
                 "spend": 5}]}]],
)  # fmt: skip
def test_malformed_files(tmp_path: Path, content: Any) -> None:
    with pytest.raises(InputError, match="saved pages"), playing(tmp_path, content):
        pass


def test_a_report_serves_the_stored_pages(tmp_path: Path) -> None:
    with playing(tmp_path, pages()) as client:
        client.sandbox.plan_reports(seconds=0)
        query: Page = {"level": "ad", "time_increment": "1", "time_range": DAYS}
        run = client.post("act_77/insights", **query)["report_run_id"]
        assert client.get(run)["async_status"] == "Job Completed"
        assert client.get(f"{run}/insights") == pages()[0]
        second = client.get(f"{run}/insights", after=pages()[0]["paging"]["cursors"]["after"])
        assert second == pages()[1]
        summed = client.post("act_77/insights", time_range=DAYS)["report_run_id"]
        while client.get(summed)["async_percent_completion"] < 100:
            pass
        assert client.get(f"{summed}/insights")["data"][0]["spend"] == "15.00"
