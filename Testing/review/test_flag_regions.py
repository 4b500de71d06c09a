"""How the uncertain places of a map are told apart: the rim goes, small ones are counted, long ones are split."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.review import Doubt, find_flags
from BraTSRefineLib.review.flag_regions import split_long, without_rim
from BraTSRefineLib.review.flag_types import BOUNDARY, FALSE_POSITIVE, MISS

SHAPE = (44, 48, 52)
ISOTROPIC = (1.0, 1.0, 1.0)


def grid(shape=SHAPE, direction=(1, 0, 0, 0, 1, 0, 0, 0, 1), spacing=ISOTROPIC) -> Geometry:
    return Geometry(shape[::-1], spacing, (0.0, 0.0, 0.0), direction)


def ball(center, radius: float, shape=SHAPE) -> np.ndarray:
    distance = np.sqrt(sum((axis - c) ** 2 for axis, c in zip(np.indices(shape), center, strict=True)))
    return distance <= radius


def found(doubt: Doubt, geometry: Geometry | None = None, **options):
    names = {"case": "case-1", "region": "ET", "quantity": "entropy"}
    return find_flags(doubt, geometry or grid(), **(names | options))


@pytest.fixture
def two_balls_and_a_rim() -> Doubt:
    consensus = ball((22, 24, 26), 20)
    rim = consensus & ~ball((22, 24, 26), 19)
    sure = 0.6 * (ball((22, 24, 14), 3) | ball((22, 24, 34), 5))
    return Doubt(np.maximum(sure, 0.6 * rim).astype(np.float32), consensus)


def test_two_uncertain_balls_and_a_uniform_rim_are_exactly_two_flags(two_balls_and_a_rim):
    big, small = found(two_balls_and_a_rim).flags
    assert big.score > small.score
    assert np.allclose(big.center_lps, (34, 24, 22), atol=0.5)
    assert np.allclose(small.center_lps, (14, 24, 22), atol=0.5)
    assert big.volume_ml == pytest.approx(ball((22, 24, 34), 5).sum() / 1000)


@pytest.mark.parametrize("axes", [(0, 2, 1), (2, 1, 0), (1, 2, 0)])
def test_flags_stay_where_they_are_when_the_axes_are_permuted(two_balls_and_a_rim, axes):
    columns = np.eye(3)[:, [2 - axis for axis in axes[::-1]]]
    shape = tuple(SHAPE[axis] for axis in axes)
    turned = Doubt(
        *(np.transpose(array, axes) for array in (two_balls_and_a_rim.uncertainty, two_balls_and_a_rim.consensus))
    )
    straight = found(two_balls_and_a_rim).flags
    permuted = found(turned, grid(shape, tuple(columns.ravel()))).flags
    assert np.allclose([flag.center_lps for flag in straight], [flag.center_lps for flag in permuted])
    assert np.allclose([flag.box_lps for flag in straight], [flag.box_lps for flag in permuted])
    assert [flag.score for flag in straight] == pytest.approx([flag.score for flag in permuted])


def test_the_rim_beside_a_deep_doubt_stays_with_it():
    consensus = ball((22, 24, 26), 18)
    uncertain = (consensus & ~ball((22, 24, 26), 17)) | (ball((22, 24, 42), 6) & consensus)
    kept = without_rim(uncertain, consensus, ISOTROPIC)
    assert kept[22, 24, 43]
    assert not kept[22, 24, 8]


def test_a_place_longer_than_30_mm_is_split_between_its_two_halves():
    uncertainty = np.zeros((20, 20, 60), np.float32)
    uncertainty[8:12, 8:12, 2:58] = 0.3
    uncertainty[4:16, 4:16, 4:16] = 0.6
    uncertainty[4:16, 4:16, 44:56] = 0.6
    labels = split_long((uncertainty > 0).astype(np.int32), uncertainty, ISOTROPIC)
    assert labels[10, 10, 10] != labels[10, 10, 50]
    assert (labels > 0).sum() == (uncertainty > 0).sum()


def test_a_place_of_30_mm_is_not_split():
    place = np.zeros((10, 10, 40), np.int32)
    place[5, 5, 5:35] = 1
    assert split_long(place, place.astype(np.float32), ISOTROPIC).max() == 1


def test_ten_cubic_millimetres_is_the_least_whatever_the_voxels():
    spots = np.zeros(SHAPE, np.float32)
    spots[10, 10, 10:12] = 0.6
    spots[20, 20, 20] = 0.6
    flagged = found(Doubt(spots), grid(spacing=(1.0, 2.0, 3.0)))
    assert len(flagged.flags) == 1
    assert flagged.subthreshold == 1


def test_a_place_has_its_type_by_what_the_fused_label_has_there():
    consensus = np.zeros(SHAPE, bool)
    consensus[:, :, :26] = True
    places = [ball((22, 24, 12), 4), ball((22, 24, 26), 6), ball((22, 24, 44), 4)]
    uncertainty = 0.6 * np.any(places, axis=0)
    types = {flag.center_lps[0]: flag.type for flag in found(Doubt(uncertainty, consensus)).flags}
    assert [types[x] for x in sorted(types)] == [FALSE_POSITIVE, BOUNDARY, MISS]


def test_the_enhancing_tumour_weighs_three_times_the_whole_and_contradiction_doubles():
    place = ball((22, 24, 26), 4)
    uncertainty = (np.log(2) * place).astype(np.float32)
    (enhancing,), (whole,) = (found(Doubt(uncertainty), region=region).flags for region in ("ET", "WT"))
    assert whole.score == pytest.approx(place.sum(), rel=1e-6)
    assert enhancing.score == pytest.approx(3 * place.sum(), rel=1e-6)
    torn = Doubt(uncertainty, mutual_information=uncertainty, entropy=uncertainty)
    assert found(torn, region="WT").flags[0].score == pytest.approx(2 * place.sum(), rel=1e-6)


def test_ambiguity_is_the_volume_that_may_change_hands():
    place = ball((22, 24, 26), 4)
    (flag,) = found(Doubt(0.6 * place, probability=np.where(place, 0.75, 0.0))).flags
    assert flag.ambiguity_ml == pytest.approx(0.25 * place.sum() / 1000)


def test_labels_hold_the_ranks(two_balls_and_a_rim):
    flagged = found(two_balls_and_a_rim)
    assert sorted(np.unique(flagged.labels)) == [0, 1, 2]
    assert flagged.labels[22, 24, 34] == 1
