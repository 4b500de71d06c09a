"""Augmentation at test time that follows the training's configuration."""

from __future__ import annotations

import json

import pytest
from nnunet_results import write_results
from small_models import SmallModel

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.augmentation import IDENTITY, Flip, augmentations, flips, suitable
from BraTSRefineLib.inference.augmentation_geometry import Rotation, Scaling
from BraTSRefineLib.inference.augmentation_intensity import Gamma, Noise
from BraTSRefineLib.inference.augmentation_sets import augmentations_of
from BraTSRefineLib.inference.augmentation_training import (
    POLICY_KEY,
    TrainedChanges,
    changes_of_trainer,
    policy_of,
    stated_policy,
)
from BraTSRefineLib.inference.dropout import DropoutPass
from BraTSRefineLib.inference.nnunet_model import open_nnunet

CUBE, ANISOTROPIC, SLICE = (128, 128, 128), (20, 160, 160), (192, 160)


def test_the_usual_trainer_changes_images_as_its_source_says():
    changes = changes_of_trainer("nnUNetTrainer", CUBE, (0, 1, 2))
    assert changes.degrees == pytest.approx(30)
    assert changes.scales == pytest.approx((1 / 1.4, 1 / 0.7))
    assert changes.gammas == (0.7, 1.5)
    assert changes.noise == pytest.approx(0.1**0.5)
    assert not changes.flat


def test_trained_with_everything_it_is_the_full_set_about_the_networks_axes():
    names = [member.name for member in changes_of_trainer("nnUNetTrainer", CUBE, (0, 1, 2)).members()]
    assert len(names) == len(augmentations_of("full")) == 20
    assert {"rotate a +5", "rotate b -5", "rotate c +5"} <= set(names)


@pytest.mark.parametrize(("patch", "axes"), [(ANISOTROPIC, (0, 1, 2)), (SLICE, (1, 2))])
def test_a_training_in_slices_turns_in_the_slice_alone(patch, axes):
    changes = changes_of_trainer("nnUNetTrainer", patch, axes)
    turns = [member for member in changes.members() if isinstance(member, Rotation)]
    assert turns == [Rotation(0, 5, of_network=True), Rotation(0, -5, of_network=True)]


def test_without_augmentation_in_training_there_is_none_at_test_time():
    assert changes_of_trainer("nnUNetTrainerNoDA", CUBE, ()).members() == (IDENTITY,)


def test_without_mirroring_there_are_no_flips_but_turns():
    members = changes_of_trainer("nnUNetTrainerNoMirroring", CUBE, ()).members()
    assert [member for member in members if isinstance(member, Flip)] == [IDENTITY]
    assert len(members) == 13


def test_gamma_of_the_inverted_image_alone_is_no_gamma():
    members = changes_of_trainer("nnUNetTrainerDA5", CUBE, (0, 1, 2)).members()
    assert not [member for member in members if isinstance(member, Gamma)]


def test_a_trainer_that_is_not_installed_is_refused():
    with pytest.raises(InferenceError, match="MyTrainer: this trainer is not installed"):
        changes_of_trainer("MyTrainer", CUBE, (0, 1, 2))


def test_a_trainer_that_needs_to_be_set_up_is_refused(monkeypatch):
    class NeedsData:
        def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self):
            return self.dataset.rotation

    monkeypatch.setattr("BraTSRefineLib.inference.augmentation_training._trainer_class", lambda name: NeedsData)
    with pytest.raises(InferenceError, match="NeedsData: this trainer does not say"):
        changes_of_trainer("NeedsData", CUBE, ())


@pytest.mark.parametrize(
    ("change", "included"),
    [
        (IDENTITY, True),
        (Flip((1,)), True),
        (Flip((0, 1)), False),
        (Rotation(1, 10), True),
        (Rotation(1, 11), False),
        (Scaling(0.9), True),
        (Scaling(1.2), False),
        (Gamma(0.8), True),
        (Gamma(0.7), False),
        (Noise(0.1), True),
        (Noise(0.2), False),
        (DropoutPass(), False),
    ],
)
def test_what_training_saw_is_included(change, included):
    assert TrainedChanges((1,), 10, False, (0.9, 1.1), (0.8, 1.3), 0.1).include(change) == included


def test_a_results_folder_is_seen_through_what_its_trainer_did(tmp_path):
    for trainer, mirror, count in [("nnUNetTrainer", True, 20), ("nnUNetTrainerNoMirroring", False, 13)]:
        (model,) = open_nnunet(write_results(tmp_path, trainer=trainer, mirror=mirror))
        chosen = suitable(augmentations("trained", seed=5), model)
        assert len(chosen) == count
        assert chosen == policy_of(model, 5)
        assert Noise(0.05, 5, 1) in chosen


def test_slices_are_mirrored_and_turned_in_their_plane(tmp_path):
    (model,) = open_nnunet(write_results(tmp_path, "2d"))
    chosen = suitable(augmentations("trained"), model)
    assert [it for it in chosen if isinstance(it, Flip)] == list(flips((1, 2)))
    assert {it.axis for it in chosen if isinstance(it, Rotation)} == {0}


def test_a_policy_learnt_with_the_training_is_followed(tmp_path):
    folder = write_results(tmp_path)
    plans = json.loads((folder / "plans.json").read_text())
    policy = {"transforms": [{"name": "none", "weight": 0.7}, {"name": "flip:z", "weight": 0.3}]}
    plans["configurations"]["3d_fullres"][POLICY_KEY] = policy
    (folder / "plans.json").write_text(json.dumps(plans))
    (model,) = open_nnunet(folder)
    chosen = suitable(augmentations("trained"), model)
    assert chosen == (IDENTITY, Flip((0,)))
    assert [it.weight for it in chosen] == [0.7, 0.3]


def test_the_configurations_policy_comes_before_that_of_all():
    plans = {POLICY_KEY: {"transforms": ["flips"]}, "configurations": {"2d": {POLICY_KEY: {"transforms": ["none"]}}}}
    assert stated_policy(plans, "2d", "plans.json") == (IDENTITY,)
    assert stated_policy(plans, "3d_fullres", "plans.json") == flips()
    assert stated_policy({}, "2d", "plans.json") == ()


def test_a_damaged_policy_says_where_it_lies():
    with pytest.raises(InferenceError, match=f"plans.json, {POLICY_KEY}: no policy"):
        stated_policy({POLICY_KEY: {}}, "2d", "plans.json")


def test_a_model_that_knows_nothing_of_its_training_is_refused():
    with pytest.raises(InferenceError, match=r"model 0: nothing is known .* name a set"):
        suitable(augmentations("trained"), SmallModel())
