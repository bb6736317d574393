"""Which policies a backtest compares, and with which a decision of the past is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zyenta_ads_pipeline.account_rules import rules_of
from zyenta_ads_pipeline.optimizer.deciding import Policy
from zyenta_ads_pipeline.optimizer.policies import policy_names
from zyenta_ads_pipeline.policy_files import chosen_policy
from zyenta_ads_pipeline.settings import Settings


def compared_policies(own: Policy, named: Sequence[str]) -> list[Policy]:
    """The policies named, each a name or a file's; without any, those that come with the product
    and the account's `own`. A relative path starts at the working directory. Raises
    `SettingsError` for one that cannot be used."""
    wanted = dict.fromkeys(named or policy_names())
    chosen = [own if each == own.name else chosen_policy(each, Path.cwd()) for each in wanted]
    return chosen if named or own.name in wanted else [*chosen, own]


def policy_of(settings: Settings, account_id: str, name: str) -> Policy:
    """The policy `name` of an account: its own, or one that comes with the product."""
    own = rules_of(settings, account_id).policy
    return own if own.name == name else chosen_policy(name, Path.cwd())
