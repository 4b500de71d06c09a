"""What a fast mode costs, measured: one case is predicted exactly too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from ...cohort import Case
from ...cohort.volumes import read_label_map
from ...inference import InferenceError, read_case_images
from ...regions import label_convention
from ...scoring import score_pair
from ..predicted import Predicted
from ..prediction_work import PredictSettings

FEWEST_CASES = 2
"""With fewer to predict, measuring would cost more than the mode saves."""


def measured_loss(made: Predicted, settings: PredictSettings, cases: Sequence[Case]) -> dict[str, object]:
    """Dice and HD95 of the fast label map with the exact one, by region, and the gain in time, of the first case.

    ``cases`` were predicted just now. Empty in the exact mode, and where there are fewer than ``FEWEST_CASES``.
    """
    if settings.mode == "exact":
        return {}
    if len(cases) < FEWEST_CASES:
        return {"mode_measured": f"no: that takes {FEWEST_CASES} cases; what {settings.mode} loses here is unknown"}
    case, record = cases[0], made.record_of(cases[0].case)
    try:
        with replace(settings, mode="exact", uncertainty=False).session() as session:
            started, images = perf_counter(), read_case_images(case)
            exact = session.predict(images)
            seconds = perf_counter() - started
    except InferenceError as error:
        return {"mode_measured": f"no: {error}"}
    fast, labels = read_label_map(made.label_map(case.case)), label_convention(str(record["labels"]))
    table = score_pair(exact.label_map, fast, images.geometry.array_spacing, labels=labels)
    values = table.pivot(index="region", columns="metric", values="value")
    return {
        "mode_measured": f"{settings.mode} was {seconds / record['seconds']:.1f} times as fast on {case.case}",
        "against_exact": {
            region: {"dice": float(values.loc[region, "dice"]), "hd95_mm": float(values.loc[region, "hd95_mm"])}
            for region in exact.regions
            if region in values.index
        },
    }
