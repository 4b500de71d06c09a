"""Results folders as nnU-Net v2 leaves them, with small random networks, and a case that they can be asked about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from BraTSRefineLib.cohort import Geometry
from BraTSRefineLib.inference import CaseImages

CHANNELS = ("T1", "T1ce", "T2", "FLAIR")
TISSUES = {"background": 0, "NCR": 1, "ED": 2, "ET": 3}
REGIONS = {"background": 0, "whole tumor": [1, 2, 3], "tumor core": [1, 3], "enhancing tumor": [3]}
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def write_results(
    folder: Path,
    configuration: str = "3d_fullres",
    *,
    folds: Sequence[int | str] = (0,),
    regions: bool = False,
    patch: Sequence[int] = (16, 16, 16),
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    transpose: Sequence[int] = (0, 1, 2),
    channels: Sequence[str] = CHANNELS,
    labels: dict | None = None,
    mirror: bool = True,
    reader: str = "SimpleITKIO",
    trainer: str = "nnUNetTrainer",
    dataset: str = "Dataset501_Small",
    checkpoint: str = "checkpoint_final.pth",
    features: Sequence[int] = (4, 8, 8),
    seed: int = 0,
) -> Path:
    """Write ``folder/<dataset>/<trainer>__nnUNetPlans__<configuration>`` and return it; call again to add another.

    ``patch`` and ``spacing`` are in the plans' axes, after ``transpose``; 2d takes their last two entries and 3d_lowres
    twice the spacing. ``labels`` replaces the labels of BraTS 2023 (or, with ``regions``, its regions).
    """
    import torch

    labels = labels or (REGIONS if regions else TISSUES)
    plans = _plans(dataset, channels, patch, spacing, transpose, reader, features)
    stated = {"channel_names": {str(i): name for i, name in enumerate(channels)}, "labels": labels}
    if any(isinstance(label, list) for label in labels.values()):
        stated["regions_class_order"] = [2, 1, 3, 4][: len(labels) - 1]
    stated |= {"numTraining": 5, "file_ending": ".nii.gz"}
    model = folder / dataset / f"{trainer}__nnUNetPlans__{configuration}"
    model.mkdir(parents=True, exist_ok=True)
    (model / "plans.json").write_text(json.dumps(plans, indent=2))
    (model / "dataset.json").write_text(json.dumps(stated, indent=2))
    for place, fold in enumerate(folds):
        (model / f"fold_{fold}").mkdir(exist_ok=True)
        content = _checkpoint(plans, stated, configuration, fold, trainer, mirror, seed + place)
        torch.save(content, model / f"fold_{fold}" / checkpoint)
    return model


def simulated_case(
    shape: Sequence[int] = (26, 30, 28),
    *,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    direction: Sequence[float] = IDENTITY,
    channels: Sequence[str] = ("t1n", "t1c", "t2w", "t2f"),
    seed: int = 0,
    name: str = "simulated",
) -> CaseImages:
    """A brain with texture, off the middle and zero around it; ``shape`` and ``spacing`` (mm) are ``(z, y, x)``."""
    noise = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.linspace(-1, 1, side) for side in shape], indexing="ij")
    distance = np.sqrt(sum(((axis - shift) / 0.7) ** 2 for axis, shift in zip(axes, (0.1, -0.1, 0.2), strict=True)))
    images = {
        channel: ((distance < 1) * (200 * (1.5 - distance) + 60 * noise.random(shape) + 20 * place)).astype(np.float32)
        for place, channel in enumerate(channels)
    }
    geometry = Geometry(tuple(shape[::-1]), tuple(spacing[::-1]), (0.0, 0.0, 0.0), tuple(direction))
    return CaseImages(name, images, geometry)


def _plans(dataset: str, channels, patch, spacing, transpose, reader: str, features) -> dict:
    """plans.json with the keys that nnU-Net 2.8's ``ExperimentPlanner`` writes."""
    full = _configuration("3d_fullres", channels, patch, spacing, features)
    low = _configuration("3d_lowres", channels, patch, [2 * mm for mm in spacing], features)
    return {
        "dataset_name": dataset,
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": list(spacing),
        "original_median_shape_after_transp": [26, 30, 28],
        "image_reader_writer": reader,
        "transpose_forward": list(transpose),
        "transpose_backward": [int(axis) for axis in np.argsort(transpose)],
        "configurations": {
            "2d": _configuration("2d", channels, patch[1:], spacing[1:], features),
            "3d_lowres": {**low, "next_stage": "3d_cascade_fullres"},
            "3d_fullres": full,
            "3d_cascade_fullres": {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"},
        },
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {
            str(place): {"max": 300.0, "mean": 100.0, "median": 100.0, "min": 1.0, "std": 50.0}
            | {"percentile_00_5": 5.0, "percentile_99_5": 250.0}
            for place in range(len(channels))
        },
    }


def _configuration(name: str, channels, patch, spacing, features) -> dict:
    resampling = {"order_z": 0, "force_separate_z": None}
    kinds = {"data": (False, 3), "seg": (True, 1), "probabilities": (False, 1)}
    return {
        "data_identifier": f"nnUNetPlans_{name}",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": list(patch),
        "median_image_size_in_voxels": [28.0] * len(patch),
        "spacing": list(spacing),
        "normalization_schemes": ["ZScoreNormalization"] * len(channels),
        "use_mask_for_norm": [True] * len(channels),
        **{f"resampling_fn_{kind}": "resample_data_or_seg_to_shape" for kind in kinds},
        **{
            f"resampling_fn_{kind}_kwargs": {"is_seg": is_seg, "order": order, **resampling}
            for kind, (is_seg, order) in kinds.items()
        },
        "architecture": _architecture(len(patch), features),
        "batch_dice": True,
    }


def _architecture(dimensions: int, features) -> dict:
    return {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": 3,
            "features_per_stage": list(features),
            "conv_op": f"torch.nn.modules.conv.Conv{dimensions}d",
            "kernel_sizes": [[3] * dimensions] * 3,
            "strides": [[1] * dimensions, [2] * dimensions, [2] * dimensions],
            "n_conv_per_stage": [1, 1, 1],
            "n_conv_per_stage_decoder": [1, 1],
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dimensions}d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def _checkpoint(plans: dict, stated: dict, configuration: str, fold, trainer: str, mirror: bool, seed: int) -> dict:
    """What ``nnUNetTrainer.save_checkpoint`` saves, numpy scalars of the log included."""
    import torch

    weights = _network(plans, stated, configuration, seed).state_dict()
    axes = tuple(range(2 if configuration == "2d" else 3))
    return {
        "network_weights": weights,
        "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.01, "params": list(range(len(weights)))}]},
        "grad_scaler_state": None,
        "logging": {"train_losses": [np.float32(-0.1)], "dice_per_class_or_region": [[np.float32(0.5)]], "lrs": [0.01]},
        "_best_ema": np.float64(0.5),
        "current_epoch": 1,
        "init_args": {
            "plans": plans,
            "configuration": configuration,
            "fold": fold,
            "dataset_json": stated,
            "device": torch.device("cpu"),
        },
        "trainer_name": trainer,
        "inference_allowed_mirroring_axes": axes if mirror else None,
    }


def _network(plans: dict, stated: dict, configuration: str, seed: int):
    """A random network as the plans describe it; its logits are spread so that every class comes up."""
    import torch
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    foreground = {label for name, label in stated["labels"].items() if name != "background" and not _many(label)}
    labels = foreground | {one for label in stated["labels"].values() if _many(label) for one in label}
    heads = len(stated["labels"]) - 1 if any(map(_many, stated["labels"].values())) else len(labels) + 1
    inputs = len(stated["channel_names"]) + (len(labels) if "cascade" in configuration else 0)
    described = plans["configurations"]["3d_fullres" if "cascade" in configuration else configuration]["architecture"]
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    network = get_network_from_plans(
        described["network_class_name"], described["arch_kwargs"], described["_kw_requires_import"], inputs, heads
    )
    for layer in network.decoder.seg_layers:
        torch.nn.init.normal_(layer.weight, std=1.5)
        torch.nn.init.normal_(layer.bias, std=0.3)
    torch.random.set_rng_state(state)
    return network


def _many(label) -> bool:
    return isinstance(label, list)
