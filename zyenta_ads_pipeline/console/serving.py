"""The console served: where it may listen, under which names, with how many workers."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from zyenta_ads_pipeline.console.app import create_app
from zyenta_ads_pipeline.console.desks.people import PeopleDesk, link_path
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.console_settings import EVERYWHERE, LOOPBACK
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.settings import Settings, load_settings

MOST_WORKERS = 32
_BOUND = "ZYENTA_CONSOLE_BOUND"
"""How the workers are told the name that the console was bound to."""
_STOP_SECONDS = 5
_QUEUE = 128
"""Connections that may wait until the workers are up."""


@dataclass(frozen=True)
class Place:
    """Where the console listens. `url` is what to open."""

    host: str
    port: int
    workers: int
    url: str


def place(settings: Settings, host: str, port: int, workers: int) -> Place:
    """Where to listen, after all checks.

    Raises `SettingsError` for an address beyond this machine without a secret, without TLS or
    trusted proxies, or without a name to answer to.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"{workers} workers cannot serve.", f"Choose 1 to {MOST_WORKERS}.")
    if not is_loopback(host):
        _require_safe(settings, host)
    for file in (settings.console_certificate, settings.console_key):
        if file is not None and not file.is_file():
            raise SettingsError(
                f"There is no file {file}.",
                "Name the PEM files by ZYENTA_CONSOLE_CERTIFICATE and ZYENTA_CONSOLE_KEY.",
            )
    scheme = "https" if settings.console_has_tls else "http"
    shown = settings.console_names[0] if host in EVERYWHERE else host
    shown = f"[{shown}]" if ":" in shown else shown
    return Place(host, port, workers, f"{scheme}://{shown}:{port}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host.lower() in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(settings: Settings, at: Place, tell: Callable[[str], None]) -> None:
    """Serve until stopped. `tell` hears where; on loopback, at the first start, also a one-time
    link to sign in by.

    Raises `InputError` when the port is taken.
    """
    with _listening(at.host, at.port) as listening:
        port = listening.getsockname()[1]
        url = f"{at.url.rpartition(':')[0]}:{port}"
        link = first_link(settings, url) if is_loopback(at.host) else None
        tell(f"Console: {url}")
        if link is not None:
            tell(f"Sign in by this link; it works once, for ten minutes: {link}")
        os.environ[_BOUND] = at.host
        config = uvicorn.Config(**_options(settings, at, port))
        _run(config, listening)


def first_link(settings: Settings, url: str) -> str | None:
    """The address of a one-time link for the first admin; None once somebody has a token."""
    office = Office(settings)
    try:
        secret = PeopleDesk(office).first_link()
    finally:
        office.close()
    return None if secret is None else url + link_path(secret)


def worker_app() -> FastAPI:
    """The app of one worker, by the settings of its environment."""
    bound = os.environ.get(_BOUND, "")
    return create_app(load_settings(), () if bound in EVERYWHERE else (bound.lower(),))


def _require_safe(settings: Settings, host: str) -> None:
    lacks: list[str] = []
    if settings.console_secret is None:
        lacks.append("a secret (ZYENTA_CONSOLE_SECRET)")
    if not settings.console_has_tls and not settings.console_proxies:
        lacks.append(
            "TLS (ZYENTA_CONSOLE_CERTIFICATE and ZYENTA_CONSOLE_KEY) or the proxies that end it "
            "(ZYENTA_CONSOLE_PROXIES)"
        )
    if host in EVERYWHERE and not settings.console_names:
        lacks.append("a name to answer to (ZYENTA_CONSOLE_NAMES)")
    if lacks:
        raise SettingsError(
            f"The console does not listen on {host or 'every address'} without "
            f"{', and without '.join(lacks)}: others could read along.",
            "Set them, or leave it on 127.0.0.1 and reach it through an SSH tunnel.",
        )


def _listening(host: str, port: int) -> socket.socket:
    """A socket that is bound, so that a port that is taken is told at once and once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(_QUEUE)  # whoever follows the link at once waits, and is not turned away
    except OSError as error:
        made.close()
        raise InputError(
            f"The console cannot listen on {host}:{port}: {error.strerror}.",
            "Is another one running? Try --port.",
        ) from None
    made.set_inheritable(True)
    return made


def _options(settings: Settings, at: Place, port: int) -> dict[str, Any]:
    proxies = list(settings.console_proxies)
    return {
        "app": f"{__name__}:worker_app",
        "factory": True,
        "host": at.host,
        "port": port,
        "workers": at.workers,
        "proxy_headers": bool(proxies),
        "forwarded_allow_ips": proxies,
        "server_header": False,
        "access_log": False,
        "log_level": "warning",
        "timeout_graceful_shutdown": _STOP_SECONDS,
        "ssl_certfile": settings.console_certificate,
        "ssl_keyfile": settings.console_key,
    }


def _run(config: uvicorn.Config, listening: socket.socket) -> None:
    if config.workers > 1:
        Multiprocess(config, [listening]).run()
    else:
        uvicorn.Server(config).run([listening])
