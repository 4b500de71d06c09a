"""Cases that belong to one person: by their names, or by references that are one and the same brain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from ..cohort import Case, Cohort, to_canonical
from .boxes import occupied_box
from .finding import IDENTICAL, NOT_CHECKED, SAME_PERSON, Finding
from .metrics import AnalysisError
from .pairs import CaseReader

VOLUME_TOLERANCE = 0.1
"""Relative difference in volume of each region beyond which two references are not compared voxel by voxel."""

LEAST_ML = 1.0
"""Tumours below this many ml are too alike to tell persons apart."""

SAME_DICE = 0.9
SIZE_TOLERANCE = 2
"""Voxels by which the boxes of two references of one tumour may differ along an axis."""

Cut = tuple[np.ndarray, tuple[float, ...]]
"""WT cut to its box, along the body's axes, and its spacing in mm in array order."""


def same_person_by_name(cohort: Cohort) -> Iterator[Finding]:
    """One finding for each person with several cases."""
    groups: dict[str, list[str]] = {}
    for case in cohort.cases:
        groups.setdefault(case.person or case.case, []).append(case.case)
    for person, cases in groups.items():
        if len(cases) > 1:
            message = f"{', '.join(cases)} are of one person ({person}) by their names: keep them in one split"
            yield Finding(cases[0], "", SAME_PERSON, message)


def identical_references(cohort: Cohort, scores: pd.DataFrame) -> Iterator[Finding]:
    """Pairs of cases whose references nearly coincide; volumes decide which are compared at all."""
    cuts: dict[str, Cut | None] = {}
    volumes = reference_volumes(cohort, scores)
    for first, second in _alike({case: ml for case, ml in volumes.items() if ml.get("WT", 0.0) >= LEAST_ML}):
        try:
            for name in (first, second):
                if name not in cuts:
                    cuts[name] = _cut(cohort[name])
        except AnalysisError as error:
            cuts[name] = None
            yield Finding(name, "", NOT_CHECKED, f"not compared with other references: {error}")
        dice = _aligned_dice(cuts.get(first), cuts.get(second))
        if dice > SAME_DICE:
            yield _identical(cohort[first], cohort[second], dice)


def _identical(first: Case, second: Case, dice: float) -> Finding:
    known = first.person and first.person == second.person
    what = "this is one examination under two names" if known else "this may be one person under two names"
    message = f"its reference is that of {second.case} (WT Dice {dice:.2f}): {what}; keep both in one split"
    return Finding(first.case, "", IDENTICAL, message)


def reference_volumes(cohort: Cohort, scores: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Volumes in ml by case and region, of the cases that have a reference."""
    references = {case.case for case in cohort.cases if case.reference is not None}
    rows = scores[(scores["metric"] == "volume_reference_ml") & scores["case"].isin(references)]
    volumes: dict[str, dict[str, float]] = {}
    for case, region, value in zip(rows["case"], rows["region"], rows["value"], strict=True):
        volumes.setdefault(case, {})[region] = value
    return volumes


def _alike(volumes: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, str]]:
    """Pairs of cases that agree in the volume of each region that both know."""
    ordered = sorted(volumes, key=lambda case: (volumes[case]["WT"], case))
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if not _close(volumes[first]["WT"], volumes[second]["WT"]):
                break
            shared = volumes[first].keys() & volumes[second].keys()
            if all(_close(volumes[first][region], volumes[second][region]) for region in shared):
                yield tuple(sorted((first, second)))


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= VOLUME_TOLERANCE * max(a, b)


def _cut(case: Case) -> Cut | None:
    reader = CaseReader(case)
    if reader.reference is None or "WT" not in reader.reference.masks:
        return None
    mask, spacing = to_canonical(reader.reference.masks["WT"], reader.geometry)
    box = occupied_box(mask)
    return None if box is None else (np.ascontiguousarray(mask[box]), spacing)


def _aligned_dice(first: Cut | None, second: Cut | None) -> float:
    """Dice of two tumours laid corner on corner; 0 where their boxes or spacings differ."""
    if first is None or second is None or not np.allclose(first[1], second[1], rtol=0.01):
        return 0.0
    (a, _), (b, _) = first, second
    if max(abs(m - n) for m, n in zip(a.shape, b.shape, strict=True)) > SIZE_TOLERANCE:
        return 0.0
    shared = tuple(slice(0, min(m, n)) for m, n in zip(a.shape, b.shape, strict=True))
    return 2 * np.count_nonzero(a[shared] & b[shared]) / (np.count_nonzero(a) + np.count_nonzero(b))
