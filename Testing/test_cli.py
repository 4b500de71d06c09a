"""The ``bratsrefine`` command as a script would call it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def workspace(answer, phantom_cohort, tmp_path_factory) -> Path:
    """A workspace in which the phantom cohort was scored."""
    folder = tmp_path_factory.mktemp("workspace")
    answer("score", phantom_cohort, "--workspace", folder)
    return folder


def test_cohort_json_lists_cases_models_and_problems(answer, phantom_cohort):
    found = answer("cohort", phantom_cohort)
    assert len(found["cases"]) == 6
    assert found["models"] == [f"fold_{fold}" for fold in range(5)]
    assert {case["labels"] for case in found["cases"]} == {"brats2023"}
    assert [problem for problem in found["problems"] if problem["level"] == "error"]


def test_score_writes_the_contract_columns(workspace):
    columns = ["case", "model", "region", "metric", "value", "status", "convention"]
    table = pd.read_parquet(workspace / "scores.parquet")
    assert list(table.columns) == columns
    assert list(pd.read_csv(workspace / "scores.csv").columns) == columns
    assert {"dice", "hd95_mm", "assd_mm", "nsd_1mm", "sensitivity", "precision"} <= set(table["metric"])
    assert {"volume_reference_ml", "volume_prediction_ml"} <= set(table["metric"])


def test_a_case_that_cannot_be_scored_is_one_row_that_says_why(workspace):
    table = pd.read_csv(workspace / "scores.csv", keep_default_na=False)
    failed = table[table["metric"] == ""]
    assert len(failed) == 2
    assert all(status and status != "ok" for status in failed["status"])


def test_rank_lists_the_worst_first(answer, phantom_cohort, workspace):
    rows = answer("rank", phantom_cohort, "--workspace", workspace, "--region", "WT", "--worst", 4)
    values = [row["value"] for row in rows]
    assert len(values) == 4
    assert values == sorted(values)


def test_strata_by_center_names_every_center(answer, phantom_cohort, workspace):
    rows = answer("strata", phantom_cohort, "--workspace", workspace, "--by", "center")
    assert len({row["stratum"] for row in rows}) == 3


def test_strata_of_two_factors_name_both(answer, phantom_cohort, workspace):
    rows = answer("strata", phantom_cohort, "--workspace", workspace, "--by", "size,center")
    assert len({row["second"] for row in rows}) == 3
    assert all("ml" in row["stratum"] for row in rows)


def test_strata_by_what_is_not_known_name_what_is(bratsrefine, phantom_cohort, workspace):
    run = bratsrefine("strata", phantom_cohort, "--workspace", workspace, "--by", "scanner")
    assert run.returncode == 1
    assert "'scanner': divide them by size, center, region" in run.stderr


def test_rank_by_rank_sum_lists_the_largest_first(answer, phantom_cohort, workspace):
    rows = answer("rank", phantom_cohort, "--workspace", workspace, "--by", "rank sum", "--worst", 5)
    values = [row["value"] for row in rows]
    assert len(values) == 5
    assert values == sorted(values, reverse=True)


def test_rank_and_strata_of_lesions_that_were_not_scored_say_what_to_do(bratsrefine, phantom_cohort, tmp_path):
    scored = bratsrefine("score", phantom_cohort, "--workspace", tmp_path, "--measures", "none")
    assert scored.returncode == 0, scored.stderr
    for command in ("rank", "strata"):
        run = bratsrefine(command, phantom_cohort, "--workspace", tmp_path, "--lesions")
        assert run.returncode == 1
        assert "--measures lesions" in run.stderr


def test_centers_give_every_table_and_the_notes(answer, phantom_cohort, workspace):
    found = answer("centers", phantom_cohort, "--workspace", workspace, "--region", "WT")
    assert set(found) == {"centers", "overall", "pairs", "held_out", "notes"}
    assert {row["region"] for row in found["centers"]} == {"WT"}
    assert len({row["center"] for row in found["centers"]}) == 3


def test_compare_takes_two_models_or_two_runs_or_ranks_all(bratsrefine, answer, phantom_cohort, workspace, tmp_path):
    of_models = ("--model", "fold_1", "--model", "fold_2")
    for arguments in (of_models, ("--with", workspace), ()):
        assert answer("compare", phantom_cohort, "--workspace", workspace, *arguments)
    alone = bratsrefine("compare", phantom_cohort, "--workspace", workspace, "--model", "fold_1")
    assert alone.returncode == 1
    assert "two --model" in alone.stderr
    nothing = bratsrefine("compare", phantom_cohort, "--workspace", workspace, "--with", tmp_path)
    assert nothing.returncode == 1
    assert "no scores yet" in nothing.stderr


def test_report_works_offline(bratsrefine, phantom_cohort, workspace):
    run = bratsrefine("report", phantom_cohort, "--workspace", workspace)
    assert run.returncode == 0, run.stderr
    assert (workspace / "report.html").stat().st_size > 100_000


def test_uncertainty_fuse_postprocess_and_select_follow_each_other(answer, phantom_cohort, workspace):
    for command, *options in (
        ("uncertainty",),
        ("fuse", "--method", "mean"),
        ("postprocess", "--model", "fold_0", "--minimum-voxels", "WT=20"),
        ("select", "--cases", 2, "--region", "WT"),
    ):
        assert answer(command, phantom_cohort, "--workspace", workspace, *options)
    assert len(list((workspace / "runs").glob("fuse-*/outputs/predictions/*.nii.gz"))) == 6


def test_uncertainty_is_evaluated_and_mapped_under_one_name(bratsrefine, answer, phantom_cohort, workspace):
    summary = answer("uncertainty", "evaluate", phantom_cohort, "--workspace", workspace)
    assert Path(summary["report"]) == workspace / "evaluation" / "report.html"
    assert {name.split(", ")[1] for name in summary["flags"]} >= {"calibrated", "five heaviest disagreements"}
    mapped = bratsrefine("uncertainty", "--json", "--workspace", workspace, phantom_cohort)
    assert mapped.returncode == 0, mapped.stderr
    assert json.loads(mapped.stdout)["flags"] > 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("cohort", "no-such-folder"), "no-such-folder"),
        (("score", "no-such-folder"), "no-such-folder"),
        (("cohort", ".", "--labels", "brats1999"), "brats1999"),
        (("cohort", ".", "--model-labels", "unet"), "NAME=VALUE"),
    ],
)
def test_bad_input_is_one_clear_line(bratsrefine, arguments, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = bratsrefine(*arguments)
    assert run.returncode == 1
    assert expected in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def test_a_read_only_workspace_is_named(bratsrefine, phantom_cohort):
    run = bratsrefine("score", phantom_cohort, "--workspace", "/proc/bratsrefine")
    assert run.returncode == 1
    assert "/proc/bratsrefine" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_path_with_spaces_and_umlauts_works(answer, phantom_cohort, tmp_path):
    folder = tmp_path / "Größe und Ähnliches"
    folder.symlink_to(phantom_cohort, target_is_directory=True)
    assert len(answer("cohort", folder)["cases"]) == 6


def test_scores_of_other_labels_are_not_taken_for_those_of_this_cohort(bratsrefine, phantom_cohort, tmp_path):
    rank = ("rank", phantom_cohort, "--workspace", tmp_path / "w", "--model", "fold_1", "--region", "ET", "--json")
    first, again = bratsrefine(*rank), bratsrefine(*rank)
    assert "none of this cohort yet" in first.stderr
    assert "none of this cohort yet" not in again.stderr
    other = bratsrefine(*rank, "--labels", "NCR=3,ED=2,ET=1")
    assert "none of this cohort yet" in other.stderr
    assert json.loads(other.stdout) != json.loads(again.stdout)


def test_help_shows_an_example_for_every_command(bratsrefine):
    commands = "cohort score rank strata centers compare report uncertainty fuse fit-weights postprocess select phantom"
    for command in re.findall(r"[\w-]+", f"{commands} demo review"):
        run = bratsrefine(command, "--help")
        assert run.returncode == 0
        assert f"bratsrefine {command}" in run.stdout
