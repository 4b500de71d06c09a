"""What a fast mode costs, measured: one case is predicted exactly too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from ...cohort import Case
from ...cohort.volumes import read_label_map
from ...cohort.workspace import Workspace, write_json
from ...inference import InferenceError, read_case_images
from ...regions import label_convention
from ...scoring import score_pair
from ..description import predicted_models
from ..predicted import Predicted
from ..prediction_work import PredictSettings

FEWEST_CASES = 2
"""With fewer to predict, measuring would cost more than the mode saves."""


def measured_loss(made: Predicted, settings: PredictSettings, cases: Sequence[Case]) -> dict[str, object]:
    """Dice and HD95 of the fast label map with the exact one, by region, and the gain in time, of the first case.

    ``cases`` were predicted just now. What was measured is kept with the prediction and not measured again. Empty in
    the exact mode; only the reason where there are fewer than ``FEWEST_CASES`` or the case cannot be done exactly.
    """
    if settings.mode == "exact":
        return {}
    known = made.loss()
    if known is not None:
        return known
    if len(cases) < FEWEST_CASES:
        return {"mode_measured": f"no: that takes {FEWEST_CASES} cases; what {settings.mode} loses here is unknown"}
    try:
        loss = _of_case(made, settings, cases[0])
    except InferenceError as error:
        return {"mode_measured": f"no: {error}"}
    write_json(made.loss_json, loss)
    return loss


def _of_case(made: Predicted, settings: PredictSettings, case: Case) -> dict[str, object]:
    record = made.record_of(case.case)
    with replace(settings, mode="exact", uncertainty=False).session() as session:
        started, images = perf_counter(), read_case_images(case)
        exact = session.predict(images)
        seconds = perf_counter() - started
    fast, labels = read_label_map(made.label_map(case.case)), label_convention(str(record["labels"]))
    table = score_pair(exact.label_map, fast, images.geometry.array_spacing, labels=labels)
    values = table.pivot(index="region", columns="metric", values="value")
    regions = [region for region in exact.regions if region in values.index]
    return {
        "mode_measured": f"{settings.mode} was {seconds / record['seconds']:.1f} times as fast on {case.case}",
        "against_exact": {
            region: {name: float(values.loc[region, name]) for name in ("dice", "hd95_mm")} for region in regions
        },
    }


def known_loss(workspace: Workspace, settings: PredictSettings) -> dict[str, object] | None:
    """What ``measured_loss`` found for these models, augmentations and this mode in the workspace's cases, if it did.

    Under whatever name they were predicted. Raises JobError for a damaged file.
    """
    about = settings.about()
    for name in predicted_models(workspace.root):
        made = Predicted(workspace, name)
        kept = made.about() or {}
        if all(kept.get(key) == value for key, value in about.items()) and (loss := made.loss()) is not None:
            return loss
    return None
