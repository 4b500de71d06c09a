"""What adapting one network to one case costs, known before it starts: in forward passes of one tile."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .adaptation_settings import AdaptationSettings
from .model import Model, Prepared
from .tiles import tile_count

BACKWARD = 2
"""A backward pass takes about as long as two forward passes."""


def adaptation_passes(settings: AdaptationSettings, models: Sequence[Model], prepared: Prepared, dropout: bool) -> int:
    """Of all ``models`` of a group together, the most there may be where every step is taken at its first length.

    A guard that ends the adaptation earlier spares most of it. ``dropout``: the networks have some, by which they are
    asked several times over; else they are mirrored.
    """
    return sum(_passes(settings, model, prepared, dropout) for model in models)


def _passes(settings: AdaptationSettings, model: Model, prepared: Prepared, dropout: bool) -> int:
    tiles = tile_count(prepared.data.shape[1:], model.window)
    seen = min(tiles, max(1, settings.voxels // prod(model.window.patch)))
    several = settings.passes if dropout else 1 + len(set(model.mirror_axes) - ({0} if model.window.flat else set()))
    candidate = several if settings.keep == "surest" else 1
    candidates = 1 + -(-settings.steps // settings.every)
    natural = settings.descent == "natural" and settings.steps > 0
    fisher = 1 + BACKWARD * settings.fisher_draws if natural else 0
    step = 1 + BACKWARD + 1
    of_tile = 1 + several + candidate * candidates + fisher + step * settings.steps
    return 2 * tiles + seen * of_tile
