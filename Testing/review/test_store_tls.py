"""A store on another machine is reached encrypted or not at all; a password in its URL is told."""

from __future__ import annotations

import socket
import threading

import pytest
from sqlalchemy import make_url

from BraTSRefineLib.review import ReviewError, open_store
from BraTSRefineLib.review.store_tls import server_notes, server_url

ELSEWHERE = [
    "postgresql://me@db.clinic.example/review",
    "postgresql://me@10.0.0.5:5432/review",
    "postgresql://me@[2001:db8::1]/review",
    "postgresql://me@/review?host=db.clinic.example",
    "postgresql://me@/review?host=localhost&host=db.clinic.example:5433",
    "postgresql://me@localhost/review?hostaddr=10.0.0.5",
    "postgresql://me@localhost.clinic.example/review",
    "postgresql://me@/review?service=clinic",
]
HERE = [
    "postgresql://me@/review",
    "postgresql://me@localhost/review",
    "postgresql://me@127.0.0.1:5433/review",
    "postgresql://me@127.8.8.8/review",
    "postgresql://me@[::1]/review",
    "postgresql://me@/review?host=/var/run/postgresql",
    "postgresql://me@/review?host=localhost:5433",
]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_another_machine_is_reached_encrypted(url):
    assert server_url(url).query["sslmode"] == "require"


@pytest.mark.parametrize("url", HERE)
def test_this_machine_may_be_reached_as_it_is(url):
    assert server_url(url) == make_url(url)


@pytest.mark.parametrize("mode", ["disable", "prefer", "verify-full"])
def test_what_the_url_states_is_kept(mode):
    url = f"postgresql://me@db.clinic.example/review?sslmode={mode}"
    assert server_url(url) == make_url(url)


def test_a_host_from_the_environment_counts_too(monkeypatch):
    monkeypatch.setenv("PGHOST", "db.clinic.example")
    assert server_url("postgresql://me@/review").query["sslmode"] == "require"
    assert "sslmode" not in server_url("postgresql://me@localhost/review").query


def test_a_server_without_tls_hears_nothing_but_the_question():
    pytest.importorskip("psycopg", reason="pip install 'bratsrefine[team]'")
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            with listening.accept()[0] as line:
                heard.append(line.recv(8))
                line.sendall(b"N")
                heard.append(line.recv(1000))

        server = threading.Thread(target=refuse, daemon=True)
        server.start()
        url = f"postgresql://me:secret@db.clinic.example:{listening.getsockname()[1]}/review?hostaddr=127.0.0.1"
        url += "&sslpassword=secret"
        with pytest.raises(ReviewError, match=r"no encrypted connection.*sslmode=disable") as caught:
            open_store(url)
        server.join(5)
    assert heard == [b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b""]
    assert "secret" not in str(caught.value)


def test_a_password_in_the_url_is_told_once_and_taken(new_database):
    url = make_url(new_database).set(password="secret").render_as_string(hide_password=False)
    with open_store(url) as store:
        assert store.events() == []
        assert [note for note in store.notes if "~/.pgpass" in note and "PGPASSWORD" in note] == store.notes
        assert len(store.notes) == 1
        assert "secret" not in store.notes[0]
    with open_store(new_database) as store:
        assert store.notes == []


def test_a_password_alone_is_no_reason_to_tell():
    assert server_notes("postgresql://me@db.clinic.example/review") == []
    assert len(server_notes("postgresql://me:secret@db.clinic.example/review")) == 1
    assert len(server_notes("postgresql://me@db.clinic.example/review?password=secret")) == 1
