"""How Hypothesis runs here: no deadline for one example, since a busy machine is not a failure."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("zyenta", deadline=None)
settings.load_profile("zyenta")
