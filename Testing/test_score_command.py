"""``bratsrefine score`` as a shell would call it, within this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib import cli
from BraTSRefineLib.cohort.volumes import Geometry, write_volume
from BraTSRefineLib.scoring import CONVENTIONS, METRICS
from BraTSRefineLib.scoring.lesion_presets import PRESETS

GRID = Geometry((14, 13, 12), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture
def bratsrefine(monkeypatch, capsys):
    """Calls the command with these arguments: exit code, what it printed, and its errors."""

    def call(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["bratsrefine", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return SimpleNamespace(code=end.value.code or 0, out=printed.out, err=printed.err)

    return call


@pytest.fixture
def cohort(tmp_path) -> Path:
    """Two cases of one model, the second shifted by two voxels."""
    label_map = np.zeros(GRID.size[::-1], np.uint8)
    label_map[2:9, 2:9, 2:9] = 2
    label_map[4:7, 4:7, 4:7] = 3
    label_map[5, 5, 5] = 1
    for shift, case in ((0, "A"), (2, "B")):
        write_volume(tmp_path / "data" / "cases" / case / f"{case}-seg.nii.gz", label_map, GRID)
        write_volume(tmp_path / "data" / "predictions" / "unet" / f"{case}.nii.gz", np.roll(label_map, shift, 2), GRID)
    return tmp_path / "data"


@pytest.mark.parametrize("with_folder", [False, True])
def test_conventions_explains_every_name_and_the_rules_for_lesions_and_scores_nothing(
    bratsrefine, tmp_path, with_folder
):
    run = bratsrefine("score", *([tmp_path / "no folder"] if with_folder else []), "--conventions")
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    for name in CONVENTIONS:
        assert [line for line in lines if line.startswith(f"{name}: ") and "empty" in line.lower()], name
    for name in PRESETS:
        assert [line for line in lines if line.startswith(f"{name}: ") and "steps, lesions over" in line], name
    assert "Rules for lesions:" in run.out
    assert list(tmp_path.iterdir()) == []


def test_measures_and_tolerances_are_in_the_table(bratsrefine, cohort, tmp_path):
    options = (
        "--measures",
        "topology,lesions",
        "--tolerance",
        0.5,
        "--tolerance",
        1,
        "--labels",
        "brats2023",
        "--json",
    )
    run = bratsrefine("score", cohort, "--workspace", tmp_path / "w", *options)
    assert run.code == 0, run.err
    summary = json.loads(run.out)
    assert (summary["cases"], summary["unchanged"], summary["lesions"]) == (2, 0, "brats2023-gli")
    metrics = set(pd.read_parquet(tmp_path / "w" / "scores.parquet")["metric"])
    assert set(METRICS) | {"nsd_0.5mm", "nsd_1mm", "betti0_error", "lesionwise_dice", "lesion_f1"} <= metrics
    assert "panoptic_quality" not in metrics
    assert set(pd.read_csv(tmp_path / "w" / "lesions.csv")["status"]) == {"matched"}
    again = bratsrefine("score", cohort, "--workspace", tmp_path / "w", *options)
    assert json.loads(again.out)["unchanged"] == 2
    fresh = bratsrefine("score", cohort, "--workspace", tmp_path / "w", *options, "--fresh")
    assert json.loads(fresh.out)["unchanged"] == 0


def test_no_measures_leave_the_metrics_alone(bratsrefine, cohort, tmp_path):
    options = ("--measures", "none", "--convention", "medpy", "--labels", "brats2023")
    run = bratsrefine("score", cohort, "--workspace", tmp_path / "w", *options)
    assert run.code == 0, run.err
    assert "convention: medpy" in run.out
    assert "mean dice" in run.out
    table = pd.read_parquet(tmp_path / "w" / "scores.parquet")
    assert (set(table["metric"]), set(table["convention"])) == (set(METRICS), {"medpy"})
    assert pd.read_parquet(tmp_path / "w" / "lesions.parquet").empty


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--convention", "brats1999"), "unknown scoring convention 'brats1999': use one of brats2023, brats2024-gli"),
        (("--measures", "lesion"), "unknown measure 'lesion': use any of lesions, instances, topology, calibration"),
        (("--lesion-rules", "brats2022"), "unknown rules for lesions 'brats2022': use one of brats2023-gli"),
        (("--tolerance", "-1"), "tolerances is [-1.0], expected null or a list of mm above 0"),
        (("--workers", "0"), "0 processes cannot score anything; give 1 or more"),
        (("--scheduler", "nonsense"), "no Dask scheduler answers at nonsense"),
        (("--labels", "brats1999"), "unknown label convention 'brats1999'"),
    ],
)
def test_a_name_that_is_not_known_is_one_line_and_exit_code_1(bratsrefine, cohort, tmp_path, options, message):
    run = bratsrefine("score", cohort, "--workspace", tmp_path / "w", *options, "--json")
    assert run.code == 1
    assert message in run.err
    assert run.out == ""
    assert "Traceback" not in run.err
    assert not (tmp_path / "w" / "scores.csv").exists()


@pytest.mark.parametrize("options", [("--tolerance", "wide"), ("--no-such-option",), ("--workers", "two")])
def test_wrong_usage_is_exit_code_2(bratsrefine, cohort, options):
    run = bratsrefine("score", cohort, *options)
    assert run.code == 2
    assert "Usage" in run.err


def test_rules_that_do_not_fit_the_labels_are_told(bratsrefine, cohort, tmp_path):
    options = ("--lesion-rules", "brats2024-men-rt", "--labels", "brats2023", "--json")
    run = bratsrefine("score", cohort, "--workspace", tmp_path / "w", *options)
    assert run.code == 0
    assert "brats2024-men-rt knows no NCR (labels brats2023): choose other rules for lesions" in run.err
    assert json.loads(run.out)["mean_dice"]["unet"]["WT"] < 1
