"""MONAI bundles in the layout of the model zoo's, with a small network of random weights."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from described_networks import SEGRESNET, built

METADATA = {
    "monai_version": "1.6.0",
    "network_data_format": {
        "inputs": {"image": {"channel_def": {"0": "T1c", "1": "T1", "2": "T2", "3": "FLAIR"}}},
        "outputs": {"pred": {"channel_def": {"0": "Tumor core", "1": "Whole tumor", "2": "Enhancing tumor"}}},
    },
}
NORMALISE = {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True, "channel_wise": True}
INFERENCE = {
    "imports": ["$import glob", "$import os"],
    "bundle_root": ".",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "patch": [16, 16, 16],
    "network_def": {"_target_": "SegResNet", **SEGRESNET, "dropout_prob": 0.2},
    "network": "$@network_def.to(@device)",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "monai.transforms.Orientationd", "keys": "image", "axcodes": "RAS"},
            NORMALISE,
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": "@patch", "sw_batch_size": 1, "overlap": 0.5},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "Activationsd", "keys": "pred", "sigmoid": True},
            {"_target_": "Lambdad", "keys": "pred", "func": "$lambda x: torch.where(x[[2]] > 0, 4, 0)"},
        ],
    },
    "evaluating": ["$@evaluator.run()"],
}
TRAINING = {"train": {"random": [{"_target_": "RandFlipd", "keys": ["image"], "prob": 0.5, "spatial_axis": 0}]}}


def a_bundle(folder: Path, metadata: dict | None = None, training: dict | None = None, **changed) -> Path:
    """A bundle in the layout of the model zoo's; ``changed`` replaces entries of its inference configuration."""
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata or METADATA))
    (folder / "configs" / "inference.json").write_text(json.dumps(INFERENCE | changed))
    if training:
        (folder / "configs" / "train.json").write_text(json.dumps(training))
    torch.save(built("SegResNet", SEGRESNET).state_dict(), folder / "models" / "model.pt")
    return folder


def composed(*transforms: dict) -> dict:
    return {"_target_": "Compose", "transforms": list(transforms)}
