"""A cohort's case as the engine takes it: its images in memory, all on one grid."""

from __future__ import annotations

from ..cohort.case import CHANNELS, Case
from ..cohort.volumes import VolumeError, read_geometry, read_image
from .model import CaseImages, InferenceError


def read_case_images(case: Case) -> CaseImages:
    """Every image of a case. Raises InferenceError where there is none, one is damaged, or they differ in their grid.

    Which channels a model needs, only the model knows: it says what is missing when it prepares the case.
    """
    channels = [channel for channel in CHANNELS if channel in case.images]
    if not channels:
        raise InferenceError(f"{case.case}: no image; a prediction needs {', '.join(CHANNELS)}")
    try:
        geometry = read_geometry(case.images[channels[0]])
        for channel in channels[1:]:
            if difference := read_geometry(case.images[channel]).difference(geometry):
                raise InferenceError(
                    f"{case.case}: {channel} is not on the grid of {channels[0]} ({difference}); resample it"
                )
        return CaseImages(case.case, {name: read_image(case.images[name]) for name in channels}, geometry)
    except VolumeError as error:
        raise InferenceError(f"{case.case}: {error}") from None
