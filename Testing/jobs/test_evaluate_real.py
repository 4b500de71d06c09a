"""The worth of uncertainty on eight real cases with four real models, of which only label maps are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace, discover, save_cohort
from BraTSRefineLib.cohort.volumes import Geometry, read_label_map
from BraTSRefineLib.fusion import majority
from BraTSRefineLib.jobs.actions.evaluation_flags import CALIBRATED, NO_RIM, PLAIN, FlagStudy, worth_summary
from BraTSRefineLib.jobs.actions.flagging import Seen
from BraTSRefineLib.regions import REGIONS, label_convention
from BraTSRefineLib.scoring.agreement import agreement
from BraTSRefineLib.scoring.quality import FEATURES, features_of, left_out_quality, quality_summary

MODELS = ("baseline_attention", "baseline_no_attention", "waveloss_attention", "waveloss_no_attention")
LABELS = label_convention("brats2021")
EVERY = 2
"""Flags on voxels of 2 mm show the same and take an eighth of the time."""

BUDGET_ML = 40.0
"""Of a median of 57 ml of errors a case, every region counted; the plain way flags 241 ml, the calibrated one 89 ml."""

PLAIN_COVERAGE = {"WT": 0.63, "TC": 0.51, "ET": 0.42}
PLAIN_PRECISION = {"WT": 0.18, "TC": 0.06, "ET": 0.16}
PAIRWISE_RANK = {"WT": 0.71, "TC": 0.90, "ET": 0.74}


def read_case(folder: Path, case: str) -> SimpleNamespace:
    truth = LABELS.masks(read_label_map(folder / "cases" / case / f"{case}_seg.nii.gz"))
    masks = {m: LABELS.masks(read_label_map(folder / "predictions" / m / f"{case}.nii.gz")) for m in MODELS}
    rows = list(quality_rows(case, truth, list(masks.values())))
    truth = truth[:, ::EVERY, ::EVERY, ::EVERY]
    masks = {model: stack[:, ::EVERY, ::EVERY, ::EVERY] for model, stack in masks.items()}
    share = np.mean(list(masks.values()), axis=0, dtype=np.float32)
    seen = Seen("disagreement", {"disagreement": share * (1 - share), "mean": share}, share > 0.5, masks)
    return SimpleNamespace(truth=truth, seen=seen, wrong=seen.consensus != truth, quality=rows)


def quality_rows(case: str, truth: np.ndarray, stacks: list[np.ndarray]) -> Iterator[dict[str, object]]:
    """Agreement and true Dice of the majority on the complete voxels: ranks of eight cases change with less."""
    fused = majority(stacks)
    for level, region in enumerate(REGIONS):
        found = agreement([stack[level] for stack in stacks], fused[level], 0.001)
        dice = 2 * (fused[level] & truth[level]).sum() / (fused[level].sum() + truth[level].sum())
        row = {"case": case, "group": case, "region": region, "dice": dice}
        row |= {name: getattr(found, name) for name in ("pairwise_dice", "empty_consensus", "few_voxels")}
        yield row | dict(zip(FEATURES, features_of(found), strict=True))


@pytest.fixture(scope="module")
def cases(real_data) -> dict[str, SimpleNamespace]:
    folder = real_data / "brats2020"
    if not folder.is_dir():
        pytest.skip("the brats2020 cases are not there")
    return {path.name: read_case(folder, path.name) for path in sorted((folder / "cases").iterdir())}


@pytest.fixture(scope="module")
def worths(cases) -> pd.DataFrame:
    """A row a case, region and way."""
    size = next(iter(cases.values())).truth.shape[1:][::-1]
    geometry = Geometry(size, (1.0 * EVERY,) * 3, (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    study = FlagStudy(0.45)
    for name, one in cases.items():
        for level, region in enumerate(REGIONS):
            study.learn(name, name, "votes", region, one.seen, one.wrong[level], geometry)
    for name, one in cases.items():
        wrong = dict(zip(REGIONS, one.wrong, strict=True))
        cuts = [study.judge(name, "votes", region, one.seen, wrong[region], geometry) for region in REGIONS]
        study.judge_budget("votes", cuts, wrong, BUDGET_ML, geometry)
    return study.worths()


@pytest.fixture(scope="module")
def flags(worths) -> pd.DataFrame:
    """Medians over the cases by region and way."""
    return worth_summary(worths).set_index(["region", "way"])


@pytest.mark.parametrize("region", REGIONS)
def test_the_plain_way_is_as_poor_as_it_was_measured(flags, region):
    plain = flags.loc[(region, PLAIN)]
    assert plain["coverage"] == pytest.approx(PLAIN_COVERAGE[region], abs=0.03)
    assert plain["precision"] == pytest.approx(PLAIN_PRECISION[region], abs=0.01)


@pytest.mark.parametrize("region", REGIONS)
def test_calibrated_flags_hold_as_many_errors_at_a_precision_of_four_tenths(flags, region):
    ours = flags.loc[(region, CALIBRATED)]
    assert ours["coverage"] >= flags.loc[(region, PLAIN), "coverage"]
    assert ours["precision"] >= 0.4
    assert ours["flagged_ml"] < 0.5 * flags.loc[(region, PLAIN), "flagged_ml"]
    assert ours["rank_correlation"] > 0.8


def test_a_budget_of_forty_ml_a_case_holds_half_of_the_errors_at_a_precision_of_six_tenths(worths):
    within = worths[worths["way"] == "at most 40 ml a case"]
    held = within["coverage"].fillna(0) * within["error_ml"]
    by_case = within.assign(held=held).groupby("case")[["held", "flagged_ml", "error_ml"]].sum()
    assert by_case["flagged_ml"].max() <= BUDGET_ML
    assert (by_case["held"] / by_case["error_ml"]).median() > 0.5
    assert (by_case["held"] / by_case["flagged_ml"]).median() > 0.6


@pytest.mark.parametrize("region", ["TC", "ET"])
def test_without_the_rim_hardly_an_error_of_the_core_can_be_flagged(flags, region):
    assert flags.loc[(region, NO_RIM), "coverage"] < 0.05


def test_the_regression_ranks_cases_better_than_pairwise_dice(cases):
    table = pd.DataFrame([row for one in cases.values() for row in one.quality])
    summary = quality_summary(left_out_quality(table)).set_index("region")
    for region in REGIONS:
        assert summary.loc[region, "pairwise_dice_rank"] == pytest.approx(PAIRWISE_RANK[region], abs=0.006)
    assert summary.loc["mean", "regression_rank"] > summary.loc["mean", "pairwise_dice_rank"]
    assert summary.loc["mean", "mean_absolute_error"] < 0.08


@pytest.mark.slow
def test_the_job_reaches_the_same_on_the_complete_voxels(real_data, tmp_path):
    cohort = discover(real_data / "brats2020", labels="brats2021")
    workspace = Workspace.open(tmp_path / "work", real_data / "brats2020")
    save_cohort(cohort, workspace)
    summary = jobs.run(jobs.create(workspace, "evaluate", {"models": list(MODELS)}))
    for region in REGIONS:
        plain, ours = (summary["flags"][f"{region}, {way}, votes of the models"] for way in (PLAIN, CALIBRATED))
        assert plain["coverage"] == pytest.approx(PLAIN_COVERAGE[region], abs=0.006)
        assert plain["precision"] == pytest.approx(PLAIN_PRECISION[region], abs=0.006)
        assert ours["coverage"] >= plain["coverage"]
        assert ours["precision"] >= 0.4
        assert summary["quality"][region]["pairwise_dice_rank"] == pytest.approx(PAIRWISE_RANK[region], abs=0.006)
    assert summary["quality"]["mean"]["regression_rank"] > summary["quality"]["mean"]["pairwise_dice_rank"]
