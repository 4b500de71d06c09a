"""Small models with random weights, for tests of the engine: anything that fits the protocol will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.inference import CaseImages, Head, Prepared, Window
from BraTSRefineLib.regions import CONVENTIONS

BRATS = CONVENTIONS["brats2023"]
SOFTMAX = Head("softmax", 4, {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}, BRATS)
SIGMOID = Head("sigmoid", 3, {"WT": (0,), "TC": (1,), "ET": (2,)}, BRATS, (2, 1, 3))
CUBE = Window((16, 16, 16), multiple=(2, 2, 2))
CHANNELS = ("t1n", "t1c", "t2w", "t2f")
CPU = torch.device("cpu")
MAPS = (
    "probability",
    "variance",
    "entropy",
    "expected_entropy",
    "mutual_information",
    "within_model",
    "between_model",
)
"""The arrays of a prediction, by their names in ``CasePrediction``, the mean first."""


def small_network(seed: int, channels: int = 4, inputs: int = 4, flat: bool = False, gain: float = 4.0):
    """Two convolutions about an instance norm, as the tile's neighbourhood and its statistics both must matter."""
    convolution = torch.nn.Conv2d if flat else torch.nn.Conv3d
    norm = torch.nn.InstanceNorm2d if flat else torch.nn.InstanceNorm3d
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = torch.nn.Sequential(
            convolution(inputs, 4, 3, padding=1),
            norm(4, affine=True),
            torch.nn.LeakyReLU(),
            convolution(4, channels, 3, padding=1),
        )
        network[3].weight.data.mul_(gain)
    return network.eval()


def random_images(shape=(20, 24, 22), seed: int = 0, case: str = "a") -> CaseImages:
    generator = np.random.default_rng(seed)
    channels = {name: generator.normal(size=shape).astype(np.float32) for name in CHANNELS}
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return CaseImages(case, channels, Geometry(shape[::-1], (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), identity))


def prepared_data(data: torch.Tensor, spacing=(1.0, 1.0, 1.0), axes=(0, 1, 2)) -> Prepared:
    """``data`` ``(channel, a, b, c)`` as if a case had been prepared to it without resampling."""
    box = tuple(slice(0, data.shape[1 + axes.index(axis)]) for axis in range(3))
    back = tuple(np.argsort(axes))
    return Prepared(data, spacing, axes, box, lambda values: values.permute(0, *(1 + axis for axis in back)))


@dataclass
class SmallModel:
    """Takes ``box`` of the case as it is, its axes in the order of ``axes``."""

    name: str = "model 0"
    seed: int = 0
    group: str = "small"
    window: Window = CUBE
    head: Head = SOFTMAX
    mirror_axes: tuple[int, ...] = (0, 1, 2)
    previous: tuple[SmallModel, ...] = ()
    axes: tuple[int, int, int] = (0, 1, 2)
    box: tuple[slice, slice, slice] | None = None
    net: Callable | None = None
    prepared_with: list = field(default_factory=list)
    released: bool = False

    def prepare(self, images: CaseImages, previous: np.ndarray | None = None) -> Prepared:
        self.prepared_with.append(previous)
        box = self.box or tuple(slice(0, side) for side in images.shape)
        channels = list(images.channels.values()) + ([] if previous is None else [previous.astype(np.float32)])
        data = torch.tensor(np.stack([channel[box] for channel in channels])).permute(0, *(1 + a for a in self.axes))
        return replace(prepared_data(data.contiguous(), axes=self.axes), box=box)

    def network(self, device: torch.device) -> torch.nn.Module:
        if self.net is None:
            inputs = len(CHANNELS) + bool(self.previous)
            self.net = small_network(self.seed, self.head.channels, inputs, self.window.flat)
        return self.net

    def release(self) -> None:
        self.released = True


def small_models(count: int, **changes) -> list[SmallModel]:
    return [SmallModel(f"model {number}", number, **changes) for number in range(count)]
