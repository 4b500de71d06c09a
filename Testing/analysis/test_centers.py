"""Centres on simulated cohorts: who is blamed, who is not, and what cannot be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis import AnalysisError, center_tests
from BraTSRefineLib.analysis.center_model import MIXED, SINGLE, adjusted_differences, covariates
from BraTSRefineLib.analysis.centers import ALL_MODELS, CENTER_COLUMNS, OVERALL_COLUMNS, PAIR_COLUMNS
from BraTSRefineLib.analysis.group_tests import cliffs_delta, dunn, kruskal_wallis, mann_whitney
from BraTSRefineLib.cohort import Case, Cohort

COHORTS = 200


def nominal(level: float = 0.05, cohorts: int = COHORTS):
    """A rate that three standard errors of a simulation do not tell from ``level``."""
    return pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / cohorts))


def simulated(
    random: np.random.Generator,
    cases: dict[str, int],
    *,
    worse: dict[str, float] | None = None,
    smaller: dict[str, float] | None = None,
    models: int = 1,
) -> pd.DataFrame:
    """Dice that falls and scatters as tumours get small; ``worse`` takes off Dice, ``smaller`` log ml, by centre."""
    centers = np.repeat(list(cases), list(cases.values()))
    size = random.normal(2.0, 1.0, len(centers)) - [(smaller or {}).get(center, 0.0) for center in centers]
    expected = 0.93 / (1 + np.exp(-0.9 * (size + 0.2)))
    scatter = 0.05 + 0.12 * np.exp(-0.5 * np.maximum(size, -1))
    dice = expected + random.normal(size=len(centers)) * scatter - [(worse or {}).get(c, 0.0) for c in centers]
    rows = []
    for model in range(models):
        own = dice - 0.02 * model + (random.normal(0, 0.05, len(centers)) if models > 1 else 0)
        names = [f"{center}_{index:03}" for index, center in enumerate(centers)]
        columns = {"case": names, "model": f"m{model}", "center": centers}
        rows.append(pd.DataFrame({**columns, "size": np.exp(size), "value": np.clip(own, 0, 1)}))
    return pd.concat(rows, ignore_index=True)


def as_scores(rows: pd.DataFrame, region: str = "ET") -> tuple[pd.DataFrame, Cohort]:
    """The score table and the cohort of simulated rows."""
    base = rows[["case", "model"]].assign(region=region, status="ok", convention="brats2023")
    dice = base.assign(metric="dice", value=rows["value"])
    volumes = base.assign(metric="volume_reference_ml", value=rows["size"])
    columns = ["case", "model", "region", "metric", "value", "status", "convention"]
    cases = rows.drop_duplicates("case")
    cohort = Cohort(Path("x"), "", tuple(Case(c.case, center=c.center) for c in cases.itertuples()))
    return pd.concat([dice, volumes], ignore_index=True)[columns], cohort


def of_center(table: pd.DataFrame, center: str, model: str = "m0") -> pd.Series:
    return table[(table["center"] == center) & (table["model"] == model)].iloc[0]


# What is said by chance


def test_kruskal_wallis_holds_its_level():
    random = np.random.default_rng(1)
    called = [kruskal_wallis({c: random.beta(8, 2, n) for c, n in (("a", 8), ("b", 20), ("c", 12))})[1] < 0.05
              for _ in range(COHORTS)]  # fmt: skip
    assert np.mean(called) == nominal()


def test_mann_whitney_holds_its_level():
    random = np.random.default_rng(2)
    called = [mann_whitney(random.beta(8, 2, 9), random.beta(8, 2, 40)) < 0.05 for _ in range(COHORTS)]
    assert np.mean(called) == nominal()


def adjusted_p(seed: int, cohorts: int, cases: dict[str, int], **planted) -> np.ndarray:
    random = np.random.default_rng(seed)
    drawn = (simulated(random, cases, **planted) for _ in range(cohorts))
    return np.array([adjusted_differences(rows, ["small"])["small"].p for rows in drawn])


@pytest.mark.parametrize(("here", "rest", "smaller"), [(8, 45, 1.0), (15, 60, 1.5), (5, 25, 0.0)])
def test_a_centre_of_small_tumours_is_not_blamed_for_them(here, rest, smaller):
    p = adjusted_p(3, COHORTS, {"small": here, "rest": rest}, smaller={"small": smaller})
    assert (p < 0.05).mean() == nominal()


def test_neither_is_it_by_several_models():
    cohorts = 30
    p = adjusted_p(4, cohorts, {"small": 8, "rest": 30}, smaller={"small": 1.0}, models=2)
    assert (p < 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / cohorts)


def test_without_adjustment_it_would_be():
    random = np.random.default_rng(5)
    drawn = [simulated(random, {"small": 15, "rest": 60}, smaller={"small": 1.5}) for _ in range(50)]
    groups = [[group["value"].to_numpy() for _, group in rows.groupby("center")] for rows in drawn]
    assert np.mean([mann_whitney(*pair) < 0.05 for pair in groups]) > 0.8


def test_nobody_is_flagged_where_no_centre_differs():
    random = np.random.default_rng(6)
    flagged = 0
    for _ in range(25):
        rows = simulated(random, {"a": 12, "b": 20, "c": 9}, smaller={"c": 1.0})
        flagged += center_tests(*as_scores(rows)).centers["flagged"].any()
    assert flagged / 25 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 25)


# What is found


def test_a_planted_difference_is_found_and_has_its_size():
    random = np.random.default_rng(7)
    cases = {"small": 20, "rest": 60}
    drawn = [simulated(random, cases, worse={"small": 0.11}, smaller={"small": 1.0}) for _ in range(100)]
    found = [adjusted_differences(rows, ["small"])["small"] for rows in drawn]
    assert np.mean([one.difference for one in found]) == pytest.approx(-0.11, abs=0.015)
    assert np.mean([one.p < 0.05 for one in found]) > 0.6
    assert np.mean([one.low < -0.11 < one.high for one in found]) > 0.9


def test_the_bad_centre_is_flagged_and_the_one_with_small_tumours_is_not():
    cases, planted = {"bad": 25, "small": 25, "fine": 60}, {"worse": {"bad": 0.15}, "smaller": {"small": 1.5}}
    scores, cohort = as_scores(simulated(np.random.default_rng(8), cases, models=2, **planted))
    tests = center_tests(scores, cohort)
    pooled = tests.centers[tests.centers["model"] == ALL_MODELS].set_index("center")
    assert pooled["flagged"].to_dict() == {"bad": True, "fine": False, "small": False}
    assert pooled.loc["bad", "adjusted_difference"] == pytest.approx(-0.15, abs=0.06)
    assert pooled.loc["small", "difference"] < -0.05
    assert set(pooled["method"]) == {MIXED}
    overall = tests.overall.set_index("model")
    assert overall.loc[ALL_MODELS, ["centers", "n"]].tolist() == [3, 110]
    assert overall.loc[ALL_MODELS, "q"] < 0.05
    assert len(tests.pairs) == 3 * 3


def test_a_longer_distance_is_worse():
    rows = simulated(np.random.default_rng(9), {"bad": 25, "fine": 60}, worse={"bad": 0.2})
    scores, cohort = as_scores(rows)
    dice = scores["metric"] == "dice"
    scores.loc[dice, "value"] = 50 * (1 - scores.loc[dice, "value"])
    scores.loc[dice, "metric"] = "hd95_mm"
    table = center_tests(scores, cohort, metric="hd95_mm").centers.set_index("center")
    assert table.loc["bad", "adjusted_difference"] > 5
    assert table["flagged"].to_dict() == {"bad": True, "fine": False}


def test_the_order_of_the_rows_changes_nothing():
    scores, cohort = as_scores(simulated(np.random.default_rng(10), {"a": 9, "b": 14, "c": 7}, models=2))
    shuffled = scores.sample(frac=1, random_state=3)
    for one, other in zip(vars_of(center_tests(scores, cohort)), vars_of(center_tests(shuffled, cohort)), strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-6)


def vars_of(tests) -> list[pd.DataFrame]:
    return [tests.centers, tests.overall, tests.pairs]


# The same numbers as the libraries


def test_one_model_is_least_squares_with_hc3_as_statsmodels_has_it():
    import statsmodels.api as sm

    rows = simulated(np.random.default_rng(11), {"small": 9, "rest": 30}, smaller={"small": 1.0})
    design = np.column_stack([rows["center"] == "small", covariates(rows)]).astype(float)
    fit = sm.OLS(rows["value"].to_numpy(), design).fit(cov_type="HC3", use_t=True)
    found = adjusted_differences(rows, ["small"])["small"]
    assert found.method == SINGLE
    assert (found.difference, found.standard_error) == (pytest.approx(fit.params[0]), pytest.approx(fit.bse[0]))
    assert found.p == pytest.approx(fit.pvalues[0])
    assert (found.low, found.high) == (pytest.approx(fit.conf_int()[0][0]), pytest.approx(fit.conf_int()[0][1]))


@pytest.mark.filterwarnings("ignore:The MLE may be on the boundary")
@pytest.mark.parametrize("kept", [126, 90])
def test_several_models_have_the_mixed_models_estimate_also_where_cases_lack_some(kept):
    from statsmodels.regression.mixed_linear_model import MixedLM

    rows = simulated(np.random.default_rng(12), {"small": 12, "rest": 30}, models=3).sample(kept, random_state=1)
    design = np.column_stack([rows["center"] == "small", covariates(rows)]).astype(float)
    fit = MixedLM(rows["value"].to_numpy(), design, groups=rows["case"].to_numpy()).fit(reml=True)
    found = adjusted_differences(rows, ["small"])["small"]
    assert found.method == MIXED
    assert found.difference == pytest.approx(fit.fe_params[0], abs=1e-3)
    assert found.standard_error == pytest.approx(fit.bse_fe[0], rel=0.5)


def test_its_standard_error_is_that_of_a_bias_reduced_sandwich():
    import statsmodels.api as sm

    rows = simulated(np.random.default_rng(13), {"small": 12, "rest": 30}, models=3)
    design = np.column_stack([rows["center"] == "small", covariates(rows)]).astype(float)
    model = sm.GEE(
        rows["value"].to_numpy(), design, groups=rows["case"].to_numpy(), cov_struct=sm.cov_struct.Exchangeable()
    )
    fit = model.fit(cov_type="bias_reduced")
    found = adjusted_differences(rows, ["small"])["small"]
    assert found.difference == pytest.approx(fit.params[0], abs=1e-6)
    assert found.standard_error == pytest.approx(fit.bse[0], rel=1e-3)


def test_a_model_with_a_single_prediction_and_twins_are_no_trouble():
    rows = simulated(np.random.default_rng(24), {"small": 12, "rest": 30}, models=2)
    twin = rows[rows["model"] == "m0"].assign(model="twin")
    lonely = pd.concat([rows[rows["model"] == "m0"], twin, rows[rows["model"] == "m1"].head(1)])
    found, alone = (adjusted_differences(one, ["small"])["small"] for one in (lonely, rows[rows["model"] == "m0"]))
    assert found.difference == pytest.approx(alone.difference, abs=0.01)
    assert found.standard_error == pytest.approx(alone.standard_error, rel=0.1)


def test_dunn_is_symmetric_and_finds_the_group_apart():
    random = np.random.default_rng(14)
    p = dunn({"a": random.random(12), "b": random.random(12), "c": random.random(12) + 0.8})
    assert list(p) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert p["a", "c"] < 0.01 < p["a", "b"]


def test_cliffs_delta_is_one_where_every_case_is_higher_and_the_share_of_pairs_else():
    assert cliffs_delta(np.array([5.0, 6.0]), np.array([1.0, 2.0, 3.0])) == 1
    assert cliffs_delta(np.array([1.0]), np.array([1.0, 1.0])) == 0
    here, rest = np.array([1.0, 3.0, 3.0]), np.array([0.0, 3.0, 4.0, 5.0])
    assert cliffs_delta(here, rest) == pytest.approx(np.sign(here[:, None] - rest).mean())


# What cannot be told


def test_a_single_centre_is_an_empty_result_with_its_reason():
    scores, cohort = as_scores(simulated(np.random.default_rng(15), {"only": 9}))
    tests = center_tests(scores, cohort)
    assert [list(table.columns) for table in vars_of(tests)] == [
        list(columns) for columns in (CENTER_COLUMNS, OVERALL_COLUMNS, PAIR_COLUMNS)
    ]
    assert all(table.empty for table in vars_of(tests))
    assert "only one centre is known (only)" in tests.notes[0]


def test_cases_of_no_known_centre_are_shown_and_in_no_test():
    scores, cohort = as_scores(simulated(np.random.default_rng(16), {"": 8, "a": 8, "b": 9}))
    tests = center_tests(scores, cohort)
    unknown = of_center(tests.centers, "unknown centre")
    assert unknown["n"] == 8
    assert np.isnan(unknown["p"])
    assert unknown["warning"] == "not tested: the centre is not known"
    assert of_center(tests.centers, "a")["rest"] == 9
    assert tests.overall.loc[0, "centers"] == 2
    assert tests.notes == ("8 cases of no known centre: shown, but in no test.",)


def test_a_centre_none_of_whose_cases_has_the_region_says_so():
    rows = simulated(np.random.default_rng(17), {"a": 8, "b": 9, "none": 4})
    rows.loc[rows["center"] == "none", ["size", "value"]] = [0.0, 1.0]
    scores, cohort = as_scores(rows)
    row = of_center(center_tests(scores, cohort).centers, "none")
    assert (row["n"], row["absent"]) == (0, 4)
    assert np.isnan(row["p"]) and np.isnan(row["median"])
    assert row["warning"] == "none of its 4 cases has the region"


@pytest.mark.parametrize("cases", [{"a": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 30}, {"a": 2, "b": 2}])
def test_few_cases_give_warnings_and_no_error(cases):
    scores, cohort = as_scores(simulated(np.random.default_rng(18), cases))
    tests = center_tests(scores, cohort)
    assert not tests.centers["flagged"].any()
    assert tests.notes or all("fewer than" in text or "adjust" in text for text in tests.centers["warning"])


def test_equal_numbers_differ_in_nothing():
    rows = simulated(np.random.default_rng(19), {"a": 8, "b": 9}).assign(value=0.8)
    tests = center_tests(*as_scores(rows))
    assert tests.centers["p"].tolist() == [1.0, 1.0]
    assert tests.overall.loc[0, ["statistic", "p"]].tolist() == [0.0, 1.0]
    assert not tests.centers["flagged"].any()


def test_no_prediction_is_an_empty_result(make):
    scores = make.table(make.rows("c", "", "ET", volume_reference_ml=3.0))
    tests = center_tests(scores, Cohort(Path("x"), "", (Case("c", center="a"),)))
    assert tests.centers.empty
    assert "no centre is known" in tests.notes[0]


def test_numbers_against_a_consensus_are_not_mixed_with_those_against_a_reference():
    scores, cohort = as_scores(simulated(np.random.default_rng(20), {"a": 6, "b": 7, "c": 6}))
    scores.loc[scores["case"].str.startswith("c"), "convention"] = "brats2023 vs consensus of the others"
    tests = center_tests(scores, cohort)
    assert sorted(tests.centers["center"]) == ["a", "b"]
    assert tests.notes == ("6 cases without a reference are left out: their numbers are against a consensus.",)


def test_a_model_of_one_centre_tells_nothing_of_centres():
    rows = simulated(np.random.default_rng(25), {"a": 10, "b": 12}, models=2)
    lonely = rows[(rows["model"] == "m0") | (rows["center"] == "a")]
    tests = center_tests(*as_scores(lonely))
    assert set(tests.centers["model"]) == {"m0"}
    assert tests.notes == ("Left out, for they predicted cases of one centre only: m1.",)
    apart = rows[(rows["model"] == "m0") == (rows["center"] == "a")]
    nothing = center_tests(*as_scores(apart))
    assert nothing.centers.empty
    assert nothing.notes[0] == "Nothing to compare: no model predicted cases of two centres."


def test_a_centre_that_shares_no_model_with_the_rest_is_not_adjusted():
    rows = simulated(np.random.default_rng(26), {"a": 9, "b": 9, "c": 9}, models=2)
    apart = rows[(rows["model"] == "m1") == (rows["center"] == "c")]
    assert np.isnan(adjusted_differences(apart, ["c"])["c"].difference)
    assert np.isfinite(adjusted_differences(apart, ["a"])["a"].p)


def test_an_infinite_distance_counts_in_ranks_and_is_not_averaged():
    scores, cohort = as_scores(simulated(np.random.default_rng(21), {"a": 10, "b": 12}))
    first = scores.index[(scores["metric"] == "dice")][0]
    scores["metric"] = scores["metric"].replace("dice", "hd95_mm")
    scores.loc[first, "value"] = np.inf
    row = of_center(center_tests(scores, cohort, metric="hd95_mm").centers, "a")
    assert np.isfinite([row["p"], row["median"], row["adjusted_difference"]]).all()
    assert row["warning"] == "infinite distances are left out of the adjusted difference"


def test_scores_that_may_not_be_compared_are_refused():
    scores, cohort = as_scores(simulated(np.random.default_rng(22), {"a": 6, "b": 7}))
    with pytest.raises(AnalysisError, match="occurs more than once"):
        center_tests(pd.concat([scores, scores]), cohort)
    scores.loc[0, "convention"] = "nan"
    with pytest.raises(AnalysisError, match="brats2023 and nan"):
        center_tests(scores, cohort)


@pytest.mark.parametrize(
    ("wrong", "known"),
    [({"metric": "dise"}, "dice"), ({"metric": "volume_reference_ml"}, "hd95_mm"),
     ({"regions": ["XX"]}, "WT"), ({"model": "m9"}, "m0")],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_names_what_can(wrong, known):
    scores, cohort = as_scores(simulated(np.random.default_rng(23), {"a": 6, "b": 7}))
    with pytest.raises(AnalysisError, match=known):
        center_tests(scores, cohort, **wrong)
