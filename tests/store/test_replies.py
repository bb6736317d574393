"""Kept replies and the audit."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.store.campaign_samples import LATER, NOW
from zyenta_ads_pipeline.domain.errors import InProgress, InputError, TakenAlready
from zyenta_ads_pipeline.store.audit import Audit
from zyenta_ads_pipeline.store.database import Store
from zyenta_ads_pipeline.store.replies import GIVEN_UP_AFTER, KEPT_FOR, KeptReply, Replies

REPLY = KeptReply(201, (("content-type", "application/json"), ("etag", '"a"')), b'{"id": 1}')


@pytest.fixture
def replies(store: Store) -> Replies:
    return Replies(store)


def test_the_first_reply_is_given_again(replies: Replies) -> None:
    assert replies.begin("eva", "k", route="POST /a", body=b"{}", now=NOW) is None
    with pytest.raises(InProgress, match="still being answered"):
        replies.begin("eva", "k", route="POST /a", body=b"{}", now=NOW)
    replies.keep("eva", "k", REPLY)
    assert replies.begin("eva", "k", route="POST /a", body=b"{}", now=LATER) == REPLY
    assert replies.begin("max", "k", route="POST /a", body=b"{}", now=LATER) is None


@pytest.mark.parametrize(("route", "body"), [("POST /b", b"{}"), ("POST /a", b"{ }")])
def test_a_key_is_for_one_request(replies: Replies, route: str, body: bytes) -> None:
    replies.begin("eva", "k", route="POST /a", body=b"{}", now=NOW)
    with pytest.raises(TakenAlready, match="another request"):
        replies.begin("eva", "k", route=route, body=body, now=NOW)


@pytest.mark.parametrize("key", ["", "  ", "x" * 201])
def test_what_is_no_key_is_refused(replies: Replies, key: str) -> None:
    with pytest.raises(InputError, match="Idempotency-Key"):
        replies.begin("eva", key, route="POST /a", body=b"", now=NOW)


def test_a_key_is_free_again_after_a_day_a_crash_or_a_drop(replies: Replies) -> None:
    ask = {"route": "POST /a", "body": b"{}"}
    replies.begin("eva", "crash", now=NOW, **ask)  # type: ignore[arg-type]
    assert replies.begin("eva", "crash", now=NOW + GIVEN_UP_AFTER, **ask) is None  # type: ignore[arg-type]
    replies.begin("eva", "drop", now=NOW, **ask)  # type: ignore[arg-type]
    replies.drop("eva", "drop")
    assert replies.begin("eva", "drop", now=NOW, **ask) is None  # type: ignore[arg-type]
    replies.keep("eva", "drop", REPLY)
    replies.drop("eva", "drop")
    assert replies.begin("eva", "drop", now=NOW, **ask) == REPLY  # type: ignore[arg-type]
    over = NOW + KEPT_FOR + timedelta(seconds=1)
    assert replies.begin("eva", "drop", now=over, **ask) is None  # type: ignore[arg-type]


def test_of_requests_at_once_one_goes_ahead(store: Store) -> None:
    went: list[bool] = []
    barrier = threading.Barrier(5)

    def ask() -> None:
        barrier.wait()
        try:
            Replies(store).begin("eva", "k", route="POST /a", body=b"", now=NOW)
            went.append(True)
        except InProgress:
            went.append(False)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(went) == [False] * 4 + [True]


def test_acts_are_listed_newest_first_and_for_whom_they_are(store: Store) -> None:
    audit = Audit(store)
    for number, (who, kind) in enumerate(
        [("eva", "campaign"), ("ada", "token"), ("eva", "session"), ("max", "change")]
    ):
        audit.write(at=NOW, who=who, role="buyer", via="api", act=f"{kind}.act", kind=kind,
                    about=str(number), detail={"n": number}, refused=number == 3)  # fmt: skip
    everything = audit.entries()
    assert [each.about for each in everything] == ["3", "2", "1", "0"]
    assert everything[0].refused
    assert everything[0].detail == {"n": 3}
    assert [each.about for each in audit.entries(before=everything[1].id)] == ["1", "0"]
    assert [each.about for each in audit.entries(who="eva")] == ["2", "0"]
    assert [each.about for each in audit.entries(kind="token", about="1")] == ["1"]
    mine = audit.entries(for_person="eva", kinds=("campaign", "change"))
    assert [each.about for each in mine] == ["3", "2", "0"]
    assert len(audit.entries(limit=1)) == 1
