"""Schemathesis against the OpenAPI document: no server error, no undeclared reply.

The store has something in it, and its ids are among what is tried, so that more than "not there" is
answered. Dagster is down: what asks it says so (503), which is declared.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi import checks

from tests.api.home import Home, opened, proposal, proposed
from zyenta_ads_pipeline.domain.access import Role
from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.store.outbox import Outbox

CHOSEN: list[Any] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
_numbers = itertools.count(1)
_ASKS_DAGSTER = "/api/v1/ads/runs"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One console for all examples."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        opened(tmp_path_factory.mktemp("fuzz"), monkeypatch) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def document(home: Home) -> Any:
    return schemathesis.openapi.from_asgi(
        "/api/openapi.json", home.app, headers={"Host": "localhost"}
    )


def bounded(examples: int) -> Callable[[Any], Any]:
    """So many examples for each call, the same on every machine, nothing looked at closer."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def checked(case: Any, home: Home) -> None:
    """One example, asked by an admin with ids that are there, and its reply looked at."""
    known = ids(home)
    for name in known.keys() & case.path_parameters.keys():
        case.path_parameters[name] = known[name]
    sent = {"Authorization": f"Bearer {home.tokens[Role.ADMIN]}", "Host": "localhost"}
    case.headers.pop("Prefer", None)  # to wait for what nobody does takes its time
    reply = case.call(headers=sent)
    down = reply.status_code == 503 and case.path.startswith(_ASKS_DAGSTER)
    assert reply.status_code < 500 or down, reply.text
    case.validate_response(reply, checks=CHOSEN)


def ids(home: Home) -> dict[str, str]:
    """What is there, by the names that paths have for it; a change that can be decided on."""
    own = home.campaigns[1]
    assert own.platform_campaign_id is not None
    waiting = Outbox(home.store).find(states=[ChangeState.PROPOSED])
    if waiting:
        change = waiting[0].id
    else:
        number = next(_numbers)
        new = proposal(own.platform_campaign_id, decision_id=f"d{number}", object_id=f"7{number}")
        (change,) = proposed(home.store, new)
    return {
        "campaign_id": own.id,
        "creative_id": own.creatives[0].id,
        "change_id": change,
        "store_id": "shop",
        "account_id": "act_101",
        "asset_id": "m1",
    }


def tried(document: Any, home: Home, examples: int) -> None:
    """So many examples of every call; all that fail are told together."""
    failed: dict[str, str] = {}
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) > 50
    for operation in operations:

        @bounded(examples)
        @given(case=operation.as_strategy())
        def one(case: Any) -> None:
            checked(case, home)

        try:
            one()
        except Exception as error:
            failed[operation.label] = f"{type(error).__name__}: {error}"[:1500]
    if failed:
        pytest.fail("\n\n".join(f"{label}: {told}" for label, told in failed.items()))


def test_every_call_keeps_to_its_word(document: Any, home: Home) -> None:
    tried(document, home, 3)


@pytest.mark.slow
def test_every_call_keeps_to_its_word_for_long(document: Any, home: Home) -> None:
    tried(document, home, 40)
