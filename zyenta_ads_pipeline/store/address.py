"""Where the store is: from a URL in the settings to one that SQLAlchemy can open, and in words
that show no secret."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from zyenta_ads_pipeline.domain.errors import StorageError

_POSTGRES = "postgresql+psycopg2"
REMEDY = (
    "Set ZYENTA_DATABASE_URL to sqlite:////path/to/zyenta.db or to "
    "postgresql://user:password@host:5432/database."
)


def parse(url: str) -> URL:
    """The URL to open: a SQLite file, or Postgres with the psycopg2 driver.

    Raises `StorageError` for anything else; its text never repeats the URL, which may hold a
    password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StorageError("The store's URL cannot be read.", REMEDY) from None
    backend = parsed.drivername.partition("+")[0]
    if backend in {"postgres", "postgresql"}:
        return parsed.set(drivername=_POSTGRES)
    if backend != "sqlite":
        raise StorageError(f"The store cannot be kept in {backend!r}.", REMEDY)
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise StorageError(f"The SQLite driver {parsed.drivername!r} is not supported.", REMEDY)
    if parsed.database in {None, "", ":memory:"} or "mode=memory" in str(parsed.database):
        raise StorageError(
            "The store's URL names no file, and a store in memory would forget what was sent.",
            REMEDY,
        )
    return parsed.set(drivername="sqlite+pysqlite")


def sqlite_path(url: str) -> Path | None:
    """The file of a store that is one; None for a server's. `StorageError` as `parse`."""
    parsed = parse(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def describe(url: URL) -> str:
    """The place in words: backend, host and database; never a user's name or password."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite file {url.database}"
    host = url.host or _text(url.query.get("host")) or "the local socket"
    port = f":{url.port}" if url.port else ""
    return f"postgresql database {url.database or '(default)'} at {host}{port}"


def scrub(text: str, url: URL) -> str:
    """The first line of a driver's message, with every secret of `url` taken out."""
    line = text.strip().partition("\n")[0]
    for secret in (url.password, _text(url.query.get("password"))):
        if secret:
            line = line.replace(str(secret), "***")
    return line


def prepare_directory(url: URL) -> None:
    """Make the directory of a SQLite file; `StorageError` when that is not allowed."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The store's directory {folder} cannot be made: {error.strerror}.",
            "Choose another place by ZYENTA_DATABASE_URL, or set the directory's rights.",
        ) from error


def _text(value: str | tuple[str, ...] | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else ",".join(value)
