"""Where the console may listen, and that it does: with one worker and two, stopped by a signal."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.api.home import ROOT
from zyenta_ads_pipeline.console.desks.people import PeopleDesk
from zyenta_ads_pipeline.console.office import Office
from zyenta_ads_pipeline.console.serving import is_loopback, place, serve
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.settings import Settings, load_settings

SECRET = "x" * 32
ANY = "0.0.0.0"  # noqa: S104 - to be refused


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))


def told(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"ZYENTA_CONSOLE_{name}", value)
    return load_settings()


def test_it_listens_on_this_machine_unless_told_otherwise() -> None:
    settings = load_settings()
    at = place(settings, settings.console_host, settings.console_port, 1)
    assert at.url == "http://127.0.0.1:8003"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1"])
def test_these_are_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [ANY, "::", "", "10.0.0.5", "ads.example.com"])
def test_a_wider_address_is_refused_with_all_that_it_lacks(host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        place(load_settings(), host, 8003, 1)
    for word in ("ZYENTA_CONSOLE_SECRET", "ZYENTA_CONSOLE_CERTIFICATE", "ZYENTA_CONSOLE_PROXIES"):
        assert word in str(refused.value)
    assert "SSH tunnel" in refused.value.remedy


def test_the_address_of_links_is_the_one_that_a_browser_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings().console_url == "http://127.0.0.1:8003"
    assert told(monkeypatch, HOST="::1", PORT="9000").console_url == "http://[::1]:9000"
    assert told(monkeypatch, HOST=ANY).console_url == "http://127.0.0.1:9000"
    named = told(monkeypatch, NAMES="ads.example.com", CERTIFICATE="a.pem", KEY="b.pem")
    assert named.console_url == "https://ads.example.com:9000"
    assert told(monkeypatch, PROXIES="10.0.0.1").console_url == "https://ads.example.com"


def test_a_secret_alone_is_not_enough_and_with_proxies_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SettingsError, match="TLS"):
        place(told(monkeypatch, SECRET=SECRET), "10.0.0.5", 8003, 1)
    settings = told(monkeypatch, SECRET=SECRET, PROXIES="10.0.0.1")
    assert place(settings, "10.0.0.5", 8003, 1).url == "http://10.0.0.5:8003"
    with pytest.raises(SettingsError, match="ZYENTA_CONSOLE_NAMES"):
        place(settings, ANY, 8003, 1)
    settings = told(monkeypatch, SECRET=SECRET, PROXIES="10.0.0.1", NAMES="ads.example.com")
    assert place(settings, ANY, 8003, 1).url == "http://ads.example.com:8003"


def test_a_certificate_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = told(monkeypatch, SECRET=SECRET, CERTIFICATE="cert.pem", KEY="key.pem")
    with pytest.raises(SettingsError, match=r"cert\.pem"):
        place(settings, "10.0.0.5", 8003, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET", "short"),
        ("PROXIES", "0.0.0.0/0"),
        ("PROXIES", "proxy"),
        ("NAMES", "https://ads.example.com"),
        ("CERTIFICATE", "cert.pem"),
        ("PORT", "70000"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=f"ZYENTA_CONSOLE_{name}"):
        told(monkeypatch, **{name: value})


def test_the_secret_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = told(monkeypatch, SECRET="hidden" + SECRET)
    assert "hidden" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        at = place(load_settings(), "127.0.0.1", port, 1)
        with pytest.raises(InputError, match=f"127.0.0.1:{port}"):
            serve(load_settings(), at, lambda _: None)


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_until_it_is_stopped(workers: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "zyenta_ads_pipeline", "console", "--port", "0",
             "--workers", str(workers)],
            stdout=out, stderr=subprocess.STDOUT, env=os.environ.copy(),
        )  # fmt: skip
    try:
        url = _address(log, child)
        token = _token()
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
            _until_it_answers(client)
            assert re.search(rf"{url}/sign-in/link\?code=\S{{20,}}", log.read_text())
            for _ in range(4 * workers):
                assert client.get("/api/v1/ads/me").json()["name"] == "eva"
            alien = client.get("/api/v1/ads/me", headers={"Host": "evil.example"})
            assert alien.status_code == 421
            assert "server" not in alien.headers
    finally:
        child.send_signal(signal.SIGINT)
        assert child.wait(20) in (0, -signal.SIGINT, 130)
    assert "Traceback" not in log.read_text()


def _address(log: Path, child: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert child.poll() is None, log.read_text()
        if found := re.search(r"Console: (http://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _until_it_answers(client: httpx.Client) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            client.get("/api/v1/ads/me", timeout=10)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("it never answered")


def _token() -> str:
    office = Office(load_settings())
    try:
        return PeopleDesk(office).issue(ROOT, "eva", Role.BUYER).secret
    finally:
        office.close()
