import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import psutil
import pytest

from BraTSRefineLib.cohort import discover
from BraTSRefineLib.cohort.case import Case, Cohort, Problem
from BraTSRefineLib.cohort.volumes import Geometry, write_volume
from BraTSRefineLib.cohort.workspace import Workspace
from BraTSRefineLib.regions import label_convention
from BraTSRefineLib.scoring import CONSENSUS, METRICS, SCORE_COLUMNS, ScoringError, score_cohort, write_scores

LABELS = label_convention("brats2023")
GRID = Geometry((14, 13, 12), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))


def tumour(shift=0):
    label_map = np.zeros(GRID.size[::-1], np.uint8)
    label_map[2:9, 2:9, 2 + shift : 9 + shift] = 2
    label_map[4:7, 4:7, 4 + shift : 7 + shift] = 3
    label_map[5, 5, 5 + shift] = 1
    return label_map


def written(path, voxels, grid=GRID):
    write_volume(path, voxels, grid)
    return path


def a_case(folder, name, shifts, reference=True):
    return Case(
        name,
        reference=written(folder / f"{name}-seg.nii.gz", tumour()) if reference else None,
        predictions={m: written(folder / m / f"{name}.nii.gz", tumour(s)) for m, s in shifts.items()},
        labels=LABELS,
    )


@pytest.fixture
def cohort(tmp_path):
    """Two cases with references, and one that only its three models speak of."""
    shifts = {"good": 0, "near": 1, "far": 4}
    folder = tmp_path / "Ärzte data"
    cases = (
        a_case(folder, "A", shifts),
        a_case(folder, "B", shifts),
        a_case(folder, "C", shifts, reference=False),
    )
    return Cohort(folder, "test", cases)


def with_case(cohort, index, **changes):
    cases = list(cohort.cases)
    cases[index] = replace(cases[index], **changes)
    return replace(cohort, cases=tuple(cases))


def values(scores, metric="dice", region="WT"):
    chosen = scores.query("metric == @metric and region == @region")
    return {(row.case, row.model): row.value for row in chosen.itertuples()}


def reasons(scores):
    unscored = scores[scores["metric"] == ""]
    assert (unscored["region"] == "").all()
    assert unscored["value"].isna().all()
    return {(row.case, row.model): row.status for row in unscored.itertuples()}


def test_scores_every_case_model_region_and_metric(cohort):
    scores = score_cohort(cohort)
    assert tuple(scores.columns) == SCORE_COLUMNS
    assert len(scores) == 3 * 3 * 3 * len(METRICS)
    assert values(scores)["A", "good"] == 1.0
    assert values(scores)["A", "good"] > values(scores)["A", "near"] > values(scores)["A", "far"]
    assert reasons(scores) == {}


def test_spacing_comes_from_the_header(cohort):
    scores = score_cohort(cohort, cases=["A"], models=["good"])
    assert values(scores, "volume_reference_ml")["A", "good"] == pytest.approx(343 * 2 / 1000)


def test_without_a_reference_the_others_majority_takes_its_place_and_every_row_says_so(cohort):
    scores = score_cohort(cohort)
    assert set(scores.query("case == 'A'")["convention"]) == {"brats2023"}
    assert set(scores.query("case == 'C'")["convention"]) == {"brats2023" + CONSENSUS}


def test_the_consensus_is_strict_and_leaves_the_scored_model_out(cohort):
    both = (tumour(0) > 0) & (tumour(1) > 0)
    scores = score_cohort(cohort, cases=["C"])
    expected = 2 * (both & (tumour(4) > 0)).sum() / (both.sum() + (tumour(4) > 0).sum())
    assert values(scores)["C", "far"] == pytest.approx(expected)


@pytest.mark.parametrize("engine", ["numba", "scipy"])
def test_models_that_all_found_nothing_agree_with_each_other(cohort, engine):
    for path in cohort["C"].predictions.values():
        written(path, np.zeros_like(tumour()))
    scores = score_cohort(cohort, cases=["C"], engine=engine)
    assert set(scores.query("metric == 'dice'")["status"]) == {"both empty"}
    assert set(values(scores).values()) == {1.0}


def test_choosing_a_model_does_not_change_what_it_is_compared_with(cohort):
    one = score_cohort(cohort, cases=["C"], models=["far"])
    assert values(one)["C", "far"] == values(score_cohort(cohort))["C", "far"]
    assert set(one["model"]) == {"far"}


def test_a_lone_model_without_a_reference_is_a_row_that_says_so(cohort):
    alone = with_case(cohort, 2, predictions={"good": cohort["C"].predictions["good"]})
    assert reasons(score_cohort(alone)) == {("C", "good"): "no reference and no other model to compare with"}


def test_a_case_with_neither_reference_nor_prediction_is_a_row(cohort):
    scores = score_cohort(with_case(cohort, 2, predictions={}))
    assert reasons(scores) == {("C", ""): "no reference and no prediction"}


def test_a_case_without_prediction_still_gives_its_volumes(cohort):
    scores = score_cohort(with_case(cohort, 0, predictions={}), cases=["A"])
    assert set(scores["model"]) == {""}
    assert set(scores["metric"]) == {"volume_reference_ml"}
    assert dict(zip(scores["region"], scores["value"], strict=True)) == pytest.approx(
        {"WT": 0.686, "TC": 0.054, "ET": 0.052}
    )


def test_a_model_with_half_of_the_cases_is_a_row_where_it_is_missing(cohort):
    predictions = {m: p for m, p in cohort["B"].predictions.items() if m != "near"}
    missing = Problem("no prediction of this model", "B", "near", level="note")
    scores = score_cohort(with_case(cohort, 1, predictions=predictions, problems=(missing,)))
    assert reasons(scores) == {("B", "near"): "no prediction of this model"}


def test_what_the_cohort_found_wrong_with_a_model_is_its_row_and_the_others_are_scored(cohort):
    problem = Problem("origin (0, 0, 0) against (0, 5, 0) mm", "A", "far")
    scores = score_cohort(with_case(cohort, 0, problems=(problem,)))
    assert reasons(scores) == {("A", "far"): "origin (0, 0, 0) against (0, 5, 0) mm"}
    assert ("A", "near") in values(scores)


def test_what_the_cohort_found_wrong_with_a_case_is_a_row_a_model(cohort):
    scores = score_cohort(with_case(cohort, 0, problems=(Problem("two files for the reference", "A"),)), cases=["A"])
    assert reasons(scores) == {("A", model): "two files for the reference" for model in ("good", "near", "far")}


def test_a_truncated_prediction_is_a_row_that_names_the_file(cohort):
    path = cohort["A"].predictions["near"]
    path.write_bytes(path.read_bytes()[:-40])
    scores = score_cohort(cohort)
    assert list(reasons(scores)) == [("A", "near")]
    assert "near/A.nii.gz" in reasons(scores)["A", "near"]
    assert len(values(scores)) == 8


def test_an_unreadable_reference_is_a_row_a_model(cohort):
    cohort["A"].reference.write_bytes(b"no image at all")
    scores = score_cohort(cohort)
    assert set(reasons(scores)) == {("A", "good"), ("A", "near"), ("A", "far")}
    assert ("B", "good") in values(scores)


def test_fractions_in_a_label_map_are_a_row(cohort):
    written(cohort["A"].predictions["near"], tumour().astype(np.float32) / 2)
    assert "not whole numbers" in reasons(score_cohort(cohort))["A", "near"]


def test_a_nan_in_a_label_map_is_a_row(cohort):
    voxels = tumour().astype(np.float32)
    voxels[0, 0, 0] = np.nan
    written(cohort["A"].predictions["near"], voxels)
    assert "NaN" in reasons(score_cohort(cohort))["A", "near"]


def test_a_missing_file_is_a_row(cohort):
    cohort["C"].predictions["near"].unlink()
    scores = score_cohort(cohort)
    assert "no such file" in reasons(scores)["C", "near"]
    assert ("C", "far") in values(scores)


def test_labels_outside_the_convention_are_a_row_that_names_label_and_file(cohort):
    written(cohort["A"].predictions["near"], np.where(tumour() == 3, 4, tumour()))
    written(cohort["C"].predictions["near"], np.where(tumour() == 3, 4, tumour()))
    found = reasons(score_cohort(cohort))
    assert set(found) == {("A", "near"), ("C", "near")}
    assert "near/A.nii.gz: label 4 is not in the convention brats2023" in found["A", "near"]


def test_a_prediction_of_another_size_is_a_row(cohort):
    smaller = replace(GRID, size=(14, 13, 11))
    written(cohort["A"].predictions["near"], tumour()[:11], smaller)
    written(cohort["C"].predictions["near"], tumour()[:11], smaller)
    found = reasons(score_cohort(cohort))
    assert set(found) == {("A", "near"), ("C", "near")}
    assert all("not one grid" in reason for reason in found.values())


def test_an_unknown_label_convention_is_a_row_that_says_what_to_do(cohort):
    found = reasons(score_cohort(with_case(cohort, 0, labels=None), cases=["A"]))
    assert all("--labels" in reason for reason in found.values())


def test_models_may_have_a_label_convention_of_their_own(cohort):
    old = np.where(tumour() == 3, 4, tumour())
    written(cohort["A"].predictions["near"], old)
    stated = with_case(cohort, 0, model_labels={"near": label_convention("brats2021")})
    assert values(score_cohort(stated), region="ET")["A", "near"] == 1.0


def test_processes_give_the_same_file_byte_for_byte(cohort, tmp_path):
    spaces = [Workspace.open(tmp_path / f"w{workers}") for workers in (1, 2)]
    for workers, workspace in enumerate(spaces, 1):
        write_scores(score_cohort(cohort, workers=workers), workspace)
    assert len({workspace.scores_csv.read_bytes() for workspace in spaces}) == 1


def test_progress_counts_every_case_once(cohort):
    seen = []
    score_cohort(cohort, workers=2, progress=lambda done, total, case: seen.append((done, total, case)))
    assert [(done, total) for done, total, _ in seen] == [(1, 3), (2, 3), (3, 3)]
    assert sorted(case for *_, case in seen) == ["A", "B", "C"]


def test_killed_worker_processes_lose_nothing(cohort):
    cases = tuple(replace(cohort["A"], case=f"A{number}") for number in range(6))
    killed = []

    def kill_the_workers(done, total, case):
        if not killed:
            killed.extend(child.pid for child in psutil.Process().children() if "spawn_main" in str(child.cmdline()))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    scores = score_cohort(replace(cohort, cases=cases), workers=2, progress=kill_the_workers)
    assert killed
    assert reasons(scores) == {}
    assert set(values(scores).values()) == set(values(score_cohort(cohort, cases=["A"])).values())


def test_works_in_a_script_without_a_main_guard(cohort, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from BraTSRefineLib.scoring.workers import outcomes\n"
        "print('started')\n"
        "print(sorted(outcomes(abs, [-1, -2, -3], 2)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "started\n[(0, 1), (1, 2), (2, 3)]\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cases": ["Z"]}, "no case 'Z' in this cohort; it has A, B, C"),
        ({"models": ["best"]}, "no model 'best'"),
        ({"convention": "x"}, "unknown scoring convention 'x'"),
        ({"engine": "x"}, "unknown engine 'x'"),
        ({"workers": 0}, "give 1 or more"),
        ({"tolerance_mm": -1}, "tolerance -1 must be a distance"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(cohort, options, message):
    with pytest.raises(ScoringError, match=message):
        score_cohort(cohort, **options)


def test_an_empty_choice_gives_an_empty_table(cohort):
    assert score_cohort(cohort, cases=[]).empty


def test_importing_scoring_loads_no_heavy_package():
    code = (
        "import sys, BraTSRefineLib.scoring\n"
        "print([m for m in ('numba', 'torch', 'SimpleITK', 'pyarrow.parquet', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_real_models_without_a_reference_are_scored_against_each_other(real_data):
    scores = score_cohort(discover(real_data / "tcga-lgg"), workers=1)
    assert reasons(scores) == {}
    assert set(scores["convention"]) == {"brats2023" + CONSENSUS}
    assert len(values(scores)) == 10
    assert min(values(scores).values()) > 0.85


def test_a_real_cohort_of_references_alone_gives_their_volumes(real_data):
    scores = score_cohort(discover(real_data / "brats2023-ssa"), workers=1)
    assert set(scores["metric"]) == {"volume_reference_ml"}
    assert len(scores) == 6
