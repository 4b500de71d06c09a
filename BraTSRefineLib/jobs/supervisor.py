"""The process between whoever wants a job done and the worker that does it.

It starts the worker in its own process group, passes its events on, keeps log and record, ends the whole group when
asked to, and decides alone whether the outputs count: they are renamed into place after the worker has finished.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import IO

from . import places, processes
from .description import Job, JobError, read
from .lock import locked
from .record import EVENTS, LOCK, LOG, OUTPUTS, PARTIAL, STAGED, check_not_finished

SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")
POLL_S = 0.2
LOG_ENDS_WITHIN_S = 1.0


class Supervisor:
    """One run of one job. ``run`` returns the exit code: 0 finished, 1 failed, 130 cancelled."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._happenings: queue.SimpleQueue[tuple[str, object]] = queue.SimpleQueue()

    def cancel(self, *_signal: object) -> None:
        """Ask for the end; safe from a signal handler and from any thread."""
        self._happenings.put(("cancel", None))

    def run(self) -> int:
        """Do the job to its end, whichever that is."""
        try:
            check_not_finished(self.job.folder)
            with locked(self.job.folder / LOCK):
                return self._run_locked()
        except OSError as error:
            return self._conclude("failed", {"message": self._in_words(error)})

    def _run_locked(self) -> int:
        processes.remove_folder(self.partial)
        self._emit("started", kind=self.job.kind, name=self.job.name)
        self.partial.mkdir()
        log = (self.job.folder / LOG).open("ab", buffering=0)
        worker = processes.start("BraTSRefineLib.jobs.worker", [str(self.job.folder / "job.json"), str(self.partial)])
        keeper = threading.Thread(target=self._keep_log, args=(worker, log), daemon=True)
        keeper.start()
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        try:
            end, details = self._follow(worker)
        except OSError as error:
            end, details = "failed", {"message": self._in_words(error)}
        finally:
            processes.kill_group(worker)
            keeper.join(LOG_ENDS_WITHIN_S)
        return self._conclude(end, details)

    @property
    def partial(self) -> Path:
        return self.job.folder / PARTIAL

    @cached_property
    def _places(self) -> places.Places:
        return places.of_job(self.job.workspace, self.job.parameters)

    def _keep_log(self, worker: subprocess.Popen, log: IO[bytes]) -> None:
        """What the worker and its children print, without the names of folders above data and workspace.

        What a full disk does not take is read all the same, or they would wait for us.
        """
        with log:
            for line in worker.stderr:
                text = self._places.told(line.decode("utf-8", "surrogateescape"))
                with suppress(OSError):
                    log.write(text.encode("utf-8", "surrogateescape"))

    def _listen(self, worker: subprocess.Popen) -> None:
        """Events from the worker's output; then how it ended. Its children may hold the pipe open after its death."""
        reader = threading.Thread(target=self._read_lines, args=(worker,), daemon=True)
        reader.start()
        returncode = worker.wait()
        reader.join(timeout=1)
        self._happenings.put(("ended", returncode))

    def _read_lines(self, worker: subprocess.Popen) -> None:
        for line in worker.stdout:
            if line.endswith(b"\n"):  # a killed worker may leave half a line
                self._happenings.put(("event", json.loads(line)))

    def _follow(self, worker: subprocess.Popen) -> tuple[str, dict[str, object]]:
        """Pass events on until the worker ends or a cancel comes; how it ended, and what is to be said about it."""
        last = {}
        while True:
            what, content = self._next()
            if what == "cancel":
                return "cancelled", {}
            if what == "ended":
                return self._verdict(last, content)
            last = content
            if content["event"] not in ("finished", "failed"):
                self._emit(**content)

    def _next(self) -> tuple[str, object]:
        """Waits in short naps: on Windows no signal gets through to a thread that sleeps on a lock."""
        while True:
            try:
                return self._happenings.get(timeout=POLL_S)
            except queue.Empty:
                continue

    def _verdict(self, last: dict[str, object], returncode: int) -> tuple[str, dict[str, object]]:
        if returncode == 0 and last.get("event") == "finished":
            return "finished", {"summary": last["summary"]}
        if last.get("event") == "failed":
            return "failed", {"message": last["message"]}
        how = processes.cause_of_death(returncode)
        advice = "it may have run out of memory" if returncode in (-9, 137) else "the log tells more"
        return "failed", {"message": f"the worker process ended {how}; {advice}: {self.job.folder / LOG}"}

    def _conclude(self, end: str, details: dict[str, object]) -> int:
        if end == "finished":
            try:
                self._publish()
                details["outputs"] = str(self.job.folder / OUTPUTS)
            except OSError as error:
                end, details = "failed", {"message": self._in_words(error)}
        processes.remove_folder(self.partial)
        return self._emit_end(end, **details)

    def _publish(self) -> None:
        """Move what belongs into the workspace there, file by file, then rename the rest to ``outputs``."""
        staged = self.partial / STAGED
        for path in sorted(staged.rglob("*")):
            if path.is_file():
                place = self.job.workspace / path.relative_to(staged)
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
        processes.remove_folder(staged)
        self.partial.rename(self.job.folder / OUTPUTS)

    def _emit_end(self, end: str, **details: object) -> int:
        try:
            self._emit(end, **details)
        except OSError as error:
            print(f"{self.job.folder}: the end is not on record ({error.strerror})", file=sys.stderr)
        return {"finished": 0, "cancelled": 130}.get(end, 1)

    def _emit(self, event: str, **details: object) -> None:
        """To the reader first, who shall know even where the disk is full; then on record, without whole paths."""
        content = {"event": event, **details}
        _print(json.dumps(content, ensure_ascii=False))
        _append_line(self.job.folder / EVENTS, json.dumps(self._places.told(content), ensure_ascii=False))

    def _in_words(self, error: OSError) -> str:
        return f"{error.filename or self.job.folder}: not written ({error.strerror}); free disk space"


def main(arguments: list[str]) -> int:
    """``JOB.json [--stop-when-stdin-closes]``; see the package's documentation."""
    files = [argument for argument in arguments if argument != "--stop-when-stdin-closes"]
    if len(files) != 1:
        print("usage: python -m BraTSRefineLib.jobs RUN/job.json [--stop-when-stdin-closes]", file=sys.stderr)
        return 2
    try:
        supervisor = Supervisor(read(files[0]))
        _take_orders(supervisor, stdin=len(files) < len(arguments))
        return supervisor.run()
    except JobError as error:
        _print(json.dumps({"event": "failed", "message": str(error)}, ensure_ascii=False))
        return 1


def _take_orders(supervisor: Supervisor, stdin: bool) -> None:
    for name in SIGNALS:
        if hasattr(signal, name):
            _unless_ignored(getattr(signal, name), supervisor.cancel)
    if stdin:
        threading.Thread(target=_wait_for_end_of_input, args=(supervisor,), daemon=True).start()


def _unless_ignored(number: int, handler: Callable) -> None:
    """Who started us with a signal ignored (nohup, a shell's background) meant it."""
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, handler)


def _wait_for_end_of_input(supervisor: Supervisor) -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    supervisor.cancel()


def _append_line(path: Path, line: str) -> None:
    """Whole or not at all: half a line would spoil every line after it. Raises OSError."""
    content = f"{line}\n".encode()
    with path.open("ab", buffering=0) as stream:
        end = stream.seek(0, os.SEEK_END)
        if stream.write(content) < len(content):
            stream.truncate(end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _print(line: str) -> None:
    """A reader that went away is no reason to stop."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
