"""The metrics of a batch of masks on a torch device, for scoring while training or tuning."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from typing import TYPE_CHECKING

import numpy as np

from .conventions import BOTH_EMPTY, PREDICTION_EMPTY, REFERENCE_EMPTY, ScoringError, nsd_name, scoring_convention
from .pair import checked_spacing, metric_names
from .surfels import surfel_areas

if TYPE_CHECKING:
    import torch

CONVENTION = "deepmind"
OF_SURFACES = ("hd_mm", "hd95_mm", "assd_mm", "masd_mm", "boundary_iou", "centroid_distance_mm")
"""What is computed a pair at a time, with the surface Dice."""


def compare_batch(
    reference: torch.Tensor,
    prediction: torch.Tensor,
    spacing: Sequence[float],
    *,
    tolerance_mm: float = 1.0,
) -> dict[str, torch.Tensor]:
    """Every metric of ``compare_masks`` for a batch of masks, by name, each (batch, region) float64.

    ``reference`` and ``prediction`` are boolean (batch, region, z, y, x) on one device, which has to know float64;
    the scores stay there. ``spacing`` in mm in array order. The numbers are those of the convention ``deepmind`` to
    1e-5: area-weighted surfaces, NaN for 0/0, an infinite distance to an empty mask. Pairs are cropped and measured one
    after the other, so that memory hardly grows with the batch: some 64 bytes a voxel of the largest crop.

    In a validation step::

        scores = compare_batch(target.bool(), network(image).sigmoid() > 0.5, (1, 1, 1))
        dice = scores["dice"].nanmean(0)  # one value a region, empty ones left out

    Raises ScoringError for other than two boolean five-dimensional tensors of one shape and device, for no masks, a
    spacing that is not three positive numbers, or a tolerance that is no distance.
    """
    import torch

    from .torch_surface import cropped

    _check(reference, prediction)
    spacing, names = checked_spacing(spacing), metric_names(tolerance_mm)
    pairs = {index: cropped(reference[index], prediction[index]) for index in np.ndindex(*reference.shape[:2])}
    counts = torch.stack([_counts(*pair) for pair in pairs.values()]).reshape(*reference.shape[:2], 3)
    scores = _overlaps(counts, int(np.prod(reference.shape[2:])), spacing) | _of_empty(counts, tolerance_mm)
    areas = torch.from_numpy(np.array(surfel_areas(spacing))).to(reference.device)
    for index in map(tuple, (counts[..., :2] > 0).all(-1).nonzero().tolist()):
        for name, value in _distances(pairs[index], spacing, areas, tolerance_mm).items():
            scores[name][index] = value
    return {name: scores[name] for name in names}


def _check(reference: torch.Tensor, prediction: torch.Tensor) -> None:
    import torch

    for what, masks in (("reference", reference), ("prediction", prediction)):
        if not isinstance(masks, torch.Tensor) or masks.dtype != torch.bool or masks.ndim != 5:
            found = f"{masks.dtype} {tuple(masks.shape)}" if isinstance(masks, torch.Tensor) else type(masks).__name__
            raise ScoringError(f"{what}: expected a boolean tensor (batch, region, z, y, x), this is {found}")
    if reference.shape != prediction.shape:
        shapes = f"{tuple(reference.shape)}, prediction {tuple(prediction.shape)}"
        raise ScoringError(f"reference has shape {shapes}: not one grid")
    if not reference.numel():
        raise ScoringError(f"reference and prediction have shape {tuple(reference.shape)}: there is no mask to score")
    if reference.device != prediction.device:
        raise ScoringError(f"reference is on {reference.device}, prediction on {prediction.device}: move one of them")


def _counts(reference: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
    """Voxels in the reference, in the prediction and in both."""
    import torch

    return torch.stack([mask.sum() for mask in (reference, prediction, reference & prediction)])


def _overlaps(counts: torch.Tensor, voxels: int, spacing: tuple[float, ...]) -> dict[str, torch.Tensor]:
    """What follows from the numbers of voxels (batch, region, 3) and the size of the image; 0/0 is NaN."""
    a, b, both = counts.double().unbind(-1)
    voxel_ml = float(np.prod(spacing)) / 1000
    return {
        "dice": 2 * both / (a + b),
        "jaccard": both / (a + b - both),
        "sensitivity": both / a,
        "specificity": (voxels - a - b + both) / (voxels - a),
        "precision": both / b,
        "relative_volume_error": ((b - a) / a).where(a > 0, nan),
        "volume_reference_ml": a * voxel_ml,
        "volume_prediction_ml": b * voxel_ml,
        "volume_error_ml": (b - a) * voxel_ml,
    }


def _of_empty(counts: torch.Tensor, tolerance_mm: float) -> dict[str, torch.Tensor]:
    """What the other metrics are worth where a mask is empty, and NaN where none is."""
    import torch

    rules = scoring_convention(CONVENTION)
    has_reference, has_prediction = (counts[..., 0] > 0), (counts[..., 1] > 0)
    statuses = {
        BOTH_EMPTY: ~has_reference & ~has_prediction,
        PREDICTION_EMPTY: has_reference & ~has_prediction,
        REFERENCE_EMPTY: has_prediction & ~has_reference,
    }
    values = {}
    for name in (*OF_SURFACES, nsd_name(tolerance_mm)):
        values[name] = torch.full(has_reference.shape, nan, dtype=torch.float64, device=counts.device)
        for status, where in statuses.items():
            values[name][where] = rules.empty_value(name, status, ())
    return values


def _distances(
    pair: tuple[torch.Tensor, torch.Tensor], spacing: tuple[float, ...], areas: torch.Tensor, tolerance_mm: float
) -> dict[str, torch.Tensor]:
    """The metrics of two cropped masks (z, y, x) that need more than counts; neither is empty."""
    import torch

    from .torch_surface import directed, edge, torch_surface

    surfaces = [torch_surface(mask, areas) for mask in pair]
    sides = [directed(*surfaces, spacing), directed(*surfaces[::-1], spacing)]
    edges = [edge(mask) for mask in pair]
    mean_of_means = (sides[0].mean + sides[1].mean) / 2
    within, total = (sum(side.area_within(limit) for side in sides) for limit in (tolerance_mm, inf))
    return {
        "hd_mm": torch.maximum(*(side.distances[-1] for side in sides)),
        "hd95_mm": torch.maximum(*(side.percentile() for side in sides)),
        "assd_mm": mean_of_means,
        "masd_mm": mean_of_means,
        nsd_name(tolerance_mm): within / total,
        "boundary_iou": (edges[0] & edges[1]).sum().double() / (edges[0] | edges[1]).sum(),
        "centroid_distance_mm": _distance_of_centroids(pair, spacing),
    }


def _distance_of_centroids(pair: tuple[torch.Tensor, torch.Tensor], spacing: tuple[float, ...]) -> torch.Tensor:
    import torch

    centroids = [mask.nonzero().double().mean(0) for mask in pair]
    apart = (centroids[0] - centroids[1]) * torch.tensor(spacing, dtype=torch.float64, device=pair[0].device)
    return apart.square().sum().sqrt()
