"""How good the trained models are: the mean Dice on the phantom's held-out cases, predicted by ours."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from BraTSRefineLib.cohort import Case, discover, read_label_map
from BraTSRefineLib.inference.case_images import read_case_images
from BraTSRefineLib.inference.models import open_models
from BraTSRefineLib.inference.predict import predict_cases


def mean_dice(held_out: Path, model: Path) -> dict[str, float]:
    """Region to the mean Dice of all folds of ``model`` together, without mirroring; two empty masks agree (1)."""
    cases = {case.case: case for case in discover(held_out).cases}
    readers = [partial(read_case_images, case) for case in cases.values()]
    predictions = list(predict_cases(readers, open_models(model), uncertainty=False, device="cpu"))
    dice = [_dice(prediction, cases[prediction.case]) for prediction in predictions]
    return dict(zip(predictions[0].regions, np.mean(dice, axis=0).round(3).tolist(), strict=True))


def _dice(prediction, case: Case) -> list[float]:
    reference = case.labels.masks(read_label_map(case.reference), prediction.regions)
    pairs = zip(prediction.labels, reference, strict=True)
    return [2 * (mine & true).sum() / both if (both := mine.sum() + true.sum()) else 1.0 for mine, true in pairs]
