"""Every path of inference on really trained models: equal to nnU-Net's and MONAI's own prediction, and of use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from nnunet_reference import by_region, nnunet_prediction

from BraTSRefineLib.cohort import Case, discover, read_label_map
from BraTSRefineLib.inference import CaseImages, CasePrediction, predict_case
from BraTSRefineLib.inference.case_images import read_case_images
from BraTSRefineLib.inference.models import open_models

LABELLED, REGIONS, REAL = "Dataset901_Phantom", "Dataset902_PhantomRegions", "Dataset903_Real"
CONFIGURATIONS = {
    "3d_fullres": (LABELLED, "3d_fullres"),
    "dropout": (LABELLED, "3d_dropout"),
    "2d": (LABELLED, "2d"),
    "3d_lowres": (LABELLED, "3d_lowres"),
    "cascade": (LABELLED, "3d_cascade_fullres"),
    "regions": (REGIONS, "3d_fullres"),
}
FOLDS = {"cascade": (0, 1), "regions": (0, 1)}
ALL_FOLDS = (0, 1, 2, 3, 4)
MONAI = ("SwinUNETR", "SegResNet", "SegResNet-script", "SegResNet-program")
TOLERANCE, THRESHOLD_MARGIN = 1e-4, 1e-3
OF_USE = 0.6


@pytest.fixture
def model_at(trained_models: Path) -> Callable[[str], Path]:
    """The path of one of the trained models; skips where that one was not trained."""

    def of(name: str) -> Path:
        path = trained_models / name
        if not path.exists():
            pytest.skip(f"not trained: {path}")
        return path

    return of


@pytest.fixture
def nnunet_at(model_at) -> Callable[[str], Path]:
    def of(name: str) -> Path:
        dataset, configuration = CONFIGURATIONS[name]
        return model_at(f"nnUNet_results/{dataset}/nnUNetTrainer__nnUNetPlans__{configuration}")

    return of


@pytest.fixture
def held_out_case(trained_models: Path) -> Case:
    return discover(trained_models / "held_out").cases[0]


@pytest.fixture
def images(held_out_case: Case) -> CaseImages:
    return read_case_images(held_out_case)


def nnunet_of(name: str, nnunet_at, images: CaseImages, folds: tuple[int, ...], *, mirror: bool):
    """nnU-Net's label map and channel probabilities; a cascade's first stage is predicted by the same folds."""
    previous = None
    if name == "cascade":
        previous, _ = nnunet_prediction(nnunet_at("3d_lowres"), images, folds, mirror)
    return nnunet_prediction(nnunet_at(name), images, folds, mirror, previous)


def near_the_threshold(channels: np.ndarray, kind: str) -> np.ndarray:
    """Where the label hangs on less than ``THRESHOLD_MARGIN`` of probability."""
    if kind == "sigmoid":
        return (np.abs(channels - 0.5) < THRESHOLD_MARGIN).any(axis=0)
    second, first = np.sort(channels, axis=0)[-2:]
    return first - second < THRESHOLD_MARGIN


def dice_of_whole_tumour(prediction: CasePrediction, case: Case) -> float:
    found = prediction.labels[prediction.regions.index("WT")]
    true = case.labels.mask(read_label_map(case.reference), "WT")
    return 2 * (found & true).sum() / (found.sum() + true.sum())


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_one_fold_equals_nnunet(name, nnunet_at, images):
    labels, channels = nnunet_of(name, nnunet_at, images, (0,), mirror=False)
    models = open_models(nnunet_at(name), folds=(0,))
    ours = predict_case(images, models, device="cpu")
    assert not ((ours.label_map != labels) & ~near_the_threshold(channels, models[0].head.kind)).any()
    np.testing.assert_allclose(ours.probability, by_region(channels, models[0], ours.regions), atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_labels_of_all_folds_and_flips_equal_nnunet(name, nnunet_at, images):
    folds = FOLDS.get(name, ALL_FOLDS)
    labels, channels = nnunet_of(name, nnunet_at, images, folds, mirror=True)
    models = open_models(nnunet_at(name))
    ours = predict_case(images, models, tta="flips", device="cpu")
    assert len(ours.members) == len(folds) * 2 ** len(models[0].mirror_axes)
    assert not ((ours.label_map != labels) & ~near_the_threshold(channels, models[0].head.kind)).any()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_nnunet_models_are_of_use(name, nnunet_at, images, held_out_case):
    ours = predict_case(images, open_models(nnunet_at(name)), uncertainty=False, device="cpu")
    assert dice_of_whole_tumour(ours, held_out_case) > OF_USE


@pytest.mark.parametrize("name", MONAI)
def test_monai_models_are_of_use(name, model_at, images, held_out_case):
    ours = predict_case(images, open_models(model_at(f"monai/{name}.yaml")), uncertainty=False, device="cpu")
    assert dice_of_whole_tumour(ours, held_out_case) > OF_USE


@pytest.mark.parametrize("exported", ["SegResNet-script", "SegResNet-program"])
def test_exported_programs_equal_the_network(exported, model_at, images):
    network, program = (
        predict_case(images, open_models(model_at(f"monai/{name}.yaml")), device="cpu")
        for name in ("SegResNet", exported)
    )
    np.testing.assert_allclose(program.probability, network.probability, atol=TOLERANCE)


def test_networks_of_different_kinds_are_one_ensemble(nnunet_at, model_at, images):
    models = [*open_models(nnunet_at("3d_fullres"), folds=(0,)), *open_models(nnunet_at("2d"), folds=(0,))]
    models += open_models(model_at("monai/SwinUNETR.yaml"))
    ours = predict_case(images, models, device="cpu")
    alone = [predict_case(images, [model], device="cpu").probability for model in models]
    np.testing.assert_allclose(ours.probability, np.mean(alone, axis=0), atol=1e-6)
    np.testing.assert_allclose(ours.between_model, np.var(alone, axis=0), atol=1e-6)


def test_one_network_is_unsure_by_its_augmentations_its_dropout_and_its_folds(nnunet_at, images):
    folds = open_models(nnunet_at("dropout"))
    for models, tta, members in ((folds[:1], "flips", 8), (folds[:1], "dropout", 21), (folds, "none", 5)):
        ours = predict_case(images, models, tta=tta, device="cpu")
        assert len(ours.members) == members
        assert ours.variance.max() > 0.01
        assert (ours.between_model.max() > 0) == (len(models) > 1)


@pytest.mark.slow
def test_a_real_case_equals_nnunet(model_at):
    model = model_at(f"nnUNet_results/{REAL}/nnUNetTrainer__nnUNetPlans__3d_fullres")
    images = read_case_images(discover(model_at(f"nnUNet_raw/{REAL}")).cases[0])
    labels, channels = nnunet_prediction(model, images, (0,), False)
    (fold,) = open_models(model, folds=(0,))
    ours = predict_case(images, [fold], device="cpu")
    assert not ((ours.label_map != labels) & ~near_the_threshold(channels, fold.head.kind)).any()
    np.testing.assert_allclose(ours.probability, by_region(channels, fold, ours.regions), atol=TOLERANCE)
