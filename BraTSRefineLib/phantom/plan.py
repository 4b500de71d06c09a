"""Who is in a phantom cohort: centres, sizes, places, and which case gets which planted failure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .anatomy import FRAME_CENTRE_MM, TEMPLATE_ORIGIN_RAS, Pose, load_template, random_pose
from .contrast import Scanner, make_scanner
from .failures import KINDS
from .tumour import TumourPlan

CAVITY_SHARE, SATELLITE_SHARE, NO_ET_SHARE, VALIDATION_SHARE = 0.2, 0.3, 0.1, 0.25
CORE_ML = (0.4, 90.0)
OEDEMA_ML = (3.0, 150.0)
CORE_DEVIATION, OEDEMA_DEVIATION = 0.85, 0.6
"""Of the logarithm of the volume."""


@dataclass(frozen=True)
class Center:
    """One centre: its scanner, and the median volumes in ml of the patients whom it sees."""

    name: str
    scanner: Scanner
    core_ml: float
    oedema_ml: float


@dataclass(frozen=True)
class CasePlan:
    """Everything that is settled about a case before a voxel is made; ``planted`` is kind -> model."""

    case: str
    number: int
    seed: int
    center: Center
    split: str
    pose: Pose
    atrophy: float
    tumour: TumourPlan
    planted: dict[str, str]

    def stream(self, name: str) -> np.random.Generator:
        """The case's own random numbers for one purpose; no purpose disturbs another."""
        return np.random.default_rng([self.seed, self.number, *name.encode()])


def plan_cohort(cases: int, centers: int, seed: int) -> list[CasePlan]:
    """The cases in order of their names; every centre has at least one, every kind of failure is planted once."""
    rng = np.random.default_rng([seed, 0])
    places = [_center(index, seed) for index in range(centers)]
    belongs = list(range(centers)) + list(rng.integers(centers, size=cases - centers))
    rng.shuffle(belongs)
    planted = _failures(cases, rng)
    return [_case(number, seed, places[belongs[number - 1]], planted[number - 1]) for number in range(1, cases + 1)]


def _center(index: int, seed: int) -> Center:
    rng = np.random.default_rng([seed, 7, index])
    larger = (1.0, 0.55, 1.5)[index % 3] * rng.lognormal(0, 0.1)
    return Center(f"center_{index + 1}", make_scanner(index, rng), float(16.0 * larger), float(48.0 * larger))


def _failures(cases: int, rng: np.random.Generator) -> list[dict[str, str]]:
    """Kind -> model for each case, in distinct cases as far as there are enough."""
    order = rng.permutation(cases)
    planted: list[dict[str, str]] = [{} for _ in range(cases)]
    for index, (kind, facts) in enumerate(KINDS.items()):
        here = planted[order[index % cases]]
        here[kind] = "fold_3" if facts.model in here.values() else facts.model
    return planted


def _case(number: int, seed: int, center: Center, planted: dict[str, str]) -> CasePlan:
    rng = np.random.default_rng([seed, 1, number])
    tumour_facts = _sizes(center, planted, rng)
    matrix = random_pose(rng)
    straight = Pose(matrix, FRAME_CENTRE_MM, 1.0, 0.0)
    centre = straight.to_frame(_place(tumour_facts["cavity_ml"] > 0, rng))
    tumour = TumourPlan(centre_mm=centre, **tumour_facts)
    strength = float(rng.uniform(0.15, 0.3)) if tumour.cavity_ml == 0 else 0.06
    pose = Pose(matrix, centre, max(tumour.core_radius_mm, 4.0), strength)
    split = "validation" if rng.random() < VALIDATION_SHARE else "train"
    atrophy = float(rng.uniform(1.0, 2.4))
    return CasePlan(f"BraTS-SIM-{number:05d}-000", number, seed, center, split, pose, atrophy, tumour, planted)


def _sizes(center: Center, planted: dict[str, str], rng: np.random.Generator) -> dict:
    """Volumes and parts; what a planted failure needs is there."""
    core = float(np.clip(rng.lognormal(np.log(center.core_ml), CORE_DEVIATION), *CORE_ML))
    oedema = float(np.clip(rng.lognormal(np.log(center.oedema_ml), OEDEMA_DEVIATION), *OEDEMA_ML))
    cavity = rng.random() < CAVITY_SHARE or "false positive at the cavity rim" in planted
    satellites = int(rng.integers(1, 4)) if rng.random() < SATELLITE_SHARE or "missed satellite" in planted else 0
    no_enhancement = rng.random() < NO_ET_SHARE or "vessel called ET" in planted
    return {
        "core_ml": core,
        "oedema_ml": max(oedema, 55.0) if "under-segmented oedema" in planted else oedema,
        "rim_mm": float(rng.uniform(1.8, 4.2)),
        "enhancing": bool(not no_enhancement or "missed satellite" in planted),
        "satellites": satellites,
        "cavity_ml": float(rng.uniform(8.0, 28.0)) if cavity else 0.0,
    }


def _place(superficial: bool, rng: np.random.Generator) -> np.ndarray:
    """A position (Z, Y, X) in MNI mm in the white matter of a cerebral hemisphere."""
    places = _places(superficial)
    return places[rng.integers(len(places))] + TEMPLATE_ORIGIN_RAS


@lru_cache(maxsize=2)
def _places(superficial: bool) -> np.ndarray:
    """Template voxels (Z, Y, X) in which a tumour may begin."""
    template = load_template()
    z, y, x = (np.arange(n) + origin for n, origin in zip(template.white.shape, TEMPLATE_ORIGIN_RAS, strict=True))
    hemisphere = (z[:, None, None] > -12) & (np.abs(x)[None, None, :] > 14) & (z[:, None, None] < 55)
    above_cerebellum = (y[None, :, None] > -45) | (z[:, None, None] > 5)
    deep = (template.depth > 14) & (template.depth < (24 if superficial else 40))
    return np.argwhere((template.white > 0.85) & hemisphere & above_cerebellum & deep).astype(np.int16)
