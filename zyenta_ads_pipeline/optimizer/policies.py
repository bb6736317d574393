"""The policies that come with the product, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zyenta_ads_pipeline.domain.errors import SettingsError

if TYPE_CHECKING:
    from zyenta_ads_pipeline.optimizer.deciding import Policy

_NAMES = ("equal", "response_curve", "roas_proportional", "roas_thresholds")


def policy_names() -> tuple[str, ...]:
    """The names `policy` knows, in alphabetical order."""
    return _NAMES


def policy(name: str) -> Policy:
    """The policy of that name with its default settings; `SettingsError` for an unknown one."""
    # Settings ask for the names alone, in every command: what computes is loaded when it is used.
    if name == "equal":
        from zyenta_ads_pipeline.optimizer.simple_policies import Equal  # noqa: PLC0415

        return Equal()
    if name == "response_curve":
        from zyenta_ads_pipeline.optimizer.response_curve import ResponseCurve  # noqa: PLC0415

        return ResponseCurve()
    if name == "roas_proportional":
        from zyenta_ads_pipeline.optimizer.simple_policies import RoasProportional  # noqa: PLC0415

        return RoasProportional()
    if name == "roas_thresholds":
        from zyenta_ads_pipeline.optimizer.roas_thresholds import RoasThresholds  # noqa: PLC0415

        return RoasThresholds()
    raise SettingsError(
        f"There is no budget policy {name!r}.",
        "Use one of: " + ", ".join(policy_names()) + ".",
    )
