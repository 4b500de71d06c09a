"""Each planted failure is in the files, where truth.json says."""

import json

import numpy as np
import pytest

from BraTSRefineLib.cohort.volumes import VolumeError, read_geometry, read_image, read_label_map
from BraTSRefineLib.phantom import write_cohort
from BraTSRefineLib.phantom.failures import KINDS, SHIFT_MM
from BraTSRefineLib.phantom.plan import plan_cohort
from BraTSRefineLib.regions import CONVENTIONS

LABELS = CONVENTIONS["brats2023"]


@pytest.fixture(scope="module")
def planted(truth):
    return {record["kind"]: record for record in truth["planted"]}


def reference_path(folder, record):
    return folder / "cases" / record["case"] / f"{record['case']}-seg.nii.gz"


def prediction_path(folder, record):
    return folder / "predictions" / record["model"] / f"{record['case']}.nii.gz"


def masks(folder, record):
    """Reference and prediction of the region that the failure shows in."""
    return tuple(
        LABELS.mask(read_label_map(path(folder, record)), record["region"])
        for path in (reference_path, prediction_path)
    )


def voxel(folder, record):
    """Array index (z, y, x) of the recorded centre."""
    geometry = read_geometry(reference_path(folder, record))
    position = np.subtract(record["centre_mm"], geometry.origin) / geometry.spacing
    index = np.rint(position).astype(int)[::-1]
    assert geometry.to_physical(tuple(index)) == pytest.approx(tuple(record["centre_mm"]), abs=1e-3)
    return tuple(index)


def image(folder, record, channel):
    return read_image(folder / "cases" / record["case"] / f"{record['case']}-{channel}.nii.gz")


def test_every_kind_is_planted_in_a_case_of_its_own(planted):
    assert set(planted) == set(KINDS)
    assert len({record["case"] for record in planted.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", ["false positive at the cavity rim", "vessel called ET"])
def test_false_positive_is_at_the_recorded_place(phantom_cohort, planted, kind):
    reference, prediction = masks(phantom_cohort, planted[kind])
    place = voxel(phantom_cohort, planted[kind])
    assert prediction[place] and not reference[place]
    assert np.count_nonzero(prediction & ~reference) >= planted[kind]["voxels"] > 5


@pytest.mark.parametrize("kind", ["under-segmented oedema", "missed satellite"])
def test_false_negative_is_at_the_recorded_place(phantom_cohort, planted, kind):
    reference, prediction = masks(phantom_cohort, planted[kind])
    place = voxel(phantom_cohort, planted[kind])
    assert reference[place] and not prediction[place]
    assert np.count_nonzero(reference & ~prediction) >= planted[kind]["voxels"] > 5


def test_cavity_rim_borders_fluid_that_flair_suppresses(phantom_cohort, planted):
    record = planted["false positive at the cavity rim"]
    z, y, x = voxel(phantom_cohort, record)
    flair = image(phantom_cohort, record, "t2f")
    around = flair[z - 3 : z + 4, y - 3 : y + 4, x - 3 : x + 4]
    assert around[around > 0].min() < 0.6 * np.median(flair[flair > 0])


def test_under_segmented_oedema_loses_most_of_the_whole_tumour_margin(phantom_cohort, planted):
    reference, prediction = masks(phantom_cohort, planted["under-segmented oedema"])
    assert np.count_nonzero(reference & prediction) < 0.75 * np.count_nonzero(reference)


def test_missed_satellite_is_a_component_of_its_own_without_any_overlap(phantom_cohort, planted):
    import cc3d

    record = planted["missed satellite"]
    reference, prediction = masks(phantom_cohort, record)
    parts = cc3d.connected_components(reference, connectivity=26)
    satellite = parts == parts[voxel(phantom_cohort, record)]
    assert np.count_nonzero(satellite) < 0.5 * np.count_nonzero(reference)
    assert not (prediction & satellite).any()


def test_vessel_called_enhancing_is_bright_in_contrast_enhanced_t1(phantom_cohort, planted):
    record = planted["vessel called ET"]
    reference, prediction = masks(phantom_cohort, record)
    enhanced = image(phantom_cohort, record, "t1c")
    assert np.median(enhanced[prediction & ~reference]) > 1.1 * np.median(enhanced[enhanced > 0])


def test_geometry_mismatch_shifts_the_origin_of_one_prediction_alone(phantom_cohort, planted):
    record = planted["geometry mismatch"]
    expected = read_geometry(reference_path(phantom_cohort, record))
    found = read_geometry(prediction_path(phantom_cohort, record))
    assert np.subtract(found.origin, expected.origin) == pytest.approx(SHIFT_MM, abs=1e-3)
    assert found.difference(expected).startswith("origin")
    sound = read_geometry(phantom_cohort / "predictions" / "fold_1" / f"{record['case']}.nii.gz")
    assert sound.difference(expected) == ""


def test_unreadable_file_is_refused_as_truncated(phantom_cohort, planted):
    with pytest.raises(VolumeError, match="truncated"):
        read_image(prediction_path(phantom_cohort, planted["unreadable file"]))


@pytest.mark.parametrize("cases", range(1, 9))
def test_every_kind_is_planted_once_however_few_cases(cases):
    plans = plan_cohort(cases, 1, seed=4)
    kinds = [kind for plan in plans for kind in plan.planted]
    assert sorted(kinds) == sorted(KINDS)


@pytest.mark.parametrize("cases", range(1, 9))
def test_an_unreadable_file_hides_no_other_failure(cases):
    for plan in plan_cohort(cases, 1, seed=4):
        assert list(plan.planted.values()).count(plan.planted.get("unreadable file")) <= 1


def test_a_single_case_on_the_coarsest_grid_still_holds_every_failure(tmp_path):
    folder = write_cohort(tmp_path / "c", cases=1, centers=1, seed=1, scale=0.2)
    truth = json.loads((folder / "truth.json").read_text())
    assert {record["kind"] for record in truth["planted"]} == set(KINDS)
