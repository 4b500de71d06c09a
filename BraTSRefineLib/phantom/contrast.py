"""Four MRI contrasts from tissue fractions: what each centre's scanner makes of one brain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cohort.case import CHANNELS
from .anatomy import Anatomy
from .grid import Grid, smooth_noise
from .tumour import Tumour

TISSUES = ("white", "grey", "fluid", "oedema", "necrosis", "enhancing", "cavity", "gliosis", "vessel", "choroid")
CONTRAST: dict[str, tuple[float, ...]] = {
    "t1n": (1.00, 0.80, 0.36, 0.76, 0.60, 0.84, 0.36, 0.74, 0.85, 0.60),
    "t1c": (0.96, 0.82, 0.36, 0.72, 0.52, 1.75, 0.36, 0.80, 1.95, 1.35),
    "t2w": (0.40, 0.57, 1.60, 0.98, 1.28, 0.82, 1.65, 1.00, 0.25, 1.00),
    "t2f": (0.74, 0.90, 0.26, 1.60, 1.22, 1.42, 0.30, 1.60, 0.45, 0.60),
}
"""Signal of each tissue relative to white matter in T1, as read off public glioma scans at 1.5 and 3 T."""
HIGHEST = 32000.0


@dataclass(frozen=True)
class Scanner:
    """One centre's acquisition: gain and contrast exponent by channel, bias, noise, blur (through, in plane) in mm."""

    gain: dict[str, float]
    gamma: dict[str, float]
    bias: float
    noise: float
    blur_mm: dict[str, tuple[float, float]]


ARCHETYPES = (
    {"gain": (1250, 1100, 1700, 1500), "gamma": 1.0, "bias": 0.08, "noise": 0.014, "through": 0.35, "plane": 0.35},
    {"gain": (420, 440, 640, 380), "gamma": 0.8, "bias": 0.16, "noise": 0.020, "through": 1.15, "plane": 0.45},
    {"gain": (760, 2100, 950, 1250), "gamma": 1.25, "bias": 0.12, "noise": 0.015, "through": 0.6, "plane": 0.55},
)
"""A modern 3 T scanner, an old 1.5 T one with thick slices, and one with strong contrast and a blur."""


def make_scanner(index: int, rng: np.random.Generator) -> Scanner:
    """The scanner of the centre with that index: one of three kinds, with its own settings."""
    kind = ARCHETYPES[index % len(ARCHETYPES)]
    gain = {c: float(g * rng.lognormal(0, 0.12)) for c, g in zip(CHANNELS, kind["gain"], strict=True)}
    gamma = {c: float(kind["gamma"] * rng.lognormal(0, 0.06)) for c in CHANNELS}
    blur = {c: (kind["through"] * float(rng.uniform(0.8, 1.25)), kind["plane"]) for c in CHANNELS}
    return Scanner(gain, gamma, kind["bias"], kind["noise"], blur)


def acquire(grid: Grid, anatomy: Anatomy, tumour: Tumour, scanner: Scanner, rng: np.random.Generator):
    """Yield (channel, int16 volume ``(z, y, x)`` of the whole grid), zero outside the brain."""
    lesion = _lesion_fractions(grid, anatomy, tumour, rng)
    necrotic_flair = float(rng.uniform(0.75, 1.5))
    bias = np.exp(scanner.bias * smooth_noise(grid.axes, 150.0, rng))
    for channel in CHANNELS:
        signal = _signal(channel, anatomy, lesion, necrotic_flair, rng)
        signal *= _texture(grid, rng)
        signal = np.power(np.maximum(signal, 0.0), scanner.gamma[channel]) * bias
        signal = _recorded(signal, grid, scanner, channel, rng)
        voxels = np.where(anatomy.brain, np.clip(np.rint(signal * scanner.gain[channel]), 1, HIGHEST), 0)
        yield channel, grid.whole(voxels.astype(np.int16))


def _lesion_fractions(grid: Grid, anatomy: Anatomy, tumour: Tumour, rng) -> dict[str, np.ndarray]:
    """How much of each voxel is which part of the lesion, with partial volume and uneven, fading oedema."""
    soft = {name: _softened(tumour.labels == label, 0.55, grid) for name, label in _LESION_LABELS.items()}
    uneven = 0.84 + 0.10 * smooth_noise(grid.axes, 16.0, rng) + 0.07 * smooth_noise(grid.axes, 5.0, rng)
    fading = np.clip(1.22 - 0.62 * tumour.spread**2, 0.3, 1.0)
    soft["oedema"] = np.clip(_softened(tumour.labels == _LESION_LABELS["oedema"], 1.0, grid) * uneven * fading, 0, 1)
    leaky = 0.8 + 0.22 * smooth_noise(grid.axes, 11.0, rng) + 0.12 * smooth_noise(grid.axes, 4.5, rng)
    soft["enhancing"] = soft["enhancing"] * np.clip(leaky, 0.15, 1.25)
    if tumour.cavity.any():
        around = _softened(tumour.cavity, 2.2, grid)
        patchy = np.clip(0.75 + 0.5 * smooth_noise(grid.axes, 10.0, rng), 0.0, 1.2)
        soft["gliosis"] = np.clip(3.0 * around * (1.0 - around) * patchy, 0.0, 0.85) * ~tumour.cavity
        soft["cavity"] = _softened(tumour.cavity, 0.6, grid)
    soft["vessel"] = np.clip(anatomy.vessels, 0.0, 1.0) * (tumour.labels == 0) * ~tumour.cavity
    soft["choroid"] = np.clip(anatomy.choroid, 0.0, 1.0)
    return soft


_LESION_LABELS = {"necrosis": 1, "oedema": 2, "enhancing": 3}
_LAYERS = ("oedema", "gliosis", "necrosis", "enhancing", "cavity", "choroid", "vessel")


def _softened(mask: np.ndarray, sigma_mm: float, grid: Grid) -> np.ndarray:
    from scipy import ndimage

    return ndimage.gaussian_filter(mask.astype(np.float32), sigma_mm / grid.spacing)


def _signal(channel: str, anatomy: Anatomy, lesion: dict[str, np.ndarray], necrotic_flair: float, rng) -> np.ndarray:
    level = dict(zip(TISSUES, CONTRAST[channel], strict=True))
    if channel == "t2f":
        level["necrosis"] = necrotic_flair
    signal = level["white"] * anatomy.white + level["grey"] * anatomy.grey + level["fluid"] * anatomy.fluid
    for layer in _LAYERS:
        if layer in lesion:
            strength = _strength(layer, channel)
            signal += strength * lesion[layer] * (level[layer] - signal)
    return signal


def _strength(layer: str, channel: str) -> float:
    """Vessels and choroid plexus show where contrast agent is; elsewhere they are faint."""
    return 0.3 if layer in ("vessel", "choroid") and channel != "t1c" else 1.0


def _texture(grid: Grid, rng) -> np.ndarray:
    """Signal differences within a tissue, a few per cent."""
    return 1.0 + 0.02 * smooth_noise(grid.axes, 9.0, rng) + 0.02 * smooth_noise(grid.axes, 4.0, rng)


def _recorded(signal: np.ndarray, grid: Grid, scanner: Scanner, channel: str, rng) -> np.ndarray:
    """Blurred by slice thickness and resampling, with Rician noise of the same grain."""
    from scipy import ndimage

    through, plane = (sigma / grid.spacing for sigma in scanner.blur_mm[channel])
    grain = [max(sigma, 0.45) for sigma in (through, plane, plane)]
    sigma = np.float32(scanner.noise * _noise_gain(grain))
    real, imaginary = (
        ndimage.gaussian_filter(rng.standard_normal(signal.shape, dtype=np.float32), grain) for _ in range(2)
    )
    blurred = ndimage.gaussian_filter(signal, [through, plane, plane])
    return np.hypot(blurred + sigma * real, sigma * imaginary)


def _noise_gain(grain: list[float]) -> float:
    """What undoes the loss of variance of white noise that is blurred by Gaussians of these widths in voxels."""
    return float(np.prod([np.sqrt(max(2.0 * np.sqrt(np.pi) * sigma, 1.0)) for sigma in grain]))
