"""Label conventions: what each label means, and the way to regions and back."""

import numpy as np
import pytest

from BraTSRefineLib.regions import CONVENTIONS, REGIONS, LabelError, agreeing_convention, label_convention

THREE_REGIONS = [name for name, convention in CONVENTIONS.items() if set(convention.regions) == set(REGIONS)]


@pytest.mark.parametrize(
    ("name", "whole", "core", "enhancing"),
    [
        ("brats2013", {1, 2, 3, 4}, {1, 3, 4}, {4}),
        ("brats2021", {1, 2, 4}, {1, 4}, {4}),
        ("brats2023", {1, 2, 3}, {1, 3}, {3}),
        ("brats2024-gli", {1, 2, 3}, {1, 3}, {3}),
        ("brats2024-ped", {1, 2, 3, 4}, {1, 2, 3}, {1}),
    ],
)
def test_regions_are_made_of_the_challenges_labels(name, whole, core, enhancing):
    regions = label_convention(name).regions
    assert [set(regions[region]) for region in REGIONS] == [whole, core, enhancing]


@pytest.mark.parametrize("name", CONVENTIONS)
def test_regions_are_nested(name):
    regions = CONVENTIONS[name].regions
    assert set(regions.get("ET", ())) <= set(regions.get("TC", ())) <= set(regions["WT"])


@pytest.mark.parametrize("name", THREE_REGIONS)
def test_painted_regions_are_read_back(name):
    convention = CONVENTIONS[name]
    nested = np.sort(np.random.default_rng(0).random((3, 4, 5, 6)) > 0.5, axis=0)[::-1]
    np.testing.assert_array_equal(convention.masks(convention.paint(nested)), nested)


def test_painting_sets_a_region_where_one_inside_it_is_set():
    enhancing_only = np.zeros((3, 1, 1, 2), dtype=bool)
    enhancing_only[2, 0, 0, 0] = True
    convention = label_convention("brats2021")
    painted = convention.paint(enhancing_only)
    assert painted.tolist() == [[[4, 0]]]
    assert convention.masks(painted)[:, 0, 0, 0].all()


def test_resection_cavity_is_no_tumour():
    label_map = np.array([[[4, 3]]], dtype=np.uint8)
    assert label_convention("brats2024-gli").mask(label_map, "WT").tolist() == [[[False, True]]]


@pytest.mark.parametrize("name", ["brats2018", "BraTS2020", "brats2015", "yale-brainmets"])
def test_other_names_of_a_convention(name):
    assert label_convention(name).name in CONVENTIONS


def test_spelled_out_convention():
    convention = label_convention("NCR=3, ED=1, ET=2")
    assert convention.mask(np.array([[[1, 2, 3]]], dtype=np.uint8), "TC").tolist() == [[[False, True, True]]]


@pytest.mark.parametrize("text", ["brats1999", "NCR=1", "NCR=1,ED=1,ET=4", "NCR=a,ED=2,ET=4", "NCR=0,ED=2,ET=4", ""])
def test_unknown_convention_is_refused_with_advice(text):
    with pytest.raises(LabelError, match=r"label convention"):
        label_convention(text)


def test_labels_outside_are_listed_and_background_is_not():
    assert label_convention("brats2021").outside([0, 1, 3, 7]) == [3, 7]


def test_region_that_a_convention_does_not_know():
    with pytest.raises(LabelError, match="no region ET"):
        label_convention("core-rest").mask(np.zeros((1, 1, 1), dtype=np.uint8), "ET")


def test_agreement_of_two_conventions_is_what_both_say_of_the_labels_seen():
    both = [CONVENTIONS["brats2023"], CONVENTIONS["brats2024-ped"]]
    assert set(agreeing_convention(both, {1, 2, 3}).regions) == {"WT"}
    alike = [CONVENTIONS["brats2023"], CONVENTIONS["brats2024-gli"]]
    assert set(agreeing_convention(alike, {1, 2, 3}).regions) == {"WT", "TC", "ET"}


def test_tissues_that_a_challenge_scores_for_themselves_follow_the_tumour_regions():
    assert label_convention("brats2024-gli").scored_regions == {
        "WT": (1, 3, 2), "TC": (3, 1), "ET": (3,), "RC": (4,), "NETC": (1,), "SNFH": (2,),
    }  # fmt: skip
    assert list(label_convention("brats2021").scored_regions) == ["WT", "TC", "ET"]
    assert label_convention("brats2024-men-rt").scored_regions["GTV"] == (1,)
