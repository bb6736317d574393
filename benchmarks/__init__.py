"""Measurements of the product against peers and physical limits, each pair in the same run."""

import zyenta_ads_pipeline  # noqa: F401  Before Polars, as in the product: it sets the allocator.
