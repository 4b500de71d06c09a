"""A store to test on: SQLite in a folder, and PostgreSQL on a server that these tests start for themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

DATABASES = count(1)
AS_POSTGRES = ("runuser", "-u", "postgres", "--")


def server_programs() -> Path | None:
    """The folder of PostgreSQL's own programs, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """URL of a private cluster on a socket in its own folder, without the name of a database."""
    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server here: apt-get install postgresql")
    user = AS_POSTGRES if os.geteuid() == 0 else ()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if user:
            shutil.chown(folder, "postgres")
        run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
        access = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        subprocess.run([*user, programs / "initdb", "-D", folder / "data", *access], **run)
        control = [*user, programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log"]
        subprocess.run([*control, "-o", f"-k {folder} -c listen_addresses=''", "start"], **run)
        try:
            yield f"postgresql://postgres@/{{name}}?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def new_database(server) -> str:
    """URL of an empty database on the server."""
    psycopg = pytest.importorskip("psycopg", reason="pip install 'bratsrefine[team]'")
    name = f"review_{next(DATABASES)}"
    with psycopg.connect(server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name=name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """Where a store can be opened: once a file, once a server."""
    return str(tmp_path) if request.param == "sqlite" else request.getfixturevalue("new_database")
