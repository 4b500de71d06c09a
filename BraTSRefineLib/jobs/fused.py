"""The label maps that finished runs left: each such run counts as a further model of the cohort."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .description import fused_runs
from .record import OUTPUTS

if TYPE_CHECKING:
    from ..cohort import Case, Cohort
    from ..cohort.workspace import Workspace

PREDICTIONS = "predictions"


def with_runs(cohort: Cohort, workspace: Workspace) -> Cohort:
    """The cohort with every finished run that made label maps as a model of the run's name.

    Their labels are written in each case's own convention.
    """
    folders = {name: workspace.run(name) / OUTPUTS / PREDICTIONS for name in fused_runs(workspace.root)}
    return replace(cohort, cases=tuple(_with_runs(case, folders) for case in cohort.cases)) if folders else cohort


def prediction_file(folder: Path, case: str) -> Path:
    """Where a run keeps its label map of a case."""
    from ..cohort.workspace import safe_name

    return folder / f"{safe_name(case)}.nii.gz"


def _with_runs(case: Case, folders: dict[str, Path]) -> Case:
    files = {run: prediction_file(folder, case.case) for run, folder in folders.items()}
    files = {run: path for run, path in files.items() if path.is_file()}
    return replace(
        case,
        predictions={**case.predictions, **files},
        model_labels={**case.model_labels, **dict.fromkeys(files, case.labels)},
    )
