import warnings
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from BraTSRefineLib.cohort.volumes import read_label_map
from BraTSRefineLib.scoring import ScoringError, instance_scores

GIVEN = settings(max_examples=60, deadline=None)
UNIT = (1.0, 1.0, 1.0)


@pytest.fixture(scope="session")
def panoptica():
    """panoptica's scores of two masks, under the names of ours; 26-connected, matched one to one by IoU."""
    pytest.importorskip("panoptica")
    from panoptica import ConnectedComponentsInstanceApproximator, InputType, Metric, NaiveThresholdMatching
    from panoptica import Panoptica_Evaluator as Evaluator
    from panoptica.utils.constants import CCABackend

    def scores(reference, prediction, threshold=0.5):
        evaluator = Evaluator(
            expected_input=InputType.SEMANTIC,
            instance_approximator=ConnectedComponentsInstanceApproximator(CCABackend.cc3d),
            instance_matcher=NaiveThresholdMatching(matching_threshold=threshold),
            instance_metrics=[Metric.IOU, Metric.DSC],
            global_metrics=[Metric.DSC],
            verbose=False,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            [result] = evaluator.evaluate(prediction.astype(np.uint8), reference.astype(np.uint8)).values()
        theirs = result.to_dict()
        names = {"tp": "true_positives", "fp": "false_positives", "fn": "false_negatives", "sq_dsc": "dsc"}
        return {names.get(name, name): theirs[name] for name in ("rq", "sq", "pq", "sq_dsc", "tp", "fp", "fn")}

    return scores


def differing(ours, theirs):
    """By name our value and theirs where they are not the same to 1e-6."""
    values = {name: (getattr(ours, name), value) for name, value in theirs.items()}
    return {
        name: pair for name, pair in values.items() if pair[0] != pytest.approx(pair[1], rel=0, abs=1e-6, nan_ok=True)
    }


@pytest.fixture
def two_lesions():
    mask = np.zeros((12, 14, 16), bool)
    mask[1:5, 1:5, 1:5] = True
    mask[7:10, 8:12, 9:13] = True
    return mask


def test_a_perfect_prediction_matches_every_lesion(two_lesions):
    scores = instance_scores(two_lesions, two_lesions, UNIT)
    assert (scores.rq, scores.sq, scores.pq, scores.dsc, scores.f1) == (1, 1, 1, 1, 1)
    assert (scores.true_positives, scores.false_positives, scores.false_negatives) == (2, 0, 0)


def test_a_lesion_found_half_a_missed_and_an_invented_one(two_lesions):
    prediction = np.zeros_like(two_lesions)
    prediction[1:5, 1:5, 1:4] = True
    prediction[0, 13, 15] = True
    scores = instance_scores(two_lesions, prediction, UNIT)
    assert (scores.true_positives, scores.false_positives, scores.false_negatives) == (1, 1, 1)
    assert scores.rq == 0.5
    assert scores.sq == 0.75
    assert scores.pq == 0.375
    assert scores.dsc == pytest.approx(6 / 7)


def test_an_iou_of_exactly_the_threshold_is_a_match(two_lesions):
    prediction = two_lesions.copy()
    prediction[3:5, 1:5, 1:5] = False
    assert instance_scores(two_lesions, prediction, UNIT, threshold=0.5).true_positives == 2
    assert instance_scores(two_lesions, prediction, UNIT, threshold=0.51).true_positives == 1


def test_two_lesions_under_one_prediction_match_once():
    reference = np.zeros((3, 3, 9), bool)
    reference[1, 1, [1, 2, 4, 5]] = True
    prediction = np.zeros_like(reference)
    prediction[1, 1, 1:6] = True
    scores = instance_scores(reference, prediction, UNIT, threshold=0.3)
    assert (scores.true_positives, scores.false_positives, scores.false_negatives) == (1, 0, 1)


def test_voxels_that_share_a_corner_are_one_instance():
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    assert instance_scores(mask, mask, UNIT).true_positives == 1


def test_the_table_has_a_row_an_instance_with_place_and_volume(two_lesions):
    prediction = np.zeros_like(two_lesions)
    prediction[1:5, 1:5, 1:4] = True
    prediction[0, 13, 15] = True
    table = instance_scores(two_lesions, prediction, (2.0, 1.0, 0.5)).instances
    assert list(table["status"]) == ["matched", "missed", "false positive"]
    assert list(table["side"]) == ["reference", "reference", "prediction"]
    assert table["volume_ml"].tolist() == pytest.approx([0.064, 0.048, 0.001])
    assert table[["z", "y", "x"]].values.tolist() == [[2.5, 2.5, 2.5], [8, 9.5, 10.5], [0, 13, 15]]
    assert table["iou"].tolist() == [0.75, 0, 0]
    assert table["match"].tolist() == [2, 0, 0]


@pytest.mark.parametrize(("reference", "prediction", "worth"), [(0, 0, nan), (1, 0, 0.0), (0, 1, 0.0)])
def test_nothing_matched_is_0_and_nothing_at_all_is_nan(two_lesions, reference, prediction, worth, panoptica):
    pair = two_lesions & bool(reference), two_lesions & bool(prediction)
    scores = instance_scores(*pair, UNIT)
    assert not differing(scores, dict.fromkeys(("rq", "sq", "pq", "dsc"), worth))
    assert not differing(scores, panoptica(*pair))


def test_agrees_with_panoptica_on_every_kind_of_mask(fuzz_pairs, panoptica):
    for _, reference, prediction, spacing in fuzz_pairs[::3]:
        assert not differing(instance_scores(reference, prediction, spacing), panoptica(reference, prediction))


def test_agrees_with_panoptica_on_shifted_lesions_at_any_threshold(panoptica):
    rng = np.random.default_rng(5)
    for threshold in (0.1, 0.3, 0.5, 0.7):
        reference = ndimage.gaussian_filter(rng.random((24, 26, 28)), 1.2) > 0.56
        prediction = np.roll(reference, (1, 0, 1), (0, 1, 2)) & (rng.random(reference.shape) < 0.95)
        ours = instance_scores(reference, prediction, UNIT, threshold=threshold)
        assert ours.true_positives + ours.false_negatives > 10
        assert not differing(ours, panoptica(reference, prediction, threshold))


def test_agrees_with_panoptica_on_a_real_pair(real_data, panoptica):
    files = sorted((real_data / "tcga-lgg" / "predictions").glob("*/TCGA-FG-6692.nii.gz"))
    one, other = (read_label_map(path) > 0 for path in files[:2])
    assert not differing(instance_scores(one, other, UNIT), panoptica(one, other))


MASK = np.ones((2, 2, 2), bool)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((MASK, np.ones((2, 2, 3), bool), UNIT), {}, "not one grid"),
        ((MASK.astype(int), MASK, UNIT), {}, "reference: a mask is boolean"),
        ((MASK, MASK[0], UNIT), {}, "prediction: has 2 dimensions"),
        ((MASK, MASK, (1, -1, 1)), {}, "three positive numbers"),
        ((MASK, MASK, UNIT), {"threshold": 1.5}, "between 0 and 1"),
        ((MASK, MASK, UNIT), {"threshold": nan}, "between 0 and 1"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(arguments, options, message):
    with pytest.raises(ScoringError, match=message):
        instance_scores(*arguments, **options)


@st.composite
def mask_pairs(draw):
    masks = arrays(bool, draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7)))
    one = draw(masks)
    return one, draw(arrays(bool, one.shape))


@GIVEN
@given(mask_pairs())
def test_property_swapping_the_masks_swaps_the_errors(pair):
    there, back = instance_scores(*pair, UNIT), instance_scores(*pair[::-1], UNIT)
    assert (there.false_positives, there.false_negatives) == (back.false_negatives, back.false_positives)
    assert not differing(there, {name: getattr(back, name) for name in ("rq", "sq", "pq", "dsc", "true_positives")})


@GIVEN
@given(mask_pairs(), st.permutations(range(3)), st.tuples(*[st.integers(0, 3)] * 6))
def test_property_place_and_axes_do_not_matter(pair, axes, margins):
    before = instance_scores(*pair, UNIT)
    pads = [(margins[axis], margins[axis + 3]) for axis in range(3)]
    moved = [np.pad(np.transpose(mask, axes), pads) for mask in pair]
    assert not differing(
        instance_scores(*moved, UNIT), {name: getattr(before, name) for name in ("rq", "sq", "pq", "dsc")}
    )


@GIVEN
@given(mask_pairs())
def test_property_a_match_of_half_the_union_lies_between_half_and_one(pair):
    scores = instance_scores(*pair, UNIT)
    if scores.true_positives:
        assert 0.5 <= scores.sq <= scores.dsc <= 1
        assert 0 < scores.pq <= scores.rq <= 1
