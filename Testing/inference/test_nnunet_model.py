"""Our prediction from nnU-Net's results folders against ``nnUNetPredictor`` on the same checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from nnunet_reference import by_region, in_32_bits, nnunet_prediction, predictor
from nnunet_results import IDENTITY, simulated_case, write_results
from nnunetv2.training.nnUNetTrainer.variants.network_architecture.nnUNetTrainerBN import nnUNetTrainerBN
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from BraTSRefineLib.cohort.volumes import Geometry, read_image, write_volume
from BraTSRefineLib.inference import CaseImages, InferenceError
from BraTSRefineLib.inference.checkpoints import load_checkpoint
from BraTSRefineLib.inference.nnunet_model import open_nnunet
from BraTSRefineLib.inference.predict import predict_case

THICK_SLICES = {"spacing": (4.0, 1.0, 1.0)}
OBLIQUE = (0.0, -1.0, 0.0, 0.96, 0.0, -0.28, -0.28, 0.0, -0.96)
TOLERANCE = 1e-4

SETTINGS = {
    "3d_fullres": ({}, {}),
    "regions": ({"regions": True}, {}),
    "2d": ({"configuration": "2d"}, {}),
    "3d_lowres": ({"configuration": "3d_lowres"}, {}),
    "transposed axes": ({"transpose": (2, 0, 1)}, {"spacing": (1.0, 1.0, 1.5)}),
    "resampled": ({"spacing": (1.3, 1.2, 1.1)}, {}),
    "thick slices": ({"spacing": (4.5, 1.2, 1.2)}, THICK_SLICES),
    "resampled, transposed regions": ({"spacing": (1.2, 1.2, 1.2), "regions": True, "transpose": (1, 2, 0)}, {}),
    "2d, resampled along another axis": ({"configuration": "2d", "transpose": (1, 0, 2), "spacing": (1.5,) * 3}, {}),
    "case smaller than the patch": ({"patch": (32, 32, 32)}, {}),
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_one_fold_equals_nnunet(tmp_path, settings):
    of_model, of_case = settings
    model, images = write_results(tmp_path, **of_model), simulated_case(**of_case)
    labels, channels = nnunet_prediction(model, images)
    models = open_nnunet(model)
    ours = predict_case(images, models, device="cpu")
    np.testing.assert_array_equal(ours.label_map, labels)
    np.testing.assert_allclose(ours.probability, by_region(channels, models[0], ours.regions), atol=TOLERANCE)
    assert len(np.unique(labels)) == 4


@pytest.mark.parametrize("settings", [{}, {"configuration": "2d"}, {"regions": True}], ids=["3d", "2d", "regions"])
def test_labels_of_folds_and_flips_equal_nnunet(tmp_path, settings):
    model, images = write_results(tmp_path, folds=(0, 1), **settings), simulated_case((18, 22, 20))
    labels, _ = nnunet_prediction(model, images, (0, 1), mirror=True)
    ours = predict_case(images, open_nnunet(model), tta="flips", device="cpu")
    np.testing.assert_array_equal(ours.label_map, labels)


def test_probability_is_the_mean_of_the_folds(tmp_path):
    model, images = write_results(tmp_path, folds=(0, 1)), simulated_case((18, 22, 20))
    models = open_nnunet(model)
    ours = predict_case(images, models, device="cpu")
    folds = [by_region(nnunet_prediction(model, images, (fold,))[1], models[0], ours.regions) for fold in (0, 1)]
    np.testing.assert_allclose(ours.probability, np.mean(folds, axis=0), atol=TOLERANCE)


def test_a_checkpoint_without_mirroring_is_not_flipped(tmp_path):
    (model,) = open_nnunet(write_results(tmp_path, mirror=False))
    assert model.mirror_axes == ()


def test_a_2d_model_mirrors_within_the_slice(tmp_path):
    (model,) = open_nnunet(write_results(tmp_path, "2d"))
    assert model.mirror_axes == (1, 2)
    assert model.window.flat and model.window.patch == (1, 16, 16)


CASCADES = {
    "as it is": {},
    "resampled": {"spacing": (1.2, 1.2, 1.2)},
    "regions": {"regions": True},
    "transposed": {"transpose": (2, 0, 1)},
}


@pytest.mark.parametrize("settings", CASCADES.values(), ids=CASCADES)
def test_a_cascade_takes_the_labels_of_its_first_stage(tmp_path, settings):
    images = simulated_case()
    first = write_results(tmp_path, "3d_lowres", folds=(0, 1), **settings)
    model = write_results(tmp_path, "3d_cascade_fullres", folds=(0, 1), **settings)
    before, _ = nnunet_prediction(first, images, (0, 1))
    labels, _ = nnunet_prediction(model, images, (0, 1), previous=before)
    ours = predict_case(images, open_nnunet(model), device="cpu")
    np.testing.assert_array_equal(ours.label_map, labels)


@pytest.mark.parametrize("reader", ["SimpleITKIO", "NibabelIO", "NibabelIOWithReorient", "SimpleITKIOWithReorient"])
@pytest.mark.parametrize("direction", [OBLIQUE, (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0)], ids=["oblique", "RAS"])
def test_files_are_read_in_the_axes_of_every_reader(tmp_path, reader, direction):
    model = write_results(tmp_path, reader=reader, spacing=(1.1, 1.2, 1.0))
    images = simulated_case((18, 22, 20), spacing=(1.0, 1.1, 1.3), direction=direction)
    ours = predict_case(images, open_nnunet(model), device="cpu")
    np.testing.assert_array_equal(ours.label_map, labels_from_files(model, images, tmp_path))


def labels_from_files(model: Path, images: CaseImages, folder: Path) -> np.ndarray:
    files = [folder / f"case_{place:04d}.nii.gz" for place in range(4)]
    for path, image in zip(files, images.channels.values(), strict=True):
        write_volume(path, image, images.geometry)
    with in_32_bits():
        theirs = predictor(model)
        reader = theirs.plans_manager.image_reader_writer_class()
        stack, properties = reader.read_images([str(path) for path in files])
        labels = theirs.predict_single_npy_array(stack, properties, None, None, False)
    reader.write_seg(labels, str(folder / "case.nii.gz"), properties)
    return read_image(folder / "case.nii.gz")


@pytest.mark.filterwarnings("ignore:Detected old nnU-Net plans format")
def test_plans_of_nnunet_before_2_3_are_understood(tmp_path):
    model, images = write_results(tmp_path), simulated_case((18, 22, 20))
    write_old_plans(model / "plans.json")
    labels, _ = nnunet_prediction(model, images)
    np.testing.assert_array_equal(predict_case(images, open_nnunet(model), device="cpu").label_map, labels)


def write_old_plans(path: Path) -> None:
    """They describe the U-Net by numbers instead of naming a class and its arguments."""
    plans = json.loads(path.read_text())
    settings = plans["configurations"]["3d_fullres"]
    arguments = settings.pop("architecture")["arch_kwargs"]
    settings |= {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": arguments["features_per_stage"][0],
        "unet_max_num_features": arguments["features_per_stage"][-1],
        "n_conv_per_stage_encoder": arguments["n_conv_per_stage"],
        "n_conv_per_stage_decoder": arguments["n_conv_per_stage_decoder"],
        "num_pool_per_axis": [2, 2, 2],
        "pool_op_kernel_sizes": arguments["strides"],
        "conv_kernel_sizes": arguments["kernel_sizes"],
    }
    path.write_text(json.dumps(plans))


def test_part_of_a_real_case_equals_nnunet(tmp_path, real_data):
    images = part_of_case(real_data / "brats2021" / "cases" / "BraTS2021_00006")
    model = write_results(tmp_path, patch=(32, 32, 32), spacing=(1.2, 1.0, 1.1))
    labels, channels = nnunet_prediction(model, images)
    models = open_nnunet(model)
    ours = predict_case(images, models, device="cpu")
    np.testing.assert_array_equal(ours.label_map, labels)
    np.testing.assert_allclose(ours.probability, by_region(channels, models[0], ours.regions), atol=TOLERANCE)


def part_of_case(folder: Path) -> CaseImages:
    """A corner of the brain with air around it, 16 bits whole numbers as they are stored."""
    files = {"t1n": "t1", "t1c": "t1ce", "t2w": "t2", "t2f": "flair"}
    part = (slice(60, 110), slice(40, 100), slice(30, 80))
    images = {ours: read_image(folder / f"{folder.name}_{name}.nii.gz")[part] for ours, name in files.items()}
    return CaseImages(folder.name, images, Geometry((50, 60, 50), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), IDENTITY))


def test_models_of_one_configuration_share_their_group(tmp_path):
    zero, one = open_nnunet(write_results(tmp_path, folds=(0, 1)))
    assert zero.group == one.group
    assert zero.name == "Dataset501_Small/nnUNetTrainer__nnUNetPlans__3d_fullres/fold_0"
    assert one.name.endswith("fold_1")


@pytest.mark.parametrize(("configuration", "multiple"), [("3d_fullres", (4, 4, 4)), ("2d", (1, 4, 4))])
@pytest.mark.parametrize("mode", ["fast-window", "fast-roi"])
def test_strides_say_which_single_window_fits(tmp_path, configuration, multiple, mode):
    models = open_nnunet(write_results(tmp_path, configuration, folds=(0, 1)))
    assert models[0].window.multiple == multiple
    prediction = predict_case(simulated_case(), models, mode=mode, device="cpu")
    assert prediction.label_map.shape == (26, 30, 28)


def test_the_network_is_loaded_once_and_given_back(tmp_path):
    (model,) = open_nnunet(write_results(tmp_path))
    network = model.network(torch.device("cpu"))
    assert not network.training
    assert model.network(torch.device("cpu")) is network
    model.release()
    assert model.network(torch.device("cpu")) is not network


def test_a_network_first_asked_for_in_inference_mode_can_be_trained_on(tmp_path):
    (model,) = open_nnunet(write_results(tmp_path))
    with torch.inference_mode():
        network = model.network(torch.device("cpu"))
    assert not any(weight.is_inference() for weight in network.parameters())


def test_a_trainer_that_is_not_installed_follows_the_plans(tmp_path):
    images = simulated_case((18, 22, 20))
    known, unknown = (write_results(tmp_path, trainer=trainer) for trainer in ("nnUNetTrainer", "TrainerFromElsewhere"))
    ours = [predict_case(images, open_nnunet(model), device="cpu").label_map for model in (known, unknown)]
    np.testing.assert_array_equal(*ours)


def test_a_trainer_that_builds_another_network_is_asked_for_it(tmp_path):
    folder, images = write_results(tmp_path, trainer="nnUNetTrainerBN"), simulated_case((18, 22, 20))
    change_checkpoint(folder, lambda content: content.update(network_weights=batch_norm_weights(folder)))
    labels, _ = nnunet_prediction(folder, images)
    np.testing.assert_array_equal(predict_case(images, open_nnunet(folder), device="cpu").label_map, labels)


def batch_norm_weights(folder: Path) -> dict:
    plans = PlansManager(str(folder / "plans.json"))
    network = nnUNetTrainerBN.build_network_architecture(plans, plans.get_configuration("3d_fullres"), 4, 4)
    for name, weights in network.state_dict().items():
        if name.endswith("running_var"):
            weights.uniform_(0.5, 2.0)
    return network.state_dict()


def test_weights_that_the_trainer_does_not_build_are_refused(tmp_path):
    (model,) = open_nnunet(write_results(tmp_path, trainer="nnUNetTrainerBN"))
    with pytest.raises(InferenceError, match=r"another architecture.*running_mean"):
        model.network(torch.device("cpu"))


def test_a_checkpoint_of_weights_alone_is_enough(tmp_path):
    folder, images = write_results(tmp_path), simulated_case((18, 22, 20))
    before = predict_case(images, open_nnunet(folder), device="cpu").label_map
    checkpoint = folder / "fold_0" / "checkpoint_final.pth"
    save_anew({"network_weights": load_checkpoint(checkpoint)["network_weights"]}, checkpoint)
    np.testing.assert_array_equal(predict_case(images, open_nnunet(folder), device="cpu").label_map, before)


def change_checkpoint(model: Path, change) -> None:
    path = model / "fold_0" / "checkpoint_final.pth"
    content = load_checkpoint(path)
    change(content)
    save_anew(content, path)


def save_anew(content: dict, path: Path) -> None:
    """In place of the file that the content's tensors are still read from."""
    torch.save(content, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    folder = write_results(tmp_path)
    change_checkpoint(folder, lambda content: content["network_weights"]["decoder.seg_layers.1.bias"].fill_(np.nan))
    (model,) = open_nnunet(folder)
    with pytest.raises(InferenceError, match=r"fold_0.*NaN or infinite.*seg_layers.1.bias.*another checkpoint"):
        model.network(torch.device("cpu"))


def test_a_checkpoint_of_another_architecture_names_what_differs(tmp_path):
    folder, other = write_results(tmp_path), write_results(tmp_path, regions=True, dataset="Dataset502_Other")
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes((other / "fold_0" / "checkpoint_final.pth").read_bytes())
    (model,) = open_nnunet(folder)
    with pytest.raises(InferenceError, match=r"another architecture.*seg_layers.0.weight is \(3, .*not \(4, "):
        model.network(torch.device("cpu"))


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    folder, other = write_results(tmp_path), write_results(tmp_path, "2d")
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes((other / "fold_0" / "checkpoint_final.pth").read_bytes())
    with pytest.raises(InferenceError, match="trained as 2d, but lies in the folder of 3d_fullres"):
        open_nnunet(folder)


def test_an_architecture_must_be_a_network(tmp_path):
    folder = write_results(tmp_path)
    plans = (folder / "plans.json").read_text()
    (folder / "plans.json").write_text(
        plans.replace("dynamic_network_architectures.architectures.unet.PlainConvUNet", "os.system")
    )
    (model,) = open_nnunet(folder)
    with pytest.raises(InferenceError, match=r"os.system is no network"):
        model.network(torch.device("cpu"))


def test_several_configurations_are_not_mixed_unasked(tmp_path):
    write_results(tmp_path, "2d")
    model = write_results(tmp_path, "3d_fullres")
    with pytest.raises(InferenceError, match=r"2 configurations .*__2d, .*__3d_fullres"):
        open_nnunet(model.parent)


def test_a_cascade_without_its_first_stage_says_where_it_belongs(tmp_path):
    with pytest.raises(InferenceError, match=r"cascade on 3d_lowres, and .*__3d_lowres is no trained model"):
        open_nnunet(write_results(tmp_path, "3d_cascade_fullres"))


@pytest.mark.parametrize(
    ("known", "unknown", "message"),
    [
        ("DefaultPreprocessor", "PreprocessorFromElsewhere", "what it names as preprocessor_name is no part"),
        ("ZScoreNormalization", "NormalisationFromElsewhere", "what it names as normalization_schemes is no part"),
        (
            "resample_data_or_seg_to_shape",
            "resampling_from_elsewhere",
            "cannot be followed .*resampling_from_elsewhere",
        ),
        ('"LabelManager"', '"LabelsFromElsewhere"', "what it names as label_manager is no part"),
    ],
)
def test_parts_that_are_not_installed_are_named(tmp_path, known, unknown, message):
    folder = write_results(tmp_path)
    path = folder / "plans.json"
    path.write_text(path.read_text().replace(known, unknown))
    with pytest.raises(InferenceError, match=f"plans.json: {message}"):
        open_nnunet(folder)
