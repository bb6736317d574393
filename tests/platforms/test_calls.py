"""How the client spends: counted calls, the budget, the deadline, the proof, calls in flight."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import stamina

from tests.platforms.conftest import TOKEN as SANDBOX_TOKEN
from tests.platforms.scripted import Answer, Hang, Scripted, ok, refused, scripted
from zyenta_ads_pipeline.domain.ads import Level
from zyenta_ads_pipeline.domain.errors import (
    DeadlinePassed,
    RateLimited,
    Transient,
    UnknownOutcome,
    ValidationRefused,
)
from zyenta_ads_pipeline.platforms.meta.budget import RateBudget
from zyenta_ads_pipeline.platforms.meta.client import MetaClient, Purpose
from zyenta_ads_pipeline.platforms.meta.platform import MetaAds
from zyenta_ads_pipeline.platforms.meta.usage import INSIGHTS
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

TOKEN = "EAAGsecretTOKEN0123456789"
SECRET = "appSECRET9876543210"
THROTTLED = refused(17, 2446079, headers={"X-Ad-Account-Usage": '{"reset_time_duration": 50}'})
HTML = Answer(502, b"<html>")
OBJECT = {"id": "9", "account_id": "1", "status": "ACTIVE"}


def client(server: Scripted, **options: object) -> MetaClient:
    settings = {"token": TOKEN, "timeout": 5.0, "max_wait": 0.0, **options}
    return MetaClient(base_url=server.url, version="v26.0", **settings)  # type: ignore[arg-type]


@pytest.fixture
def impatient() -> Iterator[None]:
    with stamina.set_testing(True, attempts=5):
        yield


def test_calls_are_counted_by_what_they_are_for() -> None:
    answers = (HTML, ok({"id": "7"}), ok(OBJECT), ok({"success": True}))

    async def run(server: Scripted) -> None:
        async with MetaAds(client(server)) as meta:
            await meta.server_time()
            await meta.read_object("9", Level.CAMPAIGN)
            await meta.set_status("9", "PAUSED")
            assert meta.calls == 4
            assert meta.calls_by_kind == Counter({"clock": 2, "object": 1, "write": 1})

    with scripted(*answers) as server:
        asyncio.run(run(server))


def test_the_version_that_answered_is_kept() -> None:
    older = Answer(200, b"{}", {"facebook-api-version": "v25.0"})

    async def run(server: Scripted) -> list[str | None]:
        async with MetaAds(client(server)) as meta:
            before = meta.answered_version
            await meta.server_time()
            return [before, meta.answered_version]

    with scripted(older) as server:
        assert asyncio.run(run(server)) == [None, "v25.0"]


def test_the_proof_goes_with_every_call_and_the_secret_with_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()

    async def run(server: Scripted) -> None:
        async with client(server, app_secret=SECRET) as meta:
            await meta.get("me")
            await meta.post("9", {"status": "PAUSED"})

    with caplog.at_level(logging.DEBUG), scripted(ok({}), ok({"success": True})) as server:
        asyncio.run(run(server))
    for request in server.requests:
        assert request.params["appsecret_proof"] == proof
        assert SECRET not in request.target + request.body + str(request.headers)
    assert SECRET not in caplog.text


def test_no_proof_without_a_secret() -> None:
    async def run(server: Scripted) -> None:
        async with client(server) as meta:
            await meta.get("me")

    with scripted(ok({})) as server:
        asyncio.run(run(server))
    assert server.requests[0].params == {}


def test_a_throttle_met_by_one_client_holds_the_others_of_the_process() -> None:
    budget = RateBudget()

    async def run(server: Scripted) -> None:
        async with client(server, budget=budget) as one, client(server, budget=budget) as other:
            with pytest.raises(RateLimited):
                await one.get("act_1", purpose=Purpose("x", "1", INSIGHTS))
            for call in (
                other.get("act_1", purpose=Purpose("x", "1", INSIGHTS)),
                other.post("9", {}, Purpose("write", "1")),
            ):
                with pytest.raises(RateLimited) as failed:
                    await call
                assert failed.value.wait_seconds == pytest.approx(50, abs=2)
            await other.get("act_2", purpose=Purpose("x", "2", INSIGHTS))

    with scripted(THROTTLED, ok({})) as server:
        asyncio.run(run(server))
    assert len(server.requests) == 2


def test_reads_stop_where_writes_and_what_belongs_to_them_go_on() -> None:
    usage = {"X-Ad-Account-Usage": json.dumps({"acc_id_util_pct": 90})}
    business = {"X-Business-Use-Case-Usage": json.dumps({"1": [{"type": "ads_management"}]})}
    first = Answer(200, json.dumps(OBJECT).encode(), usage | business)

    async def run(server: Scripted) -> None:
        async with MetaAds(client(server)) as meta:
            await meta.read_object("9", Level.CAMPAIGN)
            with pytest.raises(RateLimited):
                await meta.ad_objects("1")
            await meta.set_status("9", "PAUSED")
            await meta.read_object("9", Level.CAMPAIGN)

    with scripted(first, ok({"success": True}), ok(OBJECT)) as server:
        asyncio.run(run(server))
    assert server.unused == 0


def test_nothing_is_sent_after_the_deadline() -> None:
    async def run(server: Scripted) -> None:
        async with client(server, deadline=time.monotonic() - 1) as meta:
            with pytest.raises(DeadlinePassed):
                await meta.get("me")
            with pytest.raises(DeadlinePassed):
                await meta.post("9", {})

    with scripted(ok({})) as server:
        asyncio.run(run(server))
    assert server.requests == []


def test_a_wait_that_ends_after_the_deadline_is_not_begun() -> None:
    async def run(server: Scripted) -> None:
        deadline = time.monotonic() + 5
        async with client(server, max_wait=300, deadline=deadline) as meta:
            with pytest.raises(RateLimited) as failed:
                await meta.get("me")
        assert failed.value.origin.code == 17

    with scripted(THROTTLED, ok({})) as server:
        started = time.monotonic()
        asyncio.run(run(server))
        assert time.monotonic() - started < 3
    assert len(server.requests) == 1


@pytest.mark.usefixtures("impatient")
def test_a_read_ends_with_the_deadline_and_is_not_tried_again() -> None:
    async def run(server: Scripted) -> None:
        async with client(server, deadline=time.monotonic() + 0.2) as meta:
            with pytest.raises(DeadlinePassed, match=r"GET .*/me was under way"):
                await meta.get("me")

    with scripted(Hang(), ok({})) as server:
        started = time.monotonic()
        asyncio.run(run(server))
        assert time.monotonic() - started < 2
    assert len(server.requests) == 1


def test_a_body_that_drips_in_ends_with_the_deadline(fresh: SandboxHandle) -> None:
    fresh.faults([{"what": "slow_body", "seconds": 4}])

    async def run() -> float:
        started = time.monotonic()
        async with MetaClient(
            base_url=fresh.url, version="v26.0", token=SANDBOX_TOKEN, deadline=started + 1
        ) as meta:
            with pytest.raises(DeadlinePassed, match="under way"):
                await meta.get("me")
        return time.monotonic() - started

    assert 0.9 < asyncio.run(run()) < 2.5


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer of a thousand bytes, one in twenty milliseconds: no silence ends it."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)


def test_a_call_takes_ten_times_the_timeout_at_most() -> None:
    async def run() -> float:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started = time.monotonic()
        async with MetaClient(base_url=url, version="v26.0", token=TOKEN, timeout=0.15) as meta:
            with stamina.set_testing(True, attempts=1), pytest.raises(Transient, match="longer"):
                await meta.get("me")
            with pytest.raises(UnknownOutcome, match="longer than"):
                await meta.post("9", {})
        server.close()
        return time.monotonic() - started

    assert 2.9 < asyncio.run(run()) < 6


def test_a_write_is_not_cut_off_at_the_deadline() -> None:
    class Slow(Scripted):
        def next_step(self) -> Answer:
            time.sleep(0.6)
            return ok({"success": True})

    async def run(server: Scripted) -> None:
        async with client(server, deadline=time.monotonic() + 0.3) as meta:
            await meta.post("9", {"status": "PAUSED"})

    server = Slow(())
    try:
        asyncio.run(run(server))
    finally:
        server.stop()


def test_a_read_with_many_parameters_travels_as_a_form() -> None:
    ids = [str(n) for n in range(1000)]

    async def run(server: Scripted) -> None:
        async with client(server, app_secret=SECRET) as meta:
            assert (await meta.get("act_1/ads", {"ids": ids[:2]})).request == "GET /v26.0/act_1/ads"
            assert (await meta.get("act_1/ads", {"ids": ids})).request == "GET /v26.0/act_1/ads"

    with scripted(ok({}), ok({})) as server:
        asyncio.run(run(server))
    short, long = server.requests
    assert (short.method, "method" in short.params) == ("GET", False)
    assert (long.method, long.target) == ("POST", "/v26.0/act_1/ads")
    assert long.params["method"] == "GET"
    assert json.loads(long.params["ids"]) == ids
    assert long.params["appsecret_proof"] == short.params["appsecret_proof"]
    assert TOKEN not in long.body


@pytest.mark.parametrize("path", ["act_\x00", "x" * 70_000], ids=["unprintable", "too long"])
def test_an_address_that_cannot_be_sent_is_refused(path: str) -> None:
    async def run(server: Scripted) -> None:
        async with client(server) as meta:
            with pytest.raises(ValidationRefused, match="no address that can be sent"):
                await meta.get(path)

    with scripted() as server:
        asyncio.run(run(server))
    assert server.requests == []


@pytest.mark.parametrize("app_id", [None, "77"])
def test_one_apps_throttle_holds_its_own_tokens_only(app_id: str | None) -> None:
    """Tokens are of one app where META_APP_ID says so; else each may be of another."""
    budget = RateBudget()
    throttled = refused(4, headers={"X-App-Usage": '{"call_count": 100}'})

    async def run(server: Scripted) -> None:
        async with (
            client(server, budget=budget, app_id=app_id) as one,
            client(server, budget=budget, app_id=app_id, token=TOKEN + "other") as other,
        ):
            assert (one.app == other.app) is (app_id is not None)
            assert TOKEN[:8] not in one.app
            with pytest.raises(RateLimited):
                await one.get("act_1", purpose=Purpose("x", "1", INSIGHTS))
            with pytest.raises(RateLimited, match="The app's quota"):
                await one.get("act_2", purpose=Purpose("x", "2", INSIGHTS))
            if app_id is None:
                await other.get("act_3", purpose=Purpose("x", "3", INSIGHTS))
            else:
                with pytest.raises(RateLimited):
                    await other.get("act_3", purpose=Purpose("x", "3", INSIGHTS))

    with scripted(throttled, ok({})) as server:
        asyncio.run(run(server))
    assert server.unused == (0 if app_id is None else 1)


def test_eight_calls_at_most_are_in_flight() -> None:
    most, now, lock = 0, 0, threading.Lock()

    class Slow(Scripted):
        def next_step(self) -> Answer:
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.05)
            with lock:
                now -= 1
            return ok({})

    async def run(server: Scripted) -> None:
        async with client(server) as meta:
            await asyncio.gather(*(meta.get("me") for _ in range(24)))

    server = Slow(())
    try:
        asyncio.run(run(server))
    finally:
        server.stop()
    assert 1 < most <= 8
    assert len(server.requests) == 24


def test_a_write_whose_reply_is_lost_is_unknown_and_counted_once() -> None:
    async def run(server: Scripted) -> int:
        async with MetaAds(client(server)) as meta:
            with pytest.raises(UnknownOutcome):
                await meta.set_daily_budget("9", 1000)
            return meta.calls

    with scripted(HTML, ok({"success": True})) as server:
        assert asyncio.run(run(server)) == 1
