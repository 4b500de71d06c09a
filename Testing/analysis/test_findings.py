"""What spoils the numbers without a bad model is found, named, and comes with what to do about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from BraTSRefineLib.analysis import KINDS, findings
from BraTSRefineLib.cohort import Case, discover
from BraTSRefineLib.scoring import score_cohort


def checked(cohort):
    return findings(cohort, score_cohort(cohort, workers=1))


def of_kind(found, kind):
    return found.loc[found["kind"] == kind, ["case", "model", "message"]].values.tolist()


def test_a_good_prediction_gives_no_finding(on_disk, make):
    found = checked(on_disk({"good": (make.tumour(), {"net": make.tumour(radius=12.3)})}))
    assert found.empty
    assert list(found.columns) == ["case", "model", "kind", "message", "evidence"]


def test_the_evidence_is_there_in_numbers(on_disk, make):
    shifted = make.tumour((21, 24, 26))
    [evidence] = checked(on_disk({"x": (make.tumour(), {"net": shifted})}))["evidence"]
    assert evidence.startswith("sure=yes; shift_zyx=-1,0,2; before=WT:0.8")
    assert "after=WT:1.0000,TC:1.0000,ET:1.0000" in evidence


def test_permuted_labels_come_with_the_convention_to_state(on_disk, make):
    permuted = np.array([0, 3, 1, 2], dtype=np.uint8)[make.tumour()]
    [[case, model, message]] = of_kind(checked(on_disk({"x": (make.tumour(), {"net": permuted})})), "permuted labels")
    assert (case, model) == ("x", "net")
    assert "the mean Dice is 1.00 instead of 0." in message
    assert message.endswith("state --model-labels net=NCR=3,ED=1,ET=2")


def test_a_shift_is_told_in_voxels_mm_and_direction(on_disk, make):
    shifted = make.tumour((21, 24, 26))
    [[_, _, message]] = of_kind(checked(on_disk({"x": (make.tumour(), {"net": shifted})})), "shifted prediction")
    assert "moved 2 voxels (2 mm) towards the left and 1 voxel (1 mm) towards the feet" in message
    assert "WT 0.86 to 1.00" in message


def test_a_prediction_that_drifts_ever_further_is_poor_and_not_shifted(on_disk, make):
    found = checked(on_disk({"x": (make.tumour(radius=14), {"net": make.tumour((20, 24, 36), radius=9)})}))
    assert of_kind(found, "shifted prediction") == []


def test_a_small_prediction_in_its_place_is_not_called_shifted(on_disk, make):
    found = checked(on_disk({"x": (make.tumour(), {"net": make.tumour(radius=9)})}))
    assert found.empty


def test_a_region_that_a_model_never_outputs(on_disk, make):
    without = np.where(make.tumour() == 3, 1, make.tumour())
    cases = {name: (make.tumour(), {"full": make.tumour(), "blind": without}) for name in ("x", "y")}
    [[case, model, message]] = of_kind(checked(on_disk(cases)), "region never predicted")
    assert (case, model) == ("", "blind")
    assert "no enhancing tumour (ET) in any of its 2 cases" in message


def test_one_person_by_name(on_disk, make):
    cohort = on_disk({"x": (make.tumour(), {}), "y": (make.tumour((18, 20, 28), 7.0), {})})
    cohort = replace(cohort, cases=tuple(replace(case, person="Ann") for case in cohort.cases))
    assert of_kind(checked(cohort), "same person") == [
        ["x", "", "x, y are of one person (Ann) by their names; keep both in one split"]
    ]


def test_one_tumour_under_two_names(on_disk, make):
    cohort = on_disk({"x": (make.tumour(), {}), "y": (make.tumour((22, 20, 30)), {}), "z": (make.tumour(radius=9), {})})
    [[case, _, message]] = of_kind(checked(cohort), "identical references")
    assert case == "x"
    assert message.startswith("its reference is that of y (WT Dice 1.00): this may be one person under two names")


def test_nothing_is_found_in_a_table_without_scores(on_disk, make):
    cohort = on_disk({"x": (make.tumour(), {})})
    scores = score_cohort(cohort, workers=1)
    assert findings(cohort, scores.iloc[:0]).empty


def test_a_cohort_is_checked_by_several_processes_with_the_same_result(on_disk, make):
    maps = {"net": make.tumour((21, 24, 26))}
    cohort = on_disk({name: (make.tumour(radius=radius), maps) for name, radius in (("a", 8), ("b", 10), ("c", 12))})
    scores = score_cohort(cohort, workers=1)
    assert findings(cohort, scores, workers=2).equals(findings(cohort, scores, workers=1))


def test_two_swapped_labels_are_told_where_the_models_other_cases_agree(on_disk, make):
    swapped = np.array([0, 3, 2, 1], dtype=np.uint8)[make.tumour(radius=11)]
    told = checked(on_disk({name: (make.tumour(), {"net": swapped}) for name in "ab"}))
    assert len(of_kind(told, "permuted labels")) == 2
    seldom = {name: (make.tumour(), {"net": swapped if name == "a" else make.tumour()}) for name in "abc"}
    assert of_kind(checked(on_disk(seldom)), "permuted labels") == []


def test_where_every_model_of_a_case_looks_wrong_its_reference_is_to_be_looked_at(on_disk, make):
    truth = make.tumour((14, 32, 19), radius=10)
    models = {"a": make.tumour((14, 32, 19), radius=9.5), "b": make.tumour((14, 32, 19), radius=10.5)}
    cases = {"fine": (truth, models), "turned": (np.ascontiguousarray(truth[:, :, ::-1]), models)}
    found = of_kind(checked(on_disk(cases)), "flipped axes")
    assert [(case, model) for case, model, _ in found] == [("turned", "a"), ("turned", "b")]
    assert all(
        message.endswith("so do all 2 models of this case, so look at its reference first") for *_, message in found
    )


def test_empty_and_single_voxel_regions_are_remarked(on_disk, make):
    none, one = np.where(make.tumour() == 3, 1, make.tumour()), make.tumour()
    one[one == 3] = 2
    one[20, 24, 28] = 3
    found = checked(on_disk({"none": (none, {}), "one": (one, {})}))
    assert of_kind(found, "empty region") == [["none", "", "the reference has no enhancing tumour (ET)"]]
    [[case, _, message]] = of_kind(found, "single voxel")
    assert case == "one" and "a single voxel of enhancing tumour (ET)" in message


def test_a_case_that_cannot_be_read_again_is_a_finding_and_stops_nothing(on_disk, make):
    cohort = on_disk({name: (make.tumour(), {"net": make.tumour((21, 24, 26))}) for name in ("broken", "fine")})
    scores = score_cohort(cohort, workers=1)
    cohort.cases[0].predictions["net"].write_bytes(b"no image")
    found = findings(cohort, scores)
    assert of_kind(found, "shifted prediction")[0][0] == "fine"
    [[case, model, message]] = of_kind(found, "not checked")
    assert (case, model) == ("broken", "net") and str(cohort.cases[0].predictions["net"]) in message


def test_progress_is_told_after_every_case(on_disk, make):
    cohort = on_disk({name: (make.tumour(), {}) for name in "xyz"})
    steps = []
    findings(cohort, score_cohort(cohort, workers=1), progress=lambda *step: steps.append(step))
    assert steps == [(1, 3, "x"), (2, 3, "y"), (3, 3, "z")]


def test_what_spoils_numbers_comes_before_remarks(on_disk, make):
    permuted = np.array([0, 3, 1, 2], dtype=np.uint8)[make.tumour()]
    none = np.where(make.tumour() == 3, 1, make.tumour())
    kinds = list(checked(on_disk({"a": (none, {}), "x": (make.tumour(), {"net": permuted})}))["kind"])
    assert kinds == sorted(kinds, key=KINDS.index) and len(kinds) > 1


@pytest.fixture(scope="module")
def first_of_brats2020(real_data):
    cohort = discover(real_data / "brats2020")
    return of_first(cohort)


def of_first(cohort):
    return checked(replace(cohort, cases=(cohort["BraTS20_Training_001"],)))


def test_deepscan_has_permuted_labels(first_of_brats2020):
    [[_, model, message]] = of_kind(first_of_brats2020, "permuted labels")
    assert model == "deepscan"
    assert message.endswith("state --model-labels deepscan=NCR=3,ED=1,ET=2")


def test_brainlesion_brats_may_lie_beside_its_place_and_the_others_do_not(first_of_brats2020):
    [[_, model, message]] = of_kind(first_of_brats2020, "shifted prediction")
    assert model == "brainlesion_brats"
    assert "weak evidence" in message and "1 voxel (1 mm)" in message


def test_the_right_labels_make_the_finding_go(real_data):
    stated = {"deepscan": "NCR=3,ED=1,ET=2"}
    found = of_first(discover(real_data / "brats2020", model_labels=stated))
    assert of_kind(found, "permuted labels") == []


def test_two_models_never_output_enhancing_tumour(real_data):
    found = of_kind(checked(discover(real_data / "brats2023-gli-predsonly")), "region never predicted")
    assert [model for _, model, _ in found] == ["baseline", "residual_weighted"]
    assert all("(ET)" in message for *_, message in found)


def test_one_brain_in_two_data_sets(real_data):
    cohorts = [discover(real_data / name) for name in ("brats2018", "brats2013")]
    cases: list[Case] = [case for cohort in cohorts for case in cohort.cases]
    [[case, _, message]] = of_kind(checked(replace(cohorts[0], cases=tuple(cases))), "identical references")
    assert {case, *message.split()} >= {"Brats18_2013_21_1", "brats_2013_pat0004_1"}
