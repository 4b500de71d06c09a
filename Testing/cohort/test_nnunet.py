"""nnU-Net's own folders, written by nnU-Net's own code where it writes them."""

import json
from pathlib import Path

import numpy as np
import pytest

from BraTSRefineLib.cohort import discover, read_label_map, read_probabilities
from BraTSRefineLib.cohort.dataset_json import read_dataset_json
from BraTSRefineLib.cohort.volumes import VolumeError

REGION_LABELS = {"background": 0, "whole tumor": (1, 2, 3), "tumor core": (2, 3), "enhancing tumor": 3}
TISSUE_LABELS = {"background": 0, "edema": 1, "non enhancing and necrosis": 2, "enhancing tumor": 3}
CHANNELS = {0: "T1", 1: "T1ce", 2: "T2", 3: "Flair"}
TRAINER = "nnUNetTrainer__nnUNetPlans__3d_fullres"


def write_raw(folder: Path, write, labels=REGION_LABELS, cases=("BRATS_001", "BRATS_002", "BRATS_003", "BRATS_004")):
    """A raw data set with the ``dataset.json`` that nnU-Net generates."""
    from nnunetv2.dataset_conversion.generate_dataset_json import generate_dataset_json

    for case in cases:
        for index in range(4):
            write(folder / "imagesTr" / f"{case}_{index:04d}.nii.gz", None)
        write(folder / "labelsTr" / f"{case}.nii.gz", (1, 2, 3, 0, 1))
    order = (1, 2, 3) if labels is REGION_LABELS else None
    generate_dataset_json(str(folder), dict(CHANNELS), dict(labels), len(cases), ".nii.gz", regions_class_order=order)
    return folder


def export(raw: Path, case: str, output: Path, logits: np.ndarray):
    """Label map and probabilities of one case, through nnU-Net's export."""
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
    from nnunetv2.inference.export_prediction import export_prediction_from_logits
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    output.mkdir(parents=True, exist_ok=True)
    images = [str(raw / "imagesTr" / f"{case}_{index:04d}.nii.gz") for index in range(4)]
    voxels, properties = SimpleITKIO().read_images(images)
    shape = voxels.shape[1:]
    properties |= {
        "shape_before_cropping": shape,
        "bbox_used_for_cropping": [[0, size] for size in shape],
        "shape_after_cropping_and_before_resampling": shape,
    }
    resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    plans = PlansManager(
        {
            "transpose_forward": [0, 1, 2],
            "transpose_backward": [0, 1, 2],
            "image_reader_writer": "SimpleITKIO",
            "experiment_planner_used": "ExperimentPlanner",
            "configurations": {
                "3d_fullres": {
                    "architecture": {"network_class_name": "", "arch_kwargs": {}, "_kw_requires_import": []},
                    "spacing": list(properties["spacing"]),
                    "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
                    "resampling_fn_probabilities_kwargs": resampling,
                }
            },
        }
    )
    configuration = plans.get_configuration("3d_fullres")
    dataset = str(raw / "dataset.json")
    export_prediction_from_logits(logits, properties, configuration, plans, dataset, str(output / case), True, 1)


@pytest.fixture(scope="module")
def logits():
    """Three channels ``(3, z, y, x)``: region channels WT, TC, ET of one nested tumour."""
    inside = np.full((3, 4, 5, 6), -5.0, dtype=np.float32)
    inside[0, 1:3, 1:4, 1:5] = 4.0
    inside[1, 1:3, 1:4, 2:4] = 3.0
    inside[2, 1:3, 2:3, 2:4] = 2.0
    return inside


@pytest.fixture
def a_trained_data_set(tmp_path, write, logits):
    """nnUNet_raw and nnUNet_results of one data set; two folds validated two cases each."""
    raw = write_raw(tmp_path / "nnUNet_raw" / "Dataset137_BraTS", write)
    trainer = tmp_path / "nnUNet_results" / "Dataset137_BraTS" / TRAINER
    for fold, cases in enumerate((("BRATS_001", "BRATS_002"), ("BRATS_003", "BRATS_004"))):
        for case in cases:
            export(raw, case, trainer / f"fold_{fold}" / "validation", logits)
    (trainer / "dataset.json").write_text((raw / "dataset.json").read_text())
    return tmp_path


def test_raw_and_results_are_one_cohort(a_trained_data_set, errors_of):
    cohort = discover(a_trained_data_set)
    assert [case.case for case in cohort.cases] == ["BRATS_001", "BRATS_002", "BRATS_003", "BRATS_004"]
    assert cohort.layout == "nnU-Net"
    assert cohort.models == [TRAINER]
    assert all(set(case.images) == {"t1n", "t1c", "t2w", "t2f"} for case in cohort.cases)
    assert all(TRAINER in case.probabilities for case in cohort.cases)
    assert errors_of(cohort) == []


def test_folds_are_one_model_and_the_split_says_which(a_trained_data_set):
    cohort = discover(a_trained_data_set / "nnUNet_raw" / "Dataset137_BraTS")
    assert [case.split for case in cohort.cases] == ["fold_0", "fold_0", "fold_1", "fold_1"]


def test_results_by_themselves_find_references_in_the_raw_folder(a_trained_data_set):
    cohort = discover(a_trained_data_set / "nnUNet_results" / "Dataset137_BraTS")
    assert all(case.reference is not None for case in cohort.cases)
    assert cohort.models == [TRAINER]


def test_one_trained_configuration_is_a_cohort_too(a_trained_data_set):
    cohort = discover(a_trained_data_set / "nnUNet_results" / "Dataset137_BraTS" / TRAINER)
    assert cohort.models == [TRAINER]
    assert cohort.cases[0].reference is not None


def test_results_without_raw_data_are_predictions_only(a_trained_data_set, errors_of):
    import shutil

    shutil.rmtree(a_trained_data_set / "nnUNet_raw")
    cohort = discover(a_trained_data_set)
    assert len(cohort.cases) == 4
    assert cohort.cases[0].labels.name == "NCR=2,ED=1,ET=3"
    assert errors_of(cohort) == []


def test_trained_configuration_as_a_stated_model(a_trained_data_set):
    raw = a_trained_data_set / "nnUNet_raw" / "Dataset137_BraTS"
    trainer = a_trained_data_set / "nnUNet_results" / "Dataset137_BraTS" / TRAINER
    cohort = discover(a_trained_data_set, references=raw / "labelsTr", predictions={"unet": trainer})
    assert [case.split for case in cohort.cases] == ["fold_0", "fold_0", "fold_1", "fold_1"]
    assert cohort.models == ["unet"]


def test_region_based_labels_are_read_as_dataset_json_states(a_trained_data_set):
    case = discover(a_trained_data_set).cases[0]
    assert case.labels.name == "NCR=2,ED=1,ET=3"
    assert case.labels.regions["TC"] == (3, 2)
    assert case.convention_of(TRAINER) == case.labels


def test_label_based_dataset_json_means_the_same(tmp_path, write):
    raw = write_raw(tmp_path / "Dataset002", write, labels=TISSUE_LABELS)
    assert discover(raw).cases[0].labels.name == "NCR=2,ED=1,ET=3"


def test_fold_all_is_a_model_of_its_own(a_trained_data_set, write):
    trainer = a_trained_data_set / "nnUNet_results" / "Dataset137_BraTS" / TRAINER
    write(trainer / "fold_all" / "validation" / "BRATS_001.nii.gz", (1, 2, 3))
    cohort = discover(a_trained_data_set)
    assert cohort.models == [TRAINER, f"{TRAINER}__fold_all"]
    assert cohort["BRATS_001"].split == "fold_0"


def test_saved_region_probabilities_become_wt_tc_et(a_trained_data_set, logits):
    case = discover(a_trained_data_set)["BRATS_003"]
    regions = read_probabilities(case.probabilities[TRAINER], case)
    assert regions.dtype == np.float32
    np.testing.assert_allclose(regions, 1 / (1 + np.exp(-logits)), atol=1e-5)
    label_map = read_label_map(case.predictions[TRAINER])
    np.testing.assert_array_equal(case.labels.masks(label_map), regions > 0.5)


def test_saved_softmax_channels_are_summed_to_regions(tmp_path, write):
    raw = write_raw(tmp_path / "Dataset002", write, labels=TISSUE_LABELS, cases=("BRATS_001",))
    trainer = raw / TRAINER / "fold_0" / "validation"
    scores = np.random.default_rng(0).normal(size=(4, 4, 5, 6)).astype(np.float32)
    export(raw, "BRATS_001", trainer, scores)
    case = discover(raw).cases[0]
    softmax = np.exp(scores) / np.exp(scores).sum(axis=0)
    expected = np.stack([softmax[1] + softmax[2] + softmax[3], softmax[2] + softmax[3], softmax[3]])
    np.testing.assert_allclose(read_probabilities(case.probabilities[TRAINER], case), expected, atol=1e-5)


def test_region_channels_in_another_order_are_put_in_order(tmp_path, write, grid):
    labels = {"background": 0, "ET": [3], "WT": [1, 2, 3], "TC": [1, 3]}
    folder = tmp_path / "predictions" / "model"
    write(folder / "a.nii.gz", (1, 2, 3))
    (folder / "dataset.json").write_text(json.dumps({"labels": labels, "channel_names": {"0": "T1"}}))
    stored = np.stack([np.full((4, 5, 6), value) for value in (0.1, 0.9, 0.5)])
    np.savez_compressed(folder / "a.npz", probabilities=stored)
    case = discover(tmp_path).cases[0]
    assert case.labels.name == "brats2023"
    assert read_probabilities(case.probabilities["model"], case)[:, 0, 0, 0].tolist() == pytest.approx([0.9, 0.5, 0.1])


def test_output_of_predict_is_a_cohort_of_one_model(tmp_path, write):
    folder = tmp_path / "out"
    write(folder / "BRATS_001.nii.gz", (1, 2, 3))
    content = {"labels": {"background": 0, "NCR": 1, "ED": 2, "ET": 3}, "channel_names": {"0": "T1"}}
    (folder / "dataset.json").write_text(json.dumps(content))
    (folder / "plans.json").write_text("{}")
    cohort = discover(folder)
    assert cohort.models == ["out"]
    assert cohort.cases[0].labels.name == "brats2023"


def test_test_cases_have_the_split_test(tmp_path, write):
    raw = write_raw(tmp_path / "Dataset137", write, cases=("BRATS_001",))
    write(raw / "imagesTs" / "BRATS_900_0000.nii.gz", None)
    cohort = discover(raw)
    assert cohort["BRATS_900"].split == "test"
    assert cohort["BRATS_900"].reference is None


def test_decathlon_with_four_channels_in_one_file_is_noted_not_crashed(tmp_path, write, notes_of, errors_of):
    import SimpleITK

    folder = tmp_path / "Task01_BrainTumour"
    write(folder / "labelsTr" / "BRATS_001.nii.gz", (1, 2, 3))
    (folder / "imagesTr").mkdir()
    image = SimpleITK.JoinSeries([SimpleITK.Image(6, 5, 4, SimpleITK.sitkFloat32) for _ in range(4)])
    SimpleITK.WriteImage(image, str(folder / "imagesTr" / "BRATS_001.nii.gz"))
    (folder / "imagesTr" / "._BRATS_001.nii.gz").write_bytes(b"mac")
    content = {
        "modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"},
        "labels": {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"},
    }
    (folder / "dataset.json").write_text(json.dumps(content))
    cohort = discover(folder)
    assert [case.case for case in cohort.cases] == ["BRATS_001"]
    assert cohort.cases[0].labels.name == "NCR=2,ED=1,ET=3"
    assert any("4 dimensions" in note for note in notes_of(cohort))
    assert errors_of(cohort) == []


def test_case_in_two_folds_is_an_error_of_that_model(a_trained_data_set, write):
    trainer = a_trained_data_set / "nnUNet_results" / "Dataset137_BraTS" / TRAINER
    write(trainer / "fold_1" / "validation" / "BRATS_001.nii.gz", (1, 2, 3))
    cohort = discover(a_trained_data_set)
    assert "two files of one model" in cohort["BRATS_001"].error_of(TRAINER)
    assert cohort["BRATS_002"].error_of(TRAINER) == ""


def test_damaged_dataset_json_is_noted_and_labels_are_looked_at(tmp_path, write, notes_of):
    raw = write_raw(tmp_path / "Dataset137", write)
    (raw / "dataset.json").write_text("{ not json")
    cohort = discover(raw)
    assert cohort.cases[0].labels.name == "brats2023"
    assert any("not a readable dataset.json" in note for note in notes_of(cohort))


def test_labels_outside_dataset_json_are_told(tmp_path, write, notes_of):
    raw = write_raw(tmp_path / "Dataset137", write)
    for path in (raw / "labelsTr").iterdir():
        write(path, (1, 2, 4))
    cohort = discover(raw)
    assert cohort.cases[0].labels.name == "brats2021"
    assert any("labels 4 are not in dataset.json" in note for note in notes_of(cohort))


def test_models_dataset_json_that_its_labels_contradict_is_passed_over(a_brats_folder, notes_of):
    root = a_brats_folder(models={"unet": (1, 2, 4)})
    content = {"labels": {"background": 0, "NCR": 1, "ED": 2, "ET": 3}, "channel_names": {"0": "T1"}}
    (root / "predictions" / "unet" / "dataset.json").write_text(json.dumps(content))
    cohort = discover(root)
    assert cohort.cases[0].convention_of("unet").name == "brats2021"
    assert any("labels 4 are not in" in note for note in notes_of(cohort))


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"background": 0, "NCR": 1, "ED": 2, "ET": 3}, "brats2023"),
        ({"background": 0, "NETC": 1, "SNFH": 2, "ET": 3, "RC": 4}, "brats2024-gli"),
        ({"background": 0, "WT": [1, 2, 3], "TC": [1, 3], "ET": [3], "RC": [4]}, "brats2024-gli"),
        ({"background": 0, "whole tumor": [1, 2, 4], "tumor core": [1, 4], "enhancing tumor": [4]}, "brats2021"),
    ],
)
def test_known_conventions_are_recognised_in_dataset_json(tmp_path, labels, name):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels, "channel_names": {"0": "T1"}}))
    assert read_dataset_json(tmp_path / "dataset.json").convention().name == name


def test_other_organs_give_no_convention(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "liver": 1, "spleen": 2}}))
    assert read_dataset_json(tmp_path / "dataset.json").convention() is None


@pytest.fixture
def a_case_with_probabilities(tmp_path, write):
    """A function that stores an array as a case's probabilities and gives the file and the case."""

    def make(probabilities, key="probabilities"):
        write(tmp_path / "predictions" / "model" / "a.nii.gz", (1, 2, 4))
        path = tmp_path / "predictions" / "model" / "a.npz"
        np.savez_compressed(path, **{key: probabilities})
        return path, discover(tmp_path).cases[0]

    return make


def test_three_channels_without_dataset_json_are_wt_tc_et(a_case_with_probabilities):
    path, case = a_case_with_probabilities(np.full((3, 4, 5, 6), 0.25, dtype=np.float16))
    assert read_probabilities(path, case).shape == (3, 4, 5, 6)


@pytest.mark.parametrize(
    ("stored", "key", "message"),
    [
        (np.zeros((3, 4, 5, 7)), "probabilities", r"size \(4, 5, 7\) against \(4, 5, 6\)"),
        (np.zeros((5, 4, 5, 6)), "probabilities", "5 channels without a dataset.json"),
        (np.full((3, 4, 5, 6), 7.0), "probabilities", "logits"),
        (np.full((3, 4, 5, 6), np.nan), "probabilities", "no probabilities"),
        (np.zeros((4, 5, 6)), "probabilities", "expected"),
        (np.zeros((3, 4, 5, 6)), "softmax", "no array 'probabilities'"),
        (np.array([object()]), "probabilities", "not a readable .npz"),
    ],
)
def test_wrong_probabilities_are_refused(a_case_with_probabilities, stored, key, message):
    path, case = a_case_with_probabilities(stored, key)
    with pytest.raises(VolumeError, match=message):
        read_probabilities(path, case)


def test_truncated_npz_is_refused(a_case_with_probabilities):
    path, case = a_case_with_probabilities(np.random.default_rng(0).random((3, 4, 5, 6)))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(VolumeError, match=r"not a readable \.npz"):
        read_probabilities(path, case)


@pytest.mark.parametrize("form", ["4D", "vector"])
def test_probabilities_as_nifti(tmp_path, write, form):
    import SimpleITK

    write(tmp_path / "predictions" / "model" / "a.nii.gz", (1, 2, 4))
    channels = [SimpleITK.Image(6, 5, 4, SimpleITK.sitkFloat32) + value for value in (0.9, 0.5, 0.1)]
    image = SimpleITK.JoinSeries(channels) if form == "4D" else SimpleITK.Compose(channels)
    SimpleITK.WriteImage(image, str(tmp_path / "predictions" / "model" / "a_probabilities.nii.gz"))
    case = discover(tmp_path).cases[0]
    regions = read_probabilities(case.probabilities["model"], case)
    assert regions[:, 1, 2, 3].tolist() == pytest.approx([0.9, 0.5, 0.1])
