"""Reading insights: when nothing has changed, against Meta's SDK, against the least work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.clients import Product, decoder, least, product, sdk
from benchmarks.measure import Cost, Section, in_turns, ratio, seconds
from benchmarks.shop import account_of, last_days, shops
from zyenta_ads_pipeline.sandbox.process import SandboxHandle

_SMALL, _MIDDLE, _LARGE = 50, 1_000, 10_000
_SDK_PAGE = 500
_LARGE_PAGE = 5_000
_PEER_PAGES = {"dlt": 50, "Airbyte": 100, "singer-io": 100, "Meltano": 25}
"""Rows a page that these ask for by default."""
_DECODER = decoder().__module__.partition(".")[0]


def measure(folder: Path, *, full: bool) -> Iterator[Section]:
    """All questions on one sandbox; `full` adds the account of ten thousand ads."""
    sizes = (_SMALL, _MIDDLE, _LARGE) if full else (_SMALL, _MIDDLE)
    with shops(folder / "shops", sizes) as sandbox, product(sandbox, folder) as ours:
        # First, in a young process: a run of every hour is one.
        yield _nothing_changed(ours, sizes[1:])
        yield _against_sdk(sandbox, ours, sizes)
        yield _against_least(sandbox, ours, folder, full)


def _against_sdk(sandbox: SandboxHandle, ours: Product, sizes: Sequence[int]) -> Section:
    rows = []
    for ads in sizes:
        for number in (7, 90):
            days = last_days(number)
            account = account_of(ads)
            costs = in_turns(
                {
                    "ours": partial(ours.read, account, days),
                    "sdk": partial(sdk, sandbox, account, days, _SDK_PAGE),
                },
                _turns(ads * number),
            )
            mine, theirs = costs["ours"], costs["sdk"]
            assert {cost.rows for cost in (*mine, *theirs)} == {ads * number}
            rows.append(
                [
                    f"{ads:,}, {number}",
                    f"{ads * number:,}",
                    _rate(mine),
                    _rate(theirs),
                    ratio(seconds(theirs), seconds(mine)),
                    f"{mine[0].calls:,}",
                    f"{theirs[0].calls:,}",
                    *(f"{-(-ads * number // page):,}" for page in _PEER_PAGES.values()),
                ]
            )
    return Section(
        "Reading ad days, against Meta's SDK",
        f"""\
Daily rows of all ads, same fields, windows and filter. Ours: read, archived as they came, checked
and typed. `facebook-business`: `get_insights` with pages of {_SDK_PAGE}, iterated into its own
objects, none kept. **Ratio**: our rows per second of CPU over the SDK's; aimed at is 10. Opening
the connection and looking the account up (1 call) are left out on both sides.

The last four columns are calculated, not measured: the pages alone that the rows make at each
client's default page size; all four also start and poll a report job a day. dlt's source is a
template that is downloaded, not a package, so it is not installed here.""",
        [
            *("ads, days", "rows", "ours, rows/s", "SDK, rows/s", "ratio", "our calls"),
            "SDK's calls",
            *(f"{name} ≥" for name in _PEER_PAGES),
        ],
        rows,
    )


def _against_least(sandbox: SandboxHandle, ours: Product, folder: Path, full: bool) -> Section:
    rows = []
    for ads, number in ((_MIDDLE, 28), (_MIDDLE, 90), (_LARGE, 90)) if full else ((_MIDDLE, 28),):
        days = last_days(number)
        account = account_of(ads)
        file = folder / "least.parquet"
        costs = in_turns(
            {
                "ads": partial(ours.read_and_store, account, days),
                "all": partial(ours.sync, account, days),
                "least": partial(least, sandbox, account, days, file, _LARGE_PAGE),
            },
            _turns(ads * number),
        )
        assert {cost.rows for cost in (*costs["ads"], *costs["least"])} == {ads * number}
        for name, told in (("ads", "ad level"), ("all", "all four levels")):
            rows.append(
                [
                    f"{ads:,}, {number}",
                    told,
                    f"{costs[name][0].rows:,}",
                    _spent(costs[name]),
                    _spent(costs["least"]),
                    ratio(seconds(costs[name]), seconds(costs["least"])),
                ]
            )
    return Section(
        "The whole sync, against the least work",
        f"""\
From Meta's pages to the lake: archive, checks, proof against totals, history, one commit a piece.
The least: httpx fetches the same ad rows in pages of {_LARGE_PAGE:,}, `{_DECODER}`
decodes them, Polars writes one Parquet file. **Ratio**: our CPU over the least; aimed at is at most
1.5. Ours can be below 1, since its rows never become Python objects. "All four levels" reads ad
sets, campaigns and the account besides; the least still fetches the ads alone.""",
        ["ads, days", "what", "our rows", "ours, CPU", "least, CPU", "ratio"],
        rows,
    )


def _nothing_changed(ours: Product, sizes: Sequence[int]) -> Section:
    rows = []
    days = last_days(28)
    for ads in sizes:
        account = account_of(ads)
        costs = in_turns(
            {
                "again": partial(ours.sync_again, account, days),
                "whole": partial(ours.sync, account, days),
            },
            _turns(ads * len(days)),
        )
        again, whole = costs["again"], costs["whole"]
        rows.append(
            [
                f"{ads:,}, {len(days)}",
                _spent(again),
                _spent(whole),
                ratio(seconds(again), seconds(whole)),
                f"{again[0].calls:,}",
                f"{whole[0].calls:,}",
            ]
        )
    return Section(
        "A sync that finds nothing changed",
        """\
The third sync of the same days over the first. **Ratio**: its CPU over the first one's; aimed at is
at most 0.10, of calls as well. Fewer than three calls cannot be: the account, its totals, those of
its campaigns.""",
        ["ads, days", "again, CPU", "first, CPU", "ratio", "again, calls", "first, calls"],
        rows,
    )


def _turns(rows: int) -> int:
    return 5 if rows < 20_000 else 3 if rows < 200_000 else 1


def _rate(costs: Sequence[Cost]) -> str:
    return f"{median(cost.rows / cost.seconds for cost in costs):,.0f}"


def _spent(costs: Sequence[Cost]) -> str:
    return f"{median(cost.seconds for cost in costs):,.2f} s"
