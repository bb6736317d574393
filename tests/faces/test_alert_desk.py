"""`zyenta alerts` as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from zyenta_ads_pipeline.cli import app
from zyenta_ads_pipeline.connections import notifier_of
from zyenta_ads_pipeline.domain.errors import AuthenticationFailed
from zyenta_ads_pipeline.ingestion.alerting import account_outcomes
from zyenta_ads_pipeline.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZYENTA_HOME", str(tmp_path / "home"))


def shown() -> str:
    done = CliRunner().invoke(app, ["alerts"])
    assert done.exit_code == 0, done.output
    return done.output


def test_open_alerts_are_listed_with_their_remedies_until_they_are_over() -> None:
    assert "No alerts" in shown()
    dead = AuthenticationFailed("The token [expired].", "Put a valid one in.")
    with notifier_of(load_settings()) as notifier:
        account_outcomes(notifier, [], {"1": dead, "2": dead}, "insights")
    text = shown()
    for words in ("token:act_1", "token:act_2", "The token [expired].", "Put a valid one in."):
        assert words in text
    assert "no webhook" in text
    with notifier_of(load_settings()) as notifier:
        account_outcomes(notifier, ["1"], {}, "insights")
    assert "token:act_1" not in shown()
    assert "token:act_2" in shown()
