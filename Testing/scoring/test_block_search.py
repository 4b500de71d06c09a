import numpy as np
import pytest

from BraTSRefineLib.scoring.block_search import nearest_distances as by_blocks
from BraTSRefineLib.scoring.scipy_engine import nearest_distances as by_tree


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 0.5, 0.7), (0.3, 2.0, 9.0)])
@pytest.mark.parametrize("targets", [1, 2, 50, 4000])
def test_blocks_find_what_the_tree_finds(spacing, targets):
    rng = np.random.default_rng(targets)
    shape = (50, 61, 72)
    flat = [rng.choice(np.prod(shape), count, replace=False) for count in (300, targets)]
    points = [np.stack(np.unravel_index(indices, shape), axis=1) for indices in flat]
    found = by_blocks(*flat, shape[2], shape[1] * shape[2], np.array(spacing))
    np.testing.assert_allclose(found, by_tree(*points, spacing), rtol=1e-12)


def test_a_far_cluster_is_found_across_the_volume():
    found = by_blocks(np.array([0]), np.array([59999, 59998]), 20, 600, np.array([1.0, 1.0, 1.0]))
    assert found == pytest.approx([np.sqrt(99**2 + 29**2 + 18**2)])
