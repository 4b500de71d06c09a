"""The models that were made here: finished runs that left label maps, and what trained models predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .description import predicted_models, runs_with_label_maps
from .predicted import Predicted
from .record import OUTPUTS

if TYPE_CHECKING:
    from ..cohort import Case, Cohort
    from ..cohort.workspace import Workspace
    from ..regions import LabelConvention

PREDICTIONS = "predictions"


def with_runs(cohort: Cohort, workspace: Workspace, *, referenced: bool = False) -> Cohort:
    """The cohort with every model that was made here, under the name of its run or of its prediction.

    A run's labels are written in each case's own convention, a prediction's in that of the trained model.
    ``referenced``: in the cases with a reference alone.
    """
    folders = {name: workspace.run(name) / OUTPUTS / PREDICTIONS for name in runs_with_label_maps(workspace.root)}
    predicted = [Predicted(workspace, name) for name in predicted_models(workspace.root)]
    if not folders and not predicted:
        return cohort
    cases = (
        case if referenced and case.reference is None else _with_predicted(_with_runs(case, folders), predicted)
        for case in cohort.cases
    )
    return replace(cohort, cases=tuple(cases))


def prediction_file(folder: Path, case: str) -> Path:
    """Where a run keeps its label map of a case."""
    from ..cohort.workspace import safe_name

    return folder / f"{safe_name(case)}.nii.gz"


def _with_runs(case: Case, folders: Mapping[str, Path]) -> Case:
    files = {run: prediction_file(folder, case.case) for run, folder in folders.items()}
    files = {run: path for run, path in files.items() if path.is_file()}
    return _with(case, files, dict.fromkeys(files, case.labels), {})


def _with_predicted(case: Case, models: list[Predicted]) -> Case:
    from ..regions import label_convention

    done = {model: record for model in models if (record := model.record_of(case.case)) is not None}
    labels = {model.name: label_convention(str(record["labels"])) for model, record in done.items()}
    means = {model.name: model.workspace.model_map_path(model.name, case.case, "WT", "mean") for model in done}
    files = {model.name: model.label_map(case.case) for model in done}
    return _with(case, files, labels, {name: path for name, path in means.items() if path.is_file()})


def _with(
    case: Case, files: Mapping[str, Path], labels: Mapping[str, LabelConvention | None], means: Mapping[str, Path]
) -> Case:
    return replace(
        case,
        predictions={**case.predictions, **files},
        probabilities={**case.probabilities, **means},
        model_labels={**case.model_labels, **labels},
    )
