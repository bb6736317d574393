"""The content hash changes with what Meta said, and with nothing else."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.lake.frames import DAY, SEEN, frame
from zyenta_ads_pipeline.lake.content import HASHED, with_content_hash
from zyenta_ads_pipeline.lake.schema import STAT_FIELDS
from zyenta_ads_pipeline.lake.tables import RAW_INSIGHTS

ROW: dict[str, Any] = {
    "date": DAY,
    "account_id": "1",
    "level": "ad",
    "object_id": "31",
    "campaign_id": "10",
    "impressions": "100",
    "clicks": "5",
    "spend": "1.20",
    "actions": [{"action_type": "purchase", "value": "2", "1d_view": "1"}],
}
TEXT = st.none() | st.text("ab1.", max_size=3)
ITEM = st.fixed_dictionaries(dict.fromkeys(STAT_FIELDS, TEXT))


def hashes(*rows: dict[str, Any]) -> list[str]:
    found: list[str] = with_content_hash(frame(RAW_INSIGHTS, rows))["content_hash"].to_list()
    return found


def test_it_is_the_same_for_ever() -> None:
    """A change here would make every stored row look restated."""
    assert hashes(ROW, {}) == [
        "b0df6d62977d23222b8f1a5250771de2",
        "7e1bf87e9fd6300a089fce5f5394e674",
    ]


@pytest.mark.parametrize("name", HASHED)
def test_any_column_of_content_changes_it(name: str) -> None:
    other = [{"action_type": "x"}] if name in ("actions", "action_values") else "9"
    assert len(set(hashes({}, {name: other}))) == 2


@pytest.mark.parametrize("change", [{"observed_at": SEEN}, {"run_id": "r"}, {"object_id": "32"}])
def test_key_moment_and_run_do_not(change: dict[str, Any]) -> None:
    assert len(set(hashes(ROW, ROW | change))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"clicks": None}, {"clicks": ""}),
        ({"actions": None}, {"actions": []}),
        ({"clicks": "5", "reach": None}, {"clicks": None, "reach": "5"}),
        ({"actions": ROW["actions"]}, {"actions": ROW["actions"] * 2}),
        ({"actions": ROW["actions"]}, {"action_values": ROW["actions"]}),
    ],
)
def test_what_differs_does_not_run_together(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert len(set(hashes(one, other))) == 2


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(ITEM, max_size=5), st.lists(ITEM, max_size=5), st.randoms(use_true_random=False))
def test_actions_count_as_a_bag(
    left: list[dict[str, Any]], right: list[dict[str, Any]], chance: Any
) -> None:
    turned = list(left)
    chance.shuffle(turned)
    first, shuffled, second = hashes({"actions": left}, {"actions": turned}, {"actions": right})
    assert first == shuffled

    def bag(items: list[dict[str, Any]]) -> list[str]:
        return sorted(str([item[field] for field in STAT_FIELDS]) for item in items)

    assert (first == second) == (bag(left) == bag(right))


def test_an_empty_frame_has_its_column() -> None:
    empty = with_content_hash(pl.DataFrame(schema=RAW_INSIGHTS.schema))
    assert empty.schema["content_hash"] == pl.String
