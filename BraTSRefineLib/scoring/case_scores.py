"""All scores of one case, and what cannot be scored as a row that says why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import nan

import numpy as np

from ..cohort.case import Case
from .case_maps import CaseMaps, LabelMap, LabelPair, consensus_of_others, cropped, read_case
from .conventions import OK, ScoringError
from .extra_measures import WHOLE_IMAGE, Extras, extra_rows
from .lesion_rules import LARGEST_DILATION
from .lesion_table import LesionRow
from .pair import Tolerances, region_scores, shared_regions
from .table import CONSENSUS, Row

NOTHING_TO_SCORE = "no reference and no prediction"


@dataclass(frozen=True)
class Settings:
    """How a cohort is scored; ``models`` of None means every model, ``measures`` are further ones (``MEASURES``).

    ``lesion_preset`` names the rules by which lesions are matched.
    """

    convention: str
    tolerance_mm: Tolerances
    engine: str
    models: frozenset[str] | None = None
    measures: tuple[str, ...] = ()
    lesion_preset: str = ""

    def wants(self, model: str) -> bool:
        return self.models is None or model in self.models


@dataclass(frozen=True)
class CaseScores:
    """The rows of one case for the table of scores, and for the table of lesions."""

    rows: list[Row]
    lesions: list[LesionRow]


def case_scores(case: Case, settings: Settings) -> CaseScores:
    """Every wanted model of a case against the reference, or else against the other models' majority."""
    return scores_of_maps(read_case(case, expected_models(case, settings)), settings)


def expected_models(case: Case, settings: Settings) -> list[str]:
    """The wanted models of a case: those that predicted it and those that were found wanting."""
    found = dict.fromkeys([*case.predictions, *(p.model for p in case.problems if p.model)])
    return [model for model in found if settings.wants(model)]


def scores_of_maps(maps: CaseMaps, settings: Settings) -> CaseScores:
    """The scores of a case whose label maps are in memory."""
    case, expected = maps.case, expected_models(maps.case, settings)
    if "" in maps.errors:
        return CaseScores(_unscored(case, expected or [""], maps.errors[""], settings), [])
    if maps.reference is None and not case.predictions:
        return CaseScores(_unscored(case, expected or [""], NOTHING_TO_SCORE, settings), [])
    rows, lesions = [], []
    if maps.reference is not None and not case.predictions:
        rows += _volume_rows(case, maps.reference, settings)
    shape = _shape(maps)
    boxed = maps.reference is None and not WHOLE_IMAGE & set(settings.measures)
    predictions = cropped(maps.predictions) if boxed else maps.predictions
    for model in expected:
        try:
            if model in maps.errors:
                raise ScoringError(maps.errors[model])
            truth = maps.reference or consensus_of_others(predictions, model)
            scored = _pair_scores(case, model, truth, predictions[model], shape, settings)
            rows, lesions = rows + scored.rows, lesions + scored.lesions
        except ScoringError as error:
            rows += _unscored(case, [model], error, settings)
    return CaseScores(rows, lesions)


def _shape(maps: CaseMaps) -> tuple[int, ...]:
    """The image's size in voxels."""
    first = maps.reference or next(iter(maps.predictions.values()), None)
    return first.voxels.shape if first is not None else (0, 0, 0)


def _pair_scores(
    case: Case, model: str, truth: LabelMap, prediction: LabelMap, shape: tuple[int, ...], settings: Settings
) -> CaseScores:
    regions = shared_regions(truth.labels, prediction.labels)
    if not regions:
        raise ScoringError(f"{truth.labels.name} and {prediction.labels.name} have no region in common")
    whole = LabelPair(truth, prediction)
    cut = whole.cut(LARGEST_DILATION)
    scores, _ = region_scores(
        cut.truth.voxels,
        cut.prediction.voxels,
        truth.spacing,
        [truth.labels.scored_regions[region] for region in regions],
        [prediction.labels.scored_regions[region] for region in regions],
        settings.convention,
        settings.tolerance_mm,
        settings.engine,
        shape,
    )
    convention = _convention_of(case, settings)
    rows = [
        (case.case, model, region, metric, score.value, score.status, convention)
        for region, of_region in zip(regions, scores, strict=True)
        for metric, score in of_region.items()
    ]
    extras = Extras(case, model, whole, cut, regions, settings.lesion_preset, settings.engine)
    more, lesions = extra_rows(extras, settings.measures, convention)
    return CaseScores(rows + more, lesions)


def _volume_rows(case: Case, reference: LabelMap, settings: Settings) -> list[Row]:
    """A case that no model predicted still has a size."""
    voxel_ml = float(np.prod(reference.spacing)) / 1000
    return [
        (case.case, "", region, "volume_reference_ml", volume * voxel_ml, OK, settings.convention)
        for region in shared_regions(reference.labels)
        for volume in [int(np.isin(reference.voxels, reference.labels.scored_regions[region]).sum())]
    ]


def _unscored(case: Case, models: Iterable[str], reason: Exception | str, settings: Settings) -> list[Row]:
    status = " ".join(str(reason).split())
    return [(case.case, model, "", "", nan, status, _convention_of(case, settings)) for model in models]


def failed_scores(case: Case, error: Exception, settings: Settings) -> CaseScores:
    """The rows of a case whose scoring ended in an error that is no fault of one file."""
    reason = f"{type(error).__name__}: {error}"
    return CaseScores(_unscored(case, expected_models(case, settings) or [""], reason, settings), [])


def _convention_of(case: Case, settings: Settings) -> str:
    return settings.convention + ("" if case.reference is not None else CONSENSUS)
