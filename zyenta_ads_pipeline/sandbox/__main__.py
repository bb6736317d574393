"""`python -m zyenta_ads_pipeline.sandbox`: run a sandbox in the foreground."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.sandbox.config import SandboxConfig
from zyenta_ads_pipeline.sandbox.graph import Graph
from zyenta_ads_pipeline.sandbox.server import serve

_LOG = logging.getLogger("zyenta_ads_pipeline.sandbox")


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; 0 after a stop, 2 with one paragraph on stderr when it cannot run."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    options = _parser().parse_args(arguments)
    if options.with_parent:
        _stop_when_stdin_ends()
    try:
        config = SandboxConfig(
            state=options.state,
            host=options.host,
            port=options.port,
            token=options.token,
            replay=options.replay,
            seed=options.seed,
            days=options.days,
            accounts=options.accounts,
            behind_days=options.behind_days,
            frozen=options.frozen,
            start=_moment(options.start),
            ceiling=options.ceiling,
            tokens=_grants(options.grant),
            app_id=options.app_id,
            app_secret=options.app_secret,
        )
        serve(config, _announce_json if options.with_parent else announce)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def announce(url: str, graph: Graph) -> None:
    """Tell where the sandbox listens and which accounts it has, on stdout."""
    for warning in graph.source.warnings:
        _LOG.warning(warning)
    accounts = " ".join(account.node_id for account in graph.objects.accounts())
    sys.stdout.write(f"Sandbox ({graph.source.name}) at {url}, accounts {accounts}\n")
    sys.stdout.flush()


def _announce_json(url: str, graph: Graph) -> None:
    for warning in graph.source.warnings:
        _LOG.warning(warning)
    accounts = [account.node_id for account in graph.objects.accounts()]
    sys.stdout.write(json.dumps({"url": url, "accounts": accounts}) + "\n")
    sys.stdout.flush()


def _stop_when_stdin_ends() -> None:
    """A child's stdin is a pipe from its parent: it ends when the parent does, however it died."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"The start {text!r} is not a time.", "Write it as 2026-11-01T09:00:00Z."
        ) from None


def _grants(texts: list[str]) -> dict[str, tuple[str, ...]]:
    grants: dict[str, tuple[str, ...]] = {}
    for text in texts:
        token, equals, accounts = text.rpartition("=")
        if not equals:
            raise InputError(
                "A --grant names no accounts.", "Write TOKEN=act_1,act_2, or TOKEN=* for all."
            )
        grants[token] = tuple(filter(None, accounts.split(",")))
    return grants


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m zyenta_ads_pipeline.sandbox",
        description="A local look-alike of Meta's Graph API, for trying things out.",
    )
    parser.add_argument("--state", type=Path, required=True, help="directory of the state")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8399, help="0 takes a free one")
    parser.add_argument("--token", default=SandboxConfig.token)
    parser.add_argument("--replay", type=Path, help="ad days or saved insights pages")
    parser.add_argument("--seed", type=int, help="of the invented market")
    parser.add_argument("--days", type=int, help="of the market's history")
    parser.add_argument("--accounts", type=int, help="of the market")
    parser.add_argument("--behind-days", type=int, default=0, help="start the clock in the past")
    parser.add_argument("--start", help="start the clock at this ISO time")
    parser.add_argument("--frozen", action="store_true", help="the clock stands still")
    parser.add_argument("--ceiling", type=int, default=9000, help="call score that blocks")
    parser.add_argument(
        "--grant",
        action="append",
        default=[],
        metavar="TOKEN=act_1,act_2",
        help="a token and the accounts that it may see (* for all); in place of --token",
    )
    parser.add_argument("--app-id", default=SandboxConfig.app_id)
    parser.add_argument("--app-secret", help="check appsecret_proof against it")
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
