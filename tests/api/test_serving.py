"""Where the console may listen, and that it does: with one worker and two, stopped by a signal."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from tests.api.served import served
from tests.certificates import certificate_for
from zyenta_ads_pipeline.console.serving import is_loopback, place, serve
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


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_it_serves_until_it_is_stopped(workers: int, tmp_path: Path) -> None:
    with served(tmp_path, "--workers", str(workers)) as console:
        words = {"Authorization": f"Bearer {console.token}"}
        with httpx.Client(base_url=console.url, headers=words) as client:
            said = console.log.read_text()
            assert re.search(rf"{console.url}/sign-in/link\?code=\S{{20,}}", said)
            for _ in range(4 * workers):
                assert client.get("/api/v1/ads/me").json()["name"] == "eva"
            alien = client.get("/api/v1/ads/me", headers={"Host": "evil.example"})
            assert alien.status_code == 421
            assert "server" not in alien.headers


def test_it_speaks_tls_to_the_world_beyond_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = certificate_for(tmp_path, "ads.test", "127.0.0.1")
    told(monkeypatch, SECRET=SECRET, NAMES="ads.test", HOST=ANY,
         CERTIFICATE=str(certificate), KEY=str(key))  # fmt: skip
    trust = ssl.create_default_context(cafile=str(certificate))
    with (
        served(tmp_path, host="ads.test", trust=trust) as console,
        httpx.Client(base_url=console.url, verify=trust, headers={"Host": "ads.test"}) as client,
    ):
        assert console.url.startswith("https://")
        # Whoever can reach it from elsewhere must not find a way in in its log.
        assert "sign-in/link" not in console.log.read_text()
        door = client.get("/sign-in")
        assert door.headers["strict-transport-security"] == "max-age=31536000"
        reply = _sign_in(client, door.text, console.token, "https://ads.test")
        assert reply.status_code == 303
        assert reply.headers["location"] == "/campaigns"
        assert all("Secure" in each for each in reply.headers.get_list("set-cookie"))
        with pytest.raises(httpx.TransportError):
            httpx.get(console.url.replace("https", "http"), headers={"Host": "ads.test"})


@pytest.mark.parametrize("trusted", [True, False])
def test_a_proxys_word_counts_only_if_the_proxy_is_trusted(
    trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, SECRET=SECRET, NAMES="ads.test", HOST=ANY,
         PROXIES="127.0.0.1" if trusted else "10.9.8.7")  # fmt: skip
    words = {"Host": "ads.test", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    with (
        served(tmp_path, host="ads.test") as console,
        httpx.Client(base_url=console.url, headers=words) as client,
    ):
        door = client.get("/sign-in")
        assert ("strict-transport-security" in door.headers) is trusted
        cookies = door.headers.get_list("set-cookie")
        assert cookies
        assert all(("Secure" in each) is trusted for each in cookies)
        for _ in range(6):
            bad = client.get("/api/v1/ads/me", headers={"Authorization": "Bearer zyt_guess"})
        assert bad.status_code == 429
        other = {"Authorization": "Bearer zyt_guess", "X-Forwarded-For": "203.0.113.10"}
        # Behind a trusted proxy each person has an address; a stranger cannot make one up.
        assert client.get("/api/v1/ads/me", headers=other).status_code == (401 if trusted else 429)


def _sign_in(client: httpx.Client, page: str, token: str, origin: str) -> httpx.Response:
    csrf = page.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]
    # A cookie of https, which httpx keeps from an address by number with another Host.
    door = client.cookies.get("zyenta_door") or ""
    return client.post(
        "/sign-in",
        data={"csrf": csrf, "token": token},
        headers={"Origin": origin, "Cookie": f"zyenta_door={door}"},
    )
