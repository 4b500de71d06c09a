"""nnU-Net's own planner, preprocessor and trainer, with a network, patches and a schedule that a laptop's core can do.

The networks' class and the trainer's name are nnU-Net's, so that its predictor and ours read the results alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from copy import deepcopy
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np

PLANS = "nnUNetPlans"
LEARNING_RATE = 1e-2
FEATURES = 8
FLAT_PATCH, FLAT_BATCH = (32, 32), 12
"""Of the 2D network: smaller than a slice, so that it is tiled too."""

WITH_DROPOUT, DROPOUT = "3d_dropout", {"p": 0.2, "inplace": False}


def set_environment(out: Path) -> None:
    """Where nnU-Net reads and writes; to be called before its first import. No processes but this one."""
    folders = {name: str(out / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    os.environ.update(folders, nnUNet_def_n_proc="1", nnUNet_compile="f", OMP_NUM_THREADS="1")


def threads_for_pools():
    """nnU-Net's pools as threads of this process: each of its spawned workers imports torch anew, for tiny cases."""
    return patch("multiprocessing.get_context", lambda method=None: SimpleNamespace(Pool=ThreadPool))


def plan_and_preprocess(dataset: str, memory_gb: float = 0.012, only: Sequence[str] = ()) -> None:
    """Fingerprint, plans and preprocessed cases of a raw data set, for every configuration that the planner makes.

    ``memory_gb`` is the planner's target, which settles the 3D patch. ``only`` some configurations are preprocessed.
    Does nothing where the data set is ready.
    """
    from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
    from nnunetv2.experiment_planning.plan_and_preprocess_api import preprocess_dataset
    from nnunetv2.utilities.dataset_name_id_conversion import convert_dataset_name_to_id

    if (_preprocessed(dataset) / "gt_segmentations").is_dir():
        return
    number = convert_dataset_name_to_id(dataset)
    os.environ.update(nnUNet_n_proc_DA="1")
    with threads_for_pools():
        DatasetFingerprintExtractor(number, num_processes=1).run(overwrite_existing=True)
        planned = [name for name in plan(number, memory_gb) if "cascade" not in name]
        preprocess_dataset(number, PLANS, list(only) or planned, num_processes=[1], show_progress_bar=False)


def plan(number: int, memory_gb: float) -> list[str]:
    """nnU-Net's plans with one convolution a stage and few features; the names of their configurations."""
    from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner

    planner = ExperimentPlanner(number, gpu_memory_target_in_gb=memory_gb)
    planner.UNet_base_num_features = FEATURES
    planner.UNet_max_features_2d = planner.UNet_max_features_3d = 4 * FEATURES
    planner.UNet_blocks_per_stage_encoder = planner.UNet_blocks_per_stage_decoder = (1,) * 14
    planner.lowres_creation_threshold = 1.0
    plans = planner.plan_experiment()
    plans["configurations"]["2d"].update(patch_size=FLAT_PATCH, batch_size=FLAT_BATCH)
    planner.save_plans(plans)
    return list(plans["configurations"])


def add_dropout(dataset: str) -> None:
    """Plan ``3d_dropout``: 3d_fullres on the same preprocessed cases, with whole channels dropped out in each stage."""
    file = _preprocessed(dataset) / f"{PLANS}.json"
    plans = json.loads(file.read_text(encoding="utf-8"))
    architecture = deepcopy(plans["configurations"]["3d_fullres"]["architecture"])
    architecture["arch_kwargs"].update(dropout_op="torch.nn.Dropout3d", dropout_op_kwargs=DROPOUT)
    architecture["_kw_requires_import"] = sorted({*architecture["_kw_requires_import"], "dropout_op"})
    plans["configurations"][WITH_DROPOUT] = {"inherits_from": "3d_fullres", "architecture": architecture}
    file.write_text(json.dumps(plans, indent=4), encoding="utf-8")


def _preprocessed(dataset: str) -> Path:
    from nnunetv2.paths import nnUNet_preprocessed

    return Path(nnUNet_preprocessed) / dataset


def train(dataset: str, configuration: str, folds: Iterable[int], *, epochs: int = 4, iterations: int = 50) -> None:
    """Train folds one after the other, ``iterations`` an epoch, and predict each fold's validation cases.

    The predictions (``fold_*/validation``, with probabilities) are made without mirroring; a lower resolution's are
    also written where its cascade looks for them.
    """
    import torch

    os.environ.update(nnUNet_n_proc_DA="0")
    torch.set_num_threads(1)
    for fold in folds:
        if (results(dataset, configuration) / f"fold_{fold}" / "validation" / "summary.json").is_file():
            continue
        trainer = _trainer(dataset, configuration, fold)
        trainer.num_epochs, trainer.num_iterations_per_epoch = epochs, iterations
        trainer.num_val_iterations_per_epoch = 2
        trainer.configure_optimizers = partial(_fast_optimizer, trainer)
        torch.manual_seed(fold)
        np.random.seed(fold)
        trainer.run_training()
        trainer.inference_allowed_mirroring_axes = None
        with threads_for_pools():
            trainer.perform_actual_validation(save_probabilities=True)


def _trainer(dataset: str, configuration: str, fold: int):
    import torch
    from batchgenerators.utilities.file_and_folder_operations import load_json
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    folder = _preprocessed(dataset)
    plans = load_json(str(folder / f"{PLANS}.json")) | {"continue_training": False}
    return nnUNetTrainer(plans, configuration, fold, load_json(str(folder / "dataset.json")), torch.device("cpu"))


def _fast_optimizer(trainer) -> tuple:
    """Adam: nnU-Net's own momentum of 0.99 has hardly gathered speed when these few steps are over."""
    import torch
    from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler

    optimizer = torch.optim.AdamW(trainer.network.parameters(), LEARNING_RATE, weight_decay=trainer.weight_decay)
    return optimizer, PolyLRScheduler(optimizer, LEARNING_RATE, trainer.num_epochs)


def results(dataset: str, configuration: str) -> Path:
    """The folder of a trained configuration."""
    from nnunetv2.paths import nnUNet_results

    return Path(nnUNet_results) / dataset / f"nnUNetTrainer__{PLANS}__{configuration}"
