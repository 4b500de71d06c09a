import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from BraTSRefineLib.scoring import ScoringError
from BraTSRefineLib.scoring.uncertainty import qu_brats

SHAPE = (6, 7, 8)
GIVEN = settings(max_examples=50, deadline=None)


@pytest.fixture
def a_case():
    """Reference, prediction, brain mask; some of the tumour lies outside the brain."""
    reference, prediction, brain = (np.zeros(SHAPE, bool) for _ in range(3))
    reference[1:4, 1:5, 1:5] = True
    prediction[2:5, 2:6, 1:6] = True
    brain[:, 1:, :5] = True
    return reference, prediction, brain


def random_case(seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    reference, prediction, brain = (rng.random(SHAPE) < share for share in (0.2, 0.2, 0.8))
    values = rng.choice([0, 2.5, 5, 50, 97.5, 99.9, 100, *rng.uniform(0, 100, 20)], SHAPE)
    return reference, prediction, values.astype(dtype), brain


def plain_loop(reference, prediction, uncertainty, brain, steps=40):
    """The published definition, a threshold at a time, in float32 like the challenge's script."""
    thresholds = [index * (100 / steps) for index in range(steps + 1)]
    curves = []
    for threshold in thresholds:
        sure = ~(uncertainty.astype(np.float64) > threshold)
        a, b = (np.sum(mask & sure, dtype=np.float32) for mask in (reference, prediction))
        dice = np.float32(2) * np.sum(reference & prediction & sure, dtype=np.float32) / (a + b) if a + b else 1
        ratios = []
        for right in (reference & prediction & brain, ~reference & ~prediction & brain):
            before, after = np.sum(right, dtype=np.float32), np.sum(right & sure, dtype=np.float32)
            ratios.append((before - after) / (before + np.finfo(np.float32).eps))
        curves.append((dice, *ratios))
    return np.array(thresholds), np.array(curves, dtype=np.float64).T


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int16])
def test_every_curve_is_that_of_the_published_loop(seed, dtype):
    case = random_case(seed, dtype)
    ours = qu_brats(*case)
    thresholds, (dice, ftp, ftn) = plain_loop(*case)
    assert np.array_equal(ours.thresholds, thresholds)
    for curve, expected in ((ours.dice, dice), (ours.ftp, ftp), (ours.ftn, ftn)):
        assert np.allclose(curve, expected, rtol=0, atol=2e-7)


@pytest.mark.parametrize("steps", [1, 3, 10, 100])
def test_steps_set_how_many_thresholds_there_are(steps):
    case = random_case(1)
    ours = qu_brats(*case, steps=steps)
    thresholds, (dice, _, _) = plain_loop(*case, steps=steps)
    assert len(ours.thresholds) == steps + 1
    assert np.allclose(ours.dice, dice, atol=2e-7)
    assert ours.dice_auc == pytest.approx(np.trapezoid(dice, thresholds) / 100, abs=2e-7)


def test_the_score_is_the_mean_of_what_each_area_is_worth():
    ours = qu_brats(*random_case(2))
    assert ours.score == pytest.approx((ours.dice_auc + 2 - ours.ftp_auc - ours.ftn_auc) / 3)


def test_where_nothing_is_uncertain_nothing_is_filtered_out(a_case):
    reference, prediction, brain = a_case
    ours = qu_brats(reference, prediction, np.zeros(SHAPE), brain)
    dice = 2 * (reference & prediction).sum() / (reference.sum() + prediction.sum())
    assert (ours.dice_auc, ours.ftp_auc, ours.ftn_auc) == pytest.approx((dice, 0, 0))
    assert ours.score == pytest.approx((dice + 2) / 3)


def test_a_map_that_knows_every_error_is_perfect_below_the_last_threshold(a_case):
    reference, prediction, brain = a_case
    ours = qu_brats(reference, prediction, np.where(reference ^ prediction, 100.0, 0.0), brain)
    assert (ours.dice[:-1] == 1).all() and ours.dice[-1] < 1
    assert ours.dice_auc == pytest.approx(1 - (1 - ours.dice[-1]) * 2.5 / 2 / 100)
    assert (ours.ftp_auc, ours.ftn_auc) == (0, 0)


def test_a_voxel_at_the_threshold_is_kept(a_case):
    reference, prediction, brain = a_case
    ours = qu_brats(reference, prediction, np.full(SHAPE, 50.0), brain)
    assert ours.ftp[ours.thresholds < 50] == pytest.approx(1, abs=1e-7)
    assert (ours.ftp[ours.thresholds >= 50] == 0).all()


def test_dice_is_of_the_whole_image_and_the_ratios_of_the_brain(a_case):
    reference, prediction, brain = a_case
    outside = np.where(brain, 0.0, 80.0)
    ours = qu_brats(reference, prediction, outside, brain)
    assert ours.dice[0] != ours.dice[-1]
    assert (ours.ftp_auc, ours.ftn_auc) == (0, 0)


def test_a_region_that_neither_mask_has_is_right_at_every_threshold(a_case):
    brain, nothing = a_case[2], np.zeros(SHAPE, bool)
    ours = qu_brats(nothing, nothing, np.full(SHAPE, 30, np.uint8), brain)
    assert (ours.dice == 1).all() and (ours.ftp == 0).all()
    assert ours.ftn[0] == pytest.approx(1)


def test_the_order_of_an_array_in_memory_does_not_matter():
    case = random_case(3)
    turned = [np.asfortranarray(array) if index % 2 else array for index, array in enumerate(case)]
    assert qu_brats(*turned).score == qu_brats(*case).score


@GIVEN
@given(st.integers(0, 10_000), st.permutations(range(3)))
def test_voxels_may_be_permuted_and_masks_swapped(seed, axes):
    reference, prediction, uncertainty, brain = random_case(seed)
    ours = qu_brats(reference, prediction, uncertainty, brain)
    assert all(0 <= value <= 1 for value in (ours.dice_auc, ours.ftp_auc, ours.ftn_auc, ours.score))
    assert (np.diff(ours.ftp) <= 0).all() and (np.diff(ours.ftn) <= 0).all()
    turned = [np.flip(array.transpose(axes)) for array in (prediction, reference, uncertainty, brain)]
    assert qu_brats(*turned).score == ours.score


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uncertainty": np.full(SHAPE, 100.5)}, "uncertainty: values lie between 100.5 and 100.5, outside 0 to 100"),
        ({"uncertainty": np.full(SHAPE, -1)}, "outside 0 to 100"),
        ({"uncertainty": np.full(SHAPE, np.nan)}, "uncertainty: 336 of 336 values are NaN"),
        ({"uncertainty": np.ones(SHAPE, bool)}, "uncertainty: must be real numbers, this is bool"),
        ({"uncertainty": np.zeros((6, 7, 9))}, "not one grid"),
        ({"reference": np.zeros(SHAPE, np.uint8)}, "reference: a mask is boolean, this is uint8"),
        ({"prediction": np.zeros(SHAPE)}, "prediction: a mask is boolean"),
        ({"brain_mask": np.ones(SHAPE, int)}, "brain mask: a mask is boolean"),
        ({"brain_mask": np.zeros(SHAPE, bool)}, "no voxel is in the brain"),
        ({"steps": 0}, "steps 0"),
        ({"steps": 2.5}, "steps 2.5"),
    ],
)
def test_says_what_cannot_be_scored(a_case, change, message):
    reference, prediction, brain = a_case
    case = {"reference": reference, "prediction": prediction, "uncertainty": np.zeros(SHAPE), "brain_mask": brain}
    with pytest.raises(ScoringError, match=message):
        qu_brats(**{**case, **change})
