"""How many examples Hypothesis tries: few in `make test`, many in `make test-all`.

No deadline for one example in either, since a busy machine is not a failure.
"""

from __future__ import annotations

import os

from hypothesis import settings

_THOROUGH = "thorough"
_SHARE = 4


def load_profile() -> None:
    """Take the profile that HYPOTHESIS_PROFILE names: `fast`, which is the default, or
    `thorough`."""
    settings.register_profile("fast", deadline=None, max_examples=100 // _SHARE)
    settings.register_profile(_THOROUGH, deadline=None, max_examples=100)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def examples(thorough: int) -> int:
    """So many in `thorough`; a quarter of them in `fast`, but three at least."""
    if settings.get_current_profile_name() == _THOROUGH:
        return thorough
    return max(thorough // _SHARE, min(thorough, 3))
