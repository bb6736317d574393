"""Zyenta Ads Pipeline: from Meta's insights to decided, allocated and pushed budgets."""

import os

__version__ = "0.1.0"

# Read once, when Polars is loaded: its allocator gives memory back, see docs/decisions/0015.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0,narenas:2")
