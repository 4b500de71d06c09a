"""Fixtures that every room's tests share."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from BraTSRefine.Standalone.names import selectPropertyAttributes

# PySide6 looks through every loaded module when this is first asked for; some of torch's cannot be looked at.
selectPropertyAttributes("BraTSRefineUI")

REPOSITORY = Path(__file__).resolve().parents[1]
DATABASES = count(1)
AS_POSTGRES = ("runuser", "-u", "postgres", "--")
WITH_A_SCREEN = {REPOSITORY / "Testing" / "module", REPOSITORY / "Testing" / "standalone"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a screen come last: torch and the renderer each bring an LLVM, and only this order works."""
    items.sort(key=lambda item: not WITH_A_SCREEN.isdisjoint(item.path.parents))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real cases; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("BRATSREFINE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real cases at {folder}; set BRATSREFINE_REAL_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def phantom_cohort(tmp_path_factory) -> Path:
    """A small simulated cohort on disk: 6 cases, 3 centres, 5 models, with planted failures and bad files."""
    from BraTSRefineLib.phantom import write_cohort

    folder = tmp_path_factory.mktemp("phantom") / "cohort"
    write_cohort(folder, cases=6, centers=3, seed=1, scale=0.4)
    return folder


@pytest.fixture(scope="session")
def bratsrefine() -> Callable[..., subprocess.CompletedProcess]:
    """``bratsrefine`` with these arguments, as a script would call it."""

    def run(*arguments: object, timeout_s: float = 300) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "BraTSRefineLib.cli", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)

    return run


@pytest.fixture(scope="session")
def answer(bratsrefine) -> Callable[..., Any]:
    """What ``bratsrefine`` says to a script that asks for JSON; it must have done what it was asked for."""

    def asked(*arguments: object) -> Any:
        run = bratsrefine(*arguments, "--json")
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    return asked


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Over arrays this small several threads of torch only wait for one another."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def local_cluster() -> Callable[[int], AbstractContextManager[Any]]:
    """A Dask cluster of so many processes; what its nannies set in this very process's environment goes with it."""
    distributed = pytest.importorskip("distributed")
    place = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}

    @contextmanager
    def running(workers: int) -> Iterator[Any]:
        before = dict(os.environ)
        try:
            with distributed.LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, **place) as cluster:
                yield cluster
        finally:
            os.environ.clear()
            os.environ.update(before)

    return running


@pytest.fixture(scope="session")
def on_small_disk() -> Callable[..., Any]:
    """Run a script on a real small file system; it is told the disk and more arguments, and its last line is JSON."""
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which(namespace[0]) is None or subprocess.run([*namespace, "true"], capture_output=True).returncode:
        pytest.skip("no private mounts on this system")

    def run(disk: Path, size: str, script: str, *arguments: str, timeout_s: float | None = None) -> Any:
        disk.mkdir()
        mount = f'mount -t tmpfs -o size={size} tmpfs "$1" && exec "$2" -c "$3" "$1" "${{@:4}}"'
        command = [*namespace, "bash", "-c", mount, "bash", str(disk), sys.executable, script, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, cwd=REPOSITORY)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


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


@pytest.fixture
def hung(server) -> Callable[[], AbstractContextManager[None]]:
    """A context in which the server takes connections, as its machine does for it, and never says a word."""
    main = int((Path(server.partition("host=")[2]) / "data" / "postmaster.pid").read_text().split()[0])

    @contextmanager
    def stopped() -> Iterator[None]:
        workers = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, workers)]
        _send(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            _send(processes, signal.SIGCONT)

    return stopped


def _send(processes: list[int], what: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # a worker that had ended its work
            os.kill(process, what)
