"""What is found in nnU-Net's results folders, and what is said of folders that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nnunet_results import write_results

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.nnunet_folder import found_models


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """Two data sets: one with 2d and 3d_fullres (fold 0, 2 and all), one with a cascade trained on regions."""
    folder = tmp_path_factory.mktemp("results")
    write_results(folder, "2d", folds=(0,))
    write_results(folder, "3d_fullres", folds=(0, 2, "all"))
    for configuration in ("3d_lowres", "3d_cascade_fullres"):
        write_results(folder, configuration, regions=True, dataset="Dataset502_Regions")
    return folder


@pytest.fixture
def full(results) -> Path:
    return results / "Dataset501_Small" / "nnUNetTrainer__nnUNetPlans__3d_fullres"


def test_lists_every_configuration_of_every_data_set(results):
    found = found_models(results)
    assert [(one.path.parent.name, one.configuration) for one in found] == [
        ("Dataset501_Small", "2d"),
        ("Dataset501_Small", "3d_fullres"),
        ("Dataset502_Regions", "3d_cascade_fullres"),
        ("Dataset502_Regions", "3d_lowres"),
    ]


def test_lists_the_configurations_of_one_data_set(results):
    assert [one.configuration for one in found_models(results / "Dataset501_Small")] == ["2d", "3d_fullres"]


def test_predictions_of_models_called_like_folds_are_passed_over(tmp_path):
    write_results(tmp_path, "2d", folds=(0,))
    (tmp_path / "predictions" / "fold_0").mkdir(parents=True)
    assert [one.configuration for one in found_models(tmp_path)] == ["2d"]


def test_says_what_a_configuration_holds(full):
    (found,) = found_models(full)
    assert found.name == "Dataset501_Small/nnUNetTrainer__nnUNetPlans__3d_fullres"
    assert found.folds == ("0", "2", "all")
    assert found.cross_validation == ("0", "2")
    assert found.checkpoint == "checkpoint_final.pth"
    assert found.channels == ("t1n", "t1c", "t2w", "t2f")
    assert found.labels.labels["ET"] == (3,)
    assert found.previous == ""


def test_says_which_configuration_a_cascade_continues(results):
    found = {one.configuration: one for one in found_models(results / "Dataset502_Regions")}
    assert found["3d_cascade_fullres"].previous == "3d_lowres"
    assert found["3d_lowres"].previous == ""


@pytest.mark.parametrize("below", ["fold_2", "fold_2/checkpoint_final.pth"])
def test_a_fold_or_its_checkpoint_lists_that_fold_alone(full, below):
    (found,) = found_models(full / below)
    assert found.folds == ("2",)
    assert found.path == full


def test_the_best_checkpoint_is_taken_where_no_fold_has_finished(tmp_path):
    (found,) = found_models(write_results(tmp_path, checkpoint="checkpoint_best.pth"))
    assert found.checkpoint == "checkpoint_best.pth"


def test_a_fold_in_training_is_not_listed_beside_finished_ones(tmp_path):
    write_results(tmp_path, folds=(0, 1))
    (found,) = found_models(write_results(tmp_path, folds=(2,), checkpoint="checkpoint_best.pth"))
    assert found.folds == ("0", "1")


def test_a_configuration_without_a_checkpoint_is_listed_without_folds(tmp_path):
    model = write_results(tmp_path)
    (model / "fold_0" / "checkpoint_final.pth").unlink()
    (found,) = found_models(model)
    assert found.folds == ()
    with pytest.raises(InferenceError, match=r"no fold has one.*finish the training"):
        found.chosen_folds(None)


def test_a_missing_fold_names_those_that_exist(full):
    (found,) = found_models(full)
    with pytest.raises(InferenceError, match=r"fold 1, 4 has no checkpoint_final.pth \(there are 0, 2, all\)"):
        found.chosen_folds([0, 1, 4])
    with pytest.raises(InferenceError, match=r"fold 7 has no"):
        found_models(full / "fold_7")


def test_folds_are_chosen_by_number_or_name_and_once(full):
    (found,) = found_models(full)
    assert found.chosen_folds([2, "2", "all"]) == ("2", "all")


def test_a_folder_without_models_says_what_is_looked_for(tmp_path):
    (tmp_path / "imagesTr").mkdir()
    with pytest.raises(InferenceError, match=r"no nnU-Net model.*plans.json"):
        found_models(tmp_path)
    with pytest.raises(InferenceError, match="no nnU-Net model"):
        found_models(tmp_path / "nothing")


@pytest.mark.parametrize("file", ["plans.json", "dataset.json"])
@pytest.mark.parametrize(("content", "message"), [(None, "missing"), ("{", "not readable"), ("[]", "not what nnU-Net")])
def test_a_missing_or_damaged_description_is_named(tmp_path, file, content, message):
    path = write_results(tmp_path) / file
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(InferenceError, match=f"{file}: {message}.*copy it"):
        found_models(tmp_path)


def test_plans_without_the_configuration_name_those_they_have(tmp_path):
    path = write_results(tmp_path) / "plans.json"
    plans = json.loads(path.read_text())
    del plans["configurations"]["3d_fullres"], plans["configurations"]["3d_cascade_fullres"]
    path.write_text(json.dumps(plans))
    with pytest.raises(InferenceError, match=r"plans.json: no configuration 3d_fullres \(there are 2d, 3d_lowres\)"):
        found_models(tmp_path)


def test_configurations_that_inherit_from_each_other_are_refused(tmp_path):
    path = write_results(tmp_path) / "plans.json"
    plans = json.loads(path.read_text())
    plans["configurations"]["3d_fullres"]["inherits_from"] = "3d_fullres"
    path.write_text(json.dumps(plans))
    with pytest.raises(InferenceError, match="no configuration 3d_fullres"):
        found_models(tmp_path)


def test_a_renamed_folder_needs_plans_of_one_configuration(tmp_path):
    model = write_results(tmp_path)
    renamed = model.rename(model.with_name("my_model"))
    with pytest.raises(InferenceError, match=r"my_model: its name does not say which of 2d, .* was trained"):
        found_models(renamed)
    plans = json.loads((renamed / "plans.json").read_text())
    plans["configurations"] = {"3d_fullres": plans["configurations"]["3d_fullres"]}
    (renamed / "plans.json").write_text(json.dumps(plans))
    assert found_models(renamed)[0].configuration == "3d_fullres"


def test_looking_loads_no_torch(full):
    code = (
        "import sys; from pathlib import Path; from BraTSRefineLib.inference.nnunet_folder import found_models; "
        f"found_models(Path({str(full)!r})); print('torch' in sys.modules, 'nnunetv2' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_a_relative_path_is_named_as_the_whole_one(full, monkeypatch):
    monkeypatch.chdir(full / "fold_0")
    for path in (Path(), Path("..")):
        assert found_models(path)[0].name == "Dataset501_Small/nnUNetTrainer__nnUNetPlans__3d_fullres"
    assert found_models(Path())[0].folds == ("0",)
