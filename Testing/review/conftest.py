"""A store to test on: SQLite in a folder, and PostgreSQL on a server that the tests start for themselves."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """Where a store can be opened: once a file, once a server."""
    return str(tmp_path) if request.param == "sqlite" else request.getfixturevalue("new_database")
