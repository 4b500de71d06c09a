"""From one label convention into another, and files that replace none."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.cohort import WorkspaceError
from BraTSRefineLib.cohort.new_files import written_new
from BraTSRefineLib.cohort.relabelling import consecutive, relabelled
from BraTSRefineLib.regions import CONVENTIONS, LabelError, label_convention


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_consecutive_labels_begin_at_one_and_regions_stay_what_they_are(name):
    source = CONVENTIONS[name]
    target = consecutive(source)
    assert target.labels == frozenset(range(1, len(source.labels) + 1))
    labels = np.array(sorted(source.labels), np.uint8)
    moved = relabelled(labels, source, target)
    for region in source.scored_regions:
        assert (target.mask(moved, region) == source.mask(labels, region)).all()


def test_tissues_go_by_their_names():
    source, target = label_convention("brats2021"), label_convention("NCR=3,ED=1,ET=2")
    assert relabelled(np.array([0, 1, 2, 4]), source, target).tolist() == [0, 3, 1, 2]


def test_what_a_convention_calls_otherwise_goes_by_regions():
    source, target = label_convention("brats2013"), label_convention("brats2023")
    assert relabelled(np.array([0, 1, 2, 3, 4]), source, target).tolist() == [0, 1, 2, 1, 3]


@pytest.mark.parametrize(
    ("labels", "source", "target", "words"),
    [
        ([3], "brats2021", "brats2023", "label 3 is not one of brats2021"),
        ([4, 3], "brats2024-gli", "brats2023", "label 4 of brats2024-gli has no counterpart"),
        ([1, 2], "core-rest", "brats2023", "ET cannot be told"),
    ],
)
def test_what_would_be_lost_is_refused(labels, source, target, words):
    with pytest.raises(LabelError, match=words):
        relabelled(np.array(labels), label_convention(source), label_convention(target))


def test_a_new_file_replaces_none_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with written_new(path) as temporary:
        temporary.write_text("first")
    with pytest.raises(WorkspaceError, match="is there already and stays"), written_new(path) as temporary:
        temporary.write_text("second")
    assert path.read_text() == "first"
    assert [found.name for found in path.parent.iterdir()] == ["file.txt"]


def test_whoever_comes_second_while_it_is_written_is_refused(tmp_path):
    path = tmp_path / "file.txt"
    with pytest.raises(WorkspaceError, match="is there already"), written_new(path) as temporary:
        temporary.write_text("mine")
        path.write_text("somebody else's")
    assert path.read_text() == "somebody else's"


def test_an_error_while_writing_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), written_new(tmp_path / "file.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="not written"), written_new(tmp_path / "file" / "x.txt"):
        pass
