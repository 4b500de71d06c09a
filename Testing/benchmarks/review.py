"""How the review feels: a case switch, scrolling, the longest stop of the window, the memory that stays, what is lost.

Full-size files on disk (240x240x155, four modalities, reference, prediction, uncertainty map), the real module in its
window off-screen, drawn in software; keys, wheel and clicks as a person gives them. A stop is how late a timer of
10 ms comes. ``REVIEW_PARTS`` chooses among opening, window, memory, kills and walks (all by default).
``REVIEW_COHORT`` and ``REVIEW_WORKSPACE`` take a real cohort that is scored and mapped (several cases and models) in
place of the phantom.
"""

from __future__ import annotations

import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Figure

CASES = 4
SWITCHES, MEMORY_SWITCHES, WARM_UP, KILLS = 12, 200, 20, 1000
SCROLL_S, WHEEL_EVERY_S, TURN_AFTER = 4.0, 0.02, 25
SIZES = ((1280, 800), (1600, 900))
MEGABYTE = 2**20
FRAMES, BLOCK_S, KEPT_MB, SWITCH_S = 15, 0.5, 50, 0.5


def measure() -> Iterator[Figure]:
    chosen = os.environ.get("REVIEW_PARTS", ",".join(MEASURED)).split(",")
    with tempfile.TemporaryDirectory() as folder:
        where = place(folder) if set(chosen) - {"kills"} else ()
        for part in chosen:
            yield from MEASURED[part](*where)


def place(folder: str | Path) -> tuple[Path, Path]:
    """Cohort and workspace: those that the environment names, else the phantom's, prepared in that folder."""
    if "REVIEW_COHORT" in os.environ:
        return tuple(Path(os.environ[name]).resolve() for name in ("REVIEW_COHORT", "REVIEW_WORKSPACE"))
    subprocess.run([sys.executable, __file__, str(folder)], check=True)
    return Path(folder) / "cohort", Path(folder) / "workspace"


def prepare(folder: Path) -> None:
    """A full-size phantom cohort, scored and mapped; in a process of its own, whose memory is not ours to count."""
    from BraTSRefineLib import jobs
    from BraTSRefineLib.cohort import Workspace, discover, save_cohort
    from BraTSRefineLib.phantom import write_cohort
    from BraTSRefineLib.scoring import score_cohort, write_scores

    cohort = write_cohort(folder / "cohort", cases=CASES, centers=1, seed=1, scale=1.0)
    workspace = Workspace.open(folder / "workspace", cohort)
    found = discover(cohort)
    save_cohort(found, workspace)
    write_scores(score_cohort(found), workspace)
    jobs.run(jobs.create(workspace, "uncertainty", {}))


@contextmanager
def _opened(cohort: Path, workspace: Path, size: tuple[int, int]) -> Iterator[Review]:
    """On a copy of the workspace: what is decided and corrected here belongs to nobody."""
    from BraTSRefine.Standalone.host import start

    with tempfile.TemporaryDirectory() as folder:
        own = shutil.copytree(workspace, Path(folder) / "workspace")
        host = start("BraTSRefine", offscreen=True, size=size)
        try:
            host.widget.openWorkspace(cohort, own)
            review = Review(host)
            review.bench.setModel(review.models()[1])
            review.bench.setRegion("WT")
            review.rest()
            yield review
            assert not host.failures, host.failures
        finally:
            host.close()


class Review:
    """A person at the window, with a clock that ticks every 10 ms."""

    def __init__(self, host) -> None:
        from PySide6.QtCore import QTimer

        self.host, self.bench = host, host.widget.workbench
        self._last, self._late = time.perf_counter(), 0.0
        self._clock = QTimer()
        self._clock.setInterval(10)
        self._clock.timeout.connect(self._tick)
        self._clock.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self._late, self._last = max(self._late, now - self._last - 0.01), now

    def models(self) -> list[str]:
        """Those that predicted every case."""
        session = self.bench.session
        return [model for model in session.models if all(model in case.predictions for case in session.cohort.cases)]

    def rest(self) -> None:
        """Until everything is drawn, smooth, and read ahead."""
        started = time.perf_counter()
        while not self.bench.reading.isIdle and time.perf_counter() - started < 60:
            self.host.settle(50)
        self.host.settle(600)

    def longest(self, do: Callable[[], None]) -> tuple[float, float]:
        """Seconds from an action to the last picture, and the longest stop of the window meanwhile."""
        self.host.window.activateWindow()
        self.host.settle(50)
        self._last, self._late = time.perf_counter(), 0.0
        started = time.perf_counter()
        do()
        self.host.settle()
        seconds = time.perf_counter() - started
        self.host.settle(50)
        return seconds, self._late

    def key(self, key) -> None:
        from PySide6.QtTest import QTest

        QTest.keyClick(self.host.window.windowHandle(), key)

    def nextCase(self) -> None:
        from PySide6.QtCore import Qt

        self.key(Qt.Key_N)


# Opening, case switches, stops, frames


def _opening(cohort: Path, workspace: Path) -> list[Figure]:
    import opening

    return opening.figures(cohort, workspace)


def _window(cohort: Path, workspace: Path) -> list[Figure]:
    import stops as longest_stops
    from run import Figure

    with _opened(cohort, workspace, SIZES[1]) as review:
        ahead = [_switch(review, isAhead=True) for _ in range(SWITCHES)]
        unread = [_switch(review, isAhead=False) for _ in range(SWITCHES)]
        stops = longest_stops.of_actions(review)
        stops["case read ahead"] = max(stop for _, stop in ahead)
        stops["case not read ahead"] = max(stop for _, stop in unread)
        frames = _frames(review)
        stops |= longest_stops.of_correcting(review)
    detail = "median {0:.2f} s, slowest {1:.2f} s of " + str(SWITCHES)
    return [
        *(
            Figure(name, statistics.median(s), "<=" if bar else "", SWITCH_S, "s", detail.format(*_spread(s)))
            for name, bar, s in (
                ("case switch, read ahead, key to last picture", True, [s for s, _ in ahead]),
                ("case switch, not read ahead", False, [s for s, _ in unread]),
            )
        ),
        *(Figure(f"longest stop of the window: {name}", s, "<=", BLOCK_S, "s") for name, s in stops.items()),
        *(Figure(f"scrolling, all overlays: {n}", f, ">=", FRAMES, "frames/s", d) for n, (f, d) in frames.items()),
    ]


def _spread(seconds: list[float]) -> tuple[float, float]:
    return statistics.median(seconds), max(seconds)


def _switch(review: Review, isAhead: bool) -> tuple[float, float]:
    """From the key to the last picture. Not ahead: the process has to read the files, as after a jump in the list."""
    review.rest()
    if not isAhead:
        review.bench.reading.prefetcher.want([])
    before = review.bench.session.case
    measured = review.longest(review.nextCase)
    assert review.bench.session.case != before
    return measured


def _frames(review: Review) -> dict[str, tuple[float, str]]:
    """The view under the mouse at the slowest of the slice views, in each size of the window."""
    found = {}
    for size in SIZES:
        review.host.window.resize(*size)
        review.rest()
        layouts = review.host.layoutManager
        each = {name: _scroll(review, layouts.sliceWidget(name).sliceView()) for name in layouts.sliceViewNames()}
        slowest = min(each, key=lambda name: each[name][0])
        own, others = each[slowest]
        others = f"the four linked views {others:.1f} each; slowest of {len(each)} is {slowest}"
        found["{}x{}".format(*size)] = own, others
    return found


def _scroll(review: Review, pane) -> tuple[float, float]:
    """Frames a second of the view that gets the wheel, and of the others on average."""
    count: Counter = Counter()
    connected = []
    for other in review.host.layoutManager.panes():
        if other.isVisible():
            connected.append((other, other.rendered.connect(lambda other=other: count.update([other]))))
    started = following = time.perf_counter()
    turned = 0
    while time.perf_counter() - started < SCROLL_S:
        if time.perf_counter() >= following:
            _turnWheel(pane, 1 if turned // TURN_AFTER % 2 else -1)
            turned += 1
            following = max(following + WHEEL_EVERY_S, time.perf_counter())
        review.host.app.processEvents()
    seconds = time.perf_counter() - started
    for other, connection in connected:
        other.rendered.disconnect(connection)
    linked = [number for other, number in count.items() if other is not pane]
    return count[pane] / seconds, sum(linked) / max(len(linked), 1) / seconds


def _turnWheel(pane, notches: int) -> None:
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    middle = QPointF(pane.width() / 2, pane.height() / 2)
    turn = QPoint(), QPoint(0, 120 * notches), Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False
    QApplication.sendEvent(pane, QWheelEvent(middle, pane.mapToGlobal(middle), *turn))


# Memory, records, walks


def _memory(cohort: Path, workspace: Path) -> list[Figure]:
    import psutil
    from run import Figure

    memory = []
    with _opened(cohort, workspace, SIZES[1]) as review:
        for number in range(MEMORY_SWITCHES):
            review.longest(review.nextCase)
            gc.collect()
            memory.append(psutil.Process().memory_info().rss)
            if number % 20 == WARM_UP - 1:
                print(f"after {number + 1} switches: {memory[-1] / MEGABYTE:.0f} MB", flush=True)
    growth = (statistics.median(memory[-CASES:]) - statistics.median(memory[WARM_UP : WARM_UP + CASES])) / MEGABYTE
    words = f"{memory[-1] / MEGABYTE:.0f} MB in all"
    name = f"memory kept after {MEMORY_SWITCHES} switches against after {WARM_UP}"
    return [Figure(name, growth, "<=", KEPT_MB, "MB", words)]


def _kills(*_place) -> list[Figure]:
    from run import Figure
    from store import kill_writers

    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_writers(folder, KILLS)
    words = f"{outcome.told} told, {outcome.in_mid_write} kills in mid-write"
    return [Figure(f"records lost over {KILLS} kill -9 of a writer", outcome.lost, "<=", 0, detail=words)]


def _walks(cohort: Path, workspace: Path) -> list[Figure]:
    import walks

    return walks.figures(cohort, workspace)


MEASURED = {"opening": _opening, "window": _window, "memory": _memory, "kills": _kills, "walks": _walks}

if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
