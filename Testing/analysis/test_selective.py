import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis import SELECTIVE_COLUMNS, selective_risk
from BraTSRefineLib.scoring import SCORE_COLUMNS, risk_coverage


def a_table(dice, confidence, model="m", region="ET"):
    rows = [
        (f"case {number:02d}", model, region, metric, value, "ok", "brats2023")
        for metric, values in (("dice", dice), ("confidence", confidence))
        for number, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def test_a_model_that_knows_its_bad_cases_lies_at_the_perfect_order():
    dice = np.linspace(0.3, 0.95, 20)
    found = selective_risk(a_table(dice, confidence=dice / 2)).iloc[0]
    assert found["e_aurc"] == pytest.approx(0, abs=1e-12)
    assert found["aurc"] < found["mean_risk"] == pytest.approx(1 - dice.mean())


def test_a_constant_confidence_is_worth_the_mean_risk():
    dice = np.array([0.2, 0.9, 0.7, 0.8])
    found = selective_risk(a_table(dice, confidence=np.full(4, 0.5))).iloc[0]
    assert found["aurc"] == pytest.approx(found["mean_risk"])


def test_the_areas_are_those_of_risk_coverage():
    rng = np.random.default_rng(3)
    dice, confidence = rng.random(30), rng.random(30)
    found, expected = selective_risk(a_table(dice, confidence)).iloc[0], risk_coverage(confidence, 1 - dice)
    assert (found["aurc"], found["e_aurc"], found["augrc"]) == (expected.aurc, expected.e_aurc, expected.augrc)


def test_models_and_regions_are_rows_and_cases_without_confidence_are_left_out():
    tables = [a_table([0.5, 0.9], [0.1, np.nan], region=region) for region in ("WT", "ET")]
    found = selective_risk(pd.concat([*tables, a_table([0.5, 0.9, 0.4], [0.1, 0.2, 0.3], model="other")]))
    assert tuple(found.columns) == SELECTIVE_COLUMNS
    assert {(row.model, row.region): row.n for row in found.itertuples()} == {
        ("m", "ET"): 1,
        ("m", "WT"): 1,
        ("other", "ET"): 3,
    }


def test_without_confidence_the_table_is_empty():
    assert selective_risk(a_table([0.5, 0.9], [np.nan, np.nan])).empty
