"""A policy from a user's own file: what is asked of it, and how its faults are told."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.optimizer.some_account import account, campaign, ran
from zyenta_ads_pipeline.campaigns.rules import AccountRules
from zyenta_ads_pipeline.campaigns.rules_json import rules_from_json, rules_to_json
from zyenta_ads_pipeline.domain.errors import InputError, SettingsError
from zyenta_ads_pipeline.optimizer.deciding import decided
from zyenta_ads_pipeline.optimizer.planning import plan
from zyenta_ads_pipeline.policy_files import FilePolicy, chosen_policy

GOOD = '''
from __future__ import annotations

from dataclasses import dataclass
import polars as pl


@dataclass(frozen=True)
class Tenth:
    """A tenth more for everybody."""

    name: str = "tenth"
    shares_total: bool = False

    def decide(self, account):
        return account.campaigns.select(
            "campaign_id",
            action=pl.lit("increase"),
            new_budget=pl.col("current_minor") / account.offset * 1.1,
            reason=pl.lit("A tenth more"),
            confidence=pl.lit(0.5),
        )
'''


def chosen(tmp_path: Path, text: str, wanted: str = "Tenth") -> FilePolicy:
    (tmp_path / "own.py").write_text(text)
    found = chosen_policy(f"own.py:{wanted}", tmp_path)
    assert isinstance(found, FilePolicy)
    return found


def test_a_policy_from_a_file_decides_like_any_other(tmp_path: Path) -> None:
    own = chosen(tmp_path, GOOD)
    assert (own.name, own.shares_total) == ("tenth", False)
    planned = plan(account([campaign("1"), campaign("2", 5_000)], [*ran("1"), *ran("2")]), own)
    assert planned.allocation.rows["budget_minor"].to_list() == [11_000, 5_500]


def test_a_path_may_be_absolute_and_the_digest_tells_the_text(tmp_path: Path) -> None:
    one = chosen(tmp_path, GOOD)
    (tmp_path / "other.py").write_text(GOOD.replace("1.1", "1.2"))
    other = chosen_policy(f"{tmp_path}/other.py:Tenth", Path("/"))
    assert isinstance(other, FilePolicy)
    assert one.digest != other.digest
    # A decision keeps its rules as text: a replay with a file changed since comes out otherwise.
    kept = [rules_to_json(AccountRules(policy=each)) for each in (one, other)]
    assert kept[0] != kept[1]
    assert rules_from_json(kept[0], one) == AccountRules(policy=one)
    assert one.digest == chosen(tmp_path, GOOD).digest


def test_a_name_is_one_of_the_products_own(tmp_path: Path) -> None:
    assert chosen_policy("equal", tmp_path).name == "equal"
    with pytest.raises(SettingsError, match=r"or a file's: path/to/file\.py:ClassName"):
        chosen_policy("bold", tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("class Tenth:", "class Other:", "has no class Tenth"),
        ("class Tenth:", "class Tenth", r"does not run \(line \d+\): SyntaxError"),
        ("import polars as pl", "import polar_bears", r"own.py, line 5\): ModuleNotFoundError"),
        ('"tenth"', '""', "has no name"),
        ('"tenth"', '"equal"', "which is taken"),
        ('"tenth"', '"undo"', "which is taken"),
        ('"tenth"', '"buyer"', "which is taken"),
        ("shares_total: bool = False", "shares_total: int = 0", "does not say shares_total"),
        ("def decide", "def chose", r"has no method decide\(account\)"),
        ('name: str = "tenth"', "name: str", "cannot be made"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    assert before in GOOD
    with pytest.raises(SettingsError, match=told) as refused:
        chosen(tmp_path, GOOD.replace(before, after))
    assert "own.py" in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        chosen_policy("gone.py:Mine", tmp_path)


def test_a_fault_inside_is_told_with_file_line_and_account(tmp_path: Path) -> None:
    own = chosen(tmp_path, GOOD.replace('"current_minor"', '"curent_minor"'))
    with pytest.raises(InputError, match=r"tenth failed on act_1 \(.*own.py, line 1\d\)"):
        decided(own, account([campaign()]))
    nothing = chosen(tmp_path, GOOD.replace("return account", "account"))
    with pytest.raises(InputError, match="NoneType, which is no Polars DataFrame"):
        decided(nothing, account([campaign()]))


def test_an_answer_that_cannot_be_acted_on_names_the_policy(tmp_path: Path) -> None:
    own = chosen(tmp_path, GOOD.replace("pl.lit(0.5)", "pl.lit(1.5)"))
    with pytest.raises(InputError, match="policy tenth cannot be used: a confidence"):
        decided(own, account([campaign()]))


def test_the_files_own_errors_of_ours_pass_as_they_are(tmp_path: Path) -> None:
    text = GOOD.replace(
        "        return account.campaigns",
        "        from zyenta_ads_pipeline.domain.errors import InputError\n"
        '        raise InputError("Too few sales.")\n'
        "        return account.campaigns",
    )
    with pytest.raises(InputError, match=r"^Too few sales\.$"):
        chosen(tmp_path, text).decide(account([campaign()]))


def test_the_same_history_gives_the_same_frame(tmp_path: Path) -> None:
    own = chosen(tmp_path, GOOD)
    history = account([campaign()], ran())
    assert isinstance(own.decide(history), pl.DataFrame)
    assert own.decide(history).equals(own.decide(history))
