"""Remarks on a reference: regions that are empty or a single voxel, specks far from the tumour, cavities in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from ..cohort import Geometry
from ..regions import REGION_NAMES, REGIONS
from .boxes import occupied_box
from .finding import EMPTY_REGION, HOLES, SINGLE_VOXEL, SPECKS, Finding, evidence
from .pairs import Labelled

SPECK_MM3 = 50.0
FAR_MM = 10.0
"""A speck is a piece below ``SPECK_MM3`` (what the challenges' lesion-wise rules drop) with nothing larger near."""

HOLE_MM3 = 100.0
"""Cavities below this are too common in references to be told."""

SHOWN = 3
TISSUE_NAMES = {"NCR": "necrotic or non-enhancing core", "ED": "oedema"}


def of_reference(case: str, reference: Labelled, geometry: Geometry) -> Iterator[Finding]:
    """The remarks on one reference; specks and holes are looked for in the whole tumour and in its core."""
    yield from _empty_regions(case, reference)
    yield from _single_voxels(case, reference)
    for region in ("WT", "TC"):
        if region in reference.labels.regions and reference.size(region) > 1:
            piece = _cut(case, region, reference, geometry)
            yield from _specks(piece)
            yield from _holes(piece)


@dataclass(frozen=True)
class _Cut:
    """One region in its box with a margin of one voxel, the labels there, and the array index of its corner."""

    case: str
    region: str
    mask: np.ndarray
    other_tissue: np.ndarray
    corner: np.ndarray
    geometry: Geometry

    @property
    def spacing(self) -> np.ndarray:
        return np.array(self.geometry.array_spacing)


def _cut(case: str, region: str, reference: Labelled, geometry: Geometry) -> _Cut:
    """``other_tissue`` is what is labelled and yet no tumour, as a resection cavity."""
    bit = np.uint8(1 << REGIONS.index(region))
    box = occupied_box(reference.region_codes.take(reference.voxels[reference.box]) & bit)
    labels = np.pad(reference.voxels[reference.box][box], 1)
    codes = reference.region_codes.take(labels)
    corner = np.array([outer.start + inner.start - 1 for outer, inner in zip(reference.box, box, strict=True)])
    return _Cut(case, region, (codes & bit) > 0, (labels > 0) & (codes == 0), corner, geometry)


def _empty_regions(case: str, reference: Labelled) -> Iterator[Finding]:
    absent = {region: REGION_NAMES[region] for region in reference.regions if not reference.size(region)}
    absent |= _absent_tissues(reference, absent)
    if absent:
        names = " and no ".join(f"{name} ({region})" for region, name in absent.items())
        yield Finding(case, "", EMPTY_REGION, f"the reference has no {names}", evidence(regions=list(absent)))


def _absent_tissues(reference: Labelled, absent: Collection[str]) -> dict[str, str]:
    """Core and oedema of a glioma before treatment, where the regions that they belong to are there."""
    labels = reference.labels
    if set(labels.tissues) != {"NCR", "ED", "ET"}:
        return {}
    inside = {"NCR": "TC", "ED": "WT"}
    gone = [t for t, region in inside.items() if region not in absent and not reference.counts[labels.tissues[t]]]
    return {tissue: TISSUE_NAMES[tissue] for tissue in gone}


def _single_voxels(case: str, reference: Labelled) -> Iterator[Finding]:
    for region, labels in reference.labels.scored_regions.items():
        if reference.counts[list(labels)].sum() == 1:
            name = f"{REGION_NAMES[region]} ({region})"
            message = f"the reference has a single voxel of {name}: its Dice is 0 or nearly so by chance"
            yield Finding(case, "", SINGLE_VOXEL, message, evidence(region=region))


def _specks(cut: _Cut) -> Iterator[Finding]:
    import cc3d

    pieces, count = cc3d.connected_components(cut.mask.view(np.uint8), connectivity=26, return_N=True)
    if count == 1:
        return
    found = cc3d.statistics(pieces)
    volumes = found["voxel_counts"] * float(np.prod(cut.spacing))
    small = (volumes < SPECK_MM3) & (np.arange(len(volumes)) > 0)
    if not small.any() or small[1:].all():
        return
    larger = (pieces > 0) & ~small[pieces]
    boxes = found["bounding_boxes"]
    far = [i for i in np.flatnonzero(small) if _is_far(pieces, int(i), boxes[i], larger, cut.spacing)]
    if far:
        where = f"further than {FAR_MM:g} mm from its larger pieces"
        yield _remark(cut, SPECKS, volumes[far], found["centroids"][far], where)


def _is_far(pieces: np.ndarray, piece: int, box: tuple, larger: np.ndarray, spacing: np.ndarray) -> bool:
    """Whether no voxel of ``larger`` lies within ``FAR_MM`` of the piece."""
    reach = np.ceil(FAR_MM / spacing).astype(int)
    around = tuple(slice(max(0, side.start - by), side.stop + by) for side, by in zip(box, reach, strict=True))
    near = np.argwhere(larger[around]) * spacing
    own = np.argwhere(pieces[around] == piece) * spacing
    return all(np.square(near - voxel).sum(axis=1).min(initial=np.inf) > FAR_MM**2 for voxel in own)


def _holes(cut: _Cut) -> Iterator[Finding]:
    """Cavities closed on all sides (6-connected); one that holds another tissue (a resection cavity) is none."""
    import cc3d

    outside, count = cc3d.connected_components((~cut.mask).view(np.uint8), connectivity=6, return_N=True)
    if count == 1:
        return
    found = cc3d.statistics(outside)
    volumes = found["voxel_counts"] * float(np.prod(cut.spacing))
    volumes[[0, outside[0, 0, 0], *np.unique(outside[cut.other_tissue])]] = 0.0
    holes = np.flatnonzero(volumes >= HOLE_MM3)
    if len(holes):
        yield _remark(cut, HOLES, volumes[holes], found["centroids"][holes], "closed on all sides")


def _remark(cut: _Cut, kind: str, volumes: np.ndarray, centers: np.ndarray, where: str) -> Finding:
    """Counts, volumes and positions, the largest first."""
    order = np.argsort(-volumes, kind="stable")
    volumes = volumes[order]
    places = [cut.geometry.to_physical(tuple(center)) for center in centers[order] + cut.corner]
    shown = "; ".join(
        f"{volume:.0f} mm3 at ({', '.join(f'{value:.0f}' for value in place)}) mm LPS"
        for volume, place in list(zip(volumes, places, strict=True))[:SHOWN]
    )
    noun = {SPECKS: ("speck", "specks"), HOLES: ("cavity", "cavities")}[kind][len(volumes) > 1]
    message = (
        f"the reference's {REGION_NAMES[cut.region]} ({cut.region}) has {len(volumes)} {noun} "
        f"({volumes.sum():.0f} mm3) {where}: {shown}{' ...' if len(volumes) > SHOWN else ''}; "
        "meant, or a slip of the annotation?"
    )
    positions = "/".join(",".join(f"{value:.1f}" for value in place) for place in places)
    facts = evidence(region=cut.region, mm3=volumes.tolist(), lps_mm=positions)
    return Finding(cut.case, "", kind, message, facts)
