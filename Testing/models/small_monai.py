"""Small MONAI networks, trained on the phantom as MONAI's own examples are, with the descriptions that ours reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from BraTSRefineLib.cohort.case import CHANNELS
from BraTSRefineLib.phantom.tumour import LABELS
from BraTSRefineLib.regions import REGIONS

PATCH = (32, 32, 32)
WINDOW = (32, 64, 32)
"""Of prediction; right-left, posterior-anterior, inferior-superior."""

GROUPS = ["group", {"num_groups": 4}]
"""SwinUNETR halves the patch five times: of one voxel, groups of channels alone can be normalised."""

ENDS = {"in_channels": len(CHANNELS), "out_channels": len(REGIONS)}
NETWORKS = {
    "SwinUNETR": {**ENDS, "feature_size": 12, "depths": [1, 1, 1, 1], "num_heads": [2, 2, 4, 4], "norm_name": GROUPS},
    "SegResNet": {**ENDS, "init_filters": 8, "blocks_down": [1, 1, 1], "blocks_up": [1, 1]},
}
LEARNING_RATES = {"SwinUNETR": 2e-3, "SegResNet": 1e-2}


def train(out: Path, name: str, raw: Path, iterations: int) -> None:
    """``out/monai/<name>.pt`` (a state dict) and ``<name>.yaml``, from the training cases of a raw data set."""
    import torch
    from monai.networks import nets

    folder = out / "monai"
    if (folder / f"{name}.yaml").is_file():
        return
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = getattr(nets, name)(**NETWORKS[name])
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATES[name])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATES[name], total_steps=iterations)
    loss_of = _loss()
    patches = _patches(raw, seed=0)
    network.train()
    for _ in range(iterations):
        image, regions = next(patches)
        optimizer.zero_grad()
        loss_of(network(image[None]), regions[None]).backward()
        optimizer.step()
        schedule.step()
    folder.mkdir(exist_ok=True)
    torch.save(network.state_dict(), folder / f"{name}.pt")
    _describe(folder / f"{name}.yaml", {"network": name, "arguments": NETWORKS[name], "weights": f"{name}.pt"})


def _loss():
    """Dice and binary cross entropy, since regions overlap: MONAI's DiceCELoss takes them for exclusive classes."""
    from monai.losses import DiceLoss
    from torch.nn.functional import binary_cross_entropy_with_logits

    dice = DiceLoss(sigmoid=True, batch=True)
    return lambda logits, regions: dice(logits, regions) + binary_cross_entropy_with_logits(logits, regions)


def export(out: Path, name: str) -> list[str]:
    """The trained network as ``<name>-script.ts`` (TorchScript) and ``<name>-program.pt2`` (torch.export), described.

    Gives the names of the two.
    """
    import torch

    from BraTSRefineLib.inference.monai_description import read_description
    from BraTSRefineLib.inference.monai_networks import open_network

    folder = out / "monai"
    network = open_network(read_description(folder / f"{name}.yaml"), folder / f"{name}.pt")
    tile = torch.zeros(1, len(CHANNELS), *WINDOW)
    torch.jit.trace(network, tile).save(str(folder / f"{name}-script.ts"))
    torch.export.save(torch.export.export(network, (tile,)), folder / f"{name}-program.pt2")
    files = [Path(f"{name}-script.ts"), Path(f"{name}-program.pt2")]
    for file in files:
        _describe((folder / file).with_suffix(".yaml"), {"program": file.name})
    return [file.stem for file in files]


def _describe(path: Path, network: dict) -> None:
    """JSON, which is YAML: how the patches below were made."""
    content = network | {
        "channels": list(CHANNELS),
        "output": "sigmoid",
        "regions": list(REGIONS),
        "labels": LABELS.name,
        "orientation": "RAS",
        "crop": True,
        "normalisation": "nonzero",
        "patch": list(WINDOW),
        "overlap": 0.5,
        "blending": "gaussian",
        "mirrored": [0, 1, 2],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _patches(raw: Path, seed: int):
    """Endlessly, a random patch of a random case: float32 ``(channel, x, y, z)`` and ``(region, x, y, z)``."""
    from monai import transforms

    both = ["image", "regions"]
    prepare = transforms.Compose(
        [
            transforms.LoadImaged(both, ensure_channel_first=True),
            transforms.Orientationd(both, axcodes="RAS", labels=None),
            transforms.Lambdad("regions", _regions),
            transforms.CropForegroundd(both, source_key="image", allow_smaller=True),
            transforms.NormalizeIntensityd("image", nonzero=True, channel_wise=True),
            transforms.SpatialPadd(both, spatial_size=PATCH),
        ]
    )
    augment = transforms.Compose(
        [
            transforms.RandSpatialCropd(both, roi_size=PATCH, random_size=False),
            *(transforms.RandFlipd(both, prob=0.5, spatial_axis=axis) for axis in range(3)),
            transforms.RandScaleIntensityd("image", factors=0.1, prob=1.0),
            transforms.RandShiftIntensityd("image", offsets=0.1, prob=1.0),
            transforms.ToTensord(both, track_meta=False),
        ]
    ).set_random_state(seed)
    cases = [prepare(files) for files in _files(raw)]
    order = np.random.default_rng(seed)
    while True:
        sample = augment(cases[order.integers(len(cases))])
        yield sample["image"], sample["regions"]


def _files(raw: Path) -> list[dict]:
    labels = sorted((raw / "labelsTr").glob("*.nii.gz"))
    stems = [path.name.removesuffix(".nii.gz") for path in labels]
    images = [[raw / "imagesTr" / f"{stem}_{number:04d}.nii.gz" for number in range(len(CHANNELS))] for stem in stems]
    return [{"image": channels, "regions": label} for channels, label in zip(images, labels, strict=True)]


def _regions(label_map):
    """``(1, x, y, z)`` labels to ``(region, x, y, z)`` of 0 and 1, keeping the grid that comes with them."""
    import torch

    masks = [torch.isin(label_map, torch.tensor(LABELS.regions[region])) for region in REGIONS]
    return torch.cat(masks).float()
