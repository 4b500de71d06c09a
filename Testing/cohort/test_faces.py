"""A whole head is told from a brain that was cut out of it."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.cohort import Geometry, discover, read_geometry, read_image
from BraTSRefineLib.cohort.faces import looks_unstripped

SHAPE = (60, 72, 66)
SPACING = (3.5, 3.5, 3.5)
GRID = Geometry(SHAPE[::-1], SPACING, (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def ball(radius_mm: float) -> np.ndarray:
    places = np.indices(SHAPE).T - (np.array(SHAPE) - 1) / 2
    return (np.linalg.norm(places * SPACING, axis=-1) <= radius_mm).T


def an_image(radius_mm: float, noise: float = 0.0, ground: float = 0.0) -> np.ndarray:
    """Something round of about 800 grey levels; ``noise`` is that of the air, as magnitude images have it."""
    random = np.random.default_rng(5)
    air = np.hypot(random.normal(0, noise, SHAPE), random.normal(0, noise, SHAPE)) if noise else np.zeros(SHAPE)
    return np.where(ball(radius_mm), random.normal(800, 100, SHAPE), ground + air).astype(np.float32)


BRAIN_MM, LARGEST_BRAIN_MM, HEAD_MM = 68.0, 80.0, 98.0
"""Balls of 1.3, 2.1 and 3.9 litres."""


@pytest.mark.parametrize("radius", [0.0, BRAIN_MM, LARGEST_BRAIN_MM])
@pytest.mark.parametrize("ground", [0.0, -1.7])
def test_a_cut_out_brain_shows_no_face(radius, ground):
    assert not looks_unstripped(an_image(radius, ground=ground), GRID)


def test_faint_rings_around_a_brain_are_no_head():
    assert not looks_unstripped(an_image(BRAIN_MM, noise=2.0), GRID)


@pytest.mark.parametrize("noise", [0.0, 2.0, 12.0, 60.0])
def test_a_head_shows_a_face_in_clean_and_in_noisy_air(noise):
    assert looks_unstripped(an_image(HEAD_MM, noise=noise), GRID)


def test_whole_numbers_and_voxels_that_are_no_number_are_taken():
    assert looks_unstripped(an_image(HEAD_MM, noise=12.0).astype(np.int16), GRID)
    broken = an_image(BRAIN_MM)
    broken[::2] = np.nan
    assert not looks_unstripped(broken, GRID)
    assert not looks_unstripped(np.full(SHAPE, np.nan, np.float32), GRID)


def test_a_patch_of_a_brain_without_any_air_shows_no_face():
    small = Geometry((32, 32, 32), SPACING, GRID.origin, GRID.direction)
    assert not looks_unstripped(an_image(HEAD_MM)[14:46, 20:52, 17:49], small)


def test_the_phantom_gives_no_alarm(phantom_cohort):
    images = [path for case in discover(phantom_cohort).cases for path in case.images.values()]
    assert len(images) > 8
    assert not any(looks_unstripped(read_image(path), read_geometry(path)) for path in images)


def test_real_cut_out_brains_give_no_alarm(real_data):
    folders = ("brats2018", "brats2023-ssa", "tcga-lgg", "yale-brainmets")
    cases = [case for folder in folders for case in discover(real_data / folder).cases]
    images = [path for case in cases for path in list(case.images.values())[:1]]
    assert len(images) >= 5
    assert [path.name for path in images if looks_unstripped(read_image(path), read_geometry(path))] == []
