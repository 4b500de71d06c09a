"""The findings of one case, from arrays in memory."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler

import numpy as np

from BraTSRefineLib.analysis.case_findings import findings_of_case, read_case_findings
from BraTSRefineLib.analysis.pairs import Labelled
from BraTSRefineLib.cohort import Geometry, Problem, discover
from BraTSRefineLib.regions import label_convention

GRID = Geometry((56, 48, 40), (1.0, 1.0, 1.0), (0.0, -47.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def labelled(labels, convention="brats2023"):
    return Labelled(np.ascontiguousarray(labels), label_convention(convention))


def kinds(found):
    return {finding.model: finding.kind for finding in found.findings}


def test_each_prediction_gets_the_first_explanation_that_holds(make):
    truth = make.tumour((14, 32, 19), radius=10)
    predictions = {
        "good": labelled(make.tumour((14, 32, 19), radius=10.2)),
        "flipped": labelled(truth[:, :, ::-1]),
        "shifted": labelled(np.roll(truth, 2, axis=0)),
        "permuted": labelled(np.array([0, 3, 1, 2], dtype=np.uint8)[truth]),
        "of 2021": labelled(np.array([0, 1, 2, 4], dtype=np.uint8)[truth]),
        "poor": labelled(make.tumour((14, 32, 19), radius=6)),
    }
    assert kinds(findings_of_case("x", GRID, labelled(truth), predictions)) == {
        "flipped": "flipped axes",
        "shifted": "shifted prediction",
        "permuted": "permuted labels",
        "of 2021": "other label convention",
    }


def test_only_the_named_models_are_looked_at(make):
    predictions = {name: labelled(np.roll(make.tumour(), 2, axis=0)) for name in "ab"}
    assert kinds(findings_of_case("x", GRID, labelled(make.tumour()), predictions, models=["b"])) == {
        "b": "shifted prediction"
    }


def test_without_a_reference_the_other_models_are_the_truth(make):
    predictions = {name: labelled(make.tumour((14, 32, 19), radius=10)) for name in ("a", "b", "c")}
    predictions["d"] = labelled(predictions["a"].voxels[:, :, ::-1])
    found = findings_of_case("x", GRID, None, predictions)
    assert kinds(found) == {"d": "flipped axes"}
    assert found.findings[0].message.endswith("(compared with the consensus of the others)")
    assert found.signature is None


def test_one_model_alone_without_a_reference_has_nothing_to_be_compared_with(make):
    assert findings_of_case("x", GRID, None, {"a": labelled(make.tumour())}).findings == ()


def test_a_reference_of_unknown_labels_is_told_once_for_the_case(make):
    reference = labelled(np.array([0, 1, 2, 4], dtype=np.uint8)[make.tumour()])
    predictions = {name: labelled(make.tumour()) for name in "ab"}
    assert kinds(findings_of_case("x", GRID, reference, predictions)) == {"": "other label convention"}


def test_empty_maps_stop_nothing(make):
    nothing = np.zeros_like(make.tumour())
    assert kinds(findings_of_case("x", GRID, labelled(nothing), {"a": labelled(make.tumour())})) == {"": "empty region"}
    assert kinds(findings_of_case("x", GRID, labelled(make.tumour()), {"a": labelled(nothing)})) == {}
    assert kinds(findings_of_case("x", GRID, None, {"a": labelled(nothing), "b": labelled(nothing)})) == {}


def test_a_reference_of_a_resection_cavity_alone_stops_nothing(make):
    cavity = labelled(np.where(make.tumour() == 1, 4, 0).astype(np.uint8), "brats2024-gli")
    found = findings_of_case("x", GRID, cavity, {"a": labelled(make.tumour(), "brats2024-gli"), "b": cavity})
    assert kinds(found) == {"": "empty region"}


def test_a_check_that_fails_is_a_finding_and_stops_nothing(make, monkeypatch):
    def broken(*_):
        raise MemoryError("no room")

    monkeypatch.setattr("BraTSRefineLib.analysis.case_findings.of_reference", broken)
    found = findings_of_case("x", GRID, labelled(make.tumour()), {"a": labelled(np.roll(make.tumour(), 2, axis=0))})
    assert kinds(found) == {"a": "shifted prediction", "": "not checked"}
    assert found.findings[1].message == "not checked (MemoryError: no room)"


def test_work_and_result_can_be_sent_to_another_process(make):
    work = partial(findings_of_case, "x", GRID, labelled(make.tumour()), {"a": labelled(make.tumour())})
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(work).result()
    assert found == work()
    assert len(ForkingPickler.dumps(found)) < 20_000


def test_a_model_that_was_refused_for_its_labels_is_told_what_they_may_be(on_disk, make):
    strange = np.array([0, 10, 20, 30], dtype=np.uint8)[make.tumour(radius=11)]
    [case] = on_disk({"x": (make.tumour(), {"net": strange})}).cases
    refused = replace(case, problems=(Problem("labels 10, 20, 30 belong to no known convention", "x", "net"),))
    [finding] = read_case_findings(refused, ()).findings
    assert finding.message.endswith("state --model-labels net=NCR=10,ED=20,ET=30")


def test_a_file_that_cannot_be_read_is_left_to_the_cohorts_problems(on_disk, make):
    [case] = on_disk({"x": (make.tumour(), {"net": make.tumour()})}).cases
    case.predictions["net"].write_bytes(b"no image")
    broken = replace(case, problems=(Problem("not readable", "x", "net"),))
    assert read_case_findings(broken, ("net",)).findings == ()


def test_models_that_are_merely_poor_give_no_finding(real_data):
    cohort = discover(real_data / "brats2020")
    found = [read_case_findings(case, cohort.models) for case in cohort.cases if case.case[-1] in "235"]
    assert [finding for one in found for finding in one.findings if finding.model] == []
