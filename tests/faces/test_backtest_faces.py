"""`zyenta backtest`, `zyenta replay` and the asset: one's own past, in words, JSON and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner, Result

from tests.campaigns.stored_history import ACCOUNT, Campaign, World, day, remembered
from zyenta_ads_pipeline.assets.backtest import backtest_scores
from zyenta_ads_pipeline.cli import app
from zyenta_ads_pipeline.lake.backtest_tables import BACKTEST_DAYS, BACKTEST_SCORES
from zyenta_ads_pipeline.resources import LakeResource
from zyenta_ads_pipeline.settings import Settings

OWN_POLICY = """
import polars as pl

class Halved:
    name = "halved"
    shares_total = False

    def decide(self, account):
        return account.campaigns.select(
            "campaign_id",
            action=pl.lit("decrease"),
            new_budget=pl.col("current_minor") / 2 / account.offset,
            reason=pl.lit("Half of everything"),
            confidence=0.6,
        )
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root: Path = tmp_path_factory.mktemp("faces")
    campaigns = [
        Campaign("1", 60, {0: 100.0, 8: 80.0}, elasticity=0.7),
        Campaign("2", 20, {0: 90.0}, elasticity=0.5),
    ]
    return remembered(root, campaigns, days=24)


@pytest.fixture(autouse=True)
def home(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a home whose lake is the world's, in an empty working directory."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path))
    monkeypatch.setenv("ZYENTA_LAKE_ROOT", world.lake.root)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_backtest_tells_what_it_found_and_what_it_cannot_know() -> None:
    asked = ("--from", str(day(21)), "--to", str(day(22)))
    result = _run("backtest", "--account", f"act_{ACCOUNT}", "--policy", "equal", *asked)
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    assert "2 of 2 days" in told
    assert "equal: " in told
    assert "What this cannot know" in told
    assert "Nobody saw the budgets that were not set" in told


def test_a_policy_of_ones_own_is_tested_like_any_other(home: Path) -> None:
    (home / "mine.py").write_text(OWN_POLICY, encoding="utf-8")
    asked = ("--from", str(day(22)), "--to", str(day(22)), "--json")
    own = ("--policy", "mine.py:Halved", "--policy", "roas_thresholds")
    result = _run("backtest", "--account", ACCOUNT, *own, *asked)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    scores = {row["policy"]: row for row in told["scores"]}
    assert set(scores) == {"halved", "roas_thresholds"}
    assert scores["halved"]["spend_difference"] < 0
    assert scores["halved"]["revenue_difference"] < 0
    assert len(told["cannot_know"]) > 2


def test_a_range_that_is_not_over_is_explained() -> None:
    result = _run("backtest", "--account", ACCOUNT, "--from", str(day(22)), "--to", str(day(23)))
    assert result.exit_code == 1
    assert "End the range on" in " ".join(result.stderr.split())


def test_an_unknown_decision_cannot_be_replayed() -> None:
    result = _run("replay", "77-nobody")
    assert result.exit_code == 1
    assert "There is no decision" in " ".join(result.stderr.split())


def test_the_asset_keeps_the_newest_backtest_with_its_pictures(world: World) -> None:
    config = {"accounts": [f"act_{ACCOUNT}"], "days": 1}
    run_config = dg.RunConfig({"backtest_scores": {"config": config}})
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [backtest_scores],
            instance=instance,
            resources={"lake": LakeResource()},
            run_config=run_config,
        )
        (event,) = result.asset_materializations_for_node("backtest_scores")[-1:]
    assert all(one.passed for one in result.get_asset_check_evaluations())
    told = {name: str(value.value) for name, value in event.metadata.items()}
    assert "data:image/svg+xml" in told[f"revenue of act_{ACCOUNT}"]
    assert "estimate" in told["what it cannot know"]
    snapshot = world.lake.snapshot()
    scores = snapshot.scan(BACKTEST_SCORES).collect()
    assert scores["policy"].sort().to_list() == [
        "equal", "response_curve", "roas_proportional", "roas_thresholds",
    ]  # fmt: skip
    days = snapshot.scan(BACKTEST_DAYS).collect()
    assert days["date"].unique().sort().to_list() == [day(23)]
