"""Cases read ahead by another process: real files, real processes, and whatever may end them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

import BraTSRefine.Standalone.names as names
from BraTSRefine.Standalone.application import application

application(offscreen=True)
names.install()

from BraTSRefineUI import prefetch  # noqa: E402
from BraTSRefineUI.reading import CaseRead, readCase  # noqa: E402
from BraTSRefineUI.session import Session  # noqa: E402

LONG_ENOUGH_S = 120
MODEL = "fold_1"


def until(condition) -> None:
    """The event loop until a condition holds."""
    from PySide6.QtCore import QEventLoop

    loop, started = QEventLoop(), time.monotonic()
    while not condition():
        assert time.monotonic() - started < LONG_ENOUGH_S, "it did not happen in time"
        loop.processEvents(QEventLoop.AllEvents, 50)
        time.sleep(0.01)


@pytest.fixture(scope="module")
def cohort(phantom_cohort, tmp_path_factory) -> Path:
    """A cohort whose files may be changed."""
    return shutil.copytree(phantom_cohort, tmp_path_factory.mktemp("changed") / "cohort")


@pytest.fixture(scope="module")
def session(cohort, workspace):
    opened = Session()
    opened.open(cohort, workspace, again=True)
    opened.setModel(MODEL)
    opened.setRegion("WT")
    return opened


@pytest.fixture(scope="module")
def readings(session):
    """Of the cases without a fault, with a map."""
    fine = [name for name in session.caseNames if not session.cohort[name].error_of(MODEL)]
    return [session.reading(name) for name in fine]


@pytest.fixture
def fetcher():
    told: list[str] = []
    made = prefetch.Prefetcher(told.append)
    made.told = told
    yield made
    made.stop()


def worker(fetcher) -> int:
    return fetcher._process.processId()


def kill(fetcher) -> None:
    os.kill(worker(fetcher), signal.SIGKILL)


def files(fetcher) -> list[Path]:
    return sorted(fetcher.folder.iterdir()) if fetcher.folder and fetcher.folder.exists() else []


def assertSame(read, expected) -> None:
    assert read.data.case == expected.data.case
    assert read.data.problems == expected.data.problems
    assert read.data.images.keys() == expected.data.images.keys()
    for channel, image in read.data.images.items():
        np.testing.assert_array_equal(image.voxels, expected.data.images[channel].voxels)
        assert image.geometry == expected.data.images[channel].geometry
    for source in ("reference", "prediction"):
        labels, wanted = getattr(read.data, source), getattr(expected.data, source)
        np.testing.assert_array_equal(labels.tissues, wanted.tissues)
        for region, mask in labels.regions.items():
            np.testing.assert_array_equal(mask, wanted.regions[region])
            assert mask.dtype == bool
    np.testing.assert_array_equal(read.uncertainty.voxels, expected.uncertainty.voxels)


def test_what_was_read_ahead_is_what_the_window_would_have_read(fetcher, readings):
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    read = fetcher.take(readings[0])
    assert isinstance(read, CaseRead)
    assertSame(read, readCase(readings[0]))


def test_surfaces_hull_and_grey_range_come_along(fetcher, readings):
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    read, expected = fetcher.take(readings[0]), readCase(readings[0])
    image, labels = next(iter(read.data.images.values())), read.data.prediction
    assert {"window", "brain"} <= vars(image).keys()
    assert {"surfaces", "bounds"} <= vars(labels).keys()
    np.testing.assert_array_equal(labels.surfaces["WT"].points, expected.data.prediction.surfaces["WT"].points)
    assert image.window == next(iter(expected.data.images.values())).window


def test_a_case_is_taken_once_and_its_file_goes(fetcher, readings):
    fetcher.want(readings[:2])
    until(lambda: fetcher.isIdle)
    assert len(files(fetcher)) == 2
    assert fetcher.take(readings[0]) is not None
    assert len(files(fetcher)) == 1
    assert fetcher.take(readings[0]) is None


def test_arrays_outlive_the_file_and_the_process(fetcher, readings):
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    read = fetcher.take(readings[0])
    fetcher.stop()
    assertSame(read, readCase(readings[0]))
    voxels = next(iter(read.data.images.values())).voxels
    assert voxels.any()
    voxels[...] = 0
    assert not voxels.any(), "they are ours and may be changed"


def test_what_nobody_wants_any_more_goes(fetcher, readings):
    fetcher.want(readings[:2])
    until(lambda: fetcher.isIdle)
    fetcher.want(readings[1:3])
    until(lambda: fetcher.isIdle)
    assert not fetcher.has(readings[0])
    assert fetcher.has(readings[1])
    assert fetcher.has(readings[2])
    assert len(files(fetcher)) == 2


def test_another_model_or_region_is_another_question(fetcher, readings, session):
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    session.setModel("fold_2")
    other = session.reading(readings[0].case.case)
    session.setModel(MODEL)
    assert fetcher.has(readings[0])
    assert not fetcher.has(other)


@pytest.mark.parametrize("which", ["image", "prediction"])
def test_a_file_that_changed_on_disk_is_read_anew(fetcher, readings, which):
    reading = readings[0]
    path = reading.case.predictions[MODEL] if which == "prediction" else next(iter(reading.case.images.values()))
    fetcher.want([reading])
    until(lambda: fetcher.isIdle)
    content = path.read_bytes()
    try:
        path.write_bytes(content)
        os.utime(path, (1, 1))
        assert not fetcher.has(reading)
        assert fetcher.take(reading) is None
        assert files(fetcher) == []
    finally:
        path.write_bytes(content)


def test_a_damaged_answer_is_refused_and_told_and_the_case_is_read_otherwise(fetcher, readings):
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    (answer,) = files(fetcher)
    os.truncate(answer, answer.stat().st_size // 2)
    assert fetcher.take(readings[0]) is None
    assert "read again" in fetcher.told[0]
    assert answer.name in fetcher.told[0]
    assert files(fetcher) == []


def test_what_was_read_is_for_nobody_else(fetcher, readings):
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    assert fetcher.folder.stat().st_mode & 0o077 == 0


def test_a_broken_file_is_told_with_the_case_and_not_before(fetcher, readings):
    reading = readings[1]
    path = next(iter(reading.case.images.values()))
    content = path.read_bytes()
    try:
        path.write_bytes(content[: len(content) // 2])
        fetcher.want([reading])
        until(lambda: fetcher.isIdle)
        assert fetcher.told == []
        read = fetcher.take(reading)
        assert any(path.name in problem for problem in read.data.problems)
        assert len(read.data.images) == len(reading.case.images) - 1
    finally:
        path.write_bytes(content)


def test_who_waits_comes_first_and_hears_how_far_it_is(fetcher, readings):
    ended, parts = [], []
    fetcher.want(readings[:2])
    fetcher.read(readings[2], lambda: ended.append(len(files(fetcher))), parts.append)
    until(lambda: ended)
    assert ended[0] <= 2, "read after the one that was begun, before the rest"
    assert fetcher.has(readings[2])
    assert parts == ["images", "labels", "map", "surfaces"]


def test_who_gave_up_is_not_called(fetcher, readings):
    ended = []
    fetcher.read(readings[0], lambda: ended.append(0), lambda part: None)
    fetcher.cancel()
    fetcher.read(readings[1], lambda: ended.append(1), lambda part: None)
    until(lambda: ended)
    until(lambda: fetcher.isIdle)
    assert ended == [1]
    fetcher.want([])
    assert len(files(fetcher)) == 0


def test_a_dead_process_is_started_again_once(fetcher, readings):
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    first = worker(fetcher)
    kill(fetcher)
    fetcher.want(readings[:2])
    until(lambda: fetcher.isIdle and fetcher.has(readings[1]))
    assert worker(fetcher) != first
    assert fetcher.has(readings[0]), "what it had read is still there"
    assert fetcher.told == []


def test_the_second_death_is_told_and_whoever_waits_reads_the_case_itself(fetcher, readings):
    ended = []
    fetcher.read(readings[0], lambda: ended.append(fetcher.take(readings[0])), lambda part: None)
    for _ in range(2):
        until(lambda: fetcher._process is not None and worker(fetcher))
        dead = fetcher._process
        kill(fetcher)
        until(lambda dead=dead: fetcher._process is not dead)
    until(lambda: ended)
    assert ended == [None]
    assert fetcher.isBroken
    assert "no longer read ahead" in fetcher.told[0]
    assert fetcher.folder is None
    fetcher.want(readings[:1])
    assert fetcher._process is None
    fetcher.read(readings[0], lambda: ended.append("at once"), lambda part: None)
    assert ended[1:] == ["at once"]


def test_a_program_that_does_not_start_is_told(fetcher, readings, monkeypatch):
    monkeypatch.setattr(prefetch, "pythonExecutable", lambda: "/nowhere/python")
    ended = []
    fetcher.read(readings[0], lambda: ended.append(True), lambda part: None)
    until(lambda: ended)
    assert "does not start" in fetcher.told[0]


def test_stopping_leaves_no_file_and_no_process(fetcher, readings):
    fetcher.want(readings[:2])
    until(lambda: fetcher.has(readings[0]))
    folder, process = fetcher.folder, worker(fetcher)
    fetcher.stop()
    assert not folder.exists()
    assert not prefetch.isRunning(process)
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    assert fetcher.take(readings[0]) is not None


def test_a_disk_without_room_costs_the_reading_ahead_and_nothing_else(fetcher, readings, monkeypatch):
    """The process cannot write: it says so, and who waits reads the case in the window."""
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    fetcher.folder.chmod(0o500)
    if os.access(fetcher.folder, os.W_OK):
        shutil.rmtree(fetcher.folder)  # root may write everywhere
    ended = []
    fetcher.read(readings[2], lambda: ended.append(fetcher.take(readings[2])), lambda part: None)
    until(lambda: ended)
    assert ended == [None]


WINDOW = """
import sys, time
sys.path.insert(0, sys.argv[1])
from BraTSRefine.Standalone.application import application
import BraTSRefine.Standalone.names as names
app = application(offscreen=True)
names.install()
from BraTSRefineUI.prefetch import Prefetcher
from BraTSRefineUI.session import Session
session = Session()
session.open(sys.argv[2], sys.argv[3])
session.setModel("fold_1")
fetcher = Prefetcher(print)
fetcher.want([session.reading(name) for name in session.caseNames[:2]])
while not fetcher.isIdle:
    app.processEvents()
    time.sleep(0.01)
print("ready", fetcher.folder, fetcher._process.processId(), flush=True)
if sys.argv[4] == "end":
    sys.exit()
while True:
    app.processEvents()
    time.sleep(0.01)
"""
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def another_window(cohort, workspace):
    """A process with a prefetcher: the process, its folder, its worker's number."""
    started: list[subprocess.Popen] = []

    def start(end: str):
        command = [sys.executable, "-c", WINDOW, str(REPOSITORY), str(cohort), str(workspace), end]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        started.append(process)
        word, folder, number = process.stdout.readline().split()
        assert word == "ready"
        return process, Path(folder), int(number)

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def left_by(process) -> list[Path]:
    """The folders that a window left, wherever it may have made them."""
    places = {prefetch.IN_MEMORY, Path(tempfile.gettempdir())}
    return [folder for place in places for folder in place.glob(f"{prefetch.PREFIX}{process.pid}-*")]


def test_a_killed_window_leaves_no_file_and_no_process(another_window):
    process, folder, reader = another_window("wait")
    process.kill()
    process.wait()
    until(lambda: not folder.exists() and not prefetch.isRunning(reader))
    assert left_by(process) == []


def test_a_window_that_is_terminated_with_all_its_processes_leaves_no_file(another_window):
    process, folder, reader = another_window("wait")
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    until(lambda: not folder.exists() and not prefetch.isRunning(reader))
    assert left_by(process) == []


def test_a_window_that_ends_without_a_word_leaves_no_file(another_window):
    process, folder, reader = another_window("end")
    process.wait()
    until(lambda: not folder.exists() and not prefetch.isRunning(reader))
    assert left_by(process) == []


def test_what_both_left_when_they_were_killed_together_goes_at_the_next_start(another_window, fetcher, readings):
    process, folder, _reader = another_window("wait")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: folder.exists())
    fetcher.want(readings[:1])
    until(lambda: fetcher.isIdle)
    assert not folder.exists()
    assert fetcher.folder.exists()
