"""An HTTP server on loopback that answers what a test has written down, and keeps the requests."""

from __future__ import annotations

import gzip
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERSION = "v26.0"


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, str]:
        """The query's or the form's values; each name comes once."""
        found = parse_qs(urlsplit(self.target).query or self.body, keep_blank_values=True)
        assert all(len(values) == 1 for values in found.values())
        return {name: values[0] for name, values in found.items()}


@dataclass(frozen=True)
class Answer:
    """What is sent back. `claimed` bytes are announced though fewer follow."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    claimed: int | None = None


class Drop:
    """Closes the connection without a word."""


class Hang:
    """Never answers."""


Step = Answer | Drop | Hang


def ok(body: Any, **headers: str) -> Answer:
    """A good reply."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(200, json.dumps(body).encode(), {"facebook-api-version": VERSION, **named})


def refused(
    code: int | None, subcode: int | None = None, *, status: int = 400, **more: Any
) -> Answer:
    """Meta's error envelope; `headers` among `more` are sent as such."""
    headers = more.pop("headers", {})
    error = {"message": "No", "type": "OAuthException", "code": code, "fbtrace_id": "A1b2", **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer(status, json.dumps({"error": error}).encode(), headers)


def broken_gzip() -> Answer:
    """A body that says it is compressed and is not."""
    packed = b"\x1f\x8b" + gzip.compress(b"{}")[5:]
    return Answer(200, packed, {"content-encoding": "gzip"})


class Scripted:
    """The server; `url` is its address, `requests` what it was asked."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.requests: list[Request] = []
        self._steps = deque(steps)
        self._over = threading.Event()
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length).decode("utf-8", "surrogateescape")
                headers = {name.lower(): value for name, value in self.headers.items()}
                script.requests.append(Request(self.command, self.path, headers, body))
                step = script.next_step()
                if isinstance(step, Answer):
                    self.send_response(step.status)
                    for name, value in step.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(step.claimed or len(step.body)))
                    self.end_headers()
                    self.wfile.write(step.body)
                    if step.claimed is None:
                        return
                elif isinstance(step, Hang):
                    script.wait_for_the_end()
                self.close_connection = True

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's own names

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def next_step(self) -> Step:
        """The next answer; past the script's end a refusal that no test expects."""
        return self._steps.popleft() if self._steps else refused(999_999, message="script is over")

    def wait_for_the_end(self) -> None:
        """Block a hanging connection until the test is done."""
        self._over.wait(30)

    def stop(self) -> None:
        """End the server."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def unused(self) -> int:
        """Answers that nobody asked for."""
        return len(self._steps)


@contextmanager
def scripted(*steps: Step) -> Iterator[Scripted]:
    """Serve `steps`, one a request, in order."""
    server = Scripted(steps)
    try:
        yield server
    finally:
        server.stop()
