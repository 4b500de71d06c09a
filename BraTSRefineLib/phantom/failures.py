"""Failures planted in a model's prediction on purpose, each with a record of where it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy
from .grid import Grid, PhantomError, signed_distance, squared_distance
from .models import painted, settle
from .tumour import LABELS, Tumour

SHIFT_MM = (6.0, 0.0, -4.0)
"""By how much the origin of the geometry mismatch is off, LPS."""
RIM_MM, RIM_REACH_MM = 3.2, 13.0
VESSEL_REACH_MM, VESSEL_AWAY_MM = 16.0, 22.0


@dataclass(frozen=True)
class Planted:
    """One planted failure: ``voxels`` wrong ones around ``centre_mm`` (LPS) in one region of one model's prediction."""

    case: str
    model: str
    kind: str
    region: str
    voxels: int
    centre_mm: tuple[float, float, float] | None
    description: str


@dataclass(frozen=True)
class Scene:
    """What a failure may look at."""

    grid: Grid
    anatomy: Anatomy
    tumour: Tumour
    rng: np.random.Generator


@dataclass(frozen=True)
class Kind:
    """A kind of failure: the model that it suits, the region it shows in, and what it does.

    ``change`` gives the new probabilities and the mask of the place; it is None for the two kinds that are a
    matter of files, not of voxels.
    """

    model: str
    region: str
    description: str
    change: Callable[[np.ndarray, Scene], tuple[np.ndarray, np.ndarray]] | None = None


def _false_positive_at_cavity_rim(probabilities: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    away = -signed_distance(scene.tumour.cavity, scene.grid.spacing)
    thickness = max(RIM_MM, 1.6 * scene.grid.spacing)
    rim = (away > 0) & (away <= thickness) & scene.anatomy.brain & ~LABELS.mask(scene.tumour.labels, "TC")
    piece = _around(_anchor(rim & (scene.tumour.labels == 0), rim, scene), RIM_REACH_MM, scene) & rim
    return _raised(probabilities, piece, 0.86), piece


def _under_segmented_oedema(probabilities: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    oedema = scene.tumour.labels == LABELS.tissues["ED"]
    far = scene.tumour.spread > np.quantile(scene.tumour.spread[oedema], 0.4)
    lowered = probabilities.astype(np.float32)
    lowered[0] = np.where(far, np.maximum(0.15 * lowered[0], lowered[1]), lowered[0])
    return lowered, far & oedema


def _missed_satellite(probabilities: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    largest = max(scene.tumour.satellites, key=np.count_nonzero)
    near = signed_distance(largest, scene.grid.spacing) >= -5.0
    lowered = probabilities.astype(np.float32)
    lowered[1:, near] *= 0.1
    return lowered, largest


def _vessel_called_enhancing(probabilities: np.ndarray, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    away = -signed_distance(scene.tumour.labels > 0, scene.grid.spacing)
    sinus = _sagittal_sinus(scene.anatomy) & (away > 4.0)
    piece = _around(_anchor(sinus & (away > VESSEL_AWAY_MM), sinus, scene), VESSEL_REACH_MM, scene) & sinus
    return _raised(probabilities, piece, 0.82), piece


def _sagittal_sinus(anatomy: Anatomy) -> np.ndarray:
    """The largest vessel near the brain's surface."""
    import cc3d

    superficial = (anatomy.vessels > 0.4) & anatomy.brain & (anatomy.depth < 6.0)
    return cc3d.largest_k(superficial, k=1, connectivity=26) > 0


KINDS: dict[str, Kind] = {
    "false positive at the cavity rim": Kind(
        "fold_3",
        "ET",
        "the gliotic rim of the resection cavity is called enhancing tumour",
        _false_positive_at_cavity_rim,
    ),
    "under-segmented oedema": Kind("fold_1", "WT", "the outer 60 % of the oedema is missing", _under_segmented_oedema),
    "missed satellite": Kind(
        "fold_2", "ET", "an enhancing satellite apart from the main tumour is not found", _missed_satellite
    ),
    "vessel called ET": Kind(
        "fold_4",
        "ET",
        "a piece of the superior sagittal sinus, bright in T1c, is called enhancing tumour",
        _vessel_called_enhancing,
    ),
    "unreadable file": Kind("fold_0", "", "the prediction's .nii.gz ends in the middle"),
    "geometry mismatch": Kind(
        "fold_0", "", f"the prediction's origin is shifted by {SHIFT_MM} mm (LPS); its voxels are right"
    ),
}


def plant(kind: str, case: str, model: str, probabilities: np.ndarray, scene: Scene) -> tuple[np.ndarray, Planted]:
    """The prediction with that failure in it, and the record of the voxels that are wrong there."""
    facts = KINDS[kind]
    if facts.change is None:
        return probabilities, Planted(case, model, kind, "", 0, None, facts.description)
    changed, place = facts.change(probabilities, scene)
    changed = settle(changed, scene.anatomy.brain)
    wrong = place & (LABELS.mask(painted(changed), facts.region) != LABELS.mask(scene.tumour.labels, facts.region))
    if not wrong.any():
        raise PhantomError(f"{case}: the failure '{kind}' leaves no trace on a grid this coarse; raise the scale")
    centre = scene.grid.to_lps(scene.grid.frame(_central(wrong)))
    voxels = int(np.count_nonzero(wrong))
    return changed, Planted(case, model, kind, facts.region, voxels, centre, facts.description)


def _central(mask: np.ndarray) -> np.ndarray:
    """The voxel of a mask that lies nearest to its centre of mass, so that the centre is on the failure itself."""
    places = np.argwhere(mask)
    return places[np.square(places - places.mean(axis=0)).sum(axis=1).argmin()]


def _anchor(preferred: np.ndarray, possible: np.ndarray, scene: Scene) -> np.ndarray:
    """A random voxel (z, y, x) of the preferred ones, or of the possible ones where none is."""
    places = np.argwhere(preferred if preferred.any() else possible)
    if len(places) == 0:
        raise PhantomError("no place for a planted failure on a grid this coarse; raise the scale")
    return places[scene.rng.integers(len(places))]


def _around(anchor: np.ndarray, reach_mm: float, scene: Scene) -> np.ndarray:
    return squared_distance(scene.grid.axes, scene.grid.frame(anchor)) <= reach_mm**2


def _raised(probabilities: np.ndarray, piece: np.ndarray, level: float) -> np.ndarray:
    """Every region at least at ``level`` in that piece, as a model that is sure of an enhancing tumour."""
    raised = probabilities.astype(np.float32)
    raised[:, piece] = np.maximum(raised[:, piece], level)
    return raised
