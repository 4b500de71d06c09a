"""The parts of a case that adaptation looks at: tiles of the sliding window, and margins in millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate

from .adaptation_losses import foreground_probability, log_probabilities, region_probability
from .adaptation_settings import EarlierScan
from .model import Head, InferenceError, Model, Prepared, Window
from .tiles import padded, sides_of, tile_at, tile_positions

CERTAIN_BACKGROUND = 0.01
LOSS_MARGIN = 10.0
"""Millimetres around a foreground probability above 0.01: elsewhere background outvotes the tumour thirty to one."""


@dataclass(frozen=True)
class Tile:
    """A tile with foreground. ``image``: ``(1, channel, *space)``; ``source``: the unadapted log probabilities there,
    ``(1, variable, outcome, *space)``; ``near``: where the loss is taken, boolean ``(*space)``; ``truth``: region to
    mask ``(1, *space)``, of a labelled scan alone."""

    image: torch.Tensor
    source: torch.Tensor
    near: torch.Tensor
    truth: dict[str, torch.Tensor]


def images(prepared: Prepared, window: Window) -> Iterator[torch.Tensor]:
    """The tiles of the window, each ``(1, channel, *space)``; two sides of space for a flat window.

    Copies: data that was prepared in inference mode could not take part in gradients.
    """
    for image in cut(prepared.data, window):
        yield image.clone()


def cut(data: torch.Tensor, window: Window) -> Iterator[torch.Tensor]:
    """Tiles ``(1, channel, *space)`` of ``(channel, a, b, c)``, padded with 0 where it is smaller than the patch."""
    data, _ = padded(data, window.patch)
    for start in tile_positions(data.shape[1:], window):
        tile = data[(slice(None), *tile_at(start, window.patch))].unsqueeze(0)
        yield tile.squeeze(2) if window.flat else tile


def regions_found(network: nn.Module, prepared: Prepared, model: Model, device: torch.device) -> list[torch.Tensor]:
    """The predicted regions of every tile, boolean ``(region, *space)``, on the CPU."""
    every = images(prepared, model.window)
    return [region_masks(predicted(network, image.to(device), model.head), model.head) for image in every]


def region_masks(log_p: torch.Tensor, head: Head) -> torch.Tensor:
    """Where each of the head's regions is above 0.5, boolean ``(region, *space)``, on the CPU."""
    return torch.stack([region_probability(log_p, head, region)[0] > 0.5 for region in head.regions]).cpu()


@torch.no_grad()
def predicted(network: nn.Module, image: torch.Tensor, head: Head) -> torch.Tensor:
    """Log probabilities ``(1, variable, outcome, *space)`` of one tile, without gradients."""
    return log_probabilities(network(image), head)


def tiles_of(
    network: nn.Module, prepared: Prepared, model: Model, masks: list[torch.Tensor], voxels: int, device: torch.device
) -> list[Tile]:
    """The tiles with the most foreground, as many as ``voxels`` hold, at least one.

    ``masks``: of each tile, boolean ``(region, *space)``. Empty where no mask has foreground.
    """
    chosen = _largest(masks, voxels)
    tiles = []
    for index, image in enumerate(images(prepared, model.window)):
        if index in chosen:
            tiles.append(_tile(network, image.to(device), model, prepared.spacing, {}))
    return tiles


def labelled_tiles(
    network: nn.Module, scan: EarlierScan, model: Model, voxels: int, device: torch.device
) -> list[Tile]:
    """The same of a labelled scan, by its labels' foreground. Raises InferenceError for labels that do not fit."""
    stack = _labels_on_grid(scan, model)
    cuts = list(cut(torch.stack(list(stack.values())), model.window))
    chosen = _largest([part[0] > 0 for part in cuts], voxels)
    if not chosen:
        raise InferenceError(f"{model.name}: the earlier scan has no labelled {', '.join(stack)}; leave it out")
    tiles = []
    for index, image in enumerate(images(scan.prepared, model.window)):
        if index in chosen:
            truth = {region: cuts[index][:, channel].to(device) for channel, region in enumerate(stack)}
            tiles.append(_tile(network, image.to(device), model, scan.prepared.spacing, truth))
    return tiles


def within(mask: torch.Tensor, distance: float, spacing: tuple[float, ...]) -> torch.Tensor:
    """Voxels at most ``distance`` mm from the mask, same shape; ``spacing`` in mm in the order of its axes."""
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return mask
    outside = ~mask.cpu().numpy()
    return torch.from_numpy(distance_transform_edt(outside, sampling=spacing[-mask.ndim :]) <= distance).to(mask.device)


def _largest(masks: list[torch.Tensor], voxels: int) -> set[int]:
    """Indices of the masks with the most foreground; earlier ones first where equal, none without foreground."""
    sizes = [int(mask.any(dim=0).sum()) for mask in masks]
    order = sorted((index for index, size in enumerate(sizes) if size), key=lambda index: -sizes[index])
    return set(order[: max(1, voxels // masks[0][0].numel())])


def _tile(
    network: nn.Module,
    image: torch.Tensor,
    model: Model,
    spacing: tuple[float, float, float],
    truth: dict[str, torch.Tensor],
) -> Tile:
    source = predicted(network, image, model.head)
    possible = foreground_probability(source, model.head)[0] > CERTAIN_BACKGROUND
    for mask in truth.values():
        possible = possible | (mask[0] > 0)
    return Tile(image, source, within(possible, LOSS_MARGIN, spacing), truth)


def _labels_on_grid(scan: EarlierScan, model: Model) -> dict[str, torch.Tensor]:
    """Region masks ``(a, b, c)``, float32 0 or 1, on the network's grid, by the nearest voxel."""
    known = scan.convention.scored_regions
    regions = [region for region in model.head.regions if region in known]
    if not regions:
        raise InferenceError(f"{model.name}: labels of {scan.convention.name} hold none of {list(model.head.regions)}")
    part = scan.labels[scan.prepared.box]
    if not part.size or part.shape != sides_of(scan.prepared.box):
        raise InferenceError(f"{model.name}: the earlier scan's labels {scan.labels.shape} do not cover its image")
    stack = torch.from_numpy(scan.convention.masks(part.transpose(scan.prepared.axes), regions).astype(np.float32))
    on_grid = interpolate(stack[None], size=tuple(scan.prepared.data.shape[1:]), mode="nearest-exact")[0]
    return dict(zip(regions, on_grid, strict=True))
