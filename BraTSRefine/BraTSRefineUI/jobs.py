"""Runs a job of the backend in a process of its own and tells what it says, line by line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import qt

MODULE_FOLDER = Path(__file__).resolve().parents[1]
REPOSITORY = MODULE_FOLDER.parent
PATIENCE_MS = 3000
LAST_EVENTS = ("finished", "failed", "cancelled")


def pythonExecutable() -> str:
    """Slicer's Python where there is one, else the interpreter that runs the host."""
    return shutil.which("PythonSlicer") or sys.executable


class JobRunner:
    """One job at a time: ``start`` it, ``cancel`` it; ``onEvent`` gets every event as a dictionary.

    The last event of a job is ``finished``, ``failed`` or ``cancelled``, whatever happens to the process; it is told
    when the process has ended, so that the next job may be started at once.
    """

    def __init__(self, onEvent: Callable[[dict], None]) -> None:
        self.onEvent = onEvent
        self.runFolder: Path | None = None
        self._process = None
        self._buffer = b""
        self._lastEvent: dict | None = None
        self.wasCancelled = False

    @property
    def isRunning(self) -> bool:
        return self._process is not None

    def start(self, jobFile: Path) -> None:
        """Start the worker of a ``job.json``. One that still runs must be cancelled first."""
        job = Path(jobFile)
        self.startModule("BraTSRefineLib.jobs", str(job), "--stop-when-stdin-closes", runFolder=job.parent)

    def startModule(self, *arguments: str, runFolder: Path | None = None) -> None:
        """Start a module of the backend that tells events as a job does and ends when its standard input does."""
        if self.isRunning:
            raise RuntimeError("a job is still running; cancel it first")
        self.runFolder = runFolder
        self._buffer, self._lastEvent, self.wasCancelled = b"", None, False
        process = self._process = qt.QProcess()
        process.setProcessEnvironment(processEnvironment())
        process.readyReadStandardOutput.connect(self._onOutput)
        process.finished.connect(self._onFinished)
        process.errorOccurred.connect(self._onError)
        process.start(pythonExecutable(), ["-m", *arguments])

    def cancel(self) -> None:
        """Ask the job to stop; it answers with ``cancelled`` within two seconds and leaves nothing half done."""
        if self.isRunning:
            self.wasCancelled = True
            self._process.closeWriteChannel()
            self._process.terminate()

    def cleanup(self) -> None:
        """Stop everything and wait for it: the window is closing."""
        self.onEvent = lambda event: None
        process = self._process
        if process is None:
            return
        self.cancel()
        if not process.waitForFinished(PATIENCE_MS):
            process.kill()
            process.waitForFinished(PATIENCE_MS)
        self._process = None

    def log(self) -> str:
        """What the last job's worker wrote."""
        path = self.runFolder / "log.txt" if self.runFolder else None
        return path.read_text(encoding="utf-8", errors="replace") if path and path.is_file() else ""

    def _onOutput(self) -> None:
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._tell(line)

    def _tell(self, line: bytes) -> None:
        try:
            event = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            return  # a library's own words on standard output; the log keeps them
        if not isinstance(event, dict) or "event" not in event:
            return
        if event["event"] in LAST_EVENTS:
            self._lastEvent = event
        else:
            self.onEvent(event)

    def _onFinished(self, exitCode=0, exitStatus=None) -> None:
        self._onOutput()
        self._process = None
        self.onEvent(self._lastEvent or self._wordsFor(exitCode))

    def _wordsFor(self, exitCode: int) -> dict:
        if self.wasCancelled:
            return {"event": "cancelled"}
        return {"event": "failed", "message": f"the worker ended without a word (exit code {exitCode})"}

    def _onError(self, error=None) -> None:
        if self._process is not None and self._process.error() == qt.QProcess.FailedToStart:
            self._process = None
            self.onEvent({"event": "failed", "message": f"{pythonExecutable()} does not start"})


def processEnvironment():
    """That of this process, our packages on its path."""
    environment = qt.QProcessEnvironment.systemEnvironment()
    path = [str(REPOSITORY), str(MODULE_FOLDER), environment.value("PYTHONPATH", "")]
    environment.insert("PYTHONPATH", os.pathsep.join(part for part in path if part))
    environment.insert("PYTHONIOENCODING", "utf-8")
    return environment
