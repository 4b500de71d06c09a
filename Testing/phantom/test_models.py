"""The five models of a phantom: consistent files, plausible errors, and an ensemble that helps."""

import numpy as np
import pytest

from BraTSRefineLib.cohort.volumes import VolumeError, read_image, read_label_map
from BraTSRefineLib.phantom.models import MODELS
from BraTSRefineLib.regions import CONVENTIONS, REGIONS

LABELS = CONVENTIONS["brats2023"]


def dice(first, second):
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * np.count_nonzero(first & second) / total if total else 1.0


def probabilities(folder, model, case):
    with np.load(folder / "predictions" / model / f"{case}.npz", allow_pickle=False) as archive:
        return archive["probabilities"]


@pytest.fixture(scope="module")
def overlaps(phantom_cohort, cases):
    """Dice ``(model, case, region)``; the last model is the mean of the others."""
    table = np.zeros((len(MODELS) + 1, len(cases), len(REGIONS)))
    for column, case in enumerate(cases):
        masks = LABELS.masks(read_label_map(phantom_cohort / "cases" / case / f"{case}-seg.nii.gz"))
        stacks = [probabilities(phantom_cohort, model, case).astype(np.float32) for model in MODELS]
        for row, stack in enumerate([*stacks, np.mean(stacks, axis=0)]):
            table[row, column] = [dice(m, p > 0.5) for m, p in zip(masks, stack, strict=True)]
    return table


def test_probabilities_are_nested_halves_of_the_grid_of_the_image(phantom_cohort, cases):
    for case in cases:
        shape = read_image(phantom_cohort / "cases" / case / f"{case}-t1n.nii.gz").shape
        for model in MODELS:
            stack = probabilities(phantom_cohort, model, case)
            assert stack.dtype == np.float16
            assert stack.shape == (3, *shape)
            assert stack.min() >= 0 and stack.max() <= 1
            assert (stack[0] >= stack[1]).all() and (stack[1] >= stack[2]).all()


def test_label_map_is_what_the_probabilities_give_above_one_half(phantom_cohort, cases, truth):
    unreadable = {(p["case"], p["model"]) for p in truth["planted"] if p["kind"] == "unreadable file"}
    for case in cases:
        for model in MODELS:
            path = phantom_cohort / "predictions" / model / f"{case}.nii.gz"
            if (case, model) in unreadable:
                with pytest.raises(VolumeError):
                    read_label_map(path)
                continue
            painted = LABELS.paint(probabilities(phantom_cohort, model, case) > 0.5)
            assert np.array_equal(read_label_map(path), painted)


def test_models_are_good_but_not_perfect(overlaps):
    whole = overlaps[:-1, :, 0]
    assert whole.mean(axis=1).min() > 0.65
    assert whole.mean(axis=1).max() < 0.96
    assert 0.75 < whole.mean() < 0.93


def test_models_have_a_tail_of_bad_cases(overlaps):
    assert (overlaps[:-1] < 0.6).any()


def test_mean_of_the_models_beats_each_model_on_average(overlaps):
    *members, ensemble = overlaps.mean(axis=1)
    assert (ensemble > np.max(members, axis=0)).all()


def test_models_differ_from_each_other(phantom_cohort, cases):
    stacks = [probabilities(phantom_cohort, model, cases[0])[0] > 0.5 for model in MODELS]
    pairs = [dice(stacks[a], stacks[b]) for a in range(5) for b in range(a)]
    assert max(pairs) < 0.97


def test_model_that_spills_has_specks_for_post_processing_to_remove(phantom_cohort, cases):
    import cc3d

    specks = 0
    for case in cases:
        whole = probabilities(phantom_cohort, "fold_3", case)[0] > 0.5
        sizes = np.sort(np.bincount(cc3d.connected_components(whole, connectivity=26).ravel())[1:])
        specks += int((sizes < 20).sum())
    assert specks >= 3
