"""The process that does a job: it reads the description, calls the kind's action and tells how it ended.

Standard output carries events and nothing else; whatever a library prints goes with the errors to the log.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .description import read

if TYPE_CHECKING:
    from .context import Context


def main(arguments: list[str]) -> int:
    """``JOB.json OUTPUTS``, as the supervisor starts it."""
    events = _events_apart_from_prints()
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    from ..allocator import keep_freed_memory
    from .context import Context

    keep_freed_memory()
    job_json, outputs = arguments
    perform(Context(read(job_json), Path(outputs), events))
    return 0


def perform(context: Context) -> None:
    """Call ``run(context) -> summary`` of ``actions/<kind>.py`` and tell how it ended."""
    try:
        action = importlib.import_module(f"{__package__}.actions.{context.job.kind}")
        context.tell("finished", summary=action.run(context))
    except Exception as error:
        context.tell("failed", message=_in_words(error))
        with suppress(OSError):  # the log lies on the same disk, which may be what is full
            traceback.print_exc()


def _in_words(error: Exception) -> str:
    """An error of ours says what to do; of any other the log has the details."""
    if type(error).__module__.startswith("BraTSRefineLib"):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory ({error}); close other programs or choose fewer models"
    return f"{type(error).__name__}: {error}; the log has the details"


def _events_apart_from_prints() -> TextIO:
    """Standard output for us alone: descriptor 1, to which C libraries print too, now leads to the log."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


def _end_with_supervisor() -> None:
    """A supervisor that is killed closes our standard input; nobody else would stop us then."""
    while os.read(0, 4096):
        pass
    if os.name == "nt":
        os._exit(1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
