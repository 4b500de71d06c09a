"""Which label map is a case's annotation: the newest correction, or the prediction that was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..cohort import Case
from ..regions import LabelConvention
from .corrections import file_of
from .file_hash import file_hash
from .flag_types import ReviewError
from .store_events import DECISIONS, Event
from .store_state import CaseState

ACCEPT, BAD_IMAGE = DECISIONS[0], DECISIONS[-1]


@dataclass(frozen=True)
class Annotation:
    """The label map that stands for a case, how its labels are read, and in words where it comes from."""

    case: Case
    path: Path
    labels: LabelConvention
    source: str


def annotation_of(case: Case, state: CaseState, workspace: Path) -> Annotation:
    """The newest correction of a case; without one the prediction that was accepted or approved.

    Raises ReviewError where there is neither, the image was found to be bad, the file is gone or was changed, or its
    labels are not known.
    """
    if state.decision is not None and state.decision.decision == BAD_IMAGE:
        raise ReviewError(f"{case.case}: decided as '{BAD_IMAGE}'; nobody should learn from it")
    event = state.correction or _accepted(state)
    if event is None:
        raise ReviewError(f"{case.case}: neither a correction nor an accepted prediction; correct or accept it first")
    path = _corrected(case, event, workspace) if event is state.correction else _predicted(case, event)
    labels = case.convention_of(event.model)
    if labels is None:
        raise ReviewError(f"{case.case}: what its labels mean is not known; state --labels")
    what = "correction" if event is state.correction else f"prediction of {event.model}, accepted"
    return Annotation(case, path, labels, f"{what} by {event.who}, {event.row['when']}")


def newest_result(case: Case, state: CaseState, workspace: Path) -> Path | None:
    """The file of ``annotation_of``; None where there is none."""
    try:
        return annotation_of(case, state, workspace).path
    except ReviewError:
        return None


def _accepted(state: CaseState) -> Event | None:
    if state.decision is not None and state.decision.decision == ACCEPT:
        return state.decision
    return state.approved


def _corrected(case: Case, event: Event, workspace: Path) -> Path:
    path = file_of(event, workspace)
    if not path.is_file():
        raise ReviewError(f"{case.case}: its correction {path} is gone; correct it again")
    _check(case, path, event.payload.get("sha256", ""), "saved")
    return path


def _predicted(case: Case, event: Event) -> Path:
    path = case.predictions.get(event.model)
    if path is None or not path.is_file():
        raise ReviewError(f"{case.case}: the prediction of '{event.model}' that was accepted is not there")
    _check(case, path, event.prediction_hash, "accepted")
    return path


def _check(case: Case, path: Path, known: str, since: str) -> None:
    """Raises ReviewError where the file is not the one that was meant; a record without a hash cannot tell."""
    if known and file_hash(path) != known:
        raise ReviewError(f"{case.case}: {path} was changed since it was {since}; look at it again")
