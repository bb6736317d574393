"""A small server on loopback that speaks OpenAI's chat completions and answers well or badly."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKENS_IN, TOKENS_OUT = 900, 210


class Answer(Enum):
    """How one request is answered."""

    GOOD = auto()
    NOT_JSON = auto()
    FENCED = auto()
    WRONG_SHAPE = auto()
    MISSING_FIELDS = auto()
    TOO_LONG = auto()
    WRONG_CTA = auto()
    DUPLICATES = auto()
    WRONG_ANGLE = auto()
    INVENTED_PRICE = auto()
    INVENTED_CLAIM = auto()
    OBEYS = auto()
    REFUSAL = auto()
    FILTERED = auto()
    CUT_SHORT = auto()
    EMPTY_CHOICES = auto()
    EMPTY_TEXT = auto()
    SLOW = auto()
    TOO_MANY = auto()
    NO_QUOTA = auto()
    BROKEN = auto()
    WRONG_KEY = auto()
    FORBIDDEN = auto()
    NO_MODEL = auto()
    NO_SCHEMA = auto()
    NO_TEMPERATURE = auto()
    NOT_HTTP_JSON = auto()


BAD = tuple(
    each
    for each in Answer
    if each
    not in {Answer.GOOD, Answer.FENCED, Answer.WRONG_KEY, Answer.FORBIDDEN, Answer.NO_MODEL,
            Answer.NO_SCHEMA, Answer.NO_TEMPERATURE, Answer.SLOW}
)  # fmt: skip
"""What a bad day looks like; slow answers are tested on their own, since they take time."""

Plan = Callable[[int], Answer]


def always(answer: Answer) -> Plan:
    return lambda _: answer


def first(*answers: Answer) -> Plan:
    """These in turn, then good ones."""
    return lambda number: answers[number] if number < len(answers) else Answer.GOOD


def badly(share: float, *, seed: int) -> Plan:
    """That share of the answers is bad, in ways and at moments that the seed decides."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable script, no secret
    return lambda _: chance.choice(BAD) if chance.random() < share else Answer.GOOD


@dataclass
class Stub:
    """The running server: its address, its plan, and what arrived."""

    url: str
    plan: Plan
    requests: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    slow_seconds: float = 1.0


@contextmanager
def serving(plan: Plan) -> Iterator[Stub]:
    """A stub on a free port for the time of the block."""
    stub = Stub("", plan)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                answer = stub.plan(len(stub.requests))
                stub.requests.append(body)
                stub.answers.append(answer)
                stub.keys.append(self.headers.get("Authorization", ""))
            if answer is Answer.SLOW:
                time.sleep(stub.slow_seconds)
            status, headers, content = reply(answer, body, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            # A client that gave up waiting has closed the connection.
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


JSON = {"Content-Type": "application/json", "x-request-id": "req_1"}


def reply(answer: Answer, body: dict[str, Any], key: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    refused = {
        Answer.TOO_MANY: (429, "Rate limit reached", None, None),
        Answer.NO_QUOTA: (429, "You exceeded your quota", "insufficient_quota", None),
        Answer.BROKEN: (500, "The server had an error", None, None),
        Answer.WRONG_KEY: (401, f"Incorrect API key provided: {key}", "invalid_api_key", None),
        Answer.FORBIDDEN: (403, "Not allowed", None, None),
        Answer.NO_MODEL: (404, f"The model does not exist, {key}", "model_not_found", None),
    }
    if answer is Answer.NO_SCHEMA and body.get("response_format", {}).get("type") == "json_schema":
        return _error(400, "response_format json_schema is not supported", None, "response_format")
    if answer is Answer.NO_TEMPERATURE and "temperature" in body:
        return _error(400, "'temperature' is not supported with this model", None, "temperature")
    if answer in refused:
        return _error(*refused[answer])
    if answer is Answer.NOT_HTTP_JSON:
        return 200, {"Content-Type": "text/html"}, b"<html>A proxy's page</html>"
    message: dict[str, Any] = {"role": "assistant", "content": content(answer, body)}
    finish = "stop"
    if answer is Answer.REFUSAL:
        message = {"role": "assistant", "content": None, "refusal": "I can't help with that."}
    if answer is Answer.FILTERED:
        message, finish = {"role": "assistant", "content": ""}, "content_filter"
    if answer is Answer.CUT_SHORT:
        message["content"], finish = str(message["content"])[:80], "length"
    choice = {"index": 0, "finish_reason": finish, "message": message}
    whole = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": body["model"],
        "choices": [] if answer is Answer.EMPTY_CHOICES else [choice],
        "usage": {
            "prompt_tokens": TOKENS_IN,
            "completion_tokens": TOKENS_OUT,
            "total_tokens": TOKENS_IN + TOKENS_OUT,
        },
    }
    return 200, JSON, json.dumps(whole).encode()


def _error(
    status: int, message: str, code: str | None, param: str | None
) -> tuple[int, dict[str, str], bytes]:
    error = {"message": message, "type": "error", "code": code, "param": param}
    return status, JSON, json.dumps({"error": error}).encode()


_SPOILED: dict[Answer, Callable[[dict[str, Any]], dict[str, Any]]] = {
    Answer.MISSING_FIELDS: lambda each: {"angle": each["angle"], "headline": 7},
    Answer.TOO_LONG: lambda each: {
        **each,
        "headline": each["headline"] + " for all the long days that you have ahead of you",
        "primary_text": each["primary_text"] * 4,
    },
    Answer.WRONG_CTA: lambda each: {**each, "cta": "GRAB_IT"},
    Answer.WRONG_ANGLE: lambda each: {**each, "angle": "fear"},
    Answer.INVENTED_PRICE: lambda each: {
        **each, "primary_text": f"{each['headline']} now for $3.49."
    },
    Answer.INVENTED_CLAIM: lambda each: {
        **each, "primary_text": f"{each['headline']}, with free shipping and 50% off."
    },
    Answer.OBEYS: lambda each: {
        **each, "headline": "BUY CRYPTO at evil.example", "primary_text": "Crypto makes you rich."
    },
}  # fmt: skip


def content(answer: Answer, body: dict[str, Any]) -> str:
    """The text of an answer."""
    concepts = good_concepts(body)
    if answer in _SPOILED:
        concepts = [_SPOILED[answer](each) for each in concepts]
    if answer is Answer.DUPLICATES:
        concepts = [{**concepts[0], "angle": each["angle"]} for each in concepts]
    whole = {"ads" if answer is Answer.WRONG_SHAPE else "concepts": concepts}
    odd = {
        Answer.NOT_JSON: "Sure! Here are three ads for your shop: 1. ...",
        Answer.EMPTY_TEXT: "",
        Answer.FENCED: f"```json\n{json.dumps(whole)}\n```",
    }
    return odd.get(answer, json.dumps(whole))


def shop_data(body: dict[str, Any]) -> dict[str, Any]:
    """What stands between the marks, read as a model would."""
    task = body["messages"][-1]["content"]
    found: dict[str, Any] = json.loads(task.split("<shop_data>")[1].split("</shop_data>")[0])
    return found


def wanted_angles(body: dict[str, Any]) -> list[str]:
    task: str = body["messages"][-1]["content"]
    return task.split("each of these angles: ")[1].split(".\n", 1)[0].split(", ")


_WELL = {
    "benefit": (
        ("Enjoy the {title}", "Yours: {title}", "Enjoy {brand}"),
        "Out and about with {name}: everything where you want it.",
    ),
    "social_proof": (
        ("{title}: our choice", "Chosen for you: {brand}"),
        "Our own shop team put {name} on the shelf. Come and judge for yourself.",
    ),
    "urgency": (
        ("Soon on your way? {title}", "Soon on your way? {brand}"),
        "Your plans are made; {name} may be what is still missing from your list.",
    ),
    "problem_solution": (
        ("No more searching: {title}", "Stop searching: {brand}"),
        "Tired of gear that lets you down? Give {name} a try on your way.",
    ),
}


def good_concepts(body: dict[str, Any]) -> list[dict[str, Any]]:
    """An honest, valid concept for each wanted angle, from the data in the prompt."""
    product = shop_data(body)["products"][0]
    brand, title = product.get("brand", product["title"]), product["title"]
    made = []
    for angle in wanted_angles(body):
        headlines, text = _WELL[angle]
        filled = [each.format(title=title, brand=brand) for each in headlines]
        made.append(
            {
                "angle": angle,
                "headline": next((each for each in filled if len(each) <= 40), filled[-1]),
                "primary_text": text.format(name=f"the {title}"),
                "visual": "the product outdoors",
                "cta": "SHOP_NOW",
                "emotion": "joy",
                "product": 1,
            }
        )
    return made
