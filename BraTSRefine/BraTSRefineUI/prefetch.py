"""Cases that are read ahead by another process, so that they are there when they are opened.

Python threads starve under Slicer's event loop; a process does not. It leaves what it read in files in a folder of
their own, in memory where the system offers that (``packing``): a few cases at most, gone when they were taken, when
nobody wants them any more, and when either process ends, however it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import qt
from slicer.i18n import tr as _

from . import packing, prefetchworker
from .jobs import PATIENCE_MS, processEnvironment, pythonExecutable
from .reading import CaseRead, Reading, Stamp

IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 2**30
PREFIX = "bratsrefine-cases-"
RESTARTS = 1


@dataclass(frozen=True)
class Asked:
    """A question that was sent, with the state that its files were in before."""

    reading: Reading
    stamp: Stamp


class Prefetcher:
    """``want`` says which cases are read ahead; ``take`` gives what was read; ``read`` has one read at once.

    ``tell`` hears why cases are no longer read ahead. ``isBroken`` then stays: the process died twice.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.folder: Path | None = None
        self._removeFolder: Callable[[], object] = lambda: None  # at the latest when this process ends
        self._forgetAll()

    def _forgetAll(self) -> None:
        self._process = self._former = None
        self._buffer = b""
        self._number = 0
        self._deaths = 0
        self._wanted: list[Reading] = []
        self._running: Asked | None = None
        self._ready: list[tuple[Asked, Path]] = []
        self._awaited: Reading | None = None
        self._onEnd: Callable[[], None] = lambda: None
        self._onPart: Callable[[str], None] = lambda part: None

    @property
    def isBroken(self) -> bool:
        return self._deaths > RESTARTS

    @property
    def isIdle(self) -> bool:
        """Whether everything that is wanted has been read."""
        return self._running is None and not self._toDo()

    def want(self, readings: Sequence[Reading]) -> None:
        """Read these ahead, the first one first; what was read and is not among them is dropped."""
        self._wanted = list(readings)
        for asked, path in list(self._ready):
            if asked.reading not in self._wanted and asked.reading != self._awaited:
                self._drop(asked, path)
        self._next()

    def read(self, reading: Reading, onEnd: Callable[[], None], onPart: Callable[[str], None]) -> None:
        """Read this one before all others. ``onEnd`` is called when it can be taken, or has to be read otherwise."""
        self._awaited, self._onEnd, self._onPart = reading, onEnd, onPart
        if self._isReady(reading) or self.isBroken:
            self._end()
        else:
            self._next()

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._awaited = None

    def has(self, reading: Reading) -> bool:
        """Whether it was read and no file of it has changed since."""
        return any(asked.reading == reading and asked.stamp == reading.stamp() for asked, _path in self._ready)

    def take(self, reading: Reading) -> CaseRead | None:
        """What was read ahead, once; None where it was not, or where a file has changed since."""
        for asked, path in list(self._ready):
            if asked.reading == reading:
                read = self._unpacked(path) if asked.stamp == reading.stamp() else None
                self._drop(asked, path)
                return read
        return None

    def _unpacked(self, path: Path) -> CaseRead | None:
        try:
            return packing.unpack(path)
        except packing.PackingError as error:
            self.tell(_("The case is read again: {reason}").format(reason=error))
            return None

    def stop(self) -> None:
        """End the process and remove all that was read; ``want`` starts anew."""
        process, kept = self._process, (self._deaths, self._former)
        self._forgetAll()
        (self._deaths, self._former), self.folder = kept, None
        if process is not None:
            for signal in (process.readyReadStandardOutput, process.finished, process.errorOccurred):
                signal.disconnect()
            process.kill()
            process.waitForFinished(PATIENCE_MS)
        self._removeFolder()

    # What is next

    def _toDo(self) -> list[Reading]:
        first = [self._awaited] if self._awaited else []
        return [reading for reading in (*first, *self._wanted) if not self._isReady(reading)]

    def _isReady(self, reading: Reading) -> bool:
        return any(asked.reading == reading for asked, _path in self._ready)

    def _next(self) -> None:
        if self._running is None and not self.isBroken and (toDo := self._toDo()):
            self._start()
            if self._process is None:
                return  # it did not start, and said so at once
            self._number += 1
            self._running = Asked(toDo[0], toDo[0].stamp())
            self._process.write(prefetchworker.encoded(self._number, toDo[0]))

    def _drop(self, asked: Asked, path: Path) -> None:
        self._ready.remove((asked, path))
        path.unlink(missing_ok=True)

    def _end(self) -> None:
        """Tell who waits; they take what is there, or read it themselves."""
        self._awaited = None
        self._onEnd()

    # The process

    def _start(self) -> None:
        if self._process is not None:
            return
        if self.folder is None:
            removeLeftovers()
            self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=roomyFolder()))
            self._removeFolder = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        process = self._process = qt.QProcess()
        process.setProcessEnvironment(processEnvironment())
        process.readyReadStandardOutput.connect(self._onOutput)
        process.finished.connect(self._onFinished)
        process.errorOccurred.connect(self._onError)
        process.start(pythonExecutable(), ["-m", "BraTSRefineUI.prefetchworker", str(self.folder)])

    def _onOutput(self) -> None:
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        try:
            said = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            return  # a library's own words
        if not isinstance(said, dict) or said.get("number") != self._number or self._running is None:
            return
        if said["event"] == "part":
            if self._running.reading == self._awaited:
                self._onPart(said["part"])
        else:
            self._conclude(self._running, said)

    def _conclude(self, asked: Asked, said: dict) -> None:
        self._running = None
        isWanted = asked.reading in self._wanted or asked.reading == self._awaited
        if said["event"] == "done":
            self._ready.append((asked, self.folder / said["file"]))
            if not isWanted:
                self._drop(*self._ready[-1])
        elif asked.reading in self._wanted:
            self._wanted.remove(asked.reading)  # it is read when it is opened, and says then what is wrong
        if asked.reading == self._awaited:
            self._end()
        self._next()

    def _onFinished(self, exitCode=0, exitStatus=None) -> None:
        self._died(_("exit code {code}").format(code=exitCode))

    def _onError(self, error=None) -> None:
        if self._process is not None and self._process.error() == qt.QProcess.FailedToStart:
            self._deaths = RESTARTS
            self._died(_("{program} does not start").format(program=pythonExecutable()))

    def _died(self, reason: str) -> None:
        """Once it is started again; after that every case is read by the window itself."""
        self._former, self._process = self._process, None  # it calls us and must live until it is done with that
        self._running, self._buffer = None, b""
        self._deaths += 1
        if not self.isBroken:
            self._next()
            return
        words = _("Cases are no longer read ahead, so each takes longer to open: the reading process ended ({reason})")
        waits = self._awaited is not None
        onEnd = self._onEnd
        self.stop()
        self.tell(words.format(reason=reason))
        if waits:
            onEnd()


def roomyFolder() -> str:
    """Where files lie in memory, if there is room; else the folder for temporary files."""
    try:
        hasRoom = shutil.disk_usage(IN_MEMORY).free >= ROOM_BYTES and os.access(IN_MEMORY, os.W_OK)
    except OSError:
        hasRoom = False
    return str(IN_MEMORY) if hasRoom else tempfile.gettempdir()


def removeLeftovers() -> None:
    """Remove what a window left whose process is gone, where the reading process was killed with it."""
    for parent in {Path(roomyFolder()), Path(tempfile.gettempdir())}:
        for folder in parent.glob(f"{PREFIX}*"):
            owner = folder.name.removeprefix(PREFIX).partition("-")[0]
            if owner.isdigit() and not isRunning(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)


def isRunning(process: int) -> bool:
    """Whether there is a process of that number; one that is not ours counts as well."""
    if os.name == "nt":
        return _isRunningOnWindows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _isRunningOnWindows(process: int) -> bool:
    """``os.kill`` would end it there."""
    import ctypes

    queryOnly, stillActive = 0x1000, 259
    handle = ctypes.windll.kernel32.OpenProcess(queryOnly, False, process)
    if not handle:
        return False
    code = ctypes.c_ulong()
    ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
    ctypes.windll.kernel32.CloseHandle(handle)
    return code.value == stillActive
