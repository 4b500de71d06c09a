import numpy as np
import pytest

from BraTSRefineLib.scoring.block_search import Blocks
from BraTSRefineLib.scoring.scipy_engine import nearest_distances as by_tree

SOURCE, TARGET = 0, 1


def by_blocks(sources, targets, shape, spacing):
    """Positions of the sources in the order of the search, and their distances to the nearest target."""
    places = np.union1d(sources, targets)
    masks = np.isin(places, sources) * np.uint8(1 << SOURCE) | np.isin(places, targets) * np.uint8(1 << TARGET)
    searched, distances = Blocks(places, masks, shape, spacing).searches(masks)(SOURCE, TARGET)
    return np.stack(np.unravel_index(searched, shape), axis=1), distances


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 0.5, 0.7), (0.3, 2.0, 9.0)])
@pytest.mark.parametrize("targets", [1, 2, 50, 4000])
def test_blocks_find_what_the_tree_finds(spacing, targets):
    rng = np.random.default_rng(targets)
    shape = (50, 61, 72)
    sources, others = (rng.choice(np.prod(shape), count, replace=False) for count in (300, targets))
    points, found = by_blocks(sources, others, shape, spacing)
    assert len(found) == 300
    expected = by_tree(points, np.stack(np.unravel_index(others, shape), axis=1), spacing)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_far_cluster_is_found_across_the_volume():
    _, found = by_blocks(np.array([0]), np.array([59998, 59999]), (100, 30, 20), (1.0, 1.0, 1.0))
    assert found == pytest.approx([np.sqrt(99**2 + 29**2 + 18**2)])
