"""The masks on which scoring goes wrong first, each with the number that a ruler gives."""

from math import inf, isnan, nan, sqrt

import numpy as np
import pytest

from BraTSRefineLib.scoring import compare_masks, instance_scores, lesionwise, lesionwise_tissues, topology_errors

ENGINES = ("numba", "scipy")
SURFACES = ("deepmind", "monai", "medpy")
ANISOTROPIC = (3.0, 1.0, 0.5)
SHAPE = (16, 18, 20)


def box(*sides, shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*side) if isinstance(side, tuple) else slice(side, side + 1) for side in sides)] = True
    return mask


CUBE = box((4, 10), (5, 11), (6, 12))
EMPTY, FULL = np.zeros(SHAPE, bool), np.ones(SHAPE, bool)


def scored(reference, prediction, spacing=(1.0, 1.0, 1.0), convention="deepmind", engine="auto"):
    scores = compare_masks(reference, prediction, spacing, convention=convention, engine=engine)
    return {name: score.value for name, score in scores.items()}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("convention", SURFACES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_by_one_voxel_is_one_spacing_wide(axis, convention, engine):
    scores = scored(CUBE, np.roll(CUBE, 1, axis), ANISOTROPIC, convention, engine)
    assert scores["hd_mm"] == scores["hd95_mm"] == scores["centroid_distance_mm"] == ANISOTROPIC[axis]
    assert scores["dice"] == scores["sensitivity"] == scores["precision"] == 5 / 6
    assert scores["jaccard"] == 5 / 7
    assert scores["volume_error_ml"] == scores["relative_volume_error"] == 0
    assert (scores["nsd_1mm"] > 1 - 1e-8) == (ANISOTROPIC[axis] <= 1)


@pytest.mark.parametrize("convention", SURFACES)
def test_a_shift_along_the_diagonal(convention):
    scores = scored(CUBE, np.roll(CUBE, (1, 1, 1), (0, 1, 2)), ANISOTROPIC, convention)
    assert scores["hd_mm"] == pytest.approx(sqrt(9 + 1 + 0.25), rel=1e-6)
    assert scores["centroid_distance_mm"] == pytest.approx(sqrt(9 + 1 + 0.25))
    assert scores["dice"] == pytest.approx((5 / 6) ** 3)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("convention", SURFACES)
@pytest.mark.parametrize(
    ("step", "distance"), [((0, 0, 4), 2.0), ((0, 4, 0), 4.0), ((4, 0, 0), 12.0), ((1, 2, 2), sqrt(14))]
)
def test_two_voxels_are_as_far_apart_as_their_centres(step, distance, convention, engine):
    one, other = box(3, 4, 5), box(*(place + move for place, move in zip((3, 4, 5), step, strict=True)))
    scores = scored(one, other, ANISOTROPIC, convention, engine)
    assert (scores["hd_mm"], scores["hd95_mm"]) == pytest.approx((distance, distance), rel=1e-6)
    assert scores["centroid_distance_mm"] == pytest.approx(distance)
    assert scores["dice"] == scores["jaccard"] == scores["boundary_iou"] == 0
    assert scores["volume_reference_ml"] == scores["volume_prediction_ml"] == 0.0015


@pytest.mark.parametrize("convention", SURFACES)
def test_disjoint_boxes(convention):
    """From the far face of one to the near face of the other."""
    near, far = box((2, 5), (2, 5), (2, 5)), box((2, 5), (2, 5), (12, 15))
    scores = scored(near, far, convention=convention)
    assert scores["dice"] == scores["sensitivity"] == scores["precision"] == scores["nsd_1mm"] == 0
    assert scores["hd_mm"] == scores["centroid_distance_mm"] == 10
    assert scores["specificity"] == 1 - 27 / (16 * 18 * 20 - 27)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("convention", SURFACES)
def test_the_whole_image_has_its_surface_at_the_border(convention, engine):
    scores = scored(FULL, FULL, ANISOTROPIC, convention, engine)
    assert scores["dice"] == scores["boundary_iou"] == 1
    assert scores["hd_mm"] == scores["assd_mm"] == 0
    assert isnan(scores["specificity"])
    inner = box((1, 15), (1, 17), (1, 19))
    assert scored(FULL, inner, ANISOTROPIC, convention, engine)["hd_mm"] == pytest.approx(sqrt(9 + 1 + 0.25), rel=1e-6)


@pytest.mark.parametrize("convention", SURFACES)
def test_one_voxel_against_the_whole_image(convention):
    scores = scored(FULL, box(0, 0, 0), ANISOTROPIC, convention)
    sides = [(length - 1) * side for length, side in zip(SHAPE, ANISOTROPIC, strict=True)]
    assert scores["hd_mm"] == pytest.approx(sqrt(sum(side**2 for side in sides)), rel=1e-6)
    assert scores["sensitivity"] == 1 / FULL.sum()
    assert scores["precision"] == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 5), (1, 6, 5), (5, 1, 1)])
def test_images_of_one_slice_or_one_voxel(shape, engine):
    mask = np.ones(shape, bool)
    for convention in SURFACES:
        scores = scored(mask, mask, ANISOTROPIC, convention, engine)
        assert (scores["dice"], scores["hd_mm"], scores["assd_mm"]) == (1, 0, 0)
        assert isnan(scored(mask, ~mask, ANISOTROPIC, "nan", engine)["hd95_mm"])


@pytest.mark.parametrize("engine", ENGINES)
def test_an_image_without_voxels_is_both_empty(engine):
    nothing = np.zeros((0, 4, 4), bool)
    assert scored(nothing, nothing, convention="brats2023", engine=engine)["dice"] == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("convention", "both", "missed", "invented"),
    [
        ("brats2023", (1, 0), (0, 374), (0, 374)),
        ("brats2024-gli", (1, 0), (0, 337), (0, 337)),
        ("brats2024-men-rt", (1, 0), (0, sqrt(980)), (0, sqrt(980))),
        ("deepmind", (nan, inf), (0, inf), (0, inf)),
        ("nan", (nan, nan), (0, nan), (0, nan)),
        ("monai", (nan, nan), (0, nan), (nan, nan)),
        ("medpy", (nan, nan), (0, nan), (0, nan)),
        ("panoptica", (nan, nan), (0, inf), (0, inf)),
        ("nnunet", (nan, nan), (0, nan), (0, nan)),
    ],
)
def test_empty_masks_are_worth_what_the_convention_says(convention, both, missed, invented, engine):
    pairs = [(EMPTY, EMPTY), (CUBE, EMPTY), (EMPTY, CUBE)]
    for (reference, prediction), expected in zip(pairs, (both, missed, invented), strict=True):
        scores = scored(reference, prediction, convention=convention, engine=engine)
        assert (scores["dice"], scores["hd95_mm"]) == pytest.approx(expected, nan_ok=True)
        assert scores["volume_error_ml"] == (prediction.sum() - reference.sum()) / 1000


TOUCHING = {
    "by a face": (box((4, 7), (4, 7), (4, 7)), box((4, 7), (4, 7), (7, 10))),
    "by an edge": (box((4, 7), (4, 7), (4, 7)), box((4, 7), (7, 10), (7, 10))),
    "by a corner": (box((4, 7), (4, 7), (4, 7)), box((7, 10), (7, 10), (7, 10))),
}


@pytest.mark.parametrize("touch", TOUCHING)
def test_lesions_that_touch_are_one(touch):
    one, other = TOUCHING[touch]
    both = one | other
    lesions = lesionwise(both, one, (1, 1, 1), preset="brats2023-met")
    assert (lesions.true_positives, lesions.false_negatives) == (1, 0)
    assert lesions.dice == pytest.approx(2 * 27 / (27 + 54))
    instances = instance_scores(both, one, (1, 1, 1))
    assert (instances.true_positives, instances.false_negatives) == (1, 0)
    assert instances.sq == 0.5
    assert topology_errors(both, one)["betti0_error"] == 0


@pytest.mark.parametrize(("gap", "found"), [(1, 1), (2, 1), (3, 2)])
def test_lesions_apart_are_one_as_long_as_their_surroundings_touch(gap, found):
    """Metastases are dilated once, so that up to two voxels between them are bridged; instances never are."""
    both = box((4, 7), (4, 7), (4, 7)) | box((4, 7), (4, 7), (7 + gap, 10 + gap))
    assert lesionwise(both, both, (1, 1, 1), preset="brats2023-met").true_positives == found
    assert instance_scores(both, both, (1, 1, 1)).true_positives == 2


@pytest.mark.parametrize(("reference", "prediction"), [(EMPTY, EMPTY), (FULL, FULL), (box(3, 3, 3), box(3, 3, 3))])
def test_nothing_everything_and_one_voxel_are_perfect_lesions(reference, prediction):
    lesions = lesionwise(reference, prediction, ANISOTROPIC, preset="brats2023-met")
    assert (lesions.dice, lesions.hd95_mm, lesions.false_positives, lesions.false_negatives) == (1, 0, 0, 0)
    maps = reference.astype(np.uint8), prediction.astype(np.uint8)
    for scores in lesionwise_tissues(*maps, ANISOTROPIC, preset="brats2024-gli").values():
        assert (scores.dice, scores.hd95_mm) == (1, 0)
        assert scores.nsd == pytest.approx({0.5: 1, 1.0: 1}, abs=1e-8)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_lesion_shifted_by_one_voxel_has_the_numbers_of_the_shift(axis):
    lesions = lesionwise(CUBE, np.roll(CUBE, 1, axis), ANISOTROPIC, preset="brats2023-gli")
    assert (lesions.true_positives, lesions.dice, lesions.hd95_mm) == (1, 5 / 6, ANISOTROPIC[axis])


def test_volume_and_not_voxels_decides_which_lesion_counts():
    """Twenty voxels of 1.5 mm³ are 30 mm³, too few for BraTS 2023; of 3 mm³ they are enough."""
    lesion = box((4, 6), (4, 6), (4, 9))
    assert lesionwise(lesion, EMPTY, ANISOTROPIC, preset="brats2023-gli").false_negatives == 0
    assert lesionwise(lesion, EMPTY, (3.0, 1.0, 1.0), preset="brats2023-gli").false_negatives == 1
