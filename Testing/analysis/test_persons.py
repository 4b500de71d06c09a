"""One person in several cases is found by name, by reference, across orientations, grids and centres."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from BraTSRefineLib.analysis.pairs import Labelled
from BraTSRefineLib.analysis.persons import (
    duplicate_ids,
    find_likenesses,
    identical_references,
    same_person_by_name,
)
from BraTSRefineLib.analysis.signatures import signature
from BraTSRefineLib.cohort import Case, Cohort, Geometry, discover, write_volume
from BraTSRefineLib.regions import label_convention

GRID = Geometry((56, 48, 40), (1.0, 1.0, 1.0), (0.0, -47.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
TURNED = replace(GRID, origin=GRID.to_physical((0, 47, 55)), direction=(-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))


def a_tumour() -> np.ndarray:
    """No two of its sides are alike."""
    labels = np.zeros((40, 48, 56), dtype=np.uint8)
    labels[8:30, 10:20, 12:40] = 2
    labels[8:14, 10:36, 12:20] = 2
    labels[12:20, 12:20, 15:30] = 3
    labels[14:18, 14:18, 17:24] = 1
    return labels


def signed(case, labels, grid=GRID, convention="brats2023"):
    return signature(case, Labelled(np.ascontiguousarray(labels), label_convention(convention)), grid)


def likenesses(*signatures):
    return find_likenesses({one.case: one for one in signatures})


def cohort(*cases):
    return Cohort(Path("somewhere"), "BraTS folders", cases)


def test_the_same_reference_elsewhere_is_known_again():
    [found] = likenesses(signed("x", a_tumour()), signed("y", np.roll(a_tumour(), (3, 4, 5), (0, 1, 2))))
    assert (found.first, found.second, found.dice, found.turned) == ("x", "y", 1.0, False)


def test_an_array_of_another_order_with_its_header_is_the_same_reference():
    [found] = likenesses(signed("x", a_tumour()), signed("y", a_tumour()[:, ::-1, ::-1], TURNED))
    assert not found.turned


@pytest.mark.parametrize("turn", [lambda a: a[:, :, ::-1], lambda a: a[::-1], lambda a: a.transpose(0, 2, 1)])
def test_a_reference_against_its_header_is_known_once_it_is_turned(turn):
    turned = np.ascontiguousarray(turn(a_tumour()))
    grid = replace(GRID, size=turned.shape[::-1])
    [found] = likenesses(signed("x", a_tumour()), signed("y", turned, grid))
    assert found.turned and found.dice > 0.95


def test_the_same_reference_in_another_convention_and_on_another_grid_is_known_again():
    other = np.array([0, 1, 2, 4], dtype=np.uint8)[a_tumour()]
    coarse = Geometry((28, 24, 20), (2.0, 2.0, 2.0), GRID.origin, GRID.direction)
    [found] = likenesses(signed("x", other, GRID, "brats2021"), signed("y", a_tumour()[::2, ::2, ::2], coarse))
    assert found.dice > 0.9


def test_other_tumours_of_the_same_size_are_other_people(make):
    first, second = make.tumour(), make.tumour()
    second[second == 2] = np.where(np.indices(second.shape)[0] < 20, 2, 0)[second == 2]
    assert likenesses(signed("x", first), signed("y", second)) == []


def test_small_tumours_have_no_signature(make):
    assert signed("x", make.tumour(radius=5)) is None
    assert signed("x", np.zeros_like(make.tumour())) is None


def test_identical_references_in_two_splits_are_worse():
    cases = Case("x", split="train"), Case("y", split="test")
    found = likenesses(signed("x", a_tumour()), signed("y", a_tumour()))
    [finding] = identical_references(cohort(*cases), found)
    assert finding.kind == "person in several splits"
    assert "they lie in different splits (train: x, test: y)" in finding.message


def test_one_person_in_two_splits_is_worse_than_in_one():
    ann, again = Case("x", person="Ann", split="fold_0"), Case("y", person="Ann", split="fold_0")
    [fine] = same_person_by_name(cohort(ann, again))
    [worse] = same_person_by_name(cohort(ann, replace(again, split="fold_1")))
    assert (fine.kind, worse.kind) == ("same person", "person in several splits")
    assert worse.evidence == "cases=x,y; splits=fold_0,fold_1; person=Ann"


def two_centers(folder, second):
    for center, labels in (("north", a_tumour()), ("south", second)):
        write_volume(folder / center / "case_1" / "case_1_seg.nii.gz", labels, GRID)
    return discover(folder)


@pytest.mark.parametrize(("same", "words"), [(True, "one examination counted twice"), (False, "different people")])
def test_an_id_that_two_centres_use_is_told_with_both_names(tmp_path, make, same, words):
    found = two_centers(tmp_path, a_tumour() if same else make.tumour())
    assert [case.case for case in found.cases] == ["north/case_1", "south/case_1"]
    same_reference = likenesses(signed("north/case_1", a_tumour()), signed("south/case_1", a_tumour())) if same else []
    [finding] = duplicate_ids(found, same_reference)
    assert finding.kind == "case id used twice"
    assert "the id case_1 stands for 2 cases, of north, south" in finding.message
    assert "kept apart as north/case_1, south/case_1" in finding.message
    assert words in finding.message


def test_a_slash_in_a_name_alone_is_no_second_use():
    assert list(duplicate_ids(cohort(Case("north/a", center="north"), Case("b", center="south")), [])) == []
