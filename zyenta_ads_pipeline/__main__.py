"""`python -m zyenta_ads_pipeline` is `zyenta`."""

from zyenta_ads_pipeline.cli import app

app(prog_name="zyenta")
