"""How far members agree, which is what a case's quality is guessed from."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.scoring import ScoringError
from BraTSRefineLib.scoring.agreement import agreement


def cube(start: int, stop: int, shape=(16, 16, 16)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[start:stop, start:stop, start:stop] = True
    return mask


def test_members_that_agree_lack_nothing_but_compactness():
    found = agreement([cube(4, 10)] * 3, cube(4, 10), 0.001)
    assert (found.pairwise_dice, found.vvc) == (1, 0)
    assert found.entropy == pytest.approx(0, abs=1e-5)
    assert found.surface_share == pytest.approx(1 - 4**3 / 6**3)
    assert found.log_volume == pytest.approx(np.log1p(0.216))
    assert not found.empty_consensus


def test_pairwise_dice_and_variation_by_hand():
    found = agreement([cube(4, 8), cube(4, 10)], cube(4, 8), 0.001)
    small, large = 4**3, 6**3
    assert found.pairwise_dice == pytest.approx(2 * small / (small + large))
    assert found.vvc == pytest.approx((large - small) / (large + small))


def test_entropy_is_that_of_the_votes_unless_a_map_is_given():
    masks = [cube(4, 8), np.zeros((16, 16, 16), bool)]
    assert agreement(masks, cube(4, 8), 1.0).entropy == pytest.approx(1)
    assert agreement(masks, cube(4, 8), 1.0, np.full((16, 16, 16), 0.3)).entropy == pytest.approx(0.3)


def test_members_that_all_see_nothing_agree_and_are_marked():
    nothing = np.zeros((8, 8, 8), bool)
    found = agreement([nothing, nothing], nothing, 1.0)
    assert (found.pairwise_dice, found.empty_consensus, found.few_voxels) == (1, True, True)
    assert np.isnan(found.vvc)


def test_a_region_of_few_voxels_is_marked():
    assert agreement([cube(4, 6), cube(4, 6)], cube(4, 6), 1.0).few_voxels
    assert not agreement([cube(4, 7), cube(4, 7)], cube(4, 7), 1.0).few_voxels


def test_one_member_agrees_with_nobody():
    with pytest.raises(ScoringError, match="at least two members"):
        agreement([cube(4, 8)], cube(4, 8), 1.0)


def test_members_on_other_grids_are_refused():
    with pytest.raises(ScoringError, match="not one grid"):
        agreement([cube(4, 8), cube(4, 8, (16, 16, 17))], cube(4, 8), 1.0)
