"""Small MONAI networks with random weights, written to disk with their description, and brains to predict."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
import yaml

from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.inference import CaseImages

CHANNELS = ["t1c", "t1n", "t2w", "t2f"]
ENDS = {"in_channels": 4, "out_channels": 3}
SEGRESNET = {"spatial_dims": 3, "init_filters": 8, **ENDS, "blocks_down": [1, 1], "blocks_up": [1]}
SWIN_UNETR = {**ENDS, "feature_size": 12}
DYNUNET = {
    **{"spatial_dims": 3, **ENDS, "filters": [4, 8, 8], "kernel_size": [3, 3, 3], "strides": [1, 2, [2, 2, 1]]},
    **{"upsample_kernel_size": [2, [2, 2, 1]], "deep_supervision": True, "deep_supr_num": 1},
}
UNET = {"spatial_dims": 3, **ENDS, "channels": [4, 8], "strides": [2], "num_res_units": 1}
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
TURNED = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)


def built(name: str, arguments: dict, seed: int = 0) -> torch.nn.Module:
    import monai.networks.nets as nets

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return getattr(nets, name)(**arguments).eval()


def traced(network: torch.nn.Module, path: Path, patch: tuple[int, int, int] = (16, 16, 16)) -> Path:
    """The network as TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, torch.zeros(1, 4, *patch)).save(str(path))
    return path


def entries(network: str = "SegResNet", arguments: dict | None = None, **changed) -> dict:
    """What a YAML file says of a network; ``None`` among ``changed`` leaves an entry out."""
    described = {
        **{"network": network, "arguments": SEGRESNET if arguments is None else arguments, "weights": "network.pt"},
        **{"channels": CHANNELS, "output": "sigmoid", "regions": ["TC", "WT", "ET"], "normalisation": "nonzero"},
        **{"orientation": "RAS", "patch": [16, 16, 16], "overlap": 0.5, "blending": "gaussian"},
    } | changed
    return {key: value for key, value in described.items() if value is not None}


def program_entries(program: str, **changed) -> dict:
    """What a YAML file says of an exported program."""
    described = entries(program=program, **changed)
    return {key: value for key, value in described.items() if key not in ("network", "arguments", "weights")}


def written(folder: Path, described: dict, name: str = "network.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(described))
    return path


def on_disk(folder: Path, name: str = "SegResNet", arguments: dict | None = None, **changed):
    """The network and the YAML file that describes it; its weights lie beside it."""
    described = entries(name, arguments, **changed)
    network = built(name, described["arguments"])
    torch.save(network.state_dict(), folder / "network.pt")
    return network, written(folder, described)


def a_brain(shape=(18, 22, 20), spacing=(1.0, 1.0, 1.0), direction=IDENTITY, seed: int = 0) -> CaseImages:
    """Random images ``(z, y, x)``, 0 outside of a box; ``spacing`` in the order x, y, z."""
    generator = np.random.default_rng(seed)
    inside = np.zeros(shape, dtype=bool)
    inside[2:-3, 1:-2, 3:-1] = True
    channels = {
        name: (generator.normal(300, 80, shape).clip(1) * inside).astype(np.float32)
        for name in ("t1n", "t1c", "t2w", "t2f")
    }
    return CaseImages("case", channels, Geometry(shape[::-1], spacing, (3.0, -7.0, 11.0), direction))


def as_monai(images: CaseImages, channels=tuple(CHANNELS)):
    """The case as MONAI's ``LoadImage`` gives it: ``(channel, x, y, z)`` with an affine to RAS."""
    from monai.data import MetaTensor

    stack = np.stack([images.channels[channel].transpose(2, 1, 0) for channel in channels])
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ images.geometry.affine
    return MetaTensor(torch.tensor(stack), affine=torch.tensor(affine))
