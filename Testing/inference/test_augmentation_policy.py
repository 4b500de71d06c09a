"""Policies from files, and their weights learnt from validation predictions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from BraTSRefineLib.fusion.contested import contested
from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.augmentation import IDENTITY, Flip, augmentations, flips
from BraTSRefineLib.inference.augmentation_geometry import Rotation
from BraTSRefineLib.inference.augmentation_intensity import Noise
from BraTSRefineLib.inference.augmentation_policy import fitted_policy, policy_members, read_policy


def weights_of(members):
    return {member.name: member.weight for member in members}


def a_policy(*transforms):
    return {"transforms": [{"name": name, "weight": weight} for name, weight in transforms]}


@pytest.mark.parametrize("suffix", [".json", ".yaml", ".yml"])
def test_a_file_gives_weighted_members(tmp_path, suffix):
    path = tmp_path / f"policy{suffix}"
    text = "transforms:\n- {name: none, weight: 0.5}\n- {name: flip:x, weight: 0.3}\n- name: rotate:z:5\n"
    path.write_text(
        json.dumps(a_policy(("none", 0.5), ("flip:x", 0.3), ("rotate:z:5", 1))) if suffix == ".json" else text
    )
    members = read_policy(path)
    assert members == (IDENTITY, Flip((2,)), Rotation(0, 5))
    assert [member.weight for member in members] == [0.5, 0.3, 1.0]
    assert augmentations(str(path)) == members
    assert weights_of(augmentations(str(path))) == weights_of(members)


def test_the_members_of_an_item_share_its_weight():
    members = policy_members(a_policy(("flips", 0.8), ("none", 0.2)), "policy")
    assert members == flips()
    assert weights_of(members)["identity"] == pytest.approx(0.3)
    assert weights_of(members)["flip abc"] == pytest.approx(0.1)


def test_samples_are_drawn_anew_for_each_item():
    members = policy_members({"transforms": ["none", "noise:0.05:2", "noise:0.05"]}, "policy", seed=4)
    assert members[1:] == tuple(Noise(0.05, 4, draw) for draw in range(3))
    assert [member.weight for member in members[1:]] == [0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "policy: no policy; write"),
        ([], "no policy"),
        ({"transforms": []}, "no policy"),
        ({"transforms": "flips"}, "no policy"),
        ({"transforms": [{"weight": 1}]}, "policy, transform 1: has no name"),
        ({"transforms": ["none", 3]}, "policy, transform 2: has no name"),
        ({"transforms": [{"name": "none", "wieght": 1}]}, "'wieght' is not known"),
        (a_policy(("none", 1), ("flips", 0)), "transform 2: weight 0; use a number above 0"),
        (a_policy(("none", -1)), "weight -1"),
        (a_policy(("none", float("nan"))), "weight nan"),
        (a_policy(("none", True)), "weight True"),
        (a_policy(("none", "much")), "weight much"),
        (a_policy(("flop:x", 1)), "unknown test-time augmentation 'flop:x'"),
        (a_policy(("rotate:z:5", 1)), "add 'none'"),
    ],
)
def test_a_policy_that_cannot_be_followed_says_where_and_what_to_do(content, message):
    with pytest.raises(InferenceError, match=message):
        policy_members(content, "policy")


def test_a_missing_or_damaged_file_is_named(tmp_path):
    with pytest.raises(InferenceError, match=r"none\.json: no such policy file"):
        augmentations(str(tmp_path / "none.json"))
    (tmp_path / "damaged.json").write_text('{"transforms": [')
    with pytest.raises(InferenceError, match=r"damaged\.json: not readable"):
        augmentations(str(tmp_path / "damaged.json"))


POOL = ("none", "flip:x", "flip:y", "flip:z", "flip:xy")


def validation_cases(right: int, persons: int = 12):
    """Persons whose images came in mirrored: only the pool's member ``right`` undoes it."""
    random = np.random.default_rng(1)
    cases = []
    for _ in range(persons):
        reference = np.zeros((12, 12, 12), dtype=bool)
        z, y, x = random.integers(0, 5, size=3)
        reference[z : z + 4, y : y + 3, x : x + 4] = True
        flipped = [reference, *(np.flip(reference, axes) for axes in ((2,), (1,), (0,), (1, 2)))]
        seen = [np.where(mask, 0.9, 0.05) + random.uniform(-0.05, 0.05, mask.shape) for mask in flipped]
        seen[0], seen[right] = seen[right], seen[0]
        cases.append(contested(seen, reference))
    return cases, [f"p{number}" for number in range(persons)]


@pytest.mark.parametrize("right", [1, 3])
def test_on_mirrored_data_the_matching_flip_gets_the_mass(right):
    cases, persons = validation_cases(right)
    fitted = fitted_policy(POOL, cases, persons)
    weights = {entry["name"]: entry["weight"] for entry in fitted.content["transforms"]}
    assert weights[POOL[right]] > 0.9
    assert sum(weights.values()) == pytest.approx(1)
    assert fitted.judgement.accepted
    assert policy_members(fitted.content, "fitted")


def test_with_too_few_persons_it_is_the_plain_mean():
    cases, persons = validation_cases(1, persons=4)
    fitted = fitted_policy(POOL, cases, persons)
    assert [entry["weight"] for entry in fitted.content["transforms"]] == pytest.approx([0.2] * 5)
    assert not fitted.judgement.accepted
    assert "too few" in fitted.judgement.why


def test_a_policy_without_an_exact_member_keeps_one_for_the_label():
    cases, persons = validation_cases(1)
    pool = ("none", "rotate:z:5", "rotate:z:-5", "scale:0.95", "scale:1.05")
    fitted = fitted_policy(pool, cases, persons)
    assert [entry["name"] for entry in fitted.content["transforms"]] == ["none", "rotate:z:5"]
    assert fitted.content["transforms"][0]["weight"] == 1e-3


@pytest.mark.parametrize(
    ("pool", "persons", "message"),
    [
        (("none", "flips", "scale:0.95", "gamma:2", "noise:1"), 12, "one member an item; write flips apart"),
        (("none", "flip:x"), 12, "2 transforms, but not each case"),
        (POOL, 11, "12 regions of cases come from 11 persons"),
    ],
)
def test_a_pool_that_does_not_fit_is_refused(pool, persons, message):
    cases, names = validation_cases(1)
    with pytest.raises(InferenceError, match=message):
        fitted_policy(pool, cases, names[:persons])
