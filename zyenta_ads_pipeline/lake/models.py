"""The SQL models in `sql/`: one file per asset, read by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from zyenta_ads_pipeline.domain.errors import StorageError


@cache
def model(name: str) -> str:
    """The text of `sql/<name>.sql`, from the wheel or from the checkout."""
    shipped = Path(str(files("zyenta_ads_pipeline"))) / "sql"
    checkout = Path(__file__).parents[2] / "sql"
    for folder in (shipped, checkout):
        path = folder / f"{name}.sql"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise StorageError(f"The SQL model {name} is missing.", "Reinstall the package.")
