import subprocess
import sys
from math import inf, isnan, nan

import numpy as np
import pytest
from drawn_masks import mask_pairs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from BraTSRefineLib.scoring import CONVENTIONS, METRICS, Score, ScoringError, compare_masks, explain_convention
from BraTSRefineLib.scoring.surface import Directed

ENGINES = ("numba", "scipy")
SYMMETRIC = ("dice", "hd95_mm", "assd_mm", "nsd_1mm")
GIVEN = settings(max_examples=60, deadline=None)
PAIRS = mask_pairs(spacings=(0.5, 0.9, 1.0, 1.3, 3.0))


def same(a, b, tolerance=1e-9):
    return a == b or (isnan(a) and isnan(b)) or abs(a - b) <= tolerance


@pytest.fixture
def a_cube():
    mask = np.zeros((12, 12, 12), bool)
    mask[3:9, 3:9, 3:9] = True
    return mask


@pytest.fixture
def nothing(a_cube):
    return np.zeros_like(a_cube)


@pytest.mark.parametrize("engine", ENGINES)
def test_agrees_with_surface_distance_on_every_kind_of_mask(surface_distance, fuzz_pairs, engine):
    for name, reference, prediction, spacing in fuzz_pairs:
        ours = compare_masks(reference, prediction, spacing, convention="deepmind", engine=engine)
        theirs = surface_distance.scores(reference, prediction, spacing)
        for metric, value in theirs.items():
            assert same(ours[metric].value, value), (name, metric, ours[metric].value, value)


def test_both_engines_give_the_same_numbers(fuzz_pairs):
    for name, reference, prediction, spacing in fuzz_pairs:
        numba, scipy = (compare_masks(reference, prediction, spacing, engine=engine) for engine in ENGINES)
        for metric in METRICS:
            assert same(numba[metric].value, scipy[metric].value), (name, metric)
            assert numba[metric].status == scipy[metric].status


def test_without_numba_scipy_gives_the_numbers_and_numba_by_name_is_refused():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np\n"
        "from BraTSRefineLib.scoring import ScoringError, compare_masks\n"
        "mask = np.ones((2, 3, 4), bool)\n"
        "print(compare_masks(mask, mask, (1, 1, 1))['dice'].value)\n"
        "try: compare_masks(mask, mask, (1, 1, 1), engine='numba')\n"
        "except ScoringError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["1.0", "engine 'numba' is not installed: install numba, or use engine 'scipy'"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 0.7), (2.0, 1.0, 0.5)])
@pytest.mark.parametrize("specks", [20, 40, 60, 100])
def test_hd95_at_exactly_95_percent_falls_as_in_surface_distance(surface_distance, specks, spacing, engine):
    reference = np.zeros((3, 3, 2 * specks + 40), bool)
    reference[1, 1, 1 : 2 * specks : 2] = True
    prediction = reference.copy()
    missed = slice(1, specks // 10, 2)
    prediction[1, 1, missed] = False
    prediction[1, 1, -2] = True
    theirs = surface_distance.scores(reference, prediction, spacing)["hd95_mm"]
    assert compare_masks(reference, prediction, spacing, engine=engine)["hd95_mm"].value == theirs


def test_a_tie_is_known_as_one():
    areas = np.array([19.0, 1.0])
    assert Directed(np.array([0.0, 7.0]), areas).is_tie()
    assert not Directed(np.array([0.0, 7.0]), np.array([20.0, 1.0])).is_tie()


def test_a_perfect_prediction_has_perfect_scores(a_cube):
    scores = compare_masks(a_cube, a_cube, (1, 1, 1))
    assert list(scores) == list(METRICS)
    assert [score.value for score in scores.values()] == [1, 0, 0, 1, 1, 1, 0.216, 0.216, 0, 1, 1, 0, 0, 1, 0, 0]
    assert {score.status for score in scores.values()} == {"ok"}


def test_volumes_are_in_ml_and_the_error_is_signed(a_cube):
    half = a_cube.copy()
    half[:6] = False
    scores = compare_masks(a_cube, half, (2.0, 1.0, 0.5))
    assert scores["volume_reference_ml"].value == pytest.approx(0.216)
    assert scores["volume_prediction_ml"].value == pytest.approx(0.108)
    assert scores["volume_error_ml"].value == pytest.approx(-0.108)


def test_sensitivity_and_precision_tell_missed_from_invented(a_cube):
    half = a_cube.copy()
    half[:6] = False
    assert compare_masks(a_cube, half, (1, 1, 1))["sensitivity"].value == 0.5
    assert compare_masks(a_cube, half, (1, 1, 1))["precision"].value == 1.0
    assert compare_masks(half, a_cube, (1, 1, 1))["precision"].value == 0.5


def test_two_single_voxels_2_mm_apart():
    reference, prediction = np.zeros((2, 5, 5, 9), bool)
    reference[2, 2, 2], prediction[2, 2, 4] = True, True
    scores = compare_masks(reference, prediction, (1, 1, 1))
    assert scores["hd95_mm"].value == 2.0
    assert scores["nsd_1mm"].value == pytest.approx(0.5)


def test_the_surface_dice_is_named_after_its_tolerance(a_cube):
    assert "nsd_2mm" in compare_masks(a_cube, a_cube, (1, 1, 1), tolerance_mm=2)
    assert "nsd_0.5mm" in compare_masks(a_cube, a_cube, (1, 1, 1), tolerance_mm=0.5)


def test_metrics_may_be_chosen_and_keep_their_numbers(a_cube, nothing):
    half = a_cube.copy()
    half[:6] = False
    for prediction in (half, nothing):
        every = compare_masks(a_cube, prediction, (2.0, 1.0, 0.5))
        for chosen in (["dice"], ["nsd_1mm", "hd95_mm"], ["centroid_distance_mm", "volume_error_ml"], list(METRICS)):
            some = compare_masks(a_cube, prediction, (2.0, 1.0, 0.5), metrics=chosen)
            assert some == {name: every[name] for name in METRICS if name in chosen}


OVERLAP = ("dice", "nsd_1mm", "sensitivity", "precision")
EXPECTED = {
    ("brats2023", "both empty"): (1, 1, 1, 1, 0, 0),
    ("brats2023", "prediction empty"): (0, 0, 0, 0, 374, 374),
    ("brats2023", "reference empty"): (0, 0, 0, 0, 374, 374),
    ("brats2024-gli", "both empty"): (1, 1, 1, 1, 0, 0),
    ("brats2024-gli", "prediction empty"): (0, 0, 0, 0, 337, 337),
    ("brats2024-met", "reference empty"): (0, 0, 0, 0, 432**0.5, 432**0.5),
    ("deepmind", "both empty"): (nan, nan, nan, nan, inf, nan),
    ("deepmind", "prediction empty"): (0, 0, 0, nan, inf, nan),
    ("deepmind", "reference empty"): (0, 0, nan, 0, inf, nan),
    ("nan", "both empty"): (nan, nan, nan, nan, nan, nan),
    ("nan", "prediction empty"): (0, 0, 0, nan, nan, nan),
    ("nan", "reference empty"): (0, 0, nan, 0, nan, nan),
}


@pytest.mark.parametrize(("convention", "status"), EXPECTED)
@pytest.mark.parametrize("engine", ENGINES)
def test_empty_masks_count_what_the_convention_says(a_cube, nothing, convention, status, engine):
    reference = a_cube if status == "prediction empty" else nothing
    prediction = a_cube if status == "reference empty" else nothing
    scores = compare_masks(reference, prediction, (1, 1, 1), convention=convention, engine=engine)
    for metric, value in zip((*OVERLAP, "hd95_mm", "assd_mm"), EXPECTED[convention, status], strict=True):
        assert scores[metric].status == status
        assert same(scores[metric].value, value), metric
    assert {scores[name].status for name in METRICS if name.startswith("volume")} == {"ok"}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_explains_itself(convention):
    text = explain_convention(convention)
    assert text.startswith(f"{convention}:")
    assert "HD95" in text


def test_a_score_is_a_value_and_a_status():
    value, status = Score(0.5, "ok")
    assert (value, status) == (0.5, "ok")


MASK = np.ones((2, 2, 2), bool)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((MASK, np.ones((2, 2, 3), bool), (1, 1, 1)), {}, "reference has 2x2x2 voxels, prediction 2x2x3"),
        ((MASK.astype(int), MASK, (1, 1, 1)), {}, "reference: a mask is boolean"),
        ((MASK, MASK[0], (1, 1, 1)), {}, "prediction: has 2 dimensions"),
        ((MASK, MASK, (1, 1)), {}, "three positive numbers"),
        ((MASK, MASK, (1, 0, 1)), {}, "three positive numbers"),
        ((MASK, MASK, (1, nan, 1)), {}, "three positive numbers"),
        ((MASK, MASK, (1, 1, 1)), {"convention": "brats2022"}, "use one of brats2023, .*deepmind, nan"),
        ((MASK, MASK, (1, 1, 1)), {"engine": "gpu"}, "use one of auto, numba, scipy"),
        ((MASK, MASK, (1, 1, 1)), {"tolerance_mm": -1}, "tolerance"),
        ((MASK, MASK, (1, 1, 1)), {"metrics": ["dice", "nsd_2mm"]}, "unknown metric 'nsd_2mm': use any of dice, hd95"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(arguments, options, message):
    with pytest.raises(ScoringError, match=message):
        compare_masks(*arguments, **options)


def test_works_on_views_and_read_only_arrays(a_cube):
    turned = np.swapaxes(a_cube, 0, 2)[::-1]
    turned.flags.writeable = False
    assert compare_masks(turned, turned, (1, 1, 1))["dice"].value == 1


def values(reference, prediction, spacing):
    return {name: score.value for name, score in compare_masks(reference, prediction, spacing).items()}


@GIVEN
@given(PAIRS)
def test_property_scores_of_a_pair_are_symmetric(pair):
    reference, prediction, spacing = pair
    there, back = values(reference, prediction, spacing), values(prediction, reference, spacing)
    assert all(same(there[name], back[name]) for name in SYMMETRIC)
    assert same(there["sensitivity"], back["precision"])
    assert same(there["volume_error_ml"], -back["volume_error_ml"])


@GIVEN
@given(PAIRS, st.tuples(*[st.integers(0, 4)] * 6))
def test_property_translation_in_a_larger_volume_changes_nothing(pair, margins):
    reference, prediction, spacing = pair
    pads = [(margins[axis], margins[axis + 3]) for axis in range(3)]
    moved = values(np.pad(reference, pads), np.pad(prediction, pads), spacing)
    before = values(reference, prediction, spacing)
    assert all(same(moved[name], before[name]) for name in METRICS if name != "specificity")


@GIVEN
@given(PAIRS, st.permutations(range(3)))
def test_property_axes_may_be_permuted_with_their_spacing(pair, axes):
    reference, prediction, spacing = pair
    before = values(reference, prediction, spacing)
    turned = [np.transpose(mask, axes) for mask in (reference, prediction)]
    after = values(*turned, tuple(spacing[axis] for axis in axes))
    assume(not _nearly_tied(reference, prediction, spacing))
    assert all(same(before[name], after[name]) for name in METRICS)


def _nearly_tied(reference, prediction, spacing):
    """At exactly 95 %, or exactly at the tolerance, the last bit of a sum decides, and that depends on the axes."""
    from BraTSRefineLib.scoring.packing import pack
    from BraTSRefineLib.scoring.scipy_engine import surface_pairs
    from BraTSRefineLib.scoring.surface import FACES

    if not (reference.any() and prediction.any()):
        return False
    packed = pack(reference.view(np.uint8), prediction.view(np.uint8), [(1,)], [(1,)], "scipy")
    pair = surface_pairs(packed, [0], spacing, FACES)[0]
    for directed in (pair.from_reference, pair.from_prediction):
        reached = np.cumsum(directed.areas) / np.sum(directed.areas)
        if (np.abs(reached - 0.95) < 1e-9).any() or (np.abs(directed.distances - 1.0) < 1e-9).any():
            return True
    return False


@GIVEN
@given(PAIRS)
def test_property_overlaps_lie_between_0_and_1_and_distances_are_not_negative(pair):
    scores = values(*pair)
    assert all(0 <= scores[name] <= 1 for name in OVERLAP)
    assert scores["hd95_mm"] >= 0
    assert scores["assd_mm"] >= 0


@GIVEN
@given(PAIRS)
def test_property_both_engines_agree(pair):
    numba, scipy = (compare_masks(*pair, convention="deepmind", engine=engine) for engine in ENGINES)
    assert all(same(numba[name].value, scipy[name].value) for name in METRICS)
