"""Lesion-wise scores: every lesion of a region weighs the same, however large, and so does every invented one.

The rules are those of the BraTS challenges, see ``lesion_rules``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..regions import label_convention
from .arrays import same_shape
from .engines import chosen_engine
from .lesion_joining import joined_through
from .lesion_labels import Lesions, label_runs, lesions_of, without_specks
from .lesion_matching import FALSE_POSITIVE, MATCHED, MISSED, Grid, Lesion, lesion_rows, matched
from .lesion_rules import LesionRules, TissueRules, region_rules, tissue_rules
from .mask_pair import box_around, mask_pair
from .pair import check_labels, checked_spacing, label_map

KINDS = {"lesion": int, "side": str, "status": str, "counted": bool, "predictions": int}
"""Of the table's columns that are no real numbers; stated so that a table without rows has them too."""


@dataclass(frozen=True)
class LesionScores:
    """The lesion-wise scores of one region.

    ``dice``, ``hd95_mm`` and ``nsd`` (by tolerance in mm; empty where the preset has none) are the means over the
    counted lesions and false positives; 1, 0 mm and 1 where there are none. The three counts are those of the
    official tables: reference lesions that are too small to count are neither found nor missed.
    """

    preset: str
    dice: float
    hd95_mm: float
    nsd: Mapping[float, float]
    true_positives: int
    false_positives: int
    false_negatives: int
    rows: tuple[Lesion, ...]

    @property
    def lesions(self) -> pd.DataFrame:
        """A row a reference lesion and a row a predicted lesion that met none, with the columns of ``Lesion``.

        In place of ``nsd`` there is a column a tolerance (``nsd_1mm``). A missed lesion and a false positive have
        Dice and NSD 0 and the preset's penalty as HD95.
        """
        names = [*Lesion._fields[:-1], *(f"nsd_{tolerance:g}mm" for tolerance in self.nsd)]
        table = pd.DataFrame([(*row[:-1], *row.nsd) for row in self.rows], columns=names)
        return table.astype({name: KINDS.get(name, float) for name in names})


def lesionwise(
    reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float], *, preset: str, engine: str = "auto"
) -> LesionScores:
    """Lesion-wise scores of one region's boolean masks (z, y, x) under the rules of BraTS 2023.

    ``spacing`` in mm in array order. Presets: ``lesion_rules.REGION_PRESETS``. Raises ScoringError for other than two
    boolean 3D masks of one shape, a spacing that is not three positive numbers, an unknown preset or engine.
    """
    rules, engine = region_rules(preset), chosen_engine(engine)
    masks = mask_pair(reference, prediction)
    (reference, prediction), grid = _cropped(*masks, checked_spacing(spacing), rules.dilation)
    lesions = lesions_of(reference, label_runs(reference), (1,), rules.dilation)
    predicted = lesions_of(prediction, label_runs(prediction), (1,), 0)
    return _scores(preset, lesions, predicted, rules, grid, engine)


def lesionwise_tissues(
    reference: np.ndarray, prediction: np.ndarray, spacing: Sequence[float], *, preset: str, engine: str = "auto"
) -> dict[str, LesionScores]:
    """Lesion-wise scores of each region of two label maps (z, y, x) under the rules of BraTS 2024.

    The regions and their order are those of the official table. ``spacing`` in mm in array order. Presets:
    ``lesion_rules.TISSUE_PRESETS``. Raises ScoringError for other than two 3D maps of whole numbers of one shape, for
    labels outside the preset's convention, a spacing that is not three positive numbers, an unknown preset or engine.
    """
    rules, engine = tissue_rules(preset), chosen_engine(engine)
    maps = label_map(reference, "reference"), label_map(prediction, "prediction")
    same_shape(reference=maps[0], prediction=maps[1])
    (reference, prediction), grid = _cropped(*maps, checked_spacing(spacing), rules.largest_dilation)
    found, predicted = _lesions(reference, rules, "reference"), _lesions(prediction, rules, "prediction")
    kept = {name: without_specks(predicted[name], rules.rules[name].largest_speck(grid.spacing)) for name in predicted}
    found, kept = joined_through(found, rules.joined_by), joined_through(kept, rules.joined_by)
    return {name: _scores(preset, found[name], kept[name], rules.rules[name], grid, engine) for name in rules.scored}


def _cropped(
    reference: np.ndarray, prediction: np.ndarray, spacing: tuple[float, ...], margin: int
) -> tuple[list[np.ndarray], Grid]:
    """Both in the order of the file, (x, y, z), cropped to where either has anything and ``margin`` voxels around.

    The margin keeps the numbers of the dilated lesions what they are in the whole image.
    """
    box = box_around(reference, prediction, margin)
    grid = Grid(spacing[::-1], tuple(side.start for side in box[::-1]), reference.shape)
    return [np.ascontiguousarray(voxels[box].T).view(np.uint8) for voxels in (reference, prediction)], grid


def _lesions(voxels: np.ndarray, rules: TissueRules, what: str) -> dict[str, Lesions]:
    runs = label_runs(voxels)
    check_labels(frozenset(np.unique(runs.labels).tolist()), label_convention(rules.labels), what)
    return {name: lesions_of(voxels, runs, rules.regions[name], rules.rules[name].dilation) for name in rules.rules}


def _scores(
    preset: str, reference: Lesions, prediction: Lesions, rules: LesionRules, grid: Grid, engine: str
) -> LesionScores:
    rows = lesion_rows(matched(reference, prediction), rules, grid, engine)
    counted = [row for row in rows if row.counted]
    statuses = [row.status for row in counted]
    tolerances = enumerate(rules.tolerances_mm)
    return LesionScores(
        preset,
        _mean([row.dice for row in counted], nothing=1.0),
        _mean([row.hd95_mm for row in counted], nothing=0.0),
        {tolerance: _mean([row.nsd[place] for row in counted], nothing=1.0) for place, tolerance in tolerances},
        statuses.count(MATCHED),
        sum(row.status == FALSE_POSITIVE for row in rows),
        statuses.count(MISSED),
        tuple(rows),
    )


def _mean(values: Sequence[float], nothing: float) -> float:
    return sum(values) / len(values) if values else nothing
