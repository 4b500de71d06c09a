"""Which label convention a data set and each of its models are written in: from labels seen, names and dataset.json.

What the labels and names leave open stays open: the reader is told the candidates and asked to state ``--labels``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..regions import CONVENTIONS, REGIONS, LabelConvention, agreeing_convention
from .naming import naming
from .nifti_header import NiftiHeader, looks_truncated, read_nifti_header
from .volumes import VolumeError, as_labels, check_complete, read_label_map

SAMPLE = 12
ENOUGH = 3
TELLING = frozenset({3, 4})
"""The labels in which the conventions differ; without them another map is looked at."""

WHOLE_TUMOUR = LabelConvention("whole tumour", {"tumour": 1}, {"WT": (1,)})


@dataclass(frozen=True)
class Reading:
    """The convention that was found, with what has to be said about it; no convention where it is ambiguous."""

    convention: LabelConvention | None
    remark: str = ""


@dataclass(frozen=True)
class Seen:
    """Labels of the maps that were looked at, and what was wrong with those that cannot be read."""

    labels: frozenset[int] = frozenset()
    broken: Mapping[Path, str] = field(default_factory=dict)


def label_sets(path: Path) -> frozenset[int]:
    """The labels that occur in a label map, background left out.

    Raises VolumeError for a file that is damaged, not 3D, or holds other than whole numbers from 0 to 255.
    """
    header = read_nifti_header(path) if path.is_file() else None
    if header is None or len(header.shape) != 3 or not header.dtype or header.scaled:
        voxels = read_label_map(path)
    else:
        voxels = _stored_voxels(path, header)
    occurring = np.unique(voxels[voxels != 0])
    return frozenset(as_labels(occurring, path).tolist()) - {0}


def _stored_voxels(path: Path, header: NiftiHeader) -> np.ndarray:
    """Flat voxels as they lie in the file, which is several times faster than ITK's way."""
    if looks_truncated(path, header):
        check_complete(path)
    from isal import igzip

    try:
        packed = path.suffix.lower() == ".gz"
        content = igzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    except (EOFError, OSError, igzip.IGzipError) as error:
        raise VolumeError(f"{path}: truncated or damaged ({error}); copy or export it again") from None
    return np.frombuffer(content, header.dtype, int(np.prod(header.shape)), header.voxel_offset)


def seen_labels(paths: Sequence[Path], within: LabelConvention | None = None, named: str = "") -> Seen:
    """Look at up to 12 maps spread over ``paths`` and stop as soon as they tell.

    One map is enough where its telling labels lie ``within`` the expected convention or the naming confirms them.
    """
    labels: set[int] = set()
    broken: dict[Path, str] = {}
    for count, path in enumerate(_spread(paths), start=1):
        try:
            labels |= label_sets(path)
        except VolumeError as error:
            broken[path] = str(error)
        confirmed = not within.outside(labels) if within else bool(named)
        if labels & TELLING and (confirmed or count >= ENOUGH):
            break
    return Seen(frozenset(labels), broken)


def _spread(paths: Sequence[Path]) -> list[Path]:
    """Up to 12 paths from everywhere in the list, first those that lie far apart."""
    if not paths:
        return []
    positions = np.unique(np.linspace(0, len(paths) - 1, min(SAMPLE, len(paths))).astype(int))
    return [paths[i] for start in (0, 2, 1, 3) for i in positions[start::4]]


def naming_of(cases: Iterable[str]) -> str:
    """What the names of a data set's cases say; post-treatment scans make a mixed BraTS-GLI set post-treatment."""
    kinds = Counter(kind for kind in map(naming, cases) if kind)
    if "brats2024-gli" in kinds and set(kinds) <= {"brats2024-gli", "brats2023"}:
        return "brats2024-gli"
    return kinds.most_common(1)[0][0] if kinds else ""


def candidates(labels: frozenset[int], named: str = "") -> list[LabelConvention]:
    """Every convention that these labels, under this naming, may have been written in."""
    return [CONVENTIONS.get(name, WHOLE_TUMOUR) for name in _candidate_names(labels, named)]


def _candidate_names(labels: frozenset[int], named: str) -> list[str]:
    if not labels <= {1, 2, 3, 4}:
        return []
    if named in ("brats2013", "brats2024-gli") or (named == "core-rest" and labels <= {1, 2}):
        return [named]
    if named == "brats2024-ped":
        return ["brats2024-ped"] if 4 in labels else ["brats2023", "brats2024-ped"]
    if labels >= TELLING:
        return ["brats2024-gli"] if named == "brats2023" else ["brats2013", "brats2024-gli", "brats2024-ped"]
    if labels & TELLING:
        return ["brats2021"] if 4 in labels else ["brats2023"]
    if named in ("brats2021", "brats2023"):
        return [named]
    return ["brats2021", "brats2023", *([WHOLE_TUMOUR.name] if labels == {1} else [])]


def decide(labels: frozenset[int], named: str = "") -> Reading:
    """The convention of label maps that hold ``labels``, as far as it is certain."""
    fitting = candidates(labels, named)
    if len(fitting) == 1:
        return Reading(fitting[0])
    if not fitting:
        return Reading(None, f"labels {listed(labels)} belong to no known convention; spell it out with --labels")
    names = " and ".join(convention.name for convention in fitting)
    agreed = agreeing_convention(fitting, labels)
    if not agreed.regions:
        return Reading(None, f"labels {listed(labels)} fit {names}; state --labels")
    if set(agreed.regions) != set(REGIONS):
        certain = ", ".join(agreed.regions)
        return Reading(agreed, f"labels {listed(labels)} fit {names}: only {certain} is certain; state --labels")
    return Reading(agreed, f"labels {listed(labels)} alone fit {names}, which read them alike")


def decide_without_reference(seen: Mapping[str, frozenset[int]], named: str = "") -> Reading:
    """The convention of a data set that has only predictions: that of its naming if a model keeps to it,
    otherwise the one of most models."""
    readings = {model: decide(labels, named) for model, labels in seen.items()}
    names = Counter(reading.convention.name for reading in readings.values() if reading.convention)
    if not names:
        return next(iter(readings.values()), Reading(None, "no label map to tell the convention by; state --labels"))
    winner = named if named in names else names.most_common(1)[0][0]
    agreeing = [m for m, reading in readings.items() if reading.convention and reading.convention.name == winner]
    return decide(frozenset().union(*(seen[model] for model in agreeing)), named)


def decide_model(model: str, labels: frozenset[int], cohort: LabelConvention | None, named: str = "") -> Reading:
    """How a model's maps are read: as the data set's where all its labels belong to that, else by its own labels.

    An empty Reading (no convention, no remark) means: as the data set's.
    """
    if cohort is not None and not cohort.outside(labels):
        return Reading(None)
    own = decide(labels, named)
    if cohort is None or own.convention is None:
        return own
    remark = f"labels {listed(labels)} are not all in {cohort.name}: read as {own.convention.name}"
    return Reading(own.convention, f"{remark}; if that is wrong, state --model-labels {model}=...")


def listed(labels: Iterable[int]) -> str:
    """``1, 2, 4``; 'none' where there are none."""
    return ", ".join(str(label) for label in sorted(labels)) or "none"
