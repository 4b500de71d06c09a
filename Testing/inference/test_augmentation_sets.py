"""Named sets and explicit lists of augmentations."""

from __future__ import annotations

import pytest
from small_models import SmallModel

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.augmentation import IDENTITY, Flip, augmentations, flips, suitable
from BraTSRefineLib.inference.augmentation_geometry import Rotation, Scaling
from BraTSRefineLib.inference.augmentation_intensity import Gamma, Noise
from BraTSRefineLib.inference.augmentation_sets import SETS, augmentations_of
from BraTSRefineLib.inference.dropout import DropoutPass


@pytest.mark.parametrize(
    ("name", "mirrored", "not_mirrored"),
    [("none", 1, 1), ("flips", 8, 1), ("rotations", 9, 9), ("full", 20, 13), ("dropout", 21, 21)],
)
def test_a_set_has_so_many_members(name, mirrored, not_mirrored):
    chosen = augmentations(name)
    assert chosen == SETS[name](0)
    assert chosen[0] == IDENTITY
    assert len(set(chosen)) == len({it.name for it in chosen}) == len(chosen) == mirrored
    assert len(suitable(chosen, SmallModel(mirror_axes=()))) == not_mirrored


def test_the_weights_are_equal_unless_said():
    assert {it.weight for name in SETS for it in augmentations(name)} == {1.0}


def test_a_list_is_read_item_by_item_after_the_identity():
    chosen = augmentations("flips:xy, rotate:z:5,rotate:x:-7.5,scale:0.95,gamma:0.8,noise:0.1:2,dropout:1", seed=3)
    assert chosen == (
        *flips((1, 2)),
        Rotation(0, 5),
        Rotation(2, -7.5),
        Scaling(0.95),
        Gamma(0.8),
        Noise(0.1, 3, 0),
        Noise(0.1, 3, 1),
        DropoutPass(3, 0),
    )


def test_a_single_flip_is_not_its_parts():
    assert augmentations_of("flip:xz") == (IDENTITY, Flip((0, 2)))


def test_what_is_named_twice_comes_once_but_samples_are_drawn_anew():
    assert augmentations_of("none,none,rotate:z:5,rotate:z:5") == (IDENTITY, Rotation(0, 5))
    assert augmentations_of("noise:0.05,noise:0.05:2") == (IDENTITY, *(Noise(0.05, 0, draw) for draw in range(3)))


def test_sets_join():
    assert len(augmentations_of("flips,rotations")) == 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no test-time augmentation in ''"),
        (" , ", "no test-time augmentation"),
        ("flops", r"unknown test-time augmentation 'flops'; use one of none, flips, .*rotate:z:5"),
        ("rotate", "unknown test-time augmentation 'rotate'"),
        ("none:3", "unknown test-time augmentation 'none:3'"),
        ("rotate:5", "'rotate:5' is not written as rotate:z:5"),
        ("rotate:w:5", "'rotate:w:5' is not written as rotate:z:5"),
        ("rotate:z:five", "not written as rotate:z:5"),
        ("rotate:zy:5", "not written as rotate:z:5"),
        ("flips:xx", "not written as flips:xy"),
        ("flips:", "not written as flips:xy"),
        ("scale:0.95:2", "not written as scale:0.95"),
        ("noise:0.05:0", "not written as noise:0.05"),
        ("noise:0.05:1.5", "not written as noise:0.05"),
        ("scale:1", "not 1"),
        ("noise:-1", "above 0"),
        ("dropout:0", "at least 1"),
    ],
)
def test_an_item_that_is_not_understood_is_named_with_the_way_out(text, message):
    with pytest.raises(InferenceError, match=message):
        augmentations_of(text)


def test_augmentations_that_are_given_are_taken_as_they_are():
    assert augmentations([Rotation(0, 3)]) == (Rotation(0, 3),)
