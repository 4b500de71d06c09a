"""Small cases to show in a scene, and what of them is there."""

from __future__ import annotations

import numpy as np
from BraTSRefineUI import views
from BraTSRefineUI.casedata import CaseData, Image, Labels, UncertaintyMap
from small_grid import GRID, SHAPE

from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.regions import label_convention


def tissues(shift: int = 0) -> np.ndarray:
    label_map = np.zeros(SHAPE, dtype=np.uint8)
    label_map[5:15, 8:22, 10 + shift : 30 + shift] = 2
    label_map[7:13, 10:20, 14 + shift : 26 + shift] = 4
    label_map[9:11, 12:16, 18 + shift : 22 + shift] = 1
    return label_map


def labels(name: str, shift: int = 0, geometry: Geometry = GRID) -> Labels:
    label_map = tissues(shift)
    convention = label_convention("brats2021")
    return Labels(name, {r: convention.mask(label_map, r) for r in ("WT", "TC", "ET")}, geometry, label_map)


def four_images(seed: int = 0, shape=SHAPE) -> dict[str, Image]:
    noise = np.random.default_rng(seed)
    geometry = Geometry(shape[::-1], GRID.spacing, GRID.origin, GRID.direction)
    return {c: Image(noise.integers(1, 900, shape, dtype=np.int16), geometry) for c in ("t1n", "t1c", "t2w", "t2f")}


def a_case(name: str = "A", **changes) -> CaseData:
    parts = {"images": four_images(), "reference": labels("reference"), "prediction": labels("model", shift=3)}
    return CaseData(name, **(parts | changes))


def a_map() -> UncertaintyMap:
    voxels = np.zeros(SHAPE, dtype=np.float32)
    voxels[8:12, 10:14, 12:20] = 0.2
    return UncertaintyMap(voxels, GRID, "variance", "WT", "variance of the members", 0.0, 0.25)


def composite(scene, tag: str):
    return next(node for view, _slice, node in views.sliceNodes(scene) if view.tag == tag)


def names(scene, className: str) -> set[str]:
    """The nodes of a class that can be chosen anywhere."""
    return {node.GetName() for node in views.nodesOfClass(scene, className) if not node.GetHideFromEditors()}


def shown_in(scene, name: str) -> set[str]:
    """The tags of the slice views that show the outlines of that name."""
    node = next(node for node in views.nodesOfClass(scene, "vtkMRMLSegmentationNode") if node.GetName() == name)
    display = node.GetNthDisplayNode(0)
    count = display.GetNumberOfViewNodeIDs() if display.GetVisibility() else 0
    tags = {slice_.GetID(): view.tag for view, slice_, _composite in views.sliceNodes(scene)}
    return {tags[display.GetNthViewNodeID(i)] for i in range(count)}
