"""``python -m BraTSRefineLib.jobs.look FOLDER WORKSPACE LABELS [again]``: looks at a data folder for whoever waits.

No job yet, as there is no cohort to do it with, but told in the same way: standard output carries ``progress`` for each
case that was looked at, then ``finished`` with the workspace, or ``failed`` with the reason. The end of standard input,
a SIGTERM or a SIGINT cancels it; the workspace then keeps what it kept before.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress

CANCELLED = 130

saving = threading.Lock()
"""Held while the files of the cohort are written, which belong together."""


def main(arguments: list[str]) -> int:
    threading.Thread(target=_end_with_input, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=_end, daemon=True).start())
    try:
        _tell("finished", summary={"workspace": _look(*arguments)})
        return 0
    except Exception as error:
        is_ours = type(error).__module__.startswith("BraTSRefineLib")
        _tell("failed", message=str(error) if is_ours else f"{type(error).__name__}: {error}")
        if not is_ours:
            traceback.print_exc()
        return 1


def _look(folder: str, workspace: str, labels: str, *again: str) -> str:
    from ..cohort.opening import keep, look

    cohort, opened = look(folder, workspace, labels, bool(again), _tell_progress)
    with saving:
        keep(cohort, opened)
    return str(opened.root)


def _tell_progress(step: int, of: int, case: str) -> None:
    _tell("progress", step=step, of=of, case=case)


def _tell(event: str, **details: object) -> None:
    print(json.dumps({"event": event, **details}), flush=True)


def _end_with_input() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    _end()


def _end() -> None:
    with saving:
        os._exit(CANCELLED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
