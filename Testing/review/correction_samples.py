"""Small label maps, the files of them, and what somebody paints into them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK

SHAPE = (6, 8, 10)
OBLIQUE = (0.8660254, -0.5, 0.0, 0.5, 0.8660254, 0.0, 0.0, 0.0, 1.0)
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def some_labels(values=(1, 2, 4)) -> np.ndarray:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for i, value in enumerate(values):
        labels[1 + i : 3 + i, 2:6, 2:7] = value
    return labels


def write(path: Path, labels: np.ndarray, dtype="uint8", spacing=(1.0, 1.0, 1.0), direction=UPRIGHT) -> Path:
    image = SimpleITK.GetImageFromArray(labels.astype(dtype))
    image.SetSpacing(spacing)
    image.SetOrigin((-10.25, 20.5, -3.75))
    image.SetDirection(direction)
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(image, str(path), useCompression=True)
    return path


def painted(labels: np.ndarray, value: int = 4, count: int = 3) -> np.ndarray:
    edited = labels.copy()
    edited[5, 7, :count] = value
    return edited
