"""The console beside an empty server: bytes, requests, CPU of the browser and of the server."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from benchmarks.console_home import console_server, cpu_seconds, empty_server, fill
from benchmarks.measure import Section, ratio
from tests.browser.finding import FLAGS, REMEDY, any_browser
from tests.browser.world import told
from zyenta_ads_pipeline.console.desks.desks import Desks
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.domain.access import Person, Role
from zyenta_ads_pipeline.settings import load_settings
from zyenta_ads_pipeline.store.campaigns import Campaigns
from zyenta_ads_pipeline.store.database import open_store

LIST = "/campaigns?size=200"
SHORT_LIST = "/campaigns"
JSON = "/api/v1/ads/campaigns?per_page=200"
COOKIE = "zyenta_session"
_TURNS = 5
_REQUESTS = 200
_CHANGES = 50
_WARM = 20
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Served:
    """A console at work: its address, process, and what lets somebody in."""

    url: str
    pid: int
    cookie: str
    token: str
    store_url: str

    @property
    def as_page(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.cookie}", "Accept-Encoding": "gzip"}

    @property
    def as_program(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip"}


@dataclass(frozen=True)
class Look:
    """One cold look at a page: bytes over the wire, requests, hosts, main-thread seconds."""

    sent: int
    requests: int
    hosts: frozenset[str]
    seconds: float


def measure(folder: Path) -> Section:
    """The pages and the API on 200 and on 10,000 campaigns."""
    rows: list[list[str]] = []
    with empty_server() as (empty, empty_pid):
        nothing = _server_cpu(empty, empty_pid, "/", {}, _REQUESTS * 10)
        with _served(folder / "console-200", 200) as few:
            looked = _looks(folder, few, empty)
            rows += _seen(few, *looked) if looked else [["**no browser**", REMEDY, "", "", ""]]
            spent = _server_cpu(few.url, few.pid, LIST, few.as_page)
            rows.append(_cpu("server CPU, list of 200 rows", spent, nothing, "5 ms"))
        with _served(folder / "console-10000", 10_000) as many:
            for shown, path in ((50, SHORT_LIST), (200, LIST)):
                spent = _server_cpu(many.url, many.pid, path, many.as_page)
                what = f"server CPU, list of {shown} rows of 10,000"
                rows.append(_cpu(what, spent, nothing, "10 ms"))
            with _changing(many) as change:
                spent = _server_cpu(many.url, many.pid, LIST, many.as_page, _CHANGES, change)
            what = "the same, after a change each time"
            rows.append([what, _ms(spent), "", _ms(nothing), ratio(spent, nothing)])
            spent = _server_cpu(many.url, many.pid, JSON, many.as_program)
            rows.append(
                [
                    "JSON list of 200 rows, of 10,000",
                    f"{1 / statistics.median(spent):,.0f} a second and core",
                    "at least 150",
                    f"{1 / statistics.median(nothing):,.0f}",
                    ratio(spent, nothing),
                ]
            )
    return Section(
        "The console",
        f"""\
The list of campaigns with sparklines, cold, in Chromium; and what a request costs the server's
process, over {_TURNS} times {_REQUESTS} requests on one connection. The peer is the same web server
with an empty reply, or an empty page: the least that any console could cost. **Ratio**: ours over
that, in CPU time. Rows are kept for up to five seconds, until a campaign changes; one line tells
what a look costs when none are. "Main thread" is the browser's own count of what its tasks used of
the CPU (`TaskDuration` in thread ticks).""",
        ["what", "ours", "aim", "empty reply", "ratio"],
        rows,
    )


def _cpu(what: str, spent: Sequence[float], nothing: Sequence[float], aim: str) -> list[str]:
    return [what, _ms(spent), f"at most {aim}", _ms(nothing), ratio(spent, nothing)]


def _ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f} ms"


def _seen(served: Served, ours: Sequence[Look], empty: Sequence[Look]) -> list[list[str]]:
    own = urlsplit(served.url).netloc
    foreign = frozenset[str]().union(*(each.hosts for each in ours)) - {own}
    spent, least = ([each.seconds for each in looks] for looks in (ours, empty))
    return [
        ["list of 200 rows, cold: sent", f"{ours[-1].sent / 1000:.0f} kB", "at most 100 kB",
         f"{empty[-1].sent / 1000:.1f} kB", ""],
        ["requests", str(ours[-1].requests), "at most 10", str(empty[-1].requests), ""],
        ["foreign hosts", str(len(foreign)), "0", "", ""],
        _cpu("browser's main thread", spent, least, "200 ms"),
    ]  # fmt: skip


@contextmanager
def _served(home: Path, campaigns: int) -> Iterator[Served]:
    fill(home, campaigns)
    settings = {"ZYENTA_HOME": str(home.absolute()), "ZYENTA_DAGSTER_URL": _NOWHERE}
    with told(settings, home.parent):
        settled = load_settings()
        office = Office(settled)
        people = Desks(office).people
        token = people.issue(Person("setup", Role.ADMIN), "bench", Role.BUYER).secret
        cookie = people.sign_in(token, "127.0.0.1").cookie
        office.close()
    with console_server(settings, home.parent) as (url, pid):
        yield Served(url, pid, cookie, token, settled.store_url)


@contextmanager
def _changing(served: Served) -> Iterator[Callable[[], object]]:
    """What changes a campaign on the list, each time it is called."""
    with closing(open_store(served.store_url)) as store:
        campaigns, budgets = Campaigns(store), count(1000)
        (shown,) = campaigns.find(limit=1)
        yield lambda: campaigns.set_budget(
            shown.id, next(budgets), actor="bench", reason="Another one.", now=datetime.now(UTC)
        )


def _server_cpu(
    url: str,
    pid: int,
    path: str,
    headers: dict[str, str],
    requests: int = _REQUESTS,
    before_each: Callable[[], object] = lambda: None,
) -> list[float]:
    """CPU seconds of the server for one request, turn by turn. Ticks are counted, of 10 ms on
    Linux: what costs little is asked for more often."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)

    def ask(times: int) -> None:
        for _ in range(times):
            before_each()
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            reply.read()
            assert reply.status == 200, f"{path}: {reply.status}"

    ask(_WARM)
    found = []
    for _ in range(_TURNS):
        before = cpu_seconds(pid)
        ask(requests)
        found.append((cpu_seconds(pid) - before) / requests)
    connection.close()
    return found


def _looks(folder: Path, served: Served, empty: str) -> tuple[list[Look], list[Look]] | None:
    """Cold looks at the list and at an empty page, in turns; None without a browser."""
    with sync_playwright() as playwright:
        found = any_browser(playwright, folder / "browser-fetched")
        if found is None:
            return None
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        cookie = {"name": COOKIE, "value": served.cookie, "url": served.url}
        ours, least = [], []
        for _ in range(_TURNS + 1):
            ours.append(_look(browser, served.url + LIST, [cookie]))
            least.append(_look(browser, empty, []))
        browser.close()
    return ours[1:], least[1:]


def _look(browser: Browser, url: str, cookies: list[Any]) -> Look:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies(cookies)
    page = context.new_page()
    watch = context.new_cdp_session(page)
    sent: list[int] = []
    hosts: set[str] = set()
    watch.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    watch.on("Network.requestWillBeSent", lambda event: hosts.add(_host(event["request"]["url"])))
    watch.send("Network.enable")
    watch.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU, not wall
    before = _tasks(watch.send("Performance.getMetrics"))
    page.goto(url, wait_until="networkidle")
    spent = _tasks(watch.send("Performance.getMetrics")) - before
    looked = Look(int(sum(sent)), len(sent), frozenset(hosts - {""}), spent)
    context.close()
    return looked


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _tasks(told: dict[str, Any]) -> float:
    return next(float(each["value"]) for each in told["metrics"] if each["name"] == "TaskDuration")
