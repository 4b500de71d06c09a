"""The evaluate job: whether the uncertainty of a cohort is worth anything, and flags that are calibrated by it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace, discover, save_cohort, write_volume
from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.jobs.actions.evaluation_compared import MEANS, compared
from BraTSRefineLib.jobs.actions.evaluation_flags import WORTH_COLUMNS
from BraTSRefineLib.jobs.predicted import Predicted
from BraTSRefineLib.regions import REGIONS, label_convention
from BraTSRefineLib.review import ERROR_RISK, read_flags, read_risks

LABELS = label_convention("brats2023")
GRID = Geometry((40, 36, 32), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
BUDGET_ML = 0.5
CASES = ("A", "B", "C", "D", "E")


def balls(shift: float, size: float = 1.0) -> np.ndarray:
    """WT, TC, ET stack of balls in one another, ``shift`` voxels along x."""
    center = (16, 18, 20 + shift)
    distance = np.sqrt(sum((axis - c) ** 2 for axis, c in zip(np.indices(GRID.size[::-1]), center, strict=True)))
    return np.stack([distance <= size * radius for radius in (11, 8, 5)])


def write_case(folder: Path, case: str, spread: float, *, reference: bool) -> None:
    """The careful model is nearly right; the others are shifted by ``spread`` to either side."""
    image = np.where(balls(0, 1.3)[0], 200, 50).astype(np.int16)
    write_volume(folder / "cases" / case / f"{case}-t1n.nii.gz", image, GRID)
    if reference:
        write_volume(folder / "cases" / case / f"{case}-seg.nii.gz", LABELS.paint(balls(0)), GRID)
    for model, shift in (("careful", 0.5), ("left", -spread), ("right", spread + 1)):
        write_volume(folder / "predictions" / model / f"{case}.nii.gz", LABELS.paint(balls(shift)), GRID)


def write_maps(workspace: Workspace, name: str, case: str, spread: float) -> None:
    """What a prediction with augmentations leaves beside its label map."""
    mean = np.mean([balls(shift) for shift in (-spread, 0, spread)], axis=0) * 0.98 + 0.01
    entropy = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    for quantity, stack in (("mean", mean), ("entropy", entropy)):
        for level, region in enumerate(REGIONS):
            path = workspace.model_map_path(name, case, region, quantity)
            write_volume(path, stack[level].astype(np.float32), GRID)


def write_predicted(workspace: Workspace, name: str, cases: tuple[str, ...]) -> None:
    """The label maps and records by which the prediction is a model of the cohort."""
    made = Predicted(workspace, name)
    for case in cases:
        write_volume(made.label_map(case), LABELS.paint(balls(0)), GRID)
        made.record(case).write_text(json.dumps({"labels": "brats2023", "members": ["one", "two"]}))
    made.about_json.write_text("{}")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> SimpleNamespace:
    """Five cases with a reference and one without, three models, one prediction with maps, after the job."""
    folder = tmp_path_factory.mktemp("evaluated")
    for number, case in enumerate((*CASES, "unknown")):
        write_case(folder / "data", case, 1 + number, reference=case != "unknown")
    cohort, workspace = discover(folder / "data", labels="brats2023"), Workspace.open(folder / "work", folder / "data")
    save_cohort(cohort, workspace)
    for case in CASES:
        write_maps(workspace, "tta", case, 2)
    job_json, events = jobs.create(workspace, "evaluate", {"precision": 0.5, "budget_ml": BUDGET_ML}), []
    summary = jobs.run(job_json, on_event=events.append)
    tables = {path.stem: pd.read_csv(path) for path in (workspace.root / "evaluation").glob("*.csv")}
    return SimpleNamespace(folder=folder, workspace=workspace, summary=summary, events=events, tables=tables)


def test_every_case_with_a_reference_is_evaluated_and_none_is_a_problem(evaluated):
    assert evaluated.summary["cases"] == 5
    assert [event for event in evaluated.events if event["event"] == "problem"] == []


def test_progress_counts_each_case_once_and_each_with_a_reference_again(evaluated):
    told = [(event["step"], event["of"]) for event in evaluated.events if event["event"] == "progress"]
    assert told == [(step, 6 + 5) for step in range(1, 12)]


def test_sources_of_uncertainty_stand_in_one_table(evaluated):
    table = evaluated.tables["sources"]
    assert set(table["source"]) == {"votes of the models", "tta"}
    assert set(table["region"]) == set(REGIONS)
    assert (table["cases"] == 5).all()
    assert table["qu_brats"].between(0, 1).all()
    assert (table["e_aurc"] >= 0).all()
    assert set(evaluated.tables["cases"]["domain"]) == {"brain"}


def test_sources_are_compared_side_by_side_on_the_cases_that_all_have(evaluated):
    table = evaluated.tables["compared"].set_index(["region", "source"])
    assert list(table.loc["WT"].index) == ["votes of the models", "tta"]
    assert (table["cases"] == 5).all()
    flags = evaluated.tables["flags"].set_index(["way", "source", "region"])
    row = table.loc[("WT", "votes of the models")]
    assert row["coverage"] == flags.loc[("calibrated", "votes of the models", "WT"), "coverage"]
    assert {"dice", "qu_brats", "aurc", "ece", "rank_correlation"} <= set(evaluated.summary["sources"]["WT, tta"])


def test_a_source_of_fewer_cases_is_compared_on_those():
    rows = [(case, source, "ET", value) for case, source, value in (("A", "x", 1), ("B", "x", 3), ("B", "y", 5))]
    cases = pd.DataFrame(rows, columns=["case", "source", "region", "dice"], dtype=object)
    cases = cases.reindex(columns=["case", "source", "region", *MEANS]).astype(dict.fromkeys(MEANS, float))
    table = compared(cases, pd.DataFrame(columns=WORTH_COLUMNS)).set_index("source")
    assert table["cases"].to_dict() == {"x": 1, "y": 1}
    assert table["dice"].to_dict() == {"x": 3.0, "y": 5.0}


def test_flags_are_compared_with_the_plain_way(evaluated):
    table = evaluated.tables["flags"]
    votes = table[(table["source"] == "votes of the models") & (table["region"] == "WT")].set_index("way")
    assert set(votes.index) == {
        "five heaviest disagreements",
        "half of the maximum, no rim",
        "calibrated",
        "calibrated, no rim",
        "at most 0.5 ml a case",
    }
    assert votes.loc["calibrated", "precision"] > votes.loc["five heaviest disagreements", "precision"]
    assert "five heaviest disagreements" not in set(table.loc[table["source"] == "tta", "way"])


def test_the_curve_of_every_source_and_region_is_kept(evaluated):
    curve = evaluated.tables["flag-curve"]
    assert len(curve.groupby(["source", "region"])) == 6
    assert curve.groupby(["source", "region"])["coverage"].apply(lambda c: c.is_monotonic_decreasing).all()


def test_the_quality_of_a_case_without_reference_is_predicted(evaluated):
    table = evaluated.tables["quality"].set_index(["case", "region"])
    row = table.loc[("unknown", "WT")]
    assert np.isnan(row["dice"])
    assert row["low"] <= row["predicted"] <= row["high"]
    assert "no reference" in row["status"]
    assert row["predicted"] < table.loc[("A", "WT"), "predicted"]


def test_reliability_counts_all_of_the_domain(evaluated):
    shares = evaluated.tables["reliability"].groupby(["source", "region"])["share"].sum()
    assert np.allclose(shares, 1)


def test_temperatures_are_held_out(evaluated):
    table = evaluated.tables["temperature"]
    assert (table["temperature"] > 0).all()
    assert table["nll_after"].notna().all()


def test_the_page_needs_no_connection_and_says_what_was_found(evaluated):
    page = Path(evaluated.summary["report"]).read_text(encoding="utf-8")
    assert "calibrated flags of votes of the models hold" in page
    assert 'src="http' not in page
    assert "plot-reliability" in page
    assert "plot-risk-coverage" in page


def test_the_summary_holds_both_tables(evaluated):
    assert evaluated.summary["flags"]["WT, calibrated, votes of the models"]["coverage"] > 0
    assert set(evaluated.summary["quality"]) == {*REGIONS, "mean"}
    json.dumps(evaluated.summary)


def test_the_next_flags_are_cut_at_the_calibrated_risk(evaluated):
    risks = read_risks(evaluated.workspace.root / "evaluation" / "flag_risks.json")
    assert risks["WT"].kind == "votes of careful, left, right"
    jobs.run(jobs.create(evaluated.workspace, "uncertainty"))
    flags = read_flags(evaluated.workspace.flags_csv)
    assert set(flags["quantity"]) == {ERROR_RISK}
    assert flags["why"].str.startswith("this place is often wrong in the ").all()
    jobs.run(jobs.create(evaluated.workspace, "uncertainty", {"threshold": 0.1}))
    assert set(read_flags(evaluated.workspace.flags_csv)["quantity"]) == {"disagreement"}


def test_a_budget_is_kept_case_by_case_over_all_regions(evaluated):
    table = evaluated.tables["flags-by-case"]
    within = table[table["way"] == "at most 0.5 ml a case"]
    assert set(within["source"]) == {"votes of the models", "tta"}
    assert within.groupby(["case", "source"])["flagged_ml"].sum().max() <= BUDGET_ML
    assert within["flagged_ml"].sum() > 0
    jobs.run(jobs.create(evaluated.workspace, "uncertainty", {"budget_ml": BUDGET_ML}))
    flags = read_flags(evaluated.workspace.flags_csv)
    assert set(flags["quantity"]) == {ERROR_RISK}
    assert 0 < flags.groupby("case")["volume_ml"].sum().max() <= BUDGET_ML
    with pytest.raises(JobError, match="a threshold and a budget"):
        jobs.run(jobs.create(evaluated.workspace, "uncertainty", {"budget_ml": 1, "threshold": 0.1}))


def test_a_prediction_s_own_maps_are_flagged_beside_what_the_models_disagree_about(evaluated):
    jobs.run(jobs.create(evaluated.workspace, "uncertainty"))
    across = read_flags(evaluated.workspace.flags_csv)
    assert set(across["model"]) == {""}
    write_predicted(evaluated.workspace, "tta", CASES)
    summary = jobs.run(jobs.create(evaluated.workspace, "uncertainty", {"models": ["tta"]}))
    assert (summary["flags_of"], summary["cases"]) == ("tta", len(CASES))
    flags = read_flags(evaluated.workspace.flags_csv)
    own = flags[flags["model"] == "tta"]
    assert len(own) == summary["flags"] > 0
    assert ERROR_RISK in set(own["quantity"]), "calibrated by its own table where it had errors to learn from"
    assert len(flags) == len(own) + len(across), "the models' flags stay"
    jobs.run(jobs.create(evaluated.workspace, "uncertainty", {"models": ["tta"], "cases": ["A"], "threshold": 0.1}))
    again = read_flags(evaluated.workspace.flags_csv)
    assert set(again.loc[(again["case"] == "A") & (again["model"] == "tta"), "quantity"]) == {"entropy"}
    pd.testing.assert_frame_equal(*(one[(one["case"] == "B")].reset_index(drop=True) for one in (again, flags)))


def test_a_model_without_maps_of_its_own_has_no_flags(evaluated):
    with pytest.raises(JobError, match=r"of careful there are none"):
        jobs.run(jobs.create(evaluated.workspace, "uncertainty", {"models": ["careful"]}))


def test_a_calibration_of_other_members_is_left_aside(evaluated):
    jobs.run(jobs.create(evaluated.workspace, "uncertainty", {"models": ["left", "right"]}))
    flags = read_flags(evaluated.workspace.flags_csv)
    assert set(flags.loc[flags["model"] == "", "quantity"]) == {"disagreement"}


def test_few_cases_are_evaluated_as_far_as_they_go_and_the_rest_is_a_problem(evaluated):
    events = []
    job_json = jobs.create(evaluated.workspace, "evaluate", {"cases": ["A", "B"]})
    summary = jobs.run(job_json, on_event=events.append)
    assert "quality" not in summary
    messages = {event["message"] for event in events if event["event"] == "problem"}
    assert any("it takes at least four" in message for message in messages)
    assert any("flags are not calibrated" in message for message in messages)


def test_no_reference_and_no_second_model_say_so(evaluated):
    with pytest.raises(JobError, match="no case with a reference"):
        jobs.run(jobs.create(evaluated.workspace, "evaluate", {"cases": ["unknown"]}))
    for precision in (1.5, 0, None):
        with pytest.raises(JobError, match="precision"):
            jobs.create(evaluated.workspace, "evaluate", {"precision": precision})
