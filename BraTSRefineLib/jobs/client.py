"""Running a job from Python and waiting for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .description import JobCancelled, JobError
from .processes import environment

Event = dict[str, object]


def run(job_json: Path | str, on_event: Callable[[Event], None] | None = None) -> Event:
    """Do the job in a supervised process and return the finished event's summary.

    ``on_event`` sees every event as it comes. Whatever interrupts the waiting, Ctrl-C or an error in ``on_event``,
    cancels the job first. Raises JobError with the reason where the job failed, JobCancelled where it was cancelled.
    """
    command = [sys.executable, "-m", "BraTSRefineLib.jobs", str(job_json), "--stop-when-stdin-closes"]
    supervisor = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    event: Event = {}
    try:
        for line in supervisor.stdout:
            event = json.loads(line)
            if on_event is not None:
                on_event(event)
    finally:
        supervisor.stdin.close()
        supervisor.stdout.read()
        supervisor.wait()
        supervisor.stdout.close()
    return _summary(event, job_json)


def _summary(event: Event, job_json: Path | str) -> Event:
    if event.get("event") == "finished":
        return event["summary"]
    if event.get("event") == "cancelled":
        raise JobCancelled(f"{job_json}: cancelled")
    raise JobError(str(event.get("message", f"{job_json}: the job ended without a word; see the log beside it")))
