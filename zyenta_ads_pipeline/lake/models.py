"""The SQL models in `sql/`: one file per asset, view or check, read by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from zyenta_ads_pipeline.domain.errors import StorageError

_FOLDERS = (
    Path(str(files("zyenta_ads_pipeline"))) / "sql",  # in the wheel
    Path(__file__).parents[2] / "sql",  # in the checkout
)


@cache
def model(name: str) -> str:
    """The text of `sql/<name>.sql`, from the wheel or from the checkout."""
    for folder in _FOLDERS:
        path = folder / f"{name}.sql"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise StorageError(f"The SQL model {name} is missing.", "Reinstall the package.")


@cache
def view_names() -> tuple[str, ...]:
    """The views in `sql/views/`, in alphabetical order."""
    found = {path.stem for folder in _FOLDERS for path in (folder / "views").glob("*.sql")}
    return tuple(sorted(found))
