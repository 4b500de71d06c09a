"""What befalls a store: other writers, kills, damage, a share, a workspace that vanishes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from BraTSRefineLib.review import Event, ReviewError, open_store, read_events, store_database
from BraTSRefineLib.review.store import EXPORT_EVERY
from BraTSRefineLib.review.store_places import mac_mounts, network_mount
from BraTSRefineLib.review.store_server import Server

ILL_TREATMENT = Path(__file__).resolve().parents[1] / "benchmarks" / "store.py"
MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /mnt/share nfs4 rw 0 0
//server/my\\040data /mnt/my\\040data cifs rw 0 0
me@host:/ /home/me/remote fuse.sshfs rw 0 0
/dev/sdb1 /mnt/share/local ext4 rw 0 0
tmpfs /covered nfs rw 0 0
tmpfs /covered tmpfs rw 0 0
"""


def note(number: int = 0) -> Event:
    return Event("note", f"case-{number}", "Ann", note=str(number))


def ill_treatment(*arguments: object) -> dict:
    run = subprocess.run(
        [sys.executable, ILL_TREATMENT, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A workspace with a store of three events and its last good export."""
    with open_store(tmp_path) as store:
        store.add([note(number) for number in range(3)])
    return tmp_path


def test_eight_processes_that_write_at_once_lose_nothing(url):
    outcome = ill_treatment("together", url, 8, 6)
    assert (outcome["told"], outcome["lost"], outcome["doubled"]) == (48, 0, 0)


def test_a_kill_in_mid_write_loses_at_most_that_record(url):
    outcome = ill_treatment("kill", url, 12)
    assert outcome["in_mid_write"] > 0
    assert (outcome["lost"], outcome["doubled"]) == (0, 0)
    assert outcome["untold"] <= 12


def test_a_local_file_has_a_write_ahead_log(workspace):
    assert pragma(workspace / "review.sqlite", "journal_mode") == "wal"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/w", ""),
        ("/mnt/share/w", "nfs4"),
        ("/mnt/my data/w", "cifs"),
        ("/home/me/remote/w", "fuse.sshfs"),
        ("/mnt/share/local/w", ""),
        ("/mnt/shared", ""),
        ("/covered/w", ""),
    ],
)
def test_a_network_share_is_known_by_the_deepest_mount_above(path, kind):
    assert network_mount(Path(path), MOUNTS) == kind


def test_a_network_share_is_known_on_macos():
    listed = "/dev/disk1s1 on / (apfs, local)\n//me@server/d on /Volumes/My data (smbfs, nodev, nosuid)\n"
    assert network_mount(Path("/Volumes/My data/w"), mac_mounts(listed)) == "smbfs"
    assert network_mount(Path("/Users/me/w"), mac_mounts(listed)) == ""


def test_on_a_network_share_the_journal_is_another_and_that_is_told(workspace, monkeypatch):
    monkeypatch.setattr(store_database, "network_type", lambda path: "nfs4")
    with open_store(workspace) as store:
        assert "network share (nfs4)" in store.notes[0]
        store.record(note(3))
        assert len(store.events()) == 4
    assert pragma(workspace / "review.sqlite", "journal_mode") == "delete"


def test_a_locked_file_is_waited_for_and_then_told(workspace):
    with closing(sqlite3.connect(workspace / "review.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store = open_store(workspace, wait_s=0.1)
        with pytest.raises(ReviewError, match=r"locked by another program for more than 0\.1 s; nothing was written"):
            store.record(note(3))
        assert len(store.events()) == 3
        other.execute("ROLLBACK")
        store.record(note(3))


def test_a_file_that_another_keeps_for_itself_is_told_at_the_opening(workspace, monkeypatch):
    monkeypatch.setattr(store_database, "network_type", lambda path: "nfs4")
    open_store(workspace).close()
    with closing(sqlite3.connect(workspace / "review.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ReviewError, match="locked by another program"):
            open_store(workspace, wait_s=0.1)


def test_an_empty_file_that_another_program_is_about_to_fill_is_waited_for(workspace):
    path = workspace / "review.sqlite"
    content = path.read_bytes()
    path.write_bytes(b"")
    filling = threading.Timer(0.1, path.write_bytes, [content])
    filling.start()
    with open_store(workspace) as store:
        assert len(store.events()) == 3
    filling.join()


def test_a_locked_server_is_waited_for_and_then_told(new_database):
    psycopg = pytest.importorskip("psycopg")
    with open_store(new_database, wait_s=0.1) as store, psycopg.connect(new_database) as other:
        other.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        with pytest.raises(ReviewError, match="locked by another program"):
            store.record(note())
        other.rollback()
        store.record(note())


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path):
    with pytest.raises(ReviewError, match="no connection to the server") as caught:
        open_store(f"postgresql://me:secret@/review?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_server_that_hangs_is_told_to_who_cannot_wait_and_goes_on_afterwards(new_database, hung):
    with open_store(new_database, wait_s=0.4) as store:
        store.record(note(0))
        with hung():
            for asked in (store.events, lambda: store.record(note(1)), lambda: open_store(new_database, wait_s=0.4)):
                with pytest.raises(ReviewError, match=r"no connection to the server; nothing was written.*timed out"):
                    asked()
        store.record(note(2))
        assert [event.case for event in store.events()] == ["case-0", "case-2"]


@pytest.mark.parametrize(("hangs_up", "why"), [(True, "hung up"), (False, "timed out")])
def test_what_takes_a_connection_and_does_not_answer_is_no_server(hangs_up, why):
    pytest.importorskip("psycopg", reason="pip install 'bratsrefine[team]'")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"postgresql+psycopg://me@127.0.0.1:{listening.getsockname()[1]}/review"
        server = Server(sqlalchemy.create_engine(url))

        def answer() -> None:
            line = listening.accept()[0]
            line.recv(8)
            line.close()

        if hangs_up:
            threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(OSError, match=why):
            server.check(0.2)
    with pytest.raises(ConnectionRefusedError):
        server.check(0.2)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : 4096 + 2000] = b"\xa5" * 2000
    path.write_bytes(content)


DAMAGES = {
    "cut short": cut,
    "empty": lambda path: os.truncate(path, 0),
    "scribbled on": scribble,
    "another file": lambda path: path.write_bytes(b"case,decision\n" * 1000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_noticed_and_the_last_good_export_named(workspace, damage):
    path = workspace / "review.sqlite"
    DAMAGES[damage](path)
    with pytest.raises(ReviewError, match=r"damaged or cut short .*review-export\.jsonl"):
        open_store(workspace)


@pytest.mark.parametrize("begun", ["", "PRAGMA journal_mode = wal"])
def test_what_a_kill_at_the_very_first_opening_leaves_is_begun_anew(tmp_path, begun):
    (tmp_path / "review.sqlite").touch()
    with closing(sqlite3.connect(tmp_path / "review.sqlite")) as connection:
        connection.execute(begun)
    with open_store(tmp_path) as store:
        store.record(note())
        assert len(store.events()) == 1


def test_where_there_is_no_export_that_is_told(workspace):
    (workspace / "review-export.jsonl").unlink()
    cut(workspace / "review.sqlite")
    with pytest.raises(ReviewError, match="there is no export beside it"):
        open_store(workspace)


def test_with_the_damaged_file_moved_away_the_store_begins_from_the_last_good_export(workspace):
    before = read_events(workspace / "review-export.jsonl")
    (workspace / "review.sqlite").rename(workspace / "damaged.sqlite")
    with open_store(workspace) as store:
        assert store.events() == before
        assert "begun from the last good export" in store.notes[0]


def test_the_last_good_export_is_written_every_few_events_and_at_the_end(tmp_path):
    export = tmp_path / "review-export.jsonl"
    with open_store(tmp_path) as store:
        for number in range(EXPORT_EVERY - 1):
            store.record(note(number))
        assert not export.exists()
        store.record(note(EXPORT_EVERY))
        assert read_events(export) == store.events()
        store.record(note(EXPORT_EVERY + 1))
        everything = store.events()
    assert read_events(export) == everything


def test_an_export_that_fails_is_told_and_the_record_stays(tmp_path):
    store = open_store(tmp_path)
    (tmp_path / "review-export.jsonl").mkdir()
    for number in range(EXPORT_EVERY):
        store.record(note(number))
    assert "recorded, but not exported" in store.notes[0]
    assert len(store.events()) == EXPORT_EVERY
    with pytest.raises(ReviewError, match=r"review-export\.jsonl: not written"):
        store.close()


def test_a_server_s_last_good_export_lies_in_the_workspace(new_database, tmp_path):
    with open_store(new_database, tmp_path) as store:
        store.record(note())
    assert len(read_events(tmp_path / "review-export.jsonl")) == 1


def test_a_workspace_that_vanished_is_told_and_not_made_again(workspace):
    store = open_store(workspace)
    shutil.rmtree(workspace)
    with pytest.raises(ReviewError, match="is the workspace still there"):
        store.record(note(3))
    with pytest.raises(ReviewError, match="is the workspace still there"):
        store.events()
    assert not workspace.exists()


def test_a_file_that_vanished_is_told_and_not_made_again(workspace):
    store = open_store(workspace)
    for path in workspace.glob("review.sqlite*"):
        path.unlink()
    with pytest.raises(ReviewError, match="is the workspace still there"):
        store.record(note(3))


def test_a_workspace_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ReviewError, match="no such folder"):
        open_store(tmp_path / "none" / "review.sqlite")


def test_a_workspace_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "review.sqlite").mkdir()
    with pytest.raises(ReviewError, match="cannot be written"):
        open_store(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_workspace_without_permission_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ReviewError, match="cannot be written"):
        open_store(tmp_path)


def test_any_other_kind_of_database_is_refused():
    with pytest.raises(ReviewError, match="'mysql://' is no store"):
        open_store("mysql://host/name")


def test_a_store_can_be_named_by_file_or_url(workspace):
    for name in (workspace / "review.sqlite", f"sqlite:///{workspace / 'review.sqlite'}", str(workspace)):
        with open_store(name) as store:
            assert len(store.events()) == 3


def test_a_workspace_of_an_odd_name_is_a_workspace_like_any_other(tmp_path):
    folder = tmp_path / "what? #1 50% ü 漢 'quoted'"
    folder.mkdir()
    with open_store(folder) as store:
        store.record(note())
    assert sorted(path.name for path in folder.iterdir()) == ["review-export.jsonl", "review.sqlite"]
    assert list(tmp_path.iterdir()) == [folder]


def test_two_windows_on_one_workspace_see_each_other_s_records(workspace):
    with open_store(workspace) as one, open_store(workspace) as other:
        one.record(note(3))
        other.record(note(4))
        assert one.events() == other.events()
        assert len(one.events()) == 5
