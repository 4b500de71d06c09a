"""What holds for every metric of any two masks, under every convention."""

from math import inf, isnan

import numpy as np
import pytest
from drawn_masks import EXACT, mask_pairs
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import binary_erosion

from BraTSRefineLib.scoring import CONVENTIONS, METRICS, compare_masks, instance_scores, lesionwise, topology_errors
from BraTSRefineLib.scoring.engines import surface_pairs
from BraTSRefineLib.scoring.packing import pack
from BraTSRefineLib.scoring.surface import EDGES, FACES

GIVEN = settings(max_examples=15, deadline=None)
SHARES = ("dice", "jaccard", "nsd_1mm", "boundary_iou", "sensitivity", "specificity", "precision")
DISTANCES = ("hd_mm", "hd95_mm", "assd_mm", "masd_mm", "centroid_distance_mm")
ALIKE = (*SHARES[:4], *DISTANCES)
BY_DIAGONAL = ("brats2024-met", "brats2024-men-rt")
"""A missed region costs the diagonal of the image."""


@st.composite
def nested_masks(draw, levels=3):
    """Masks that each lie in the one before, none of them empty."""
    masks = [draw(arrays(bool, draw(array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=7))))]
    for _ in range(levels - 1):
        masks.append(masks[-1] & draw(arrays(bool, masks[0].shape)))
    assume(masks[-1].any())
    return masks, draw(st.tuples(*[st.sampled_from(EXACT)] * 3))


def measured(reference, prediction, spacing, convention):
    scores = compare_masks(reference, prediction, spacing, convention=convention, tolerance_mm=1.0)
    assert tuple(scores) == METRICS
    return {name: score.value for name, score in scores.items()}


def same(one, other, tolerance=1e-9):
    return one == other or (isnan(one) and isnan(other)) or abs(one - other) <= tolerance * max(1.0, abs(other))


def differing(one, other, names=METRICS):
    return {name: (one[name], other[name]) for name in names if not same(one[name], other[name])}


def surfaces(reference, prediction, spacing, kind):
    packed = pack(reference.view(np.uint8), prediction.view(np.uint8), [(1,)], [(1,)], "scipy")
    return surface_pairs(packed, [0], spacing, "scipy", kind)[0]


def tied(reference, prediction, spacing):
    """At exactly 95 % of the area the last bit of a sum decides, and that depends on the order of the axes."""
    pair = surfaces(reference, prediction, spacing, FACES)
    reached = [np.cumsum(side.areas) / np.sum(side.areas) for side in (pair.from_reference, pair.from_prediction)]
    return any((np.abs(shares - 0.95) < 1e-9).any() for shares in reached)


each_convention = pytest.mark.parametrize("convention", CONVENTIONS)


@each_convention
@GIVEN
@given(mask_pairs())
def test_swapping_the_masks_swaps_what_is_missed_and_what_is_invented(convention, pair):
    reference, prediction, spacing = pair
    assume(reference.any() and prediction.any())
    there, back = measured(*pair, convention), measured(prediction, reference, spacing, convention)
    assert differing(there, back, ALIKE) == {}
    assert same(there["sensitivity"], back["precision"])
    assert same(there["volume_reference_ml"], back["volume_prediction_ml"])
    assert same(there["volume_error_ml"], -back["volume_error_ml"])
    assert same((1 + there["relative_volume_error"]) * (1 + back["relative_volume_error"]), 1.0)


@pytest.mark.parametrize("convention", [name for name in CONVENTIONS if name != "monai"])
@GIVEN
@given(arrays(bool, (3, 4, 5)))
def test_it_costs_the_same_to_miss_a_region_as_to_invent_it(convention, mask):
    """Not so in MONAI, for which nothing can be wrong where the reference is empty."""
    nothing = np.zeros_like(mask)
    there, back = measured(mask, nothing, (1, 1, 1), convention), measured(nothing, mask, (1, 1, 1), convention)
    assert differing(there, back, ALIKE) == {}


@each_convention
@GIVEN
@given(mask_pairs(), st.tuples(*[st.integers(0, 4)] * 6))
def test_the_place_in_the_image_does_not_matter(convention, pair, margins):
    reference, prediction, spacing = pair
    assume(convention not in BY_DIAGONAL or reference.any() == prediction.any())
    pads = [(margins[axis], margins[axis + 3]) for axis in range(3)]
    moved = measured(np.pad(reference, pads), np.pad(prediction, pads), spacing, convention)
    assert differing(moved, measured(*pair, convention), set(METRICS) - {"specificity"}) == {}


@each_convention
@GIVEN
@given(mask_pairs(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_axes_may_be_turned_with_their_spacing(convention, pair, axes, flipped):
    reference, prediction, spacing = pair
    assume(not (reference.any() and prediction.any() and tied(*pair)))
    turns = tuple(slice(None, None, -1) if flip else slice(None) for flip in flipped)
    turned = [np.transpose(mask, axes)[turns] for mask in (reference, prediction)]
    after = measured(*turned, tuple(spacing[axis] for axis in axes), convention)
    assert differing(after, measured(*pair, convention)) == {}


@each_convention
@GIVEN
@given(mask_pairs(), st.sampled_from((0.5, 2.0, 4.0)))
def test_a_larger_voxel_scales_distances_and_volumes_alone(convention, pair, scale):
    reference, prediction, spacing = pair
    assume(reference.any() and prediction.any())
    before = measured(*pair, convention)
    after = measured(reference, prediction, tuple(scale * side for side in spacing), convention)
    volumes = [name for name in METRICS if name.endswith("_ml")]
    expected = {name: before[name] * scale for name in DISTANCES}
    expected |= {name: before[name] * scale**3 for name in volumes}
    unscaled = [name for name in (*SHARES, "relative_volume_error") if not name.startswith("nsd")]
    expected |= {name: before[name] for name in unscaled}
    assert differing(after, expected, expected) == {}


@each_convention
@GIVEN
@given(mask_pairs())
def test_every_metric_lies_within_its_bounds(convention, pair):
    reference, prediction, spacing = pair
    scores = measured(*pair, convention)
    assert all(isnan(scores[name]) or 0 <= scores[name] <= 1 for name in SHARES)
    assert all(isnan(scores[name]) or scores[name] >= 0 for name in DISTANCES)
    assert scores["volume_reference_ml"] >= 0 <= scores["volume_prediction_ml"]
    assert isnan(scores["relative_volume_error"]) or scores["relative_volume_error"] >= -1
    if reference.any() and prediction.any():
        diagonal = float(np.linalg.norm(np.multiply(reference.shape, spacing)))
        assert all(np.isfinite(value) or name == "specificity" for name, value in scores.items())
        assert scores["hd_mm"] * (1 + 1e-6) >= max(scores["hd95_mm"], scores["assd_mm"], scores["masd_mm"])
        assert max(scores[name] for name in DISTANCES) <= diagonal
        assert same(scores["jaccard"], scores["dice"] / (2 - scores["dice"]))
        assert min(scores["sensitivity"], scores["precision"]) - 1e-9 <= scores["dice"]
        assert scores["dice"] <= max(scores["sensitivity"], scores["precision"]) + 1e-9


@each_convention
@GIVEN
@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=7)), st.tuples(*[st.sampled_from(EXACT)] * 3))
def test_a_mask_is_perfect_against_itself(convention, mask, spacing):
    assume(mask.any())
    scores = measured(mask, mask, spacing, convention)
    assert all(scores[name] == 0 for name in DISTANCES)
    # nnU-Net v1 adds 1e-8 to the denominator of its surface Dice
    assert all(isnan(scores[name]) or same(scores[name], 1.0, 1e-8) for name in SHARES)
    assert scores["volume_error_ml"] == scores["relative_volume_error"] == 0


@each_convention
@GIVEN
@given(mask_pairs())
def test_a_wider_tolerance_never_lowers_the_surface_dice(convention, pair):
    tolerances = (0.0, 0.5, 1.0, 2.0, 100.0)
    scores = compare_masks(*pair, convention=convention, tolerance_mm=tolerances)
    values = [scores[f"nsd_{tolerance:g}mm"].value for tolerance in tolerances]
    assert values == sorted(values) or all(map(isnan, values))
    if pair[0].any() and pair[1].any():
        assert same(values[-1], 1.0, 1e-8)


@GIVEN
@given(nested_masks())
def test_taking_away_of_a_prediction_inside_the_reference_never_raises_an_overlap(nested):
    (reference, larger, smaller), spacing = nested
    more, less = (measured(reference, prediction, spacing, "nan") for prediction in (larger, smaller))
    for name in ("dice", "jaccard", "sensitivity", "relative_volume_error", "volume_error_ml"):
        assert less[name] <= more[name], name
    assert less["precision"] == more["precision"] == 1.0


@pytest.mark.parametrize("kind", [FACES, EDGES])
@GIVEN
@given(nested_masks())
def test_taking_away_of_a_prediction_inside_the_reference_brings_no_part_of_the_reference_nearer(kind, nested):
    """The other direction may fall: a hole that grows has its wall nearer to the reference's surface."""
    (reference, larger, smaller), spacing = nested
    more, less = (surfaces(reference, prediction, spacing, kind).from_reference for prediction in (larger, smaller))
    assert less.largest >= more.largest
    assert less.mean >= more.mean - 1e-9
    for tolerance in (0.0, 0.5, 1.0, 2.0):
        assert less.area_within(tolerance) <= more.area_within(tolerance) + 1e-9


@each_convention
@GIVEN
@given(st.tuples(*[st.integers(4, 9)] * 3), st.data(), st.tuples(*[st.sampled_from(EXACT)] * 3))
def test_eroding_a_box_inside_a_box_never_lowers_hd_nor_raises_dice(convention, size, data, spacing):
    reference = np.zeros([side + 2 for side in size], bool)
    reference[1:-1, 1:-1, 1:-1] = True
    prediction = np.zeros_like(reference)
    starts = [data.draw(st.integers(1, side - 2)) for side in size]
    stops = [data.draw(st.integers(start + 3, side + 1)) for start, side in zip(starts, size, strict=True)]
    prediction[tuple(map(slice, starts, stops))] = True
    eroded = binary_erosion(prediction)
    before, after = (measured(reference, mask, spacing, convention) for mask in (prediction, eroded))
    assert after["hd_mm"] >= before["hd_mm"]
    assert after["dice"] < before["dice"]
    assert after["sensitivity"] < before["sensitivity"]


@pytest.mark.parametrize("preset", ["brats2023-gli", "brats2023-met"])
@GIVEN
@given(nested_masks())
def test_taking_away_of_a_prediction_inside_the_reference_never_finds_a_lesion(preset, nested):
    (reference, larger, smaller), spacing = nested
    more, less = (lesionwise(reference, prediction, spacing, preset=preset) for prediction in (larger, smaller))
    assert more.false_positives == less.false_positives == 0
    assert less.true_positives <= more.true_positives
    assert less.false_negatives >= more.false_negatives
    assert less.dice <= more.dice + 1e-12


@GIVEN
@given(nested_masks())
def test_taking_away_of_a_prediction_inside_the_reference_never_matches_an_instance(nested):
    (reference, larger, smaller), spacing = nested
    more, less = (instance_scores(reference, prediction, spacing) for prediction in (larger, smaller))
    assert less.true_positives <= more.true_positives


@GIVEN
@given(mask_pairs(5), st.sampled_from(["brats2023-gli", "brats2023-met"]))
def test_an_invented_lesion_never_helps(pair, preset):
    """A speck far from all else is one more false positive."""
    reference, prediction, spacing = np.pad(pair[0], 10), np.pad(pair[1], 10), pair[2]
    before = lesionwise(reference, prediction, spacing, preset=preset)
    worse = prediction.copy()
    worse[0, 0, 0] = True
    after = lesionwise(reference, worse, spacing, preset=preset)
    assert after.false_positives == before.false_positives + 1
    assert after.true_positives == before.true_positives
    assert after.dice <= before.dice
    assert after.hd95_mm >= before.hd95_mm


@GIVEN
@given(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=7)))
def test_a_mask_against_itself_has_every_lesion_every_instance_and_its_topology(mask):
    spacing = (2.0, 1.0, 0.5)
    lesions = lesionwise(mask, mask, spacing, preset="brats2023-met")
    assert (lesions.dice, lesions.hd95_mm, lesions.false_positives, lesions.false_negatives) == (1, 0, 0, 0)
    instances = instance_scores(mask, mask, spacing)
    assert (instances.false_positives, instances.false_negatives) == (0, 0)
    assert not mask.any() or instances.pq == 1
    errors = topology_errors(mask, mask, spacing)
    assert {value for name, value in errors.items() if name.endswith("_error")} == {0}


@each_convention
def test_an_infinite_distance_is_only_one_to_an_empty_mask(convention):
    mask = np.ones((2, 2, 2), bool)
    nothing = np.zeros_like(mask)
    assert inf not in measured(mask, mask, (1, 1, 1), convention).values()
    missed = measured(mask, nothing, (1, 1, 1), convention)
    assert all(missed[name] > 0 or isnan(missed[name]) for name in DISTANCES)
