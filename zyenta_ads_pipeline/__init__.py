"""Zyenta Ads Pipeline: from Meta's insights to decided, allocated and pushed budgets."""

__version__ = "0.1.0"
