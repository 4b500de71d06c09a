"""A store of another version: an older one is upgraded after a copy was kept, a newer one is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy
from alembic.config import Config
from alembic.script import ScriptDirectory

from BraTSRefineLib.review import Event, ReviewError, open_store, store_schema
from BraTSRefineLib.review.store_places import place_of

NOTE = Event("note", "case-0", "Ann", note="0")


def old_store(url: str, version: str) -> None:
    """Tables of an older version, with an event."""
    place = place_of(url)
    engine = sqlalchemy.create_engine(place.url)
    row = NOTE.row | {"payload": "{}"}
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
    with engine.begin() as connection:
        store_schema.upgrade(connection, place, version)
        connection.execute(sqlalchemy.text(f"INSERT INTO events ({names}) VALUES ({marks})"), row)
    engine.dispose()


def test_the_versions_are_those_of_the_migrations():
    config = Config()
    config.set_main_option("script_location", str(store_schema.MIGRATIONS))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == store_schema.VERSIONS


def test_the_migrations_make_the_table_that_is_used(url):
    from BraTSRefineLib.review.store_table import EVENTS

    open_store(url).close()
    engine = sqlalchemy.create_engine(place_of(url).url)
    made = {column["name"]: column["nullable"] for column in sqlalchemy.inspect(engine).get_columns("events")}
    engine.dispose()
    assert list(made) == [column.name for column in EVENTS.columns]
    assert not any(nullable for name, nullable in made.items() if name != "id")


def test_an_older_version_is_upgraded_after_a_copy_was_kept(url, tmp_path):
    old_store(url, "0001")
    with open_store(url) as store:
        assert "upgraded" in store.notes[0]
        assert [event.note for event in store.events()] == ["0"]
        store.record(Event("note", "case-1", "Ann", note="1"))
    with open_store(url) as store:
        assert store.notes == []
    engine = sqlalchemy.create_engine(place_of(url).url)
    with engine.begin() as connection:
        assert store_schema.version_of(connection) == store_schema.VERSIONS[-1]
        if place_of(url).path is None:
            assert connection.execute(sqlalchemy.text("SELECT count(*) FROM events_of_0001")).scalar() == 1
    engine.dispose()


def test_the_copy_of_an_older_file_is_a_database_of_that_version(tmp_path):
    old_store(str(tmp_path), "0001")
    open_store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "review-of-0001.sqlite")) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert kept.execute("SELECT count(*) FROM events").fetchone() == (1,)


def test_without_a_copy_an_older_file_is_left_as_it_is(tmp_path):
    old_store(str(tmp_path), "0001")
    (tmp_path / "review-of-0001.sqlite").mkdir()
    with pytest.raises(ReviewError, match=r"review-of-0001\.sqlite: not written"):
        open_store(tmp_path)
    with closing(sqlite3.connect(tmp_path / "review.sqlite")) as left:
        assert left.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]


def test_a_newer_version_is_refused_and_left_alone(url):
    open_store(url).close()
    engine = sqlalchemy.create_engine(place_of(url).url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(ReviewError, match=r"newer version of BraTSRefine \(its tables are 0099.*update BraTSRefine"):
        open_store(url)
    engine.dispose()
