"""Small pictures of a case: three slices through one place, with the outlines of reference and prediction.

Axial, coronal and sagittal, as radiologists hold them: nose and head up, the patient's left on the image's right,
and in the sagittal slice the nose to the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cohort import Case, Geometry, VolumeError, read_geometry, read_image, to_canonical
from .boxes import occupied_box
from .png import encode_png

REFERENCE_COLOUR = "#56B4E9"
PREDICTION_COLOUR = "#E69F00"
ON_FLAIR, ON_T1C = ("t2f", "t2w", "t1c", "t1n"), ("t1c", "t2f", "t2w", "t1n")
CHANNELS_FOR = {"WT": ON_FLAIR, "SNFH": ON_FLAIR, "ED": ON_FLAIR}
"""The images on which a region is seen best, the best first; on T1c what is not named."""

CHANNEL_NAMES = {"t1n": "T1", "t1c": "T1c", "t2w": "T2", "t2f": "FLAIR"}

PIXELS = 200
GAP = 4
GREYS = 200
REFERENCE_INDEX, PREDICTION_INDEX = GREYS, GREYS + 1
GAP_GREY = 70
GROUND, FILL = 30, 30
"""Grey level where there is no image, and by how much each marked mask lightens it."""

DASH = 5
"""Pixels of one colour, then of the other, where both outlines run together."""

LEAST_VIEW_MM, MOST_VIEW_MM, AROUND_MM = 100.0, 220.0, 45.0
WINDOW = (1.0, 99.7)
"""Percentiles of the brain that become black and white."""

THICK, THIN = 2, 1


@dataclass(frozen=True)
class Outline:
    """A mask (z, y, x) that is drawn as an outline of so many pixels."""

    mask: np.ndarray
    index: int
    pixels: int = THICK


@dataclass(frozen=True)
class Scene:
    """What a picture shows, all on ``geometry``: ``at`` is the voxel (z, y, x) that the slices go through.

    ``around`` marks what the view has to hold; without ``image`` the ground is plain.
    """

    geometry: Geometry
    at: tuple[int, int, int]
    outlines: Sequence[Outline] = ()
    around: np.ndarray | None = None
    image: np.ndarray | None = None


def picture(scene: Scene) -> bytes:
    """PNG of the three slices side by side, each ``PIXELS`` wide and high."""
    upright = _Upright(scene)
    gap = np.full((PIXELS, GAP), GAP_GREY, dtype=np.uint8)
    axial, coronal, sagittal = (upright.slice(plane) for plane in range(3))
    return encode_png(np.hstack([axial, gap, coronal, gap, sagittal]), _palette())


def background(case: Case, region: str, geometry: Geometry) -> tuple[np.ndarray | None, str]:
    """The image (z, y, x) that shows a region best and its name; None and "" where none lies on the grid.

    What is wrong with an image that is passed over is in the cohort's list of problems.
    """
    for channel in CHANNELS_FOR.get(region, ON_T1C):
        path = case.images.get(channel)
        try:
            if path is not None and not read_geometry(path).difference(geometry):
                return read_image(path), CHANNEL_NAMES[channel]
        except VolumeError:
            continue
    return None, ""


def middle(geometry: Geometry, mask: np.ndarray | None) -> tuple[int, int, int]:
    """The voxel (z, y, x) in the middle of what is marked, or of the volume where nothing is."""
    box = None if mask is None else occupied_box(mask)
    if box is None:
        z, y, x = (size // 2 for size in geometry.array_shape)
    else:
        z, y, x = ((cut.start + cut.stop - 1) // 2 for cut in box)
    return z, y, x


def _palette() -> np.ndarray:
    """Greys from black to white, then the colours of reference and prediction, (n, 3) uint8."""
    grey = np.repeat(np.linspace(0, 255, GREYS).astype(np.uint8)[:, None], 3, axis=1)
    colours = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (REFERENCE_COLOUR, PREDICTION_COLOUR)]
    return np.vstack([grey, np.array(colours, dtype=np.uint8)])


class _Upright:
    """A scene along the body's axes: z to superior, y to posterior, x to left."""

    def __init__(self, scene: Scene) -> None:
        self._geometry = scene.geometry
        marked = np.zeros(scene.geometry.array_shape, dtype=bool)
        marked[scene.at] = True
        marked, self._spacing = to_canonical(marked, scene.geometry)
        self._at = np.unravel_index(int(np.argmax(marked)), marked.shape)
        self._outlines = [(self._turned(one.mask), one) for one in scene.outlines]
        self._image = None if scene.image is None else self._turned(scene.image)
        self._window = (0.0, 1.0) if scene.image is None else _window(self._image)
        self._low, self._side = self._view(scene.around)

    def slice(self, plane: int) -> np.ndarray:
        """Pixels of the axial (0), coronal (1) or sagittal (2) slice."""
        cuts = [(self._sampled(mask, plane) >= 0.5, outline) for mask, outline in self._outlines]
        drawn = self._ground(plane, [cut for cut, outline in cuts if outline.pixels == THICK])
        lines = {index: np.zeros(drawn.shape, dtype=bool) for index in (REFERENCE_INDEX, PREDICTION_INDEX)}
        for cut, outline in cuts:
            lines[outline.index] |= _line(cut, outline.pixels)
        for index, line in lines.items():
            drawn[line] = index
        rows, columns = np.indices(drawn.shape)
        dashes = (rows + columns) // DASH % 2 == 0
        drawn[lines[REFERENCE_INDEX] & lines[PREDICTION_INDEX] & dashes] = REFERENCE_INDEX
        return drawn if plane == 0 else drawn[::-1]

    def _ground(self, plane: int, filled: Sequence[np.ndarray]) -> np.ndarray:
        """The image in greys, or a plain ground with the ``filled`` masks a little lighter."""
        if self._image is None:
            return GROUND + FILL * np.sum([np.zeros((PIXELS, PIXELS)), *filled], axis=0).astype(np.uint8)
        low, high = self._window
        grey = (self._sampled(self._image, plane) - low) / max(high - low, 1e-6)
        return np.rint(np.clip(grey, 0, 1) * (GREYS - 1)).astype(np.uint8)

    def _turned(self, voxels: np.ndarray) -> np.ndarray:
        return to_canonical(voxels, self._geometry)[0]

    def _view(self, around: np.ndarray | None) -> tuple[np.ndarray, float]:
        """Lower corner and side in mm of the cube that is shown: what is marked and some brain around it."""
        spacing, at = np.array(self._spacing), np.array(self._at)
        box = None if around is None else occupied_box(self._turned(around))
        low = at if box is None else np.minimum(at, [cut.start for cut in box])
        high = at if box is None else np.maximum(at, [cut.stop - 1 for cut in box])
        side = float(np.clip(((high - low) * spacing).max() + AROUND_MM, LEAST_VIEW_MM, MOST_VIEW_MM))
        return (low + high) / 2 * spacing - side / 2, side

    def _sampled(self, voxels: np.ndarray, plane: int) -> np.ndarray:
        """One slice, interpolated linearly onto the pixels of the view; 0 outside."""
        from scipy.ndimage import affine_transform

        axes = [axis for axis in range(3) if axis != plane]
        flat = np.nan_to_num(voxels.take(self._at[plane], axis=plane).astype(np.float32), posinf=0.0, neginf=0.0)
        spacing = np.array(self._spacing)[axes]
        step = self._side / PIXELS / spacing
        first = self._low[axes] / spacing + step / 2
        return affine_transform(flat, step, offset=first, output_shape=(PIXELS, PIXELS), order=1, cval=0.0)


def _window(image: np.ndarray) -> tuple[float, float]:
    """Robust percentiles of what is not background, from every third voxel along each axis."""
    sample = image[::3, ::3, ::3]
    brain = sample[np.isfinite(sample) & (sample != 0)]
    return tuple(np.percentile(brain, WINDOW)) if brain.size else (0.0, 1.0)


def _line(mask: np.ndarray, pixels: int) -> np.ndarray:
    from scipy.ndimage import binary_erosion

    return mask & ~binary_erosion(mask, iterations=pixels) if mask.any() else mask
