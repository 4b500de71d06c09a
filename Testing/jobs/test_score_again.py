"""A cohort that is scored a second time: what is known is not done again, what changed is, and nothing is mixed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace, discover, load_cohort, save_cohort
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.jobs.actions import score as action
from BraTSRefineLib.jobs.context import Context
from BraTSRefineLib.jobs.description import Job, checked
from BraTSRefineLib.scoring import ScoringError, explain_convention, read_scores
from BraTSRefineLib.scoring.table import VERSION, scored_convention

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def score(tmp_path):
    """Does a score job in this process and puts its files in place; the summary, with the problems told."""

    def run(workspace: Workspace, **parameters) -> dict:
        job = checked(Job("score", "again", workspace.root, parameters))
        events = io.StringIO()
        context = Context(job, tmp_path / "outputs", events)
        summary = action.run(context)
        for path in context.staged.root.iterdir():
            path.replace(workspace.root / path.name)
        told = [json.loads(line) for line in events.getvalue().splitlines()]
        return summary | {"problems": [event for event in told if event["event"] == "problem"]}

    return run


def files(workspace: Workspace) -> dict[str, bytes]:
    """Every file of results but ``scores.json``, which says when they were written."""
    names = ("scores_csv", "scores_parquet", "lesions_csv", "lesions_parquet", "findings_csv")
    return {name: getattr(workspace, name).read_bytes() for name in names}


def touched(path: Path) -> None:
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000))


def test_an_unchanged_cohort_is_not_scored_again_and_its_files_are_the_same(score, workspace):
    first = score(workspace)
    before = files(workspace)
    again = score(workspace)
    assert (first.pop("unchanged"), again.pop("unchanged")) == (0, 3)
    assert first == again
    assert files(workspace) == before


def test_fresh_scores_all_again(score, workspace):
    score(workspace)
    before = files(workspace)
    assert score(workspace, fresh=True)["unchanged"] == 0
    assert files(workspace) == before
    assert score(workspace)["unchanged"] == 3


def test_a_file_that_changed_is_scored_again_alone(score, data, workspace, small):
    score(workspace)
    small.write_label_map(data / "predictions" / "left" / "B.nii.gz", small.cubes(0))
    assert score(workspace)["unchanged"] == 2
    dice = read_scores(workspace).query("case == 'B' and model == 'left' and metric == 'dice'")
    assert dice["value"].tolist() == [1, 1, 1]


def test_a_file_that_was_only_touched_is_scored_again_and_gives_the_same(score, data, workspace):
    score(workspace)
    before = files(workspace)
    touched(data / "cases" / "A" / "A-seg.nii.gz")
    assert score(workspace)["unchanged"] == 2
    assert files(workspace) == before


@pytest.mark.parametrize(
    "changed", [{"convention": "nan"}, {"tolerances": [2.0]}, {"measures": ["topology"]}, {"lesions": "brats2023-met"}]
)
def test_other_settings_score_all_again(score, workspace, changed):
    score(workspace)
    assert score(workspace, **changed)["unchanged"] == 0
    assert score(workspace, **changed)["unchanged"] == 3


def test_other_labels_score_all_again(score, data, workspace):
    score(workspace)
    save_cohort(discover(data, labels="NCR=3,ED=2,ET=1"), workspace)
    assert score(workspace)["unchanged"] == 0


def test_a_part_that_is_scored_again_comes_from_no_other_choice_of_models(score, workspace):
    score(workspace)
    before = files(workspace)
    assert score(workspace, models=["left"])["unchanged"] == 0
    pd.testing.assert_frame_equal(*(_sorted(table) for table in (read_scores(workspace), _read(before))))


def _read(kept: dict[str, bytes]) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(kept["scores_parquet"]))


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["case", "model", "region", "metric"], ignore_index=True)


def test_a_damaged_cache_is_made_anew(score, workspace):
    score(workspace)
    before = files(workspace)
    workspace.scoring_cache.write_bytes(b"no database" * 1000)
    assert score(workspace)["unchanged"] == 0
    assert files(workspace) == before
    assert score(workspace)["unchanged"] == 3


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_run_that_is_killed_half_way_goes_on_where_it_was(data, tmp_path, small):
    """All bytes are those of a run that nobody disturbed."""
    for number in range(12):
        small.write_case(data, f"D{number:02}", probabilities=False)
    disturbed, calm = (small.opened(data, tmp_path / name) for name in ("disturbed", "calm"))
    job_json = jobs.create(disturbed, "score", {"workers": 1})
    command = [sys.executable, "-m", "BraTSRefineLib.jobs", str(job_json)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True) as supervisor:
        for line in supervisor.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and event["step"] == 4:
                os.killpg(supervisor.pid, signal.SIGKILL)
    assert jobs.state(job_json.parent) == "interrupted"
    assert not disturbed.scores_csv.exists()
    summary = jobs.run(job_json)
    assert 4 <= summary["unchanged"] < 15
    assert jobs.run(jobs.create(calm, "score", {"workers": 1}))["unchanged"] == 0
    assert files(disturbed) == files(calm)


PART = {"models": ["left"]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"convention": "nan"}, "follow another convention; score all models and cases"),
        ({"lesions": "brats2023-met"}, "follow another convention; score all models and cases"),
        ({"tolerances": [2.0]}, "have other measures; score all models and cases"),
        ({"tolerances": [1.0, 2.0]}, "have other measures; score all models and cases"),
        ({"measures": []}, "have other measures; score all models and cases"),
        ({"measures": ["lesions", "topology"]}, "have other measures; score all models and cases"),
    ],
)
def test_a_part_under_other_rules_is_refused_and_the_scores_stay_as_they_were(score, workspace, changed, message):
    score(workspace)
    before = files(workspace)
    with pytest.raises(JobError, match=message):
        score(workspace, **PART, **changed)
    assert files(workspace) == before


def test_a_part_under_the_same_rules_takes_its_place_whatever_the_rules(score, workspace):
    rules = {"convention": "nan", "tolerances": [0.5, 2.0], "measures": ["lesions", "topology", "calibration"]}
    score(workspace, **rules)
    before = files(workspace)
    score(workspace, **PART, **rules)
    pd.testing.assert_frame_equal(*(_sorted(table) for table in (read_scores(workspace), _read(before))))


def test_a_part_that_cannot_be_scored_any_more_is_a_row_beside_the_others(score, data, workspace):
    score(workspace)
    (data / "predictions" / "left" / "B.nii.gz").write_bytes(b"no image")
    score(workspace, models=["left"], cases=["B"])
    scores = read_scores(workspace)
    assert scores.query("case == 'B' and model == 'left'")["metric"].tolist() == [""]
    assert "dice" in set(scores.query("case == 'A' and model == 'left'")["metric"])


def test_lesion_rules_that_do_not_fit_are_told_and_leave_one_convention(score, workspace):
    """A case without reference has no tissues to go by; that mixes nothing."""
    from BraTSRefineLib.analysis.consistency import check_one_convention

    summary = score(workspace, lesions="brats2024-gli")
    assert {problem["case"] for problem in summary["problems"]} == {"C"}
    assert "goes by tissues" in summary["problems"][0]["message"]
    check_one_convention(read_scores(workspace))


def test_scores_of_an_older_version_are_refused_and_scored_again_by_the_command(score, data, workspace, capsys):
    from BraTSRefineLib.commands.options import scores_of

    score(workspace, convention="brats2023")
    workspace.scores_json.unlink()
    with pytest.raises(ScoringError, match=rf"older version \(1, this is {VERSION}\); score the cohort again"):
        read_scores(workspace)
    scores = scores_of(load_cohort(workspace), workspace)
    assert set(scores["case"]) == {"A", "B", "C"}
    assert "of an older version; scoring 3 cases" in capsys.readouterr().err
    assert scored_convention(workspace) == "brats2023"


def test_the_command_scores_an_older_table_again_under_the_convention_that_it_had(score, workspace):
    from BraTSRefineLib.commands.options import scores_of

    score(workspace, convention="nan")
    about = json.loads(workspace.scores_json.read_text(encoding="utf-8"))
    workspace.scores_json.write_text(json.dumps(about | {"version": 1}), encoding="utf-8")
    scores = scores_of(load_cohort(workspace), workspace)
    assert set(scores.query("case == 'A' and metric == 'dice'")["convention"]) == {"nan"}


def test_a_cohort_of_one(score, tmp_path, small):
    small.write_case(tmp_path / "one", "A")
    workspace = small.opened(tmp_path / "one", tmp_path / "workspace")
    summary = score(workspace)
    assert (summary["cases"], summary["not_scored"], summary["unchanged"]) == (1, 0, 0)
    assert summary["mean_dice"]["true"] == {"WT": 1, "TC": 1, "ET": 1}
    assert score(workspace)["unchanged"] == 1


def test_cases_of_one_name_from_two_centers_are_two(score, tmp_path, small):
    for center, shift in (("center1", 0), ("center2", 3)):
        small.write_case(tmp_path / "both" / center, "A")
        small.write_label_map(tmp_path / "both" / center / "predictions" / "left" / "A.nii.gz", small.cubes(shift))
    workspace = small.opened(tmp_path / "both", tmp_path / "workspace")
    assert score(workspace)["cases"] == 2
    dice = read_scores(workspace).query("model == 'left' and metric == 'dice' and region == 'WT'")
    assert dice["case"].tolist() == ["center1/A", "center2/A"]
    assert dice["value"].iloc[0] == 1 > dice["value"].iloc[1]
    assert score(workspace)["unchanged"] == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"measures": ["lesion"]}, "unknown measure 'lesion': use any of lesions, instances, topology, calibration"),
        ({"lesions": "brats2022"}, "unknown rules for lesions 'brats2022': use one of brats2023-gli"),
        ({"convention": "brats1999"}, "unknown scoring convention 'brats1999': use one of brats2023"),
        ({"workers": 0}, "0 processes cannot score anything; give 1 or more"),
        ({"tolerances": [-1.0]}, "tolerances is \\[-1.0\\], expected null or a list of mm above 0"),
        ({"measures": "lesions"}, 'measures is "lesions", expected a list of further measures'),
        ({"scheduler": "nonsense"}, "no Dask scheduler answers at nonsense"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(score, workspace, parameters, message):
    with pytest.raises((JobError, ScoringError), match=message):
        score(workspace, **parameters)


def test_scores_json_says_the_conventions_in_words(score, workspace):
    score(workspace, convention="brats2023", measures=["lesions", "instances"])
    about = json.loads(workspace.scores_json.read_text(encoding="utf-8"))
    assert about["version"] == VERSION
    assert list(about["conventions"]) == ["brats2023", "brats2023-gli", "panoptica"]
    assert about["conventions"]["brats2023"] == explain_convention("brats2023")
    assert "brats2023-gli: WT, TC, ET: 3 steps, lesions over 50 mm³ counted" in about["conventions"]["brats2023-gli"]
    assert "matched one to one from an IoU of 0.5" in about["conventions"]["panoptica"]
    assert set(about["metrics"]) == set(read_scores(workspace)["metric"])


def test_a_name_of_two_kinds_of_rules_is_explained_as_both(score, workspace):
    """A challenge names how empty masks count, and how its lesions are matched."""
    score(workspace, convention="brats2024-gli", models=["left"], cases=["A"])
    [words] = json.loads(workspace.scores_json.read_text(encoding="utf-8"))["conventions"].values()
    assert words.startswith(explain_convention("brats2024-gli"))
    assert "brats2024-gli: ET: 3 steps, lesions over 10 mm³ counted" in words


def test_csv_and_parquet_hold_the_same_table(score, workspace):
    score(workspace, convention="deepmind", measures=["lesions", "instances", "topology", "calibration"])
    from_parquet = pd.read_parquet(workspace.scores_parquet)
    csv = pd.read_csv(workspace.scores_csv, keep_default_na=False, dtype=str)
    assert csv["value"].replace("", "nan").astype(float).to_numpy() == pytest.approx(
        from_parquet["value"].to_numpy(), rel=0, abs=0, nan_ok=True
    )
    texts = [column for column in csv if column != "value"]
    assert (csv[texts].to_numpy() == from_parquet[texts].to_numpy()).all()
    assert np.isfinite(from_parquet["value"]).any()
