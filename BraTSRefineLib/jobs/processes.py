"""A worker in a process group of its own, so that it and everything that it started can be ended at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PACKAGE_PARENT = Path(__file__).resolve().parents[2]
GROUP_GONE_WITHIN_S = 0.5
POLL_S = 0.02


def start(module: str, arguments: list[str]) -> subprocess.Popen:
    """``python -m module arguments`` as the leader of a new group.

    Its standard output and its errors are pipes; its standard input stays open for as long as this
    process lives, which is how the worker learns that it does not any more.
    """
    options = {"start_new_session": True} if os.name != "nt" else {"creationflags": _NEW_GROUP}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        **options,
    )


def environment() -> dict[str, str]:
    """This process's environment in which the package is importable, wherever it was started from."""
    path = [str(PACKAGE_PARENT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONIOENCODING": "utf-8"}


def kill_group(process: subprocess.Popen) -> None:
    """End the process and all of its group without asking; returns when they are gone. Harmless when they are."""
    if os.name == "nt":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        _signal_group(process.pid)
    process.wait()
    _wait_for_group(process.pid)


def remove_folder(folder: Path) -> None:
    """Remove a folder in which a killed process may have written until just now. Raises OSError if it stays."""
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(POLL_S)
    shutil.rmtree(folder)


def cause_of_death(returncode: int) -> str:
    """A negative return code of a process in words."""
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        return f"with exit code {returncode}"
    return f"by signal {-returncode} ({name})"


_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


def _signal_group(group: int) -> bool:
    """Whether there was still anybody in the group to be killed."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _wait_for_group(group: int) -> None:
    """Grandchildren are not ours to wait for; a moment is enough for a killed process to let go of its files."""
    deadline = time.monotonic() + GROUP_GONE_WITHIN_S
    while os.name != "nt" and time.monotonic() < deadline and _signal_group(group):
        time.sleep(POLL_S)
