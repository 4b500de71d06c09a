from math import nan
from operator import attrgetter

import lesion_rules_by_hand as by_hand
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from BraTSRefineLib.cohort.volumes import read_label_map
from BraTSRefineLib.scoring import ScoringError, compare_masks, lesionwise

ENGINES = ("numba", "scipy")
PRESETS = tuple(by_hand.REGIONS)
GIVEN = settings(max_examples=40, deadline=None)
UNIT = (1.0, 1.0, 1.0)
COLUMNS = [
    "lesion",
    "side",
    "status",
    "counted",
    "volume_ml",
    "z",
    "y",
    "x",
    "predictions",
    "dice",
    "hd95_mm",
]


def gli(reference, prediction, spacing=UNIT, **options):
    return lesionwise(reference, prediction, spacing, preset="brats2023-gli", **options)


counts = attrgetter(*by_hand.COUNTS)


@pytest.fixture
def space():
    return np.zeros((30, 32, 34), bool)


@pytest.fixture
def cube(space):
    """A lesion of 125 mm³ at 1 mm."""
    mask = space.copy()
    mask[4:9, 5:10, 6:11] = True
    return mask


@pytest.fixture
def two_cubes(cube):
    mask = cube.copy()
    mask[20:26, 20:26, 20:26] = True
    return mask


def test_a_perfect_prediction_has_perfect_scores(two_cubes):
    scores = gli(two_cubes, two_cubes)
    assert (scores.dice, scores.hd95_mm, scores.nsd) == (1, 0, {})
    assert counts(scores) == (2, 0, 0)


@pytest.mark.parametrize("preset", PRESETS)
def test_nothing_to_find_and_nothing_predicted_is_perfect(space, preset):
    scores = lesionwise(space, space, UNIT, preset=preset)
    assert (scores.dice, scores.hd95_mm) == (1, 0)
    assert counts(scores) == (0, 0, 0)
    assert list(scores.lesions.columns) == COLUMNS
    assert scores.lesions.empty


def test_a_missed_lesion_and_an_invented_one_cost_the_penalty(cube, space):
    missed, invented = gli(cube, space), gli(space, cube)
    assert (missed.dice, missed.hd95_mm, counts(missed)) == (0, 374, (0, 0, 1))
    assert (invented.dice, invented.hd95_mm, counts(invented)) == (0, 374, (0, 1, 0))


def test_every_lesion_and_every_invented_one_weighs_the_same(two_cubes, cube):
    prediction = cube.copy()
    prediction[0, 30, 0] = True
    scores = gli(two_cubes, prediction)
    assert counts(scores) == (1, 1, 1)
    assert scores.dice == pytest.approx(1 / 3)
    assert scores.hd95_mm == pytest.approx(2 * 374 / 3)


def test_one_lesion_scores_as_the_whole_mask(cube):
    moved = np.roll(cube, (1, 2), (0, 2))
    scores, whole = gli(cube, moved, (2.0, 1.0, 0.5)), compare_masks(cube, moved, (2.0, 1.0, 0.5))
    assert scores.dice == whole["dice"].value
    assert scores.hd95_mm == whole["hd95_mm"].value


def test_components_within_the_dilation_are_one_lesion(space):
    near, far = space.copy(), space.copy()
    near[5:10, 5:10, 5:10] = far[5:10, 5:10, 5:10] = True
    near[5:10, 5:10, 16:21] = far[5:10, 5:10, 17:22] = True
    assert counts(gli(near, near)) == (1, 0, 0)
    assert counts(gli(far, far)) == (2, 0, 0)
    assert counts(lesionwise(near, near, UNIT, preset="brats2023-met")) == (2, 0, 0)


def test_a_prediction_within_the_dilation_is_matched_without_overlap(cube, space):
    beside, beyond = space.copy(), space.copy()
    beside[4:9, 5:10, 13:18] = True
    beyond[4:9, 5:10, 14:19] = True
    assert (gli(cube, beside).dice, counts(gli(cube, beside))) == (0, (1, 0, 0))
    assert gli(cube, beside).hd95_mm < 374
    assert counts(gli(cube, beyond)) == (0, 1, 1)


def test_one_prediction_may_serve_several_lesions(two_cubes):
    scores = gli(two_cubes, np.ones_like(two_cubes))
    assert counts(scores) == (2, 0, 0)
    assert list(scores.lesions["predictions"]) == [1, 1]


def test_a_small_lesion_leaves_the_score_but_keeps_what_touches_it(space):
    reference = space.copy()
    reference[4:6, 5:10, 6:11] = True
    at_threshold = gli(reference, reference)
    assert (at_threshold.dice, counts(at_threshold)) == (1, (0, 0, 0))
    assert list(at_threshold.lesions["counted"]) == [False]
    reference[6, 5, 6] = True
    assert counts(gli(reference, reference)) == (1, 0, 0)


def test_the_threshold_is_a_volume(space):
    reference = space.copy()
    reference[4:6, 5:10, 6:11] = True
    assert counts(gli(reference, reference, (2.0, 1.0, 1.0))) == (1, 0, 0)
    assert counts(gli(reference, reference, (0.5, 1.0, 1.0))) == (0, 0, 0)


def test_an_invented_voxel_counts_at_any_size(cube):
    prediction = cube.copy()
    prediction[25, 25, 25] = True
    assert gli(cube, prediction).dice == 0.5


def test_the_table_has_a_row_a_lesion_with_volume_place_and_scores(two_cubes, cube):
    prediction = cube.copy()
    prediction[0, 30, 0] = True
    scores = gli(two_cubes, prediction, (2.0, 1.0, 1.0))
    table = scores.lesions
    assert list(table.columns) == COLUMNS
    assert list(table["status"]) == ["matched", "missed", "false positive"]
    assert list(table["side"]) == ["reference", "reference", "prediction"]
    assert table["volume_ml"].tolist() == pytest.approx([0.25, 0.432, 0.002])
    assert table[["z", "y", "x"]].values.tolist() == [[6, 7, 8], [22.5, 22.5, 22.5], [0, 30, 0]]
    assert table["predictions"].tolist() == [1, 0, 0]
    assert table["dice"].tolist() == [1, 0, 0]
    assert table["hd95_mm"].tolist() == [0, 374, 374]


def lesion_masks(rng, shape):
    field = ndimage.gaussian_filter(rng.random(shape), rng.uniform(0.7, 1.8))
    reference = field > np.quantile(field, 1 - rng.uniform(0.005, 0.1))
    prediction = np.roll(reference, rng.integers(-2, 3, 3), (0, 1, 2))
    parts, count = ndimage.label(prediction, np.ones((3, 3, 3)))
    prediction &= (rng.random(count + 1) < 0.7)[parts]
    return reference, prediction | (rng.random(shape) < 0.002)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("preset", PRESETS)
def test_agrees_with_the_published_rules_done_by_hand(hd95_of_faces, preset, engine):
    rng = np.random.default_rng(3)

    for number in range(10):
        pair = lesion_masks(rng, tuple(rng.integers(12, 30, 3)))
        spacing = (UNIT, (3.0, 0.9, 0.9), (0.5, 1.25, 2.0))[number % 3]
        ours = lesionwise(*pair, spacing, preset=preset, engine=engine)
        theirs = by_hand.region_scores(preset, *(mask.T for mask in pair), spacing[::-1], hd95_of_faces)
        for name, value in theirs.items():
            assert getattr(ours, name) == pytest.approx(value, rel=0, abs=1e-6), (number, name)


def test_agrees_with_the_published_rules_on_every_kind_of_mask(hd95_of_faces, fuzz_pairs):
    for name, reference, prediction, spacing in fuzz_pairs[::4]:
        ours = lesionwise(reference, prediction, spacing, preset="brats2023-met")
        theirs = by_hand.region_scores("brats2023-met", reference.T, prediction.T, spacing[::-1], hd95_of_faces)
        assert ours.dice == pytest.approx(theirs["dice"], rel=0, abs=1e-6), name
        assert ours.hd95_mm == pytest.approx(theirs["hd95_mm"], rel=0, abs=1e-6), name


def test_both_engines_give_the_same_numbers(fuzz_pairs):
    for name, *pair in fuzz_pairs[::2]:
        numba, scipy = (gli(*pair, engine=engine) for engine in ENGINES)
        assert numba.hd95_mm == pytest.approx(scipy.hd95_mm, rel=0, abs=1e-9), name
        assert numba.lesions.drop(columns="hd95_mm").equals(scipy.lesions.drop(columns="hd95_mm")), name


def test_a_real_flood_of_false_positives_is_scored_lesion_by_lesion(real_data):
    folder, case = real_data / "brats2020", "BraTS20_Training_008"
    reference = read_label_map(folder / "cases" / case / f"{case}_seg.nii.gz") > 0
    prediction = read_label_map(folder / "predictions" / "waveloss_no_attention" / f"{case}.nii.gz") > 0
    scores = gli(reference, prediction)
    assert scores.false_positives + scores.true_positives + scores.false_negatives == scores.lesions["counted"].sum()
    assert scores.dice == pytest.approx(scores.lesions.query("counted")["dice"].mean())
    assert 0 < scores.dice < compare_masks(reference, prediction, UNIT)["dice"].value


MASK = np.ones((2, 2, 2), bool)
GLI = {"preset": "brats2023-gli"}


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((MASK, np.ones((2, 2, 3), bool), UNIT), GLI, "not one grid"),
        ((MASK.astype(int), MASK, UNIT), GLI, "reference: a mask is boolean"),
        ((MASK, MASK[0], UNIT), GLI, "prediction: has 2 dimensions"),
        ((MASK, MASK, (1, 1)), GLI, "three positive numbers"),
        ((MASK, MASK, (1, 0, 1)), GLI, "three positive numbers"),
        ((MASK, MASK, (1, nan, 1)), GLI, "three positive numbers"),
        ((MASK, MASK, UNIT), {"preset": "brats2022"}, "use one of brats2023-gli, brats2023-ssa"),
        ((MASK, MASK, UNIT), {"preset": "brats2024-gli"}, "use lesionwise_tissues"),
        ((MASK, MASK, UNIT), {**GLI, "engine": "gpu"}, "use one of auto, numba, scipy"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(arguments, options, message):
    with pytest.raises(ScoringError, match=message):
        lesionwise(*arguments, **options)


def test_works_on_views_and_read_only_arrays(two_cubes):
    turned = np.swapaxes(two_cubes, 0, 2)[::-1]
    turned.flags.writeable = False
    assert gli(turned, turned).dice == 1


@st.composite
def mask_pairs(draw):
    shape = draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9))
    spacing = draw(st.tuples(*[st.sampled_from([0.5, 1.0, 1.5, 3.0])] * 3))
    return draw(arrays(bool, shape)), draw(arrays(bool, shape)), spacing


def met(reference, prediction, spacing):
    return lesionwise(reference, prediction, spacing, preset="brats2023-met")


def values(scores):
    return scores.dice, scores.hd95_mm, *counts(scores)


@GIVEN
@given(mask_pairs())
def test_property_the_scores_are_the_means_of_the_counted_rows(pair):
    scores = met(*pair)
    table = scores.lesions.query("counted")
    assert sum(counts(scores)) == len(table)
    if len(table):
        assert scores.dice == pytest.approx(table["dice"].mean())
        assert scores.hd95_mm == pytest.approx(table["hd95_mm"].mean())


@GIVEN
@given(mask_pairs())
def test_property_scores_lie_within_their_bounds(pair):
    scores = met(*pair)
    assert 0 <= scores.dice <= 1
    assert 0 <= scores.hd95_mm <= 374
    assert ((scores.lesions["dice"] > 0) <= (scores.lesions["status"] == "matched")).all()


def two_at_the_border() -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    """Two lesions whose dilation the border cuts: in a larger volume the published numbering counts the other first."""
    reference = np.zeros((1, 5, 2), bool)
    reference[0, 0, 1] = reference[0, 4, 0] = True
    return reference, np.zeros_like(reference), (0.5, 0.5, 0.5)


def places(scores, offset=(0, 0, 0)) -> list[tuple[float, ...]]:
    """Where the lesions are, in the order of their places."""
    return sorted(map(tuple, np.round(scores.lesions[["z", "y", "x"]].to_numpy(float) - offset, 6)))


@GIVEN
@given(mask_pairs(), st.tuples(*[st.integers(0, 4)] * 6))
@example(two_at_the_border(), (0, 0, 1, 0, 0, 0))
def test_property_translation_in_a_larger_volume_moves_the_lesions_alone(pair, margins):
    reference, prediction, spacing = pair
    pads = [(margins[axis], margins[axis + 3]) for axis in range(3)]
    before, after = met(*pair), met(np.pad(reference, pads), np.pad(prediction, pads), spacing)
    assert values(after) == values(before)
    assert np.allclose(places(after, margins[:3]), places(before))


@GIVEN
@given(mask_pairs(), st.permutations(range(3)))
def test_property_axes_may_be_permuted_with_their_spacing(pair, axes):
    reference, prediction, spacing = pair
    turned = [np.transpose(mask, axes) for mask in (reference, prediction)]
    before, after = met(*pair), met(*turned, tuple(spacing[axis] for axis in axes))
    assert counts(after) == counts(before)
    assert after.dice == pytest.approx(before.dice)


def test_a_single_line_of_voxels_is_scored():
    reference, prediction = np.zeros((2, 1, 1, 3), bool)
    prediction[0, 0, [0, 2]] = True
    assert lesionwise(reference, prediction, (1, 1, 1), preset="brats2023-met").false_positives == 2
