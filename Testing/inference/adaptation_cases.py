"""A small trained network and a case from a brighter scanner, for the tests of test-time adaptation."""

from __future__ import annotations

import numpy as np
import torch
from small_models import SOFTMAX, prepared_data
from torch import nn

from BraTSRefineLib.inference import Head

SIDE = 16


def normalised_network(normalisation: nn.Module, channels: int = 4, dropout: float = 0.0) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(2, 8, 3, padding=1),
        normalisation,
        nn.LeakyReLU(),
        nn.Dropout3d(dropout),
        nn.Conv3d(8, channels, 3, padding=1),
    ).eval()


def blob(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """Label map: oedema around a necrotic core with an enhancing rim."""
    rng = np.random.default_rng(seed)
    centre = [rng.uniform(0.4, 0.6) * side for side in shape]
    radius = np.sqrt(sum((axis - middle) ** 2 for axis, middle in zip(np.indices(shape), centre, strict=True)))
    labels = np.zeros(shape, np.uint8)
    for outer, label in ((5, 2), (3.5, 3), (2, 1)):
        labels[radius < outer] = label
    return labels


def image_of(labels: np.ndarray, seed: int, noise: float = 0.3, contrast: float = 1.0) -> torch.Tensor:
    """Two channels: one shows oedema, one the rim; a scanner of less contrast shows both less."""
    rng = np.random.default_rng(seed + 100)
    shown = np.stack([(labels > 0) + 0.5 * (labels == 1), 2.0 * (labels == 3) - 1.0 * (labels == 1)])
    return torch.from_numpy((contrast * shown + rng.normal(0, noise, shown.shape)).astype(np.float32))


def prepared_case(seed: int = 50, shape=(SIDE, SIDE, SIDE), noise: float = 0.4, contrast: float = 0.7):
    """(prepared, labels) of a case from another scanner, 1 mm voxels."""
    labels = blob(shape, seed)
    return prepared_data(image_of(labels, seed, noise, contrast)), labels


def trained(network: nn.Module, head: Head = SOFTMAX, steps: int = 60) -> nn.Module:
    """The network after a few steps on blobs, in evaluation mode."""
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    network.train()
    for step in range(steps):
        labels = blob((SIDE, SIDE, SIDE), step)
        logits = network(image_of(labels, step)[None])
        optimiser.zero_grad()
        _training_loss(logits, torch.from_numpy(labels).long()[None], head).backward()
        optimiser.step()
    optimiser.zero_grad()
    return network.eval()


def _training_loss(logits: torch.Tensor, labels: torch.Tensor, head: Head) -> torch.Tensor:
    if head.kind == "softmax":
        return nn.functional.cross_entropy(logits, labels)
    masks = torch.stack([labels > 0, (labels == 1) | (labels == 3), labels == 3], dim=1).float()
    return nn.functional.binary_cross_entropy_with_logits(logits, masks)
