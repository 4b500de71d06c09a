"""Scoring conventions: what a surface, a percentile and an empty mask are to each challenge and library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import NamedTuple

from .surface import EDGES, FACES, SurfacePair

OK = "ok"
BOTH_EMPTY = "both empty"
PREDICTION_EMPTY = "prediction empty"
REFERENCE_EMPTY = "reference empty"
STATUSES = (OK, BOTH_EMPTY, PREDICTION_EMPTY, REFERENCE_EMPTY)

BRATS_PENALTY_MM = 374.0
"""HD95 of a region that only one of the two masks has: the diagonal of 240x240x155 mm, as BraTS 2023 rounds it."""

DIAGONAL = "diagonal"
"""In place of a number: the image's diagonal in voxels, as the official code of BraTS 2024 MET and MEN-RT takes it."""

Values = tuple[float | str, float | str, float | str]
"""Worth of ``both empty``, ``prediction empty`` and ``reference empty``, in this order."""

UNDEFINED: Values = (nan, nan, nan)


class ScoringError(ValueError):
    """Input that cannot be scored; the message says what is wrong, where, and what to do."""


class Score(NamedTuple):
    """A metric's value and whether both masks had voxels. Volumes are defined for empty masks, so always ``ok``."""

    value: float
    status: str


@dataclass(frozen=True)
class Convention:
    """How metrics are defined under a name, and what they are worth where a mask is empty (``values``, by metric).

    ``surface`` is what HD, HD95, ASSD and MASD are taken on; ``percentile``, ``average`` and ``surface_dice`` name
    their rules; ``tolerances_mm`` are the surface Dice's where none are asked for.
    """

    name: str
    explanation: str
    values: Mapping[str, Values]
    surface: str = FACES
    percentile: str = "area"
    average: str = "mean of means"
    surface_dice: str = FACES
    tolerances_mm: tuple[float, ...] = (1.0,)

    @property
    def surfaces(self) -> set[str]:
        """The kinds of surface that its metrics need."""
        return {self.surface, FACES if self.surface_dice == FACES else EDGES}

    def empty_value(self, metric: str, status: str, shape: Sequence[int]) -> float:
        """What ``metric`` is worth for a ``status`` other than ``ok``; ``shape`` is the image's, in voxels."""
        value = self.values["nsd" if metric.startswith("nsd_") else metric][STATUSES.index(status) - 1]
        return sum(size**2 for size in shape) ** 0.5 if value == DIAGONAL else value

    def distances(self, pairs: Mapping[str, SurfacePair], tolerances_mm: Sequence[float]) -> dict[str, float]:
        """HD, HD95, ASSD, MASD in mm and the surface Dice at each tolerance; ``pairs`` by kind of surface."""
        pair = pairs[self.surface]
        values = {
            "hd_mm": pair.hd,
            "hd95_mm": PERCENTILES[self.percentile](pair),
            "assd_mm": AVERAGES[self.average](pair),
            "masd_mm": pair.mean_of_means,
        }
        kind = FACES if self.surface_dice == FACES else EDGES
        share = SurfacePair.nsd_of_shares if self.surface_dice == "shares" else SurfacePair.nsd
        return values | {nsd_name(tolerance): share(pairs[kind], tolerance) for tolerance in tolerances_mm}

    @property
    def definitions(self) -> str:
        """In plain words: how distances are defined."""
        return " ".join(
            (SURFACE_WORDS[self.surface], PERCENTILE_WORDS[self.percentile], AVERAGE_WORDS[self.average],
             SURFACE_DICE_WORDS[self.surface_dice])
        )  # fmt: skip


PERCENTILES = {
    "area": lambda pair: pair.hd95,
    "interpolated": lambda pair: pair.hd95_interpolated,
    "pooled": lambda pair: pair.hd95_pooled,
}
AVERAGES = {"mean of means": lambda pair: pair.mean_of_means, "pooled": lambda pair: pair.pooled_mean}

SURFACE_WORDS = {
    FACES: "Surfaces as in surface-distance and the official BraTS code: area-weighted elements between the voxels, "
    "spacing in mm honoured.",
    EDGES: "Surfaces are the edge voxels of a mask (a face neighbour lies outside it), each counting 1, spacing in mm "
    "honoured.",
}
PERCENTILE_WORDS = {
    "area": "HD95 = the larger of the two directed 95 % distances (the first distance at which 95 % of the area is "
    "reached, no interpolation).",
    "interpolated": "HD95 = the larger of the two directed 95th percentiles, interpolated linearly.",
    "pooled": "HD95 = the 95th percentile of the distances of both directions together, interpolated linearly.",
}
AVERAGE_WORDS = {
    "mean of means": "ASSD = mean of the two directed mean distances (area-weighted on faces), which is the MASD too.",
    "pooled": "ASSD = mean of the distances of both directions together; MASD = mean of the two directed means.",
}
SURFACE_DICE_WORDS = {
    FACES: "NSD = share of the area of both surfaces within the tolerance (<=).",
    EDGES: "NSD = share of the edge voxels of both masks within the tolerance (<=).",
    "shares": "NSD = mean of the two shares of edge voxels within the tolerance (<=), as nnU-Net v1 and BraTS 2024.",
}
ALWAYS = (
    "Dice = 2|A and B| / (|A| + |B|). Jaccard = |A and B| / |A or B|. Boundary IoU = the Jaccard index of the edge "
    "voxels. Specificity is over the whole image. HD = the largest distance. Relative volume error = (prediction - "
    "reference) / reference. Centroid distance in mm. Volumes in ml."
)


def _values(
    overlap: Values, distance: Values, *, sensitivity: Values, precision: Values, relative: Values, **others: Values
) -> dict[str, Values]:
    """``overlap`` for what is 1 at best, ``distance`` for what is 0 mm at best, ``others`` by name."""
    alike = dict.fromkeys(("dice", "jaccard", "nsd", "boundary_iou"), overlap)
    alike |= dict.fromkeys(("hd_mm", "hd95_mm", "assd_mm", "masd_mm", "centroid_distance_mm"), distance)
    named = {"sensitivity": sensitivity, "precision": precision, "relative_volume_error": relative}
    return alike | named | others


RATIOS = {"sensitivity": (nan, 0.0, nan), "precision": (nan, nan, 0.0), "relative": (nan, -1.0, nan)}
"""0/0 is not defined."""


def _brats(penalty: float | str) -> dict[str, Values]:
    best = {"sensitivity": (1.0, 0.0, 0.0), "precision": (1.0, 0.0, 0.0), "relative": (0.0, -1.0, nan)}
    return _values((1.0, 0.0, 0.0), (0.0, penalty, penalty), **best)


def _brats_words(penalty: str, more: str = "") -> str:
    return (
        "Both masks empty is a perfect score (Dice, NSD, sensitivity, precision 1; HD95, ASSD 0 mm); a region that "
        f"only one of them has is a full miss (Dice, NSD, sensitivity, precision 0; HD95, ASSD {penalty}).{more}"
    )


def _brats2024(task: str, penalty: float | str) -> Convention:
    words = "the image's diagonal in voxels" if penalty == DIAGONAL else f"{penalty:g} mm"
    more = (
        f" The whole-image numbers of BraTS 2024 {task.upper()}; where the official code took maps of lesion numbers "
        "for masks (Legacy_HD95, Sensitivity, Specificity with several lesions) these are the right values."
    )
    return Convention(
        f"brats2024-{task}",
        _brats_words(words, more),
        _brats(penalty),
        surface_dice="shares",
        tolerances_mm=(0.5, 1.0),
    )


_MISSED_IS_FAR = (nan, inf, inf)
CONVENTIONS: dict[str, Convention] = {
    convention.name: convention
    for convention in (
        Convention("brats2023", _brats_words("374 mm"), _brats(BRATS_PENALTY_MM)),
        _brats2024("gli", 337.0),
        _brats2024("met", DIAGONAL),
        _brats2024("ped", BRATS_PENALTY_MM),
        _brats2024("ssa", BRATS_PENALTY_MM),
        _brats2024("men-rt", DIAGONAL),
        Convention(
            "deepmind",
            "What the formulas of surface-distance give: 0/0 is NaN, the distance to an empty mask is infinite "
            "(one mask empty: Dice and NSD 0, HD95 infinite; both: Dice, NSD NaN, HD95 infinite; ASSD NaN in each).",
            _values(
                (nan, 0.0, 0.0), UNDEFINED, hd_mm=(inf, inf, inf), hd95_mm=(inf, inf, inf), **RATIOS
            ),
        ),
        Convention(
            "nan",
            "What is not defined is NaN and left out of means: every distance to an empty mask, every 0/0. "
            "A region that only one mask has still is Dice 0 and NSD 0, so that a missed tumour stays in the mean.",
            _values((nan, 0.0, 0.0), UNDEFINED, **RATIOS),
        ),
        Convention(
            "monai",
            "As MONAI: Dice and IoU are NaN wherever the reference is empty, even if the prediction is not; HD95 is "
            "NaN and HD and ASSD infinite where one mask is empty (so that a mean over cases drops a missed tumour), "
            "all NaN where both are.",
            _values(
                (nan, 0.0, nan), _MISSED_IS_FAR, nsd=(nan, 0.0, 0.0), boundary_iou=(nan, 0.0, 0.0),
                hd95_mm=UNDEFINED, masd_mm=UNDEFINED, centroid_distance_mm=UNDEFINED, **RATIOS,
            ),
            surface=EDGES, percentile="interpolated", average="pooled", surface_dice=EDGES,
        ),
        Convention(
            "medpy",
            "As medpy: NaN where medpy raises an error (every distance to an empty mask) and for 0/0, but a Jaccard "
            "index of 1 where both are empty. The surface Dice is nnU-Net v1's on medpy's distances.",
            _values((nan, 0.0, 0.0), UNDEFINED, jaccard=(1.0, 0.0, 0.0), nsd=UNDEFINED, **RATIOS),
            surface=EDGES, percentile="pooled", average="pooled", surface_dice="shares",
        ),
        Convention(
            "panoptica",
            "As panoptica with its default handling of edge cases: both masks empty is NaN, one of them Dice, IoU and "
            "NSD 0 and infinite distances. panoptica's global HD95 and NSD ignore the spacing; here it is honoured.",
            _values((nan, 0.0, 0.0), _MISSED_IS_FAR, **RATIOS),
            surface=EDGES, percentile="pooled", surface_dice="shares",
        ),
        Convention(
            "nnunet",
            "As nnU-Net: Dice and IoU are NaN where both masks are empty and left out of the means, and 0 where one "
            "is. nnU-Net v2 has no distances; HD95, ASSD and NSD are those of nnU-Net v1 (medpy), NaN for an empty "
            "mask.",
            _values((nan, 0.0, 0.0), UNDEFINED, nsd=UNDEFINED, **RATIOS),
            surface=EDGES, percentile="pooled", average="pooled", surface_dice="shares",
        ),
    )
}  # fmt: skip

ALIASES = {"brats": "brats2023"}


def scoring_convention(name: str) -> Convention:
    """The convention of that name. Raises ScoringError with the known names."""
    name = ALIASES.get(name, name)
    if name not in CONVENTIONS:
        raise ScoringError(f"unknown scoring convention '{name}': use one of {', '.join([*CONVENTIONS, *ALIASES])}")
    return CONVENTIONS[name]


def explain_convention(name: str) -> str:
    """In plain words: how empty masks count under ``name``, and how every metric is defined."""
    convention = scoring_convention(name)
    return f"{convention.name}: {convention.explanation}\n{ALWAYS} {convention.definitions}"


def nsd_name(tolerance_mm: float) -> str:
    """The surface Dice is named after its tolerance: ``nsd_1mm``."""
    return f"nsd_{tolerance_mm:g}mm"
