"""The handbook: whole, offline, and nothing in it that the browser is told not to take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.home import opened


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], str]:
    """The page, the document and the style."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        opened(tmp_path_factory.mktemp("docs"), monkeypatch) as home,
    ):
        client = TestClient(home.app, base_url="http://localhost")
        page = client.get("/api/docs")
        assert page.headers["content-type"].startswith("text/html")
        style = client.get("/api/docs.css")
        assert style.headers["content-type"].startswith("text/css")
        return page.text, client.get("/api/openapi.json").json(), style.text


def test_it_asks_no_other_host_and_runs_nothing(told: tuple[str, dict[str, Any], str]) -> None:
    page, _, style = told
    assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", page)
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page, re.IGNORECASE)
    assert not re.search(r"@import|url\(", style)


def test_every_call_is_in_it(told: tuple[str, dict[str, Any], str]) -> None:
    page, document, _ = told
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
            assert f"<code>{path}</code>" in page


def test_every_link_in_it_leads_somewhere(told: tuple[str, dict[str, Any], str]) -> None:
    page, _, _ = told
    wanted = set(re.findall(r'href="#([^"]+)"', page))
    found = re.findall(r'id="([^"]+)"', page)
    assert wanted <= set(found)
    assert len(found) == len(set(found))


def test_every_call_says_its_role_its_reply_and_its_problems(
    told: tuple[str, dict[str, Any], str],
) -> None:
    _, document, _ = told
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["x-role"] in ("viewer", "buyer", "admin"), path
            assert operation["summary"], path
            assert operation["security"] == [{"token": []}, {"session": []}]
            replies = operation["responses"]
            assert {"400", "401", "403", "422", "429", "500", "503"} <= set(replies)
            good = [one for status, one in replies.items() if status.startswith("2")]
            assert len(good) == 1
            assert good[0]["content"], path
            for status, reply in replies.items():
                if int(status) >= 400:
                    assert set(reply["content"]) == {"application/problem+json"}
            keys = [
                one for one in operation.get("parameters", ()) if one["name"] == "Idempotency-Key"
            ]
            secret = operation["operationId"] in ("issue_token", "make_link")  # never kept
            assert len(keys) == (method == "post" and not secret)


def test_what_is_sent_has_examples(told: tuple[str, dict[str, Any], str]) -> None:
    _, document, _ = told
    for name, schema in document["components"]["schemas"].items():
        for field in (
            schema.get("required", ()) if schema.get("additionalProperties") is False else ()
        ):
            told_of = schema["properties"][field]
            assert isinstance(told_of, dict), (name, field)


def test_the_house_has_a_page_on_it() -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for word in ("Idempotency-Key", "If-Match", "Bearer", "/api/docs", "campaigns/create"):
        assert word in text
