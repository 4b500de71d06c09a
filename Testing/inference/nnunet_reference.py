"""nnU-Net's own prediction, in 32 bits throughout: its 16-bit sums alone would differ by more than is asked of us."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from nnunetv2.inference import predict_from_raw_data, sliding_window_prediction

from BraTSRefineLib.inference import CaseImages, Model

CHANNELS = ("t1n", "t1c", "t2w", "t2f")


class TorchWithoutHalf:
    """torch as nnU-Net's predictor alone sees it, ``half`` being 32 bits wide."""

    half = torch.float32

    def __getattr__(self, name: str):
        return getattr(torch, name)


@contextmanager
def in_32_bits():
    """nnU-Net's sums and its Gaussian as float32."""
    gaussian = partial(sliding_window_prediction.compute_gaussian, dtype=torch.float32)
    with (
        patch.object(predict_from_raw_data, "torch", TorchWithoutHalf()),
        patch.object(predict_from_raw_data, "compute_gaussian", gaussian),
    ):
        yield


def predictor(model: Path, folds: tuple = (0,), mirror: bool = False):
    made = predict_from_raw_data.nnUNetPredictor(device=torch.device("cpu"), use_mirroring=mirror, allow_tqdm=False)
    made.initialize_from_trained_model_folder(str(model), folds)
    return made


def by_region(channels: np.ndarray, model: Model, regions: Sequence[str]) -> np.ndarray:
    """nnU-Net's channel probabilities, added up to ``(region, z, y, x)`` by the head of our model."""
    return np.stack([channels[list(model.head.regions[region])].sum(axis=0) for region in regions])


def nnunet_prediction(
    model: Path, images: CaseImages, folds: tuple = (0,), mirror: bool = False, previous: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Label map ``(z, y, x)`` and channel probabilities ``(channel, z, y, x)`` of ``nnUNetPredictor``."""
    stack = np.stack([images.channels[channel] for channel in CHANNELS])
    previous = None if previous is None else previous[None].astype(np.float32)
    properties = {"spacing": list(images.geometry.array_spacing)}
    with in_32_bits():
        return predictor(model, folds, mirror).predict_single_npy_array(stack, properties, previous, None, True)
