"""Everything in a case lies on one grid, or it is said what does not."""

import numpy as np
import pytest

from BraTSRefineLib.cohort import VolumeError, case_geometry, discover, read_image, to_canonical
from BraTSRefineLib.cohort.geometry import relation

FLIPPED = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
CASE = "BraTS2021_00001"


@pytest.fixture
def with_prediction(a_brats_folder, write):
    """A function that adds a prediction on another grid to a cohort of two cases, and discovers it."""

    def make(geometry, model="off"):
        root = a_brats_folder(models={"good": (1, 2, 4)})
        write(root / "predictions" / model / f"{CASE}.nii.gz", (1, 2, 4), geometry)
        return discover(root)

    return make


def test_prediction_of_another_size_is_an_error_of_that_model_alone(with_prediction, grid):
    cohort = with_prediction(grid(size=(6, 5, 9)))
    message = cohort[CASE].error_of("off")
    assert "predictions/off/BraTS2021_00001.nii.gz" in message
    assert "BraTS2021_00001_seg.nii.gz" in message
    assert "size 6x5x9 against 6x5x4" in message
    assert cohort[CASE].usable_models() == ["good"]
    assert cohort["BraTS2021_00002"].error_of() == ""


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("origin", (0.0, -239.0, 0.01), r"origin \(0, -239, 0.01\) against \(0, -239, 0\) mm"),
        ("spacing", (1.0, 1.0, 2.002), "spacing"),
        ("direction", FLIPPED, "direction"),
    ],
)
def test_a_difference_beyond_a_thousandth_of_a_millimetre_is_an_error(with_prediction, grid, part, value, message):
    import re

    assert re.search(message, with_prediction(grid(**{part: value}))[CASE].error_of("off"))


def test_a_difference_within_a_thousandth_of_a_millimetre_is_none(with_prediction, grid):
    assert with_prediction(grid(origin=(0.0, -239.0, 0.0005)))[CASE].error_of("off") == ""


def test_same_grid_in_reversed_order_is_recognised(with_prediction, grid):
    cohort = with_prediction(grid(origin=(5.0, -235.0, 0.0), direction=FLIPPED))
    assert "same physical grid with axis x and y reversed" in cohort[CASE].error_of("off")


def test_same_grid_with_permuted_axes_is_recognised(grid):
    permuted = grid(size=(5, 6, 4), direction=(0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    assert relation(permuted, grid()) == "it is the same physical grid with its axes in another order"


def test_crop_on_the_grid_is_recognised(with_prediction, grid):
    cohort = with_prediction(grid(size=(3, 2, 2), origin=(2.0, -238.0, 2.0)))
    assert "a crop that lies exactly on that grid, from voxel (2, 1, 1)" in cohort[CASE].error_of("off")


def test_lost_header_is_recognised(with_prediction, grid):
    lost = grid(spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), direction=FLIPPED)
    assert "its header is the identity" in with_prediction(lost)[CASE].error_of("off")


def test_unrelated_grid_has_no_further_words(grid):
    assert relation(grid(origin=(0.3, 0.0, 0.0)), grid()) == ""


def test_image_off_the_references_grid_spoils_the_case(a_brats_folder, write, grid):
    root = a_brats_folder(models={"good": (1, 2, 4)})
    write(root / "cases" / CASE / f"{CASE}_t2.nii.gz", None, grid(size=(6, 5, 3)))
    cohort = discover(root)
    assert f"{CASE}_t2.nii.gz lies on another grid than" in cohort[CASE].error_of()
    assert cohort[CASE].usable_models() == []
    assert cohort["BraTS2021_00002"].usable_models() == ["good"]


def test_without_image_and_reference_most_predictions_decide(tmp_path, write, grid):
    for model in ("a", "b"):
        write(tmp_path / "predictions" / model / "case.nii.gz", (1, 2, 4))
    write(tmp_path / "predictions" / "c" / "case.nii.gz", (1, 2, 4), grid(origin=(9.0, 9.0, 9.0)))
    case = discover(tmp_path).cases[0]
    assert case.usable_models() == ["a", "b"]
    assert case_geometry(case).origin == (0.0, -239.0, 0.0)


def test_predictions_split_evenly_are_not_decided(tmp_path, write, grid):
    write(tmp_path / "predictions" / "a" / "case.nii.gz", (1, 2, 4))
    write(tmp_path / "predictions" / "b" / "case.nii.gz", (1, 2, 4), grid(origin=(9.0, 9.0, 9.0)))
    case = discover(tmp_path).cases[0]
    assert "a, b lie on different grids" in case.error_of()
    with pytest.raises(VolumeError, match="different grids"):
        case_geometry(case)


def test_a_case_without_any_volume_has_no_grid(tmp_path):
    from BraTSRefineLib.cohort import Case

    with pytest.raises(VolumeError, match="no volume to take the grid from"):
        case_geometry(Case("x"))


@pytest.mark.parametrize("role", ["reference", "image", "prediction"])
@pytest.mark.parametrize("damage", ["truncated", "not an image", "empty file"])
def test_damaged_file_is_an_error_and_the_others_go_on(a_brats_folder, role, damage):
    root = a_brats_folder(models={"good": (1, 2, 4), "bad": (1, 2, 4)})
    path = {
        "reference": root / "cases" / CASE / f"{CASE}_seg.nii.gz",
        "image": root / "cases" / CASE / f"{CASE}_t1.nii.gz",
        "prediction": root / "predictions" / "bad" / f"{CASE}.nii.gz",
    }[role]
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[: len(whole) - 20], "not an image": b"hello", "empty file": b""}[damage])
    cohort = discover(root)
    assert path.name in cohort[CASE].error_of("bad")
    assert cohort[CASE].usable_models() == (["good"] if role == "prediction" else [])
    assert len([p for p in cohort[CASE].problems if p.level == "error"]) == 1
    assert cohort["BraTS2021_00002"].usable_models() == ["bad", "good"]


def test_truncated_nii_is_an_error(a_brats_folder, write):
    root = a_brats_folder(cases=(CASE,))
    path = write(root / "predictions" / "bad" / f"{CASE}.nii", (1, 2, 4))
    path.write_bytes(path.read_bytes()[:400])
    assert "truncated" in discover(root).cases[0].error_of("bad")


def test_four_dimensional_label_map_is_an_error(a_brats_folder):
    import SimpleITK

    root = a_brats_folder(models={"bad": (1, 2, 4)})
    image = SimpleITK.JoinSeries([SimpleITK.Image(6, 5, 4, SimpleITK.sitkUInt8)] * 2)
    SimpleITK.WriteImage(image, str(root / "predictions" / "bad" / f"{CASE}.nii.gz"))
    cohort = discover(root)
    assert "4 dimensions, expected 3" in cohort[CASE].error_of("bad")
    assert cohort["BraTS2021_00002"].error_of("bad") == ""


def test_permuted_and_reversed_array_is_turned_to_lps(tmp_path, write, grid):
    """A grid whose array axes run superior, right, anterior (z, y, x): every step is undone."""
    geometry = grid(spacing=(3.0, 1.0, 2.0), direction=(0.0, -1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    voxels = read_image(write(tmp_path / "a.nii.gz", None, geometry))
    turned, spacing = to_canonical(voxels, geometry)
    np.testing.assert_array_equal(turned, voxels.transpose(0, 2, 1)[:, ::-1, ::-1])
    assert spacing == (2.0, 3.0, 1.0)


def test_region_stack_is_turned_like_one_array(grid):
    stack = np.random.default_rng(0).random((3, 4, 5, 6))
    turned, _ = to_canonical(stack, grid(direction=FLIPPED))
    np.testing.assert_array_equal(turned, stack[:, :, ::-1, ::-1])


def test_oblique_grid_is_turned_to_the_nearest_axes(grid):
    cos, sin = np.cos(0.3), np.sin(0.3)
    oblique = grid(direction=(-cos, sin, 0.0, -sin, -cos, 0.0, 0.0, 0.0, 1.0))
    voxels = np.random.default_rng(0).random((4, 5, 6))
    np.testing.assert_array_equal(to_canonical(voxels, oblique)[0], voxels[:, ::-1, ::-1])


def test_a_place_in_an_oblique_grid_leads_back_to_its_index(grid):
    turned = grid(direction=(0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0), origin=(3.0, -7.0, 11.0))
    indices = [(0.0, 0.0, 0.0), (1.0, 2.0, 3.0), (-4.0, 0.5, 9.0)]
    places = [turned.to_physical(index) for index in indices]
    assert turned.to_index(places) == pytest.approx(np.array(indices), abs=1e-9)
    assert turned.to_index(places[1]) == pytest.approx(np.array(indices[1]), abs=1e-9)


def test_array_of_another_size_is_refused(grid):
    with pytest.raises(ValueError, match="does not belong"):
        to_canonical(np.zeros((2, 2, 2)), grid())
