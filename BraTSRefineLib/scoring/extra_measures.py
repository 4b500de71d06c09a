"""What can be measured of a pair beyond the regions' metrics: its lesions, its topology, its probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import nan

from ..cohort.case import Case
from ..cohort.volumes import Geometry
from .betti import topology_errors
from .case_maps import LabelPair
from .conventions import OK, ScoringError
from .instances import instance_scores
from .lesion_presets import lesions_by_region
from .lesion_rules import TISSUE_PRESETS
from .lesion_table import LesionRow, lesion_row
from .lesions import LesionScores
from .probability_measures import probability_measures
from .table import CONSENSUS, Row

INSTANCES = "panoptica"
"""The convention of PQ, SQ and RQ: components matched one to one from an IoU of 0.5."""

Values = dict[str, float]


@dataclass(frozen=True)
class Extras:
    """A pair of label maps, ``whole`` and cut to where anything is, and what its measures need beside them."""

    case: Case
    model: str
    whole: LabelPair
    pair: LabelPair
    regions: Sequence[str]
    lesion_preset: str
    engine: str

    @property
    def lesion_geometry(self) -> Geometry:
        """The grid on which lesions are told: rules by tissue know the whole image."""
        return (self.whole if self.lesion_preset in TISSUE_PRESETS else self.pair).prediction.geometry


def extra_rows(extras: Extras, measures: Sequence[str], convention: str) -> tuple[list[Row], list[LesionRow]]:
    """The rows of ``measures`` (of ``MEASURES``) for the table of scores, and those of the table of lesions.

    What a measure cannot be taken of is a row without a value whose status says why.
    """
    rows: list[Row] = []
    lesions: list[LesionRow] = []
    for measure in measures:
        try:
            for region, metrics, of_region in MEASURES[measure](extras):
                head, name = (extras.case.case, extras.model, region), _rules(measure, extras, convention)
                rows += [(*head, metric, value, OK, name) for metric, value in metrics.items()]
                geometry = extras.lesion_geometry
                lesions += [lesion_row(*head, lesion, geometry, name) for lesion in of_region]
        except ScoringError as error:
            head = (extras.case.case, extras.model, "WT", FIRST_METRIC[measure])
            rows.append((*head, nan, " ".join(str(error).split()), _rules(measure, extras, convention)))
    return rows, lesions


def _rules(measure: str, extras: Extras, convention: str) -> str:
    """The convention that a measure follows where it is not the scores' own."""
    own = {"lesions": extras.lesion_preset, "instances": INSTANCES}.get(measure)
    return convention if own is None else own + (CONSENSUS if convention.endswith(CONSENSUS) else "")


Measured = Iterator[tuple[str, Values, Sequence]]
"""By region: metrics and lesions."""


def _lesions(extras: Extras) -> Measured:
    scores = lesions_by_region(extras.whole, extras.pair, extras.regions, extras.lesion_preset, extras.engine)
    for region, of_region in scores.items():
        yield region, _lesionwise(of_region), of_region.rows


def _lesionwise(scores: LesionScores) -> Values:
    found, invented, missed = scores.true_positives, scores.false_positives, scores.false_negatives
    all_of_them = 2 * found + invented + missed
    return {
        "lesionwise_dice": scores.dice,
        "lesionwise_hd95_mm": scores.hd95_mm,
        **{f"lesionwise_nsd_{tolerance:g}mm": value for tolerance, value in scores.nsd.items()},
        "lesion_true_positives": float(found),
        "lesion_false_positives": float(invented),
        "lesion_false_negatives": float(missed),
        "lesion_f1": 2 * found / all_of_them if all_of_them else 1.0,
    }


def _instances(extras: Extras) -> Measured:
    for region in extras.regions:
        scores = instance_scores(*extras.pair.masks(region), extras.pair.truth.spacing)
        values = {"panoptic_quality": scores.pq, "segmentation_quality": scores.sq, "recognition_quality": scores.rq}
        yield region, values, ()


def _topology(extras: Extras) -> Measured:
    for region in extras.regions:
        yield region, topology_errors(*extras.pair.masks(region), extras.pair.truth.spacing), ()


def _calibration(extras: Extras) -> Measured:
    for region, values in probability_measures(extras.case, extras.model, extras.whole.truth, extras.regions).items():
        yield region, values, ()


MEASURES: dict[str, Callable[[Extras], Measured]] = {
    "lesions": _lesions,
    "instances": _instances,
    "topology": _topology,
    "calibration": _calibration,
}
WHOLE_IMAGE = frozenset({"calibration"})
"""Measures that look beyond the box of the labels."""

FIRST_METRIC = {
    "lesions": "lesionwise_dice",
    "instances": "panoptic_quality",
    "topology": "betti0_error",
    "calibration": "ece_brain",
}
