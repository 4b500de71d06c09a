"""``python -m BraTSRefineUI.prefetchworker FOLDER``: reads cases for a window, in a process of its own.

A line on standard input is a question (``encoded``), a line on standard output says how far the answer is, both as
JSON: the part that is being read, ``done`` with the file in FOLDER that holds the answer, or ``failed`` with the
reason. When standard input ends, because the window is done with it or was killed, FOLDER goes and so does the process.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from . import packing
from .plaindata import fromPlain, toPlain
from .reading import Reading, readCase, workOut

GIVES_WAY = 10
"""Niceness: where all cores are busy the window's own work goes first."""


def encoded(number: int, reading: Reading) -> bytes:
    """A question as a line."""
    return json.dumps([number, toPlain(reading)]).encode() + b"\n"


def main(folder: Path) -> None:
    if hasattr(os, "nice"):
        os.nice(GIVES_WAY)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: sys.exit())
    try:
        for line in sys.stdin.buffer:
            number, reading = json.loads(line)
            _answer(folder, number, fromPlain(reading))
    except KeyboardInterrupt:
        pass  # meant for the window's process, which closes our input
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answer(folder: Path, number: int, reading: Reading) -> None:
    try:
        read = readCase(reading, lambda part: _say(number, "part", part=part))
        _say(number, "part", part="surfaces")
        path = folder / f"{number}.case"
        packing.pack(workOut(read), path)
        _say(number, "done", file=path.name)
    except Exception as error:  # the window reads the case itself and meets the reason there
        _say(number, "failed", message=f"{type(error).__name__}: {error}")


def _say(number: int, event: str, **more) -> None:
    print(json.dumps({"number": number, "event": event, **more}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
