"""A cohort of 200 simulated cases, from files to report, against the time that reading the files takes by itself.

Label maps of 240x240x155, a reference and a prediction a case, once stored as nnU-Net writes them (bytes) and once as
the references of BraTS 2023 and MONAI's outputs are (single precision). Reading alone is measured twice on the same
files and as many processes: with nibabel, the reader that everybody uses, and with ours.

The bar is that our own reading takes over half of the whole; the other reader's share is printed beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from run import Figure
from simulated import write_label_maps

from BraTSRefineLib.allocator import keep_freed_memory

CASES = 200
PROCESSES = 2
KINDS = {"uint8": "stored as bytes", "float32": "stored in single precision"}
GIGABYTE = 2**30


def measure() -> list[Figure]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes that are begun here
    figures = []
    for dtype, words in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            cohort = write_label_maps(Path(folder) / "cohort", CASES, ("model",), dtype)
            os.sync()
            figures += _figures(cohort, Path(folder) / "workspace", words)
    return figures


def _figures(cohort: Path, workspace: Path, words: str) -> list[Figure]:
    files = sorted(str(path) for path in cohort.rglob("*.nii.gz"))
    theirs, ours = _reading(_with_nibabel, files), _reading(_with_ours, files, keep_freed_memory)
    memory = _Memory()
    scoring = _seconds("score", cohort, workspace, memory)
    reporting = _seconds("report", cohort, workspace, memory)
    unchanged = _seconds("score", cohort, workspace, _Memory())
    whole = scoring + reporting
    detail = f"{len(files)} files; score {scoring:.1f} s, report {reporting:.1f} s, scored again {unchanged:.1f} s"
    return [
        Figure(f"{words}: files to report", whole, unit="s", detail=detail),
        Figure(f"{words}: nibabel's reading / files to report", theirs / whole, detail=f"{theirs:.1f} s"),
        Figure(f"{words}: our own reading / files to report", ours / whole, ">=", 0.5, detail=f"{ours:.1f} s"),
        Figure(f"{words}: memory of the largest worker", memory.largest / GIGABYTE, "<=", 1.0, "GB"),
        Figure(f"{words}: its growth over the second half", memory.growth / 2**20, "<=", 50.0, "MB"),
    ]


def _seconds(command: str, cohort: Path, workspace: Path, memory: _Memory) -> float:
    """Wall seconds of a command as a user types it."""
    start = time.perf_counter()
    arguments = [sys.executable, "-m", "BraTSRefineLib.cli", command, str(cohort), "--workspace", str(workspace)]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with memory.of_children(process.pid):
        if process.wait():
            raise SystemExit(f"bratsrefine {command} failed on the simulated cohort")
    return time.perf_counter() - start


class _Memory:
    """Resident memory of the scoring workers below a process, sampled while they work."""

    def __init__(self) -> None:
        self._samples: dict[int, list[int]] = {}

    @contextmanager
    def of_children(self, pid: int) -> Iterator[None]:
        stop = threading.Event()
        watching = threading.Thread(target=self._watch, args=(pid, stop), daemon=True)
        watching.start()
        try:
            yield
        finally:
            stop.set()
            watching.join()

    def _watch(self, pid: int, stop: threading.Event) -> None:
        """Rarely, so that what is measured has the cores for itself."""
        while not stop.wait(0.3):
            try:
                for child in psutil.Process(pid).children(recursive=True):
                    if child.pid in self._samples or "spawn_main" in " ".join(child.cmdline()):
                        self._samples.setdefault(child.pid, []).append(child.memory_info().rss)
            except psutil.Error:
                continue

    @property
    def largest(self) -> int:
        return max(max(samples) for samples in self._samples.values())

    @property
    def growth(self) -> float:
        """Of a worker's peak, from the second quarter of its samples to the last one."""
        quarters = [np.array_split(samples, 4) for samples in self._samples.values() if len(samples) >= 4]
        return float(max(last.max() - second.max() for _, second, _, last in quarters))


def _reading(read, files: list[str], begin: Callable[[], object] | None = None) -> float:
    """Wall seconds in which processes that have started already, with ``begin``, read all files."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), initializer=begin) as pool:
        list(pool.map(read, files[: 4 * PROCESSES]))
        start = time.perf_counter()
        list(pool.map(read, files, chunksize=4))
        return time.perf_counter() - start


def _with_nibabel(path: str) -> int:
    import nibabel

    return nibabel.load(path).get_fdata().size


def _with_ours(path: str) -> int:
    from BraTSRefineLib.cohort.volumes import read_label_volume

    return read_label_volume(Path(path))[0].size
