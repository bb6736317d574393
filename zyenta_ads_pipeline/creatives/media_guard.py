"""Downloads from addresses that others wrote, without letting them reach into our own network.

A host is resolved once, every address of it is checked, and the connection goes to a checked
address, so that a name cannot mean something else a moment later. Each redirect is checked anew.
Transport is used without a client: no cookies, no proxies of the environment, no logged addresses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

import httpx

from zyenta_ads_pipeline.domain.errors import InputError

LONGEST_ADDRESS = 2_000
MOST_REDIRECTS = 5
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 20.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_PORTS = {"http": 80, "https": 443}

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_OWN_NETWORKS = tuple(
    ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                            "fc00::/7")
)  # fmt: skip
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "192.88.99.0/24",  # 6to4 relays
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "64:ff9b:1::/48",  # NAT64 of a local network
        "3fff::/20",  # documentation
        "fd00:ec2::254/128",  # a cloud's metadata service
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Guard:
    """Downloads, and refuses what does not lead to the public Internet.

    `allow_private` lets this machine and private networks through, for a sandbox; never link-local
    addresses, where clouds keep their secrets. `resolve` gives the addresses of a host and port.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolver | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or _resolved
        self._verify = verify or True

    async def download(self, address: str, *, largest: int, seconds: float, accept: str) -> bytes:
        """The body behind an address, at most `largest` bytes within `seconds`, redirects included.

        Raises `InputError` for every way in which it cannot be had.
        """
        url = checked_address(address)
        try:
            async with asyncio.timeout(seconds):
                for _ in range(MOST_REDIRECTS + 1):
                    found = await self._get(url, largest=largest, accept=accept)
                    if isinstance(found, bytes):
                        return found
                    url = found
        except TimeoutError:
            raise InputError(
                f"{_public(url)} was not there after {seconds:g} seconds.",
                "Try again later, or put the file beside the catalogue.",
            ) from None
        raise InputError(
            f"{_public(checked_address(address))} redirects more than {MOST_REDIRECTS} times.",
            "Give the address that the file is at.",
        )

    async def _get(self, url: httpx.URL, *, largest: int, accept: str) -> bytes | httpx.URL:
        """The body, or where a redirect leads."""
        addresses = await self._checked(url)
        async with httpx.AsyncHTTPTransport(verify=self._verify, trust_env=False) as transport:
            response = await _first_answer(transport, url, addresses, accept)
            try:
                if response.status_code in _REDIRECTS:
                    return _next(url, response)
                return await _body(url, response, largest)
            except (httpx.HTTPError, httpx.StreamError) as error:
                raise InputError(
                    f"{_public(url)} broke off: {_told(error)}.", "Try again later."
                ) from None
            finally:
                await response.aclose()

    async def _checked(self, url: httpx.URL) -> list[IPAddress]:
        """All addresses of the host; refused if any of them is not allowed."""
        host = url.raw_host.decode("ascii")
        try:
            found = await self._resolve(host, url.port or _PORTS[url.scheme])
        except (OSError, UnicodeError):
            raise InputError(
                f"The host of {_public(url)} cannot be found.", "Look at its spelling."
            ) from None
        addresses = list(dict.fromkeys(ipaddress.ip_address(each) for each in found))
        for each in addresses:
            if reason := forbidden(each, allow_private=self._allow_private):
                raise InputError(
                    f"{_public(url)} leads to {each}, which is {reason}.",
                    "Give an address on the public Internet, or put the file beside the catalogue.",
                )
        if not addresses:
            raise InputError(f"The host of {_public(url)} has no address.", "Look at its spelling.")
        return addresses


def checked_address(address: str) -> httpx.URL:
    """An http or https address without a name or password in it; `InputError` for any other."""
    remedy = "Give an address that begins with https://."
    if len(address) > LONGEST_ADDRESS:
        raise InputError(f"An address has more than {LONGEST_ADDRESS} characters.", remedy)
    try:
        url = httpx.URL(address.strip())
        host, port = url.raw_host.decode("ascii"), url.port
    except (httpx.InvalidURL, ValueError):
        secret = "@" in address
        told = "It" if secret else repr(address.partition("?")[0][:80])
        raise InputError(f"{told} is no address.", remedy) from None
    if url.userinfo:
        raise InputError(
            f"An address at {url.host} holds a name or password.", "Give one that needs neither."
        )
    possible = _HOST.fullmatch(host) and (port is None or 0 < port < 65_536)
    if url.scheme not in _PORTS or not possible:
        raise InputError(f"{_public(url)!r} is not an address on the web.", remedy)
    return url


def forbidden(address: IPAddress, *, allow_private: bool) -> str | None:  # noqa: PLR0911 - a table
    """Why an address must not be connected to, in words; None if it may be."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return forbidden(inner, allow_private=allow_private)
    if any(address in network for network in _NEVER) or address.is_link_local:
        return "an address of a network's inner workings"
    if address.is_unspecified or address.is_multicast:
        return "no address of one machine"
    if address.is_loopback:
        return None if allow_private else "this machine itself"
    if any(address in network for network in _OWN_NETWORKS):
        return None if allow_private else "in a private network"
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    if address.is_reserved or site_local or not address.is_global:
        return "reserved"
    return None


async def _resolved(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


async def _first_answer(
    transport: httpx.AsyncHTTPTransport,
    url: httpx.URL,
    addresses: Sequence[IPAddress],
    accept: str,
) -> httpx.Response:
    """The answer of the first address that takes a connection, asked under the host's own name."""
    timeout = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    told = ""
    for each in addresses:
        request = httpx.Request(
            "GET",
            url.copy_with(host=str(each)),
            headers={
                "Host": url.netloc.decode("ascii"),
                "User-Agent": "zyenta",
                "Accept": accept,
                # A compressed body could unfold to any size.
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
            extensions={
                "timeout": timeout.as_dict(),
                "sni_hostname": url.raw_host.decode("ascii"),
            },
        )
        try:
            return await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            told = _told(error)
        except httpx.HTTPError as error:
            told = _told(error)
            break
    raise InputError(f"{_public(url)} gives no answer: {told}.", "Try again later.")


def _next(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Where a redirect leads, checked as an address."""
    try:
        target = str(url.join(response.headers.get("location", "")).copy_with(fragment=None))
        following = checked_address(target)
    except (httpx.InvalidURL, ValueError):
        raise InputError(f"{_public(url)} redirects to nowhere.", "Give its new address.") from None
    except InputError as error:
        raise InputError(f"{_public(url)} redirects badly. {error.what}", error.remedy) from None
    if url.scheme == "https" and following.scheme == "http":
        raise InputError(
            f"{_public(url)} redirects to {_public(following)}, which is not encrypted.",
            "Give the address that the file is at.",
        )
    return following


async def _body(url: httpx.URL, response: httpx.Response, largest: int) -> bytes:
    if response.status_code != 200:
        raise InputError(
            f"{_public(url)} answers with HTTP {response.status_code}.",
            "Open it in a browser, and give the address of the file itself.",
        )
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise InputError(f"{_public(url)} sends the file compressed.", "Have it served as it is.")
    too_large = InputError(
        f"{_public(url)} is larger than {largest / 1_000_000:.0f} MB.", "Give a smaller file."
    )
    stated = response.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and len(stated) < 20 and int(stated) > largest:
        raise too_large
    chunks, size = [], 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > largest:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _public(url: httpx.URL) -> str:
    """An address without its query, which may hold a signature."""
    return str(url.copy_with(query=None, fragment=None, userinfo=b""))[:200]


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__
