"""Decisions about budgets: pure functions on plain values."""
