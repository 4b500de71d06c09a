"""The steps in their order, with a count of what each changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..regions import REGIONS
from .components import remove_small_components
from .hierarchy import enforce_hierarchy


class PostprocessingError(ValueError):
    """Settings or arrays that cannot be used; the message says which."""


@dataclass(frozen=True)
class Change:
    """What post-processing did to one region, in components and voxels."""

    region: str
    removed_components: int
    removed_voxels: int
    added_voxels: int
    emptied: bool


@dataclass(frozen=True)
class Postprocessed:
    """The repaired WT, TC, ET stack ``(3, z, y, x)`` and a Change a region."""

    regions: np.ndarray
    changes: tuple[Change, ...]


def postprocess(
    regions: np.ndarray, *, hierarchy: bool = True, minimum_voxels: Mapping[str, int] | None = None
) -> Postprocessed:
    """Nest the regions (outward), then remove the small components of WT, of TC and of ET in this order.

    A removed component takes the regions inside it along; what surrounds it stays. So a removed ET island in the
    core stays core and a removed core stays whole tumour: no removal leaves a hole. Voxels of a removed WT
    component become background. ``minimum_voxels`` gives the smallest size that is kept, a region at a time;
    a region that is not named is left alone. Raises PostprocessingError.
    """
    sizes = _checked_sizes(minimum_voxels or {})
    before = _checked_stack(regions)
    after = enforce_hierarchy(before) if hierarchy else before.copy()
    counts = [_remove_with_content(after, level, sizes.get(region, 0)) for level, region in enumerate(REGIONS)]
    changes = [_change(*each) for each in zip(REGIONS, counts, before, after, strict=True)]
    return Postprocessed(after, tuple(changes))


def _remove_with_content(stack: np.ndarray, level: int, minimum_voxels: int) -> int:
    kept, count = remove_small_components(stack[level], minimum_voxels)
    if count:
        stack[level:] &= ~(stack[level] & ~kept)
    return count


def _change(region: str, count: int, before: np.ndarray, after: np.ndarray) -> Change:
    return Change(
        region,
        removed_components=count,
        removed_voxels=int((before & ~after).sum()),
        added_voxels=int((after & ~before).sum()),
        emptied=bool(before.any() and not after.any()),
    )


def _checked_stack(regions: np.ndarray) -> np.ndarray:
    stack = np.asarray(regions)
    if stack.ndim != 4 or len(stack) != len(REGIONS) or stack.dtype != np.bool_:
        raise PostprocessingError(f"expected a boolean (3, z, y, x) stack, got {stack.dtype} {stack.shape}")
    return stack


def _checked_sizes(minimum_voxels: Mapping[str, int]) -> Mapping[str, int]:
    for region, size in minimum_voxels.items():
        if region not in REGIONS:
            raise PostprocessingError(f"no region '{region}': minimum_voxels names {', '.join(REGIONS)}")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise PostprocessingError(f"minimum_voxels of {region} is {size!r}, expected a whole number from 0")
    return minimum_voxels
