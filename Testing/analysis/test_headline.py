"""The summary says what the numbers say, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis.contents import Contents
from BraTSRefineLib.analysis.finding import LOST_HEADER, SHIFTED
from BraTSRefineLib.analysis.headline import headline
from BraTSRefineLib.cohort import Case, Cohort

FINDINGS = ["case", "model", "kind", "message", "evidence"]


@pytest.fixture
def summary(make):
    """``summary(cases)``: the sentences for ``(case, center, model, {region: (dice, ml)})`` of each prediction."""

    def said(cases, found=(), lesions=None) -> str:
        rows, centers = [], {}
        for case, center, model, figures in cases:
            centers[case] = center
            for region, (dice, size) in figures.items():
                rows.append(make.rows(case, model, region, dice=dice, hd95_mm=5.0, volume_reference_ml=size))
        models = {model for _, _, model, _ in cases}
        made = {model: Path(f"{model}.nii.gz") for model in models}
        cohort = Cohort(
            Path("somewhere"),
            "manifest",
            tuple(Case(case, center=center, predictions=made) for case, center in centers.items()),
        )
        frame = pd.DataFrame(found, columns=FINDINGS)
        return "\n".join(headline(Contents(cohort, make.table(*rows), frame, lesions=lesions)))

    return said


def one_model(dice_et, size_et, center=lambda index: "") -> list:
    return [
        (f"c{i:02}", center(i), "net", {"WT": (0.9 + i / 1000, 50.0), "ET": (dice, size)})
        for i, (dice, size) in enumerate(zip(dice_et, size_et, strict=True))
    ]


def test_the_weakest_region_is_named_where_a_paired_test_says_so(summary):
    said = summary(one_model(np.linspace(0.4, 0.7, 12), [5.0] * 12))
    assert said.startswith("Enhancing tumour is the weakest region: median Dice 0.55 (WT 0.91) over 12 predictions")


def test_a_region_that_is_lower_by_chance_is_not_called_the_weakest(summary):
    said = summary(one_model([0.95, 0.85, 0.97, 0.86, 0.92, 0.8], [5.0] * 6))
    assert "Enhancing tumour has the lowest figures" in said
    assert "not clearly below WT (paired over the cases, p = " in said


def test_few_cases_are_said_to_be_few(summary):
    assert "; 3 cases say little about others." in summary(one_model([0.5, 0.6, 0.7], [5.0] * 3))


def test_failures_of_small_regions_are_told_beside_how_common_these_are(summary):
    dice = [0.1, 0.2, 0.3, 0.4] + [0.8] * 16
    size = [0.5, 0.5, 0.5, 5.0] + [0.5] * 2 + [5.0] * 14
    said = summary(one_model(dice, size))
    assert "4 of 20 predictions fail in ET (Dice below 0.5): 3 (75 %) have under 1 ml" in said
    assert "(25 % of all predictions do)" in said


def test_false_alarms_are_no_small_tumours(summary):
    said = summary(one_model([0.0] * 3 + [0.8] * 9, [0.0] * 3 + [5.0] * 9))
    assert "3 (100 %) are false alarms where the reference has none." in said


def test_failures_of_large_regions_are_not_put_down_to_size(summary):
    said = summary(one_model([0.1] * 4 + [0.8] * 8, [5.0] * 12))
    assert "none has under 1 ml of it in the reference." in said


def test_missed_lesions_are_told_with_their_size(summary):
    columns = {"case": "c00", "model": "net", "region": "ET", "side": "reference", "counted": True, "convention": "x"}
    sizes = [0.2, 0.3, 0.4, 2.0, 3.0, 4.0]
    lesions = pd.DataFrame({"volume_ml": sizes, "status": ["missed"] * 4 + ["matched"] * 2}).assign(**columns)
    said = summary(one_model([0.6] * 6, [5.0] * 6), lesions=lesions)
    assert "4 of 6 ET lesions are missed; 3 (75 %) of the missed are under 1 ml (50 % of all are)." in said


def test_a_centre_that_is_worse_at_equal_size_is_named_with_its_interval(summary):
    random = np.random.default_rng(0)
    sizes = np.exp(random.normal(1.5, 0.8, 60))
    dice = 0.75 + 0.03 * np.log(sizes) + random.normal(0, 0.04, 60) - 0.15 * (np.arange(60) % 3 == 2)
    said = summary(one_model(dice, sizes, center=lambda index: "ABC"[index % 3]))
    assert "Centre C is 0.1" in said and "Dice worse in ET after adjusting for size (95 % interval 0.1" in said
    assert "p < 0.001" in said


def test_centres_that_do_not_differ_are_not_called_equal(summary):
    random = np.random.default_rng(1)
    said = summary(one_model(0.8 + random.normal(0, 0.05, 30), [5.0] * 30, center=lambda index: "AB"[index % 2]))
    assert "No centre was found to be worse after adjusting for size" in said
    assert "that does not show that they are equal" in said


def test_too_few_cases_to_compare_centres_are_said_to_be(summary):
    said = summary(one_model([0.5, 0.6, 0.7, 0.8], [5.0] * 4, center=lambda index: "AB"[index % 2]))
    assert "The centres cannot be compared at equal tumour size: too few cases." in said


def two_models(gain) -> list:
    return [
        (f"c{i:02}", "", model, {"ET": (0.6 + i / 100 + extra, 5.0)})
        for i, shift in enumerate(gain)
        for model, extra in (("a", 0.0), ("b", shift))
    ]


def test_models_that_differ_are_told_with_the_test(summary):
    said = summary(two_models(np.linspace(0.05, 0.1, 12)))
    assert "a is the weakest of 2 models" in said and "b the strongest" in said
    assert "their order holds in 100 % of the draws when the 12 cases are drawn again" in said
    assert "Paired with b, the others are significantly worse in ET (a by 0.08)" in said


def test_a_handful_of_cases_says_nothing_of_how_sure_an_order_is(summary):
    said = summary(two_models([0.1, 0.1]))
    assert "b the strongest (0.70); 2 cases cannot say how sure their order is." in said
    assert "drawn again" not in said


def test_models_that_do_not_differ_are_not_called_equal(summary):
    said = summary(two_models([0.02, -0.01, 0.01, -0.02, 0.03, -0.015]))
    assert "no other model differs significantly in the Dice of any region (1 test," in said
    assert "that does not show that they are equal" in said


def test_serious_findings_come_before_everything_else(summary):
    found = [("c00", "net", LOST_HEADER, "", ""), ("c01", "net", SHIFTED, "", "sure=weak; gain=0.01")]
    said = summary(one_model([0.5] * 6, [5.0] * 6), found=found)
    assert said.splitlines()[0] == "Check the data before the models: lost header (net, c00)."


def test_weak_evidence_is_not_serious(summary):
    said = summary(one_model([0.5] * 6, [5.0] * 6), found=[("c01", "net", SHIFTED, "", "sure=weak")])
    assert "Check the data" not in said


def test_a_cohort_of_one_is_told_of(summary):
    said = summary(one_model([0.5], [5.0]))
    assert "over 1 prediction of 1 case; " in said and "1 case says little about others." in said


def test_cases_without_a_reference_do_not_weigh_on_the_figures(make):
    rows = [make.rows(f"c{i}", "net", "ET", dice=0.9, volume_reference_ml=5.0) for i in range(6)]
    consensus = "brats2023 vs consensus of the others"
    rows += [make.rows(f"x{i}", "net", "ET", consensus, dice=0.1, volume_reference_ml=5.0) for i in range(6)]
    cohort = Cohort(Path("somewhere"), "manifest", tuple(Case(f"{k}{i}") for k in "cx" for i in range(6)))
    said = headline(Contents(cohort, make.table(*rows), pd.DataFrame(columns=FINDINGS)))
    assert said[0] == "Enhancing tumour: median Dice 0.90 over 6 predictions of 6 cases."
    assert "6 cases have no reference: there, the numbers say how far" in said[-1]
