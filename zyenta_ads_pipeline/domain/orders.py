"""Orders, as shops usually show them."""

ORDER_VARIATION = 0.45
"""Squared coefficient of variation of a single order's value."""
