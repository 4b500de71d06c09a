"""Predicting a case's Dice without a reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from BraTSRefineLib.scoring import ScoringError
from BraTSRefineLib.scoring.agreement import agreement
from BraTSRefineLib.scoring.quality import (
    EMPTY_CONSENSUS,
    FEATURES,
    FEW_VOXELS,
    features_of,
    fit_quality,
    left_out_quality,
    quality_summary,
)

TRUE = np.array([0.6, 0.1, 0.3, 0.2])


def simulated(cases: int, noise: float = 0.02, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    features = generator.uniform(0, 0.5, (cases, len(FEATURES)))
    table = pd.DataFrame(features, columns=list(FEATURES))
    table["dice"] = np.clip(1 - features @ TRUE + noise * generator.standard_normal(cases), 0, 1)
    table["case"] = table["group"] = [f"case-{number:03}" for number in range(cases)]
    return table.assign(region="WT", pairwise_dice=1 - table["pairwise_lack"], empty_consensus=False, few_voxels=False)


def test_the_coefficients_are_found_again():
    table = simulated(400, noise=0)
    model = fit_quality(table[list(FEATURES)].to_numpy(), table["dice"].to_numpy(), table["case"])
    assert model.coefficients == pytest.approx(TRUE, abs=0.02)


def test_members_that_agree_fully_on_nothing_but_bulk_are_thought_right():
    table = simulated(20)
    model = fit_quality(table[list(FEATURES)].to_numpy(), table["dice"].to_numpy(), table["case"])
    assert model.predict(np.zeros(4)) == 1


def test_more_noise_among_the_members_always_lowers_the_predicted_dice():
    table = simulated(30)
    model = fit_quality(table[list(FEATURES)].to_numpy(), table["dice"].to_numpy(), table["case"])
    generator = np.random.default_rng(1)
    truth = sum((axis - 16) ** 2 for axis in np.indices((32, 32, 32))) <= 81
    fields = [gaussian_filter(generator.standard_normal(truth.shape), 2) for _ in range(4)]
    fields = [field / field.std() for field in fields]
    smooth = gaussian_filter(truth.astype(float), 2)
    levels, predicted = np.linspace(0, 0.4, 9), []
    for level in levels:
        masks = [smooth + level * field > 0.5 for field in fields]
        found = agreement(masks, np.mean(masks, axis=0) > 0.5, 0.001)
        predicted.append(float(model.predict(np.array(features_of(found)))[0]))
    assert spearmanr(levels, predicted).statistic < -0.95


def test_the_interval_holds_nine_of_ten_cases_that_were_left_out():
    summary = quality_summary(left_out_quality(simulated(120, noise=0.05))).set_index("region")
    assert 0.84 <= summary.loc["WT", "within_interval"] <= 0.96


def test_few_cases_have_an_interval_that_excludes_nothing():
    table = simulated(6)
    judged = left_out_quality(table)
    assert (judged["low"] == 0).all()
    assert (judged["high"] == 1).all()


def test_a_case_is_judged_by_a_regression_that_did_not_see_it():
    table = simulated(12)
    judged = left_out_quality(table)
    changed = table.copy()
    changed.loc[3, "dice"] = 0.0
    again = left_out_quality(changed)
    assert again.loc[3, "predicted"] == judged.loc[3, "predicted"]
    assert again.loc[4, "predicted"] != judged.loc[4, "predicted"]


def test_a_person_s_examinations_are_left_out_together():
    table = simulated(12)
    table.loc[[3, 4], "group"] = "one person"
    changed = table.copy()
    changed.loc[4, "dice"] = 0.0
    assert left_out_quality(changed).loc[3, "predicted"] == left_out_quality(table).loc[3, "predicted"]


def test_a_case_without_a_consensus_is_not_predicted_and_says_why():
    table = simulated(10)
    table.loc[0, "empty_consensus"] = True
    judged = left_out_quality(table)
    assert np.isnan(judged.loc[0, "predicted"])
    assert judged.loc[0, "status"] == EMPTY_CONSENSUS
    assert judged["predicted"].notna().sum() == 9


def test_a_prediction_of_few_voxels_says_so():
    table = simulated(10)
    table.loc[[0, 1], "few_voxels"] = True
    table.loc[1, "empty_consensus"] = True
    judged = left_out_quality(table)
    assert np.isfinite(judged.loc[0, "predicted"])
    assert judged["status"].tolist()[:3] == [FEW_VOXELS, EMPTY_CONSENSUS, "ok"]
    assert judged["predicted"].notna().sum() == 9


def test_the_summary_ends_in_the_mean_over_the_regions():
    both = pd.concat([simulated(10), simulated(10, seed=1).assign(region="ET")], ignore_index=True)
    summary = quality_summary(left_out_quality(both))
    assert summary["region"].tolist() == ["WT", "ET", "mean"]
    assert summary["regression_rank"][2] == pytest.approx(summary["regression_rank"][:2].mean())


def test_three_cases_are_too_few():
    with pytest.raises(ScoringError, match="at least four"):
        left_out_quality(simulated(3))


def test_a_dice_that_is_nan_is_refused():
    table = simulated(5)
    with pytest.raises(ScoringError, match="NaN"):
        fit_quality(table[list(FEATURES)].to_numpy(), np.full(5, np.nan), table["case"])
