"""What a phantom cohort is on disk, and what it refuses."""

import json
import re

import numpy as np
import pytest

from BraTSRefineLib.cohort.case import CHANNELS
from BraTSRefineLib.cohort.volumes import read_geometry, read_image, read_label_map
from BraTSRefineLib.phantom import PhantomError, write_cohort

MODELS = [f"fold_{number}" for number in range(5)]


def reference(folder, case):
    return folder / "cases" / case / f"{case}-seg.nii.gz"


def test_every_case_has_four_images_a_reference_and_five_predictions(phantom_cohort, cases):
    assert len(cases) == 6
    for case in cases:
        names = {path.name for path in (phantom_cohort / "cases" / case).iterdir()}
        assert names == {f"{case}-{suffix}.nii.gz" for suffix in (*CHANNELS, "seg")}
        for model in MODELS:
            assert (phantom_cohort / "predictions" / model / f"{case}.nii.gz").is_file()
            assert (phantom_cohort / "predictions" / model / f"{case}.npz").is_file()


def test_grid_covers_the_extent_of_brats_at_the_scaled_spacing(phantom_cohort, cases):
    geometry = read_geometry(reference(phantom_cohort, cases[0]))
    assert geometry.size == (96, 96, 62)
    assert geometry.spacing == pytest.approx((2.5, 2.5, 2.5))
    assert geometry.origin == (0.0, -239.0, 0.0)
    assert geometry.direction == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def test_images_lie_on_the_grid_of_the_reference(phantom_cohort, cases):
    for case in cases:
        expected = read_geometry(reference(phantom_cohort, case))
        for channel in CHANNELS:
            found = read_geometry(phantom_cohort / "cases" / case / f"{case}-{channel}.nii.gz")
            assert found.difference(expected) == ""


def test_images_are_brain_on_a_background_of_exactly_zero(phantom_cohort, cases):
    for case in cases:
        for channel in CHANNELS:
            image = read_image(phantom_cohort / "cases" / case / f"{case}-{channel}.nii.gz")
            brain_ml = np.count_nonzero(image) * 2.5**3 / 1000
            assert image.dtype == np.int16
            assert image.min() == 0
            assert 1100 < brain_ml < 1900
            assert not image[:, 0].any() and not image[:, :, 0].any() and not image[:, :, -1].any()


def test_oedema_is_bright_in_flair_and_rim_in_contrast_enhanced_t1(phantom_cohort, truth):
    for facts in truth["per_case"]:
        case = facts["case"]
        labels = read_label_map(reference(phantom_cohort, case))
        flair, enhanced = (
            read_image(phantom_cohort / "cases" / case / f"{case}-{channel}.nii.gz") for channel in ("t2f", "t1c")
        )
        healthy = (labels == 0) & (flair > 0)
        assert np.median(flair[labels == 2]) > 1.2 * np.median(flair[healthy])
        if (labels == 3).any():
            assert np.median(enhanced[labels == 3]) > 1.15 * np.median(enhanced[healthy])


def test_reference_holds_labels_of_brats2023_within_the_brain(phantom_cohort, cases):
    for case in cases:
        labels = read_label_map(reference(phantom_cohort, case))
        brain = read_image(phantom_cohort / "cases" / case / f"{case}-t1n.nii.gz") > 0
        assert {1, 2} <= set(np.unique(labels)) <= {0, 1, 2, 3}
        assert not labels[~brain].any()


def test_truth_tells_the_volumes_that_the_references_have(phantom_cohort, truth):
    for facts in truth["per_case"]:
        labels = read_label_map(reference(phantom_cohort, facts["case"]))
        assert np.count_nonzero(labels) * 2.5**3 / 1000 == pytest.approx(facts["volume_ml"]["WT"], abs=1e-3)
        assert np.count_nonzero(labels == 3) * 2.5**3 / 1000 == pytest.approx(facts["volume_ml"]["ET"], abs=1e-3)


def test_sizes_differ_and_a_case_has_no_enhancing_tumour(truth):
    volumes = [facts["volume_ml"] for facts in truth["per_case"]]
    assert max(v["WT"] for v in volumes) > 2 * min(v["WT"] for v in volumes)
    assert sum(v["ET"] == 0 for v in volumes) >= 1
    assert sum(v["ET"] > 0 for v in volumes) >= 3


def test_centers_csv_names_every_case_and_all_three_centers(phantom_cohort, cases):
    header, *rows = (phantom_cohort / "centers.csv").read_text().splitlines()
    assert header == "case,center,split"
    assert [row.split(",")[0] for row in rows] == cases
    assert {row.split(",")[1] for row in rows} == {"center_1", "center_2", "center_3"}
    assert {row.split(",")[2] for row in rows} <= {"train", "validation"}


def test_dataset_json_describes_the_regions_as_nnunet_does(phantom_cohort):
    for model in MODELS:
        dataset = json.loads((phantom_cohort / "predictions" / model / "dataset.json").read_text())
        assert [sorted(np.atleast_1d(labels)) for labels in dataset["labels"].values()] == [[0], [1, 2, 3], [1, 3], [3]]
        assert dataset["regions_class_order"] == [2, 1, 3]
        assert dataset["file_ending"] == ".nii.gz"


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    first, again, other = (
        write_cohort(tmp_path / name, cases=2, centers=1, seed=seed, scale=0.3, workers=workers)
        for name, seed, workers in (("a", 5, 1), ("b", 5, 2), ("c", 6, 2))
    )
    for path in first.rglob("*.nii.gz"):
        assert path.read_bytes() == (again / path.relative_to(first)).read_bytes()
    assert (first / "truth.json").read_bytes() == (again / "truth.json").read_bytes()
    case = "BraTS-SIM-00001-000"
    assert reference(first, case).read_bytes() != reference(other, case).read_bytes()


def test_progress_counts_every_case(tmp_path):
    told = []
    write_cohort(tmp_path / "c", cases=2, centers=2, seed=3, scale=0.25, progress=lambda *step: told.append(step))
    assert [(done, total) for done, total, _ in told] == [(1, 2), (2, 2)]
    assert {case for *_, case in told} == {"BraTS-SIM-00001-000", "BraTS-SIM-00002-000"}


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"cases": 0}, "0 cases"),
        ({"centers": 0}, "0 centres"),
        ({"cases": 2, "centers": 3}, "3 centres for 2 cases"),
        ({"scale": 0.1}, "scale 0.1"),
        ({"scale": 1.5}, "scale 1.5"),
        ({"scale": float("nan")}, "scale nan"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_impossible_numbers_are_refused_before_anything_is_written(tmp_path, numbers, message):
    with pytest.raises(PhantomError, match=message):
        write_cohort(tmp_path / "c", **numbers)
    assert list(tmp_path.iterdir()) == []


def test_folder_with_foreign_files_is_refused_and_left_alone(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")
    with pytest.raises(PhantomError, match=re.escape("thesis.txt")):
        write_cohort(folder, cases=1, centers=1, scale=0.2)
    assert (folder / "thesis.txt").read_text() == "precious"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "c").write_text("x")
    with pytest.raises(PhantomError, match="is a file"):
        write_cohort(tmp_path / "c", cases=1, centers=1, scale=0.2)


def test_an_earlier_phantom_is_replaced_unless_somebody_added_to_it(tmp_path):
    folder = write_cohort(tmp_path / "Köln cohort", cases=2, centers=1, seed=1, scale=0.25)
    write_cohort(folder, cases=1, centers=1, seed=1, scale=0.25)
    assert [path.name for path in (folder / "cases").iterdir()] == ["BraTS-SIM-00001-000"]
    (folder / "cases" / "note.txt").write_text("seen")
    with pytest.raises(PhantomError, match=re.escape("note.txt")):
        write_cohort(folder, cases=1, centers=1, seed=1, scale=0.25)


def test_an_interrupted_phantom_leaves_nothing_behind(tmp_path):
    def interrupt(done, total, case):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cohort(tmp_path / "c", cases=3, centers=1, seed=1, scale=0.25, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_real_brains_and_phantoms_have_about_the_same_box(real_data, tmp_path):
    case = real_data / "brats2021" / "cases" / "BraTS2021_01657" / "BraTS2021_01657_t1.nii.gz"
    folder = write_cohort(tmp_path / "c", cases=1, centers=1, seed=2, scale=0.25)
    simulated = folder / "cases" / "BraTS-SIM-00001-000" / "BraTS-SIM-00001-000-t1n.nii.gz"
    boxes = []
    for path in (case, simulated):
        geometry, voxels = read_geometry(path), np.argwhere(read_image(path) > 0)
        boxes.append([geometry.to_physical(tuple(corner)) for corner in (voxels.min(axis=0), voxels.max(axis=0))])
    assert np.abs(np.subtract(*boxes)).max() < 20.0
