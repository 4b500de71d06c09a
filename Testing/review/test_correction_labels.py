"""What can be painted, how tissues become labels again, and what lies near the flag."""

from __future__ import annotations

import numpy as np
import pytest
from correction_samples import OBLIQUE, SHAPE, UPRIGHT, painted, some_labels, write

from BraTSRefineLib.cohort import read_geometry
from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.regions import CONVENTIONS, label_convention
from BraTSRefineLib.review.correction_labels import joined, kept_inside, neighbourhood, tissues_of


def test_labels_of_the_convention_can_be_painted_and_an_unknown_one_stays():
    labels = some_labels((1, 2, 5))
    found = tissues_of(CONVENTIONS["brats2021"], labels)
    assert [(tissue.label, tissue.name, tissue.known) for tissue in found] == [
        (5, "label 5", False),
        (2, "ED", True),
        (1, "NCR", True),
        (4, "ET", True),
    ]
    masks = {tissue.label: labels == tissue.label for tissue in found}
    assert np.array_equal(joined(labels, masks), labels)


@pytest.mark.parametrize("name", [*CONVENTIONS, "NCR=3,ED=7,ET=200"])
def test_every_convention_goes_there_and_back(name):
    convention = label_convention(name)
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for i, label in enumerate(sorted(convention.labels)):
        labels[i] = label
    found = tissues_of(convention, labels)
    assert {tissue.label for tissue in found} == convention.labels
    assert np.array_equal(joined(labels, {t.label: labels == t.label for t in found}), labels)


def test_without_a_convention_there_is_something_to_paint_with():
    assert [t.label for t in tissues_of(None, np.zeros(SHAPE, np.uint8))] == [1]
    assert [t.label for t in tissues_of(None, some_labels((3, 9)))] == [3, 9]


def test_where_tissues_overlap_what_was_painted_wins():
    start = np.array([[[2, 2, 0, 4]]], dtype=np.uint8)
    masks = {2: start == 2, 1: np.array([[[False, True, True, True]]]), 4: start == 4}
    assert joined(start, masks).tolist() == [[[2, 1, 1, 1]]]


def test_what_was_painted_outside_is_not_taken_and_counted():
    start = some_labels()
    edited = painted(start)
    inside = np.zeros(SHAPE, dtype=bool)
    inside[5, 7, 0] = True
    taken, left_out = kept_inside(start, edited, inside)
    assert left_out == 2
    assert np.argwhere(taken != start).tolist() == [[5, 7, 0]]
    assert kept_inside(start, edited, None)[1] == 0


@pytest.mark.parametrize("direction", [UPRIGHT, OBLIQUE])
@pytest.mark.parametrize("box", [(), (4.0, 25.0, -1.0, 7.0, 27.0, 3.0)])
def test_the_neighbourhood_is_what_lies_within_ten_millimetres(tmp_path, direction, box):
    labels = np.zeros((20, 30, 40), dtype=np.uint8)
    geometry = read_geometry(write(tmp_path / "p.nii.gz", labels, spacing=(1.0, 1.2, 3.0), direction=direction))
    centre, volume = (5.0, 26.0, 1.0), 0.5
    mask = neighbourhood(geometry, centre, volume, box)
    low, high = (np.array(box[:3]), np.array(box[3:])) if box else (np.array(centre), np.array(centre))
    radius = 10 if box else 10 + (3 * 500 / (4 * np.pi)) ** (1 / 3)
    for index in np.random.default_rng(0).integers(0, labels.shape, (300, 3)):
        position = np.array(geometry.to_physical(tuple(map(float, index))))
        distance = np.linalg.norm(np.maximum(np.maximum(low - position, position - high), 0))
        assert mask[tuple(index)] == (distance <= radius)
    assert mask.any()


def test_an_older_table_of_flags_has_no_boxes():
    geometry = Geometry((40, 40, 40), (1.0,) * 3, (0.0,) * 3, UPRIGHT)
    mask = neighbourhood(geometry, (20.0, 20.0, 20.0), 0.0, (np.nan,) * 6)
    assert mask.sum() == neighbourhood(geometry, (20.0, 20.0, 20.0), 0.0).sum() > 4000
