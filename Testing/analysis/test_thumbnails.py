"""Pictures are upright however the file is stored, small, and readable by others."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from BraTSRefineLib.analysis.png import encode_png
from BraTSRefineLib.analysis.thumbnails import (
    GAP,
    PIXELS,
    PREDICTION_COLOUR,
    PREDICTION_INDEX,
    REFERENCE_COLOUR,
    REFERENCE_INDEX,
    Outline,
    Scene,
    background,
    middle,
    picture,
)
from BraTSRefineLib.cohort import Geometry

SHAPE = (60, 70, 80)
UPRIGHT = Geometry(SHAPE[::-1], (2.0, 2.0, 2.0), (0.0, -139.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
REVERSED = Geometry(SHAPE[::-1], (2.0, 2.0, 2.0), (158.0, -1.0, 0.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0))
"""The same physical box with two axes reversed, as the African set is stored."""


def decoded(png: bytes, tmp_path) -> np.ndarray:
    path = tmp_path / "picture.png"
    path.write_bytes(png)
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


def colour(text: str) -> list[int]:
    return [int(text[i : i + 2], 16) for i in (1, 3, 5)]


def drawn(pixels: np.ndarray, text: str) -> np.ndarray:
    return (pixels == colour(text)).all(axis=-1)


@pytest.fixture
def left_front_top():
    """A mask in the patient's left, front, upper part, on the upright grid: high x, low y, high z."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[40:50, 10:20, 50:60] = True
    return mask


def test_a_png_comes_back_as_it_was(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3
    palette = np.array([[0, 0, 0], [10, 200, 30], [255, 255, 255]], dtype=np.uint8)
    assert (decoded(encode_png(pixels, palette), tmp_path) == palette[pixels]).all()


def test_three_slices_lie_side_by_side(tmp_path, left_front_top):
    pixels = decoded(picture(Scene(UPRIGHT, (45, 15, 55), [Outline(left_front_top, REFERENCE_INDEX)])), tmp_path)
    assert pixels.shape == (PIXELS, 3 * PIXELS + 2 * GAP, 3)
    for plane in range(3):
        start = plane * (PIXELS + GAP)
        assert drawn(pixels[:, start : start + PIXELS], REFERENCE_COLOUR).any()


def test_left_is_on_the_right_the_nose_and_the_head_are_up(tmp_path, left_front_top):
    whole = np.ones(SHAPE, dtype=bool)
    scene = Scene(UPRIGHT, (45, 15, 55), [Outline(left_front_top, REFERENCE_INDEX)], around=whole)
    pixels = decoded(picture(scene), tmp_path)
    axial, coronal, sagittal = (
        np.argwhere(drawn(pixels[:, i : i + PIXELS], REFERENCE_COLOUR)).mean(axis=0) / PIXELS
        for i in (0, PIXELS + GAP, 2 * (PIXELS + GAP))
    )
    assert axial[0] < 0.5 < axial[1]
    assert coronal[0] < 0.5 < coronal[1]
    assert sagittal[0] < 0.5 and sagittal[1] < 0.5


def test_a_file_with_reversed_axes_gives_the_same_picture(left_front_top):
    rng = np.random.default_rng(5)
    image = rng.random(SHAPE, dtype=np.float32)
    upright = Scene(UPRIGHT, (45, 15, 55), [Outline(left_front_top, PREDICTION_INDEX)], left_front_top, image)
    turned = left_front_top[:, ::-1, ::-1]
    index = (45, SHAPE[1] - 1 - 15, SHAPE[2] - 1 - 55)
    reversed_ = Scene(REVERSED, index, [Outline(turned, PREDICTION_INDEX)], turned, image[:, ::-1, ::-1])
    assert picture(upright) == picture(reversed_)


def test_where_both_outlines_run_together_both_colours_are_seen(tmp_path, left_front_top):
    outlines = [Outline(left_front_top, REFERENCE_INDEX), Outline(left_front_top, PREDICTION_INDEX)]
    pixels = decoded(picture(Scene(UPRIGHT, (45, 15, 55), outlines)), tmp_path)
    reference, prediction = drawn(pixels, REFERENCE_COLOUR).sum(), drawn(pixels, PREDICTION_COLOUR).sum()
    assert 0.5 < reference / prediction < 2


def test_a_single_voxel_is_seen(tmp_path):
    one = np.zeros(SHAPE, dtype=bool)
    one[30, 30, 30] = True
    pixels = decoded(picture(Scene(UPRIGHT, (30, 30, 30), [Outline(one, PREDICTION_INDEX)])), tmp_path)
    assert drawn(pixels, PREDICTION_COLOUR).sum() >= 3


def test_an_image_of_nan_or_zeros_is_drawn_black(tmp_path):
    for value in (np.nan, 0.0):
        pixels = decoded(picture(Scene(UPRIGHT, (30, 30, 30), image=np.full(SHAPE, value, np.float32))), tmp_path)
        assert pixels[:, :PIXELS].max() == 0


def test_without_a_mask_the_middle_of_the_volume_is_shown(left_front_top):
    assert middle(UPRIGHT, None) == (30, 35, 40)
    assert middle(UPRIGHT, left_front_top) == (44, 14, 54)


def test_an_unreadable_image_gives_way_to_the_next(on_disk, make):
    image = np.ones((40, 48, 56), dtype=np.float32)
    cohort = on_disk({"x": (make.tumour(), {})}, {"x": {"t2f": image, "t2w": image}})
    case = cohort.cases[0]
    case.images["t2f"].write_bytes(b"no image")
    from BraTSRefineLib.cohort import case_geometry

    assert background(case, "WT", case_geometry(case))[1] == "T2"
    case.images["t2w"].unlink()
    assert background(case, "WT", case_geometry(case)) == (None, "")
