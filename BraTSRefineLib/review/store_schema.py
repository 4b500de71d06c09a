"""Versions of the store's tables: an older one is upgraded after a copy was kept, a newer one refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from ..cohort.workspace import written_whole
from .flag_types import ReviewError
from .store_errors import shown
from .store_places import Place

VERSIONS = ("0001", "0002")
"""Every version that ``store_migrations/versions`` leads through; the last is the present one."""

MIGRATIONS = Path(__file__).resolve().parent / "store_migrations"


def version_of(connection: Connection) -> str | None:
    """None where there are no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check_version(version: str | None, place: Place) -> bool:
    """Whether it is the present one. Raises ReviewError for one that this program does not know."""
    if version is not None and version not in VERSIONS:
        raise ReviewError(
            f"{shown(place)}: written by a newer version of BraTSRefine (its tables are {version}, this program knows "
            f"them up to {VERSIONS[-1]}); update BraTSRefine, nothing was changed"
        )
    return version == VERSIONS[-1]


def upgrade(connection: Connection, place: Place, to: str = VERSIONS[-1]) -> str:
    """Bring the tables to a version in the connection's write transaction; says where the copy of before is, or ''."""
    from alembic import command
    from alembic.config import Config

    version = version_of(connection)
    if check_version(version, place) or version == to:
        return ""
    kept = "" if version is None else _keep(connection, place, version)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, to)
    return kept


def _keep(connection: Connection, place: Place, version: str) -> str:
    """A copy of everything as it was: a file beside the file, a table beside the table."""
    if place.path is None:
        connection.execute(text(f"CREATE TABLE events_of_{version} AS TABLE events"))
        return f"table events_of_{version}"
    kept = place.path.with_name(f"{place.path.stem}-of-{version}{place.path.suffix}")
    with (
        written_whole(kept) as temporary,
        closing(sqlite3.connect(place.path)) as source,
        closing(sqlite3.connect(temporary)) as copy,
    ):
        source.backup(copy)
    return str(kept)
