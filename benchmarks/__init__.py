"""Measurements of the product against peers and physical limits, each pair in the same run."""
