"""An account's rules as JSON beside its decisions, so that they can be taken again under the rules
of their time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from zyenta_ads_pipeline.campaigns.rules import AccountBounds, AccountRules
from zyenta_ads_pipeline.domain.errors import InputError
from zyenta_ads_pipeline.optimizer.deciding import Policy

_POLICY, _DIGEST = "policy", "policy_digest"


def rules_to_json(rules: AccountRules) -> str:
    """The rules as JSON, keys sorted; of the policy its name, and the digest of the file it came
    from, if it has one: a replay with a changed file is told. Equal rules give equal text."""
    told = {field.name: getattr(rules, field.name) for field in dataclasses.fields(rules)}
    told[_POLICY] = rules.policy.name
    if digest := getattr(rules.policy, "digest", None):
        told[_DIGEST] = digest
    return json.dumps(_plain(told), sort_keys=True, separators=(",", ":"))


def policy_name(text: str) -> str:
    """The name of the policy in rules written by `rules_to_json`."""
    return str(_parsed(text)[_POLICY])


def rules_from_json(text: str, policy: Policy) -> AccountRules:
    """Rules written by `rules_to_json`, with that policy. Rules that did not exist then take their
    defaults. Raises `InputError` for other text."""
    told = _parsed(text)
    if told.pop(_POLICY) != policy.name:
        raise InputError(
            f"The rules are of the policy {policy_name(text)}, not of {policy.name}.",
            "Give the policy that decided.",
        )
    return AccountRules(policy=policy, **_bounds(told))


def bounds_from_json(text: str) -> AccountBounds:
    """The same without the policy. Raises `InputError` for other text."""
    return AccountBounds(**_bounds(_parsed(text)))


def _bounds(told: Mapping[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(AccountBounds)
    return {name: _read(hints[name], value) for name, value in told.items() if name in hints}


def _parsed(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (TypeError, ValueError):  # none at all: it was taken before rules were kept
        told = None
    if not isinstance(told, dict) or _POLICY not in told:
        raise InputError("The rules of the decision cannot be read.", "Decide again.")
    return told


def _plain(value: Any) -> Any:
    """What JSON can hold of a value; amounts as text, so that they stay exact."""
    told: Any = value
    if isinstance(value, Enum):
        told = value.value
    elif isinstance(value, Decimal):
        told = str(value)
    elif isinstance(value, date):
        told = value.isoformat()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    elif isinstance(value, Mapping):
        told = {str(name): _plain(each) for name, each in value.items()}
    elif isinstance(value, list | tuple | set | frozenset):
        told = [_plain(each) for each in value]
    return told


def _read(hint: Any, value: Any) -> Any:  # noqa: PLR0911 - one per kind of type
    """The value of the type that a field declares."""
    if value is None:
        return None
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _read(next(each for each in of if each is not type(None)), value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: _read(of[1], each) for name, each in value.items()}
    if origin in (tuple, list, frozenset):
        return origin(_read(of[0], each) for each in value)
    if hint is Decimal:
        return Decimal(value)
    if hint is date:
        return date.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        inner = get_type_hints(hint)
        return hint(**{name: _read(inner[name], each) for name, each in value.items()})
    return value
