"""A prediction beside what it was scored against, in memory: the reference or the majority of the other models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..cohort import Case, Geometry, VolumeError, case_geometry, read_geometry, read_label_map
from ..fusion import majority
from ..regions import REGIONS, LabelConvention
from ..scoring.packing import labels_in
from .boxes import Box, occupied_box
from .metrics import AnalysisError

REFERENCE = "reference"
CONSENSUS_OF_OTHERS = "consensus of the others"

Masks = Mapping[str, np.ndarray]
"""Boolean masks (z, y, x) by region, from the outermost."""


@dataclass(frozen=True)
class Labelled:
    """A label map (z, y, x) uint8 and what its labels mean; ``known_box`` spares looking for the box of all labels."""

    voxels: np.ndarray
    labels: LabelConvention
    known_box: Box | None = None

    @cached_property
    def masks(self) -> Masks:
        return {region: self._mask(region) for region in self.regions}

    def _mask(self, region: str) -> np.ndarray:
        """Only the box of all labels is looked at: most of an image is empty."""
        mask = np.zeros(self.voxels.shape, dtype=bool)
        if self.box is not None:
            mask[self.box] = self.labels.mask(self.voxels[self.box], region)
        return mask

    @cached_property
    def box(self) -> Box | None:
        """The box of all labels; None where there is none."""
        return self.known_box or occupied_box(self.voxels)

    @cached_property
    def counts(self) -> np.ndarray:
        """Voxels of each label (256,), background left out."""
        if self.box is None:
            return np.zeros(256, dtype=np.int64)
        cut, counts = self.voxels[self.box], np.zeros(256, dtype=np.int64)
        for label in labels_in(cut):
            counts[label] = np.count_nonzero(cut == label)
        return counts

    @cached_property
    def places(self) -> np.ndarray:
        """Indices (n, 3) of the voxels of any tumour region."""
        if self.box is None:
            return np.zeros((0, 3), dtype=np.int64)
        inside = np.argwhere(self.region_codes[self.voxels[self.box]])
        return inside + np.array([axis.start for axis in self.box])

    @property
    def regions(self) -> list[str]:
        """The nested tumour regions that the labels know, from the outermost."""
        return [region for region in REGIONS if region in self.labels.regions]

    def size(self, region: str) -> int:
        """Voxels of one region."""
        return int(self.counts[list(self.labels.regions[region])].sum())

    @cached_property
    def region_codes(self) -> np.ndarray:
        """By label (256,) uint8: bit ``i`` is set where region ``i`` of WT, TC, ET holds the label."""
        table = np.zeros(256, dtype=np.uint8)
        for bit, region in enumerate(REGIONS):
            table[list(self.labels.regions.get(region, ()))] |= np.uint8(1 << bit)
        return table


@dataclass(frozen=True)
class Pair:
    """What is compared: ``truth`` is the reference's masks or those of the consensus; ``versus`` says which."""

    case: Case
    model: str
    geometry: Geometry
    truth: Masks
    prediction: Labelled
    versus: str

    @property
    def regions(self) -> list[str]:
        """The regions that both sides know."""
        return [region for region in self.truth if region in self.prediction.masks]


class CaseReader:
    """The label maps of one case, each read once; what cannot be read raises AnalysisError with the reason."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._predictions: dict[str, Labelled] = {}

    @cached_property
    def geometry(self) -> Geometry:
        try:
            return case_geometry(self.case)
        except VolumeError as error:
            raise AnalysisError(str(error)) from None

    @cached_property
    def reference(self) -> Labelled | None:
        if self.case.reference is None or self.case.error_of():
            return None
        return self._read(self.case.reference, self.case.labels)

    def prediction(self, model: str) -> Labelled:
        if model not in self._predictions:
            if model not in self.case.predictions:
                raise AnalysisError(f"{self.case.case}: no prediction of {model}")
            path = self.case.predictions[model]
            self._predictions[model] = self._read(path, self.case.convention_of(model))
        return self._predictions[model]

    def pair(self, model: str) -> Pair:
        """The model's prediction beside the reference, or beside the consensus of the other models."""
        prediction = self.prediction(model)
        if self.case.reference is not None:
            if self.reference is None:
                raise AnalysisError(f"{self.case.case}: {self.case.error_of()}")
            return Pair(self.case, model, self.geometry, self.reference.masks, prediction, REFERENCE)
        return Pair(self.case, model, self.geometry, self._consensus(model), prediction, CONSENSUS_OF_OTHERS)

    def _consensus(self, model: str) -> Masks:
        others = [self.prediction(other).masks for other in self.case.usable_models() if other != model]
        consensus = {}
        for region in REGIONS:
            voters = [masks[region] for masks in others if region in masks]
            if voters:
                consensus[region] = majority(voters)
        return consensus

    def _read(self, path, labels: LabelConvention | None) -> Labelled:
        if labels is None:
            raise AnalysisError(f"{path}: what its labels mean is not known; state it with --labels")
        try:
            difference = read_geometry(path).difference(self.geometry)
            if difference:
                raise AnalysisError(f"{path}: not on the case's grid ({difference})")
            return Labelled(read_label_map(path), labels)
        except VolumeError as error:
            raise AnalysisError(str(error)) from None
