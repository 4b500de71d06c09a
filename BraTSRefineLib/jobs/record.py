"""What a run leaves in its folder: events, state, log; and how they are read again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from . import places
from .description import DESCRIPTION, JobError, workspace_folder
from .lock import is_locked

EVENTS, LOG, LOCK = "events.jsonl", "log.txt", "running.lock"
OUTPUTS, PARTIAL, STAGED = "outputs", "outputs.partial", "workspace"
ENDS = ("finished", "failed", "cancelled")


@dataclass(frozen=True)
class Run:
    """One run of the workspace as its folder tells it. ``summary`` is what the finished event said."""

    name: str
    kind: str
    state: str
    folder: Path
    summary: dict[str, object]
    message: str = ""


def events(run_folder: Path) -> list[dict[str, object]]:
    """Every event so far, oldest first, with whole paths; a last line that is only half written is left out."""
    path = Path(run_folder) / EVENTS
    if not path.is_file():
        return []
    text = places.of_workspace(path.resolve().parents[2]).meant(path.read_text(encoding="utf-8"))
    lines = text.split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def state(run_folder: Path) -> str:
    """ "created", "running", "finished", "failed", "cancelled", or "interrupted" where the machine went down."""
    return _read(Path(run_folder))[0]


def runs(workspace: object) -> list[Run]:
    """The workspace's runs, oldest first. A folder without a readable description is left out."""
    folder = workspace_folder(workspace) / "runs"
    descriptions = sorted(folder.glob(f"*/{DESCRIPTION}"), key=lambda path: (path.stat().st_mtime_ns, path))
    found = (_run(path.parent) for path in descriptions)
    return [run for run in found if run is not None]


def _run(folder: Path) -> Run | None:
    try:
        kind = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    stands, happened = _read(folder)
    last = next(reversed(happened), {})
    return Run(folder.name, kind, stands, folder, last.get("summary", {}), str(last.get("message", "")))


def _read(folder: Path) -> tuple[str, list[dict[str, object]]]:
    """State and events. The lock is looked at first: a run that ends meanwhile has told so by the time it is free."""
    running, happened = is_locked(folder / LOCK), events(folder)
    if running:
        return "running", happened
    last = next((event["event"] for event in reversed(happened) if event["event"] in (*ENDS, "started")), "created")
    return "interrupted" if last == "started" else str(last), happened


def check_not_finished(run_folder: Path) -> None:
    """Raises JobError where the run already has its outputs: what was made is never overwritten."""
    if (run_folder / OUTPUTS).exists():
        raise JobError(f"{run_folder}: this job is finished and keeps its outputs; create a new one")
