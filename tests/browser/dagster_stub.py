"""What the console asks Dagster's web server, answered in a thread: up or down, runs that go one
step further whenever somebody looks."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

STEPS = ("raw_insights", "ad_objects", "ad_metrics", "account_metrics")


class StubDagster:
    """A Dagster whose runs end well. `down`: it answers nothing but 503."""

    def __init__(self) -> None:
        self.url = ""
        self.down = False
        self._lock = Lock()
        self._runs: dict[str, dict[str, Any]] = {}

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The data of one reply."""
        with self._lock:
            if "launchRun" in query:
                return {"launchRun": self._launch(variables["params"])}
            if "repositoriesOrError" in query:
                return {"repositoriesOrError": self._jobs()}
            if "runsOrError" in query:
                found = list(self._runs.values())[::-1] if "tags" not in variables["filter"] else []
                return {"runsOrError": {"__typename": "Runs", "results": found}}
            if "runOrError" in query:
                return {"runOrError": self._run(variables["id"])}
            return {"version": "stub"}

    def _jobs(self) -> dict[str, Any]:
        jobs = [{"name": "sync"}, {"name": "hourly"}]
        place = {"name": "__repository__", "location": {"name": "zyenta_ads_pipeline"}}
        return {"__typename": "RepositoryConnection", "nodes": [place | {"pipelines": jobs}]}

    def _launch(self, params: dict[str, Any]) -> dict[str, Any]:
        own = str(uuid.uuid4())
        self._runs[own] = {
            "__typename": "Run",
            "runId": own,
            "jobName": params["selector"]["jobName"],
            "status": "STARTED",
            "tags": params["executionMetadata"]["tags"],
            "startTime": time.time(),
            "endTime": None,
            "stepStats": [],
            "executionPlan": {"steps": [{"key": name} for name in STEPS]},
        }
        return {"__typename": "LaunchRunSuccess", "run": {"runId": own}}

    def _run(self, own: str) -> dict[str, Any]:
        run = self._runs.get(own)
        if run is None:
            return {"__typename": "RunNotFoundError"}
        done = len(run["stepStats"])
        if done < len(STEPS):
            moment = {"startTime": time.time(), "endTime": time.time()}
            run["stepStats"].append({"stepKey": STEPS[done], "status": "SUCCESS"} | moment)
        else:
            run |= {"status": "SUCCESS", "endTime": time.time()}
        return run


@contextmanager
def stub_dagster() -> Iterator[StubDagster]:
    """Serve one on loopback."""
    stub = StubDagster()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = {} if stub.down else {"data": stub.answer(asked["query"], asked["variables"])}
            body = json.dumps(told).encode()
            self.send_response(503 if stub.down else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
