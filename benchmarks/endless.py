"""A server of insights of any length: an account whose days are all alike, made up as asked for.

A sandbox holds its rows in memory; ten million of them would not fit. This one keeps one day and
puts the date in. It answers as the Graph API does, as far as a sync asks:
`python -m benchmarks.endless ADS` prints its address and serves until its input ends.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "7999"
_DATE = "0000-00-00"
_ADS_PER_ADSET = 4
_ADS_PER_CAMPAIGN = 20
_ACTIONS = (
    *("link_click", "landing_page_view", "post_engagement", "page_engagement"),
    *("add_to_cart", "initiate_checkout", "purchase", "omni_purchase"),
)
_LAST_ACTION = 8


class _Day:
    """The rows of any day, by level, as JSON with a stand-in for the date."""

    def __init__(self, ads: int) -> None:
        self.levels = {
            "ad": _rows(ads, 1),
            "adset": _rows(ads, _ADS_PER_ADSET),
            "campaign": _rows(ads, _ADS_PER_CAMPAIGN),
            "account": _rows(ads, ads),
        }

    def page(self, level: str, since: date, days: int, offset: int, limit: int) -> bytes:
        """The page of a report at a row's number; days follow each other."""
        rows = self.levels[level]
        end = min(offset + limit, days * len(rows))
        parts = []
        at = offset
        while at < end:
            number, first = divmod(at, len(rows))
            last = min(len(rows), first + end - at)
            text = b",".join(rows[first:last])
            parts.append(text.replace(_DATE.encode(), str(since + timedelta(days=number)).encode()))
            at += last - first
        paging: dict[str, Any] = {"cursors": {"before": str(offset), "after": str(end)}}
        if end < days * len(rows):
            paging["next"] = "more"
        return b'{"data":[%b],"paging":%b}' % (b",".join(parts), json.dumps(paging).encode())


def _rows(ads: int, together: int) -> list[bytes]:
    """One row for each so many ads, and what they add up to."""
    return [
        json.dumps(_row(first, range(first, min(first + together, ads))), separators=(",", ":"))
        .encode()
        for first in range(0, ads, together)
    ]  # fmt: skip


def _row(first: int, ads: range) -> dict[str, Any]:
    cents = sum(100 + ad * 37 % 19_000 for ad in ads)
    counts = [sum((ad + number) % 40 + 1 for ad in ads) for number in range(_LAST_ACTION)]
    ids = {
        "account_id": ACCOUNT,
        "campaign_id": f"{5_000_000_000 + first // _ADS_PER_CAMPAIGN}",
        "adset_id": f"{6_000_000_000 + first // _ADS_PER_ADSET}",
        "ad_id": f"{120_000_000_000_000 + first}",
    }
    return {
        **ids,
        "account_currency": "EUR",
        "impressions": f"{sum(1_000 + ad % 977 for ad in ads)}",
        "clicks": f"{sum(10 + ad % 31 for ad in ads)}",
        "spend": f"{cents // 100}.{cents % 100:02}",
        "actions": [
            {"action_type": name, "value": str(count)}
            for name, count in zip(_ACTIONS, counts, strict=True)
        ],
        "action_values": [
            {"action_type": name, "value": f"{count * 29}.90"}
            for name, count in zip(_ACTIONS[-2:], counts[-2:], strict=True)
        ],
        "attribution_setting": "7d_click_1d_view",
        "date_start": _DATE,
        "date_stop": _DATE,
    }


def main(ads: int) -> None:
    """Serve an account of so many ads until the parent goes."""
    day = _Day(ads)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(address.query).items()}
            body = _insights(day, asked) if address.path.endswith("/insights") else _account()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: there is a line for each of thousands of pages."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()


def _insights(day: _Day, asked: dict[str, str]) -> bytes:
    span = json.loads(asked["time_range"])
    since, until = date.fromisoformat(span["since"]), date.fromisoformat(span["until"])
    offset, limit = int(asked.get("after", "0")), int(asked["limit"])
    return day.page(asked["level"], since, (until - since).days + 1, offset, limit)


def _account() -> bytes:
    told = {
        "id": f"act_{ACCOUNT}",
        "account_id": ACCOUNT,
        "name": "Endless",
        "currency": "EUR",
        "timezone_name": "UTC",
        "account_status": 1,
    }
    return json.dumps(told).encode()


if __name__ == "__main__":
    main(int(sys.argv[1]))
